"""All settings of the service, each with the description that the README shows.

They are read from environment variables and the settings file at startup; SIGHUP reads the `live` ones again.
"""

import os
import re
import stat
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import Field, dataclass, field, fields, replace
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from platformdirs import user_data_path
from wgig_client.namespaces import BASE_IRI

from .text import suggest_near_name

_STRICT_URL_PATTERN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>/[!#-;=?-\[\]_a-z~]*)?",
    re.IGNORECASE | re.ASCII,
)
MAX_WORKERS = 8  # each takes about 50 MB, with its query workers
_DEFAULT_PORTS = {"http": 80, "https": 443}
# A DNS name with a dot, and with a letter after the last one, unlike an IP address in any notation.
HOST_NAME_PATTERN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z](?:[a-z0-9-]*[a-z0-9])?", re.I | re.ASCII
)


def canonicalize_url(url: str) -> str | None:
    """The canonical form of an HTTP(S) URL, without its fragment; None if the text is not an accepted URL.

    An accepted URL is ASCII, has no user information and no IPv6 zone, and its path has no `.` or `..`
    segments, percent-encoded or not.
    """
    match = _STRICT_URL_PATTERN.fullmatch(url.partition("#")[0])
    if match is None:
        return None
    scheme, host, target = match["scheme"].lower(), match["host"].lower(), match["target"] or "/"
    port = int(match["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port < 65536 or {".", ".."} & set(re.split(r"[/\\;?]", unquote(target))):
        return None
    return f"{scheme}://{host}{'' if port == _DEFAULT_PORTS[scheme] else f':{port}'}{target}"


@lru_cache
def parse_allowed_urls(setting: str, name: str = "WGIG_ALLOW") -> tuple[str, ...]:
    """The canonical URLs in a setting with this name. Raises ValueError for an invalid entry."""
    urls = []
    for entry in setting.split():
        url = canonicalize_url(entry)
        if url is None or "#" in entry:
            raise ValueError(
                f"{name} has the invalid URL {entry!r}. Write it like https://example.org/sparql, in "
                "ASCII, without a user, a fragment, `.` or `..`."
            )
        urls.append(url)
    return tuple(urls)


@lru_cache
def parse_paper_hosts(setting: str) -> tuple[str, ...]:
    """The hosts in the setting WGIG_PAPER_HOSTS, in lower case. Raises ValueError for an invalid entry."""
    for entry in setting.split():
        if not HOST_NAME_PATTERN.fullmatch(entry):
            raise ValueError(
                f"WGIG_PAPER_HOSTS has the invalid host {entry!r}. Write a name like papers.example.org, "
                "without a scheme, a port and a path; IP addresses are not allowed."
            )
    return tuple(setting.lower().split())


PACKAGE_FOLDER = Path(__file__).parent
CHECKOUT_FOLDER = PACKAGE_FOLDER.parents[1]
# A wheel has the Turtle files inside the package; an editable install uses those of the checkout.
SHIPPED_FOLDER = PACKAGE_FOLDER / "shipped" if (PACKAGE_FOLDER / "shipped").is_dir() else CHECKOUT_FOLDER

SERVICE_TITLE = "WGIG knowledge graph"
DEFAULT_STORE_FOLDER = user_data_path("wgig") / "store"
HISTORY_KEPT = "kept"
TOKENS_FILE = "tokens.json"  # in the folder of the store, unless WGIG_TOKENS names another file
CONTACT_PATTERN = re.compile(r"(?:mailto:[^\s@]+@[^\s@]+|https://[^\s/]+\S*)")
SHARED_STORE_URL_PATTERN = re.compile(r"https?://[^\s/]\S*")
IRI_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
MIB = 1024 * 1024
THREAD_STACK_BYTES = 256 * MIB  # for deeply nested queries; only the used pages are allocated

SETTINGS_FILE_VARIABLE = "WGIG_SETTINGS"
QUAD_MEMORY_BYTES = 475  # memory of a worker per quad, measured


def available_memory_bytes(
    cgroup_root: Path = Path("/sys/fs/cgroup"), own_cgroup_file: Path = Path("/proc/self/cgroup")
) -> int:
    """The memory of the machine in bytes, or the lowest limit of the control groups of this process."""
    machine_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine_bytes, *iter_cgroup_limits(cgroup_root, own_cgroup_file)])


def iter_cgroup_limits(cgroup_root: Path, own_cgroup_file: Path) -> Iterator[int]:
    """The memory limits of the control group of this process and of its parents, in bytes.

    In a container the group is the root of the visible hierarchy; in a systemd unit it has parents.
    """
    memberships = own_cgroup_file.read_text() if own_cgroup_file.exists() else ""
    match = re.search(r"^0::/(.*)$", memberships, re.MULTILINE)
    group = cgroup_root / (match[1] if match else "")
    for folder in (group, *group.parents):
        limit_file = folder / "memory.max"
        limit = limit_file.read_text().strip() if limit_file.exists() else ""
        if limit.isdecimal():
            yield int(limit)


def setting_field(
    default: Any, help_: str, choices: tuple[str, ...] = (), *, live: bool = False, default_words: str = ""
) -> Any:
    """A dataclass field for a setting, with its default, its description, and its allowed values, if limited.

    A `live` setting is read again on SIGHUP. `default_words` describe a default that depends on the machine.
    """
    metadata = {"help": help_, "choices": choices, "live": live, "default_words": default_words}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The settings of one process; each can be set by the environment variable `WGIG_<NAME>`."""

    settings: str = setting_field(
        "",
        "File with more settings, one `WGIG_NAME=value` per line, reloaded on SIGHUP; environment "
        "variables take precedence.",
    )
    store: Path = setting_field(  # noqa: RUF009  a field with metadata
        DEFAULT_STORE_FOLDER, "Folder of the persistent store.", default_words="the user's data folder"
    )
    remote_query: str = setting_field(
        "",
        "Query URL of a shared store: a SPARQL server with the data of several instances; empty: "
        "the data is in the folder of the store. With a shared store, the folder holds a copy.",
    )
    remote_update: str = setting_field("", "Update URL of the shared store; empty: the same as for queries.")
    remote_replicas: str = setting_field(
        "",
        "Query URLs of replicas of the shared store, separated by spaces; a replica that lags behind is not "
        "used.",
    )
    remote_profile: str = setting_field(
        "standard",
        "Product that runs the shared store, if it deviates from the standard.",
        ("standard", "oxigraph", "virtuoso"),
    )
    remote_auth: str = setting_field(
        "",
        "Credentials for the shared store: `basic:FILE` or `digest:FILE` with `user:password`, or "
        "`bearer:FILE`.",
    )
    remote_queries: int = setting_field(32, "Maximum number of concurrent queries sent to the shared store.")
    remote_seconds: int = setting_field(
        60, "Maximum time without any data from the shared store, in seconds."
    )
    remote_fresh: float = setting_field(
        0.0,
        "Seconds between checks for writes by other instances to the shared store; 0: each "
        "response reflects all writes.",
    )
    data: str = setting_field(
        "shipped",
        "Data to fill the store with at each start: the `shipped` graphs and what is inferred "
        "from them, or `none`.",
        ("shipped", "none"),
    )
    host: str = setting_field("127.0.0.1", "Address to listen on.")
    port: int = setting_field(8000, "Port to listen on.")
    proxies: str = setting_field(
        "",
        "Addresses of trusted proxies, separated by commas; their `X-Forwarded-For` header "
        "identifies the client.",
    )
    metrics: str = setting_field(
        "token",
        "Who can read `/metrics`: holders of a `token` with the scope `metrics` or `admin`, or "
        "everyone (`open`).",
        ("token", "open"),
        live=True,
    )
    log: str = setting_field("plain", "Log format: `plain` lines or `json`.", ("plain", "json"), live=True)
    access_log: str = setting_field(
        "off",
        "Whether requests are logged: `off`, with the `network` of the client (/24, /48), or with its "
        "`address`.",
        ("off", "network", "address"),
        live=True,
    )
    query_log: str = setting_field(
        "off",
        "Whether queries are logged: `off`, by the `digest` of their text, or with the `text`.",
        ("off", "digest", "text"),
        live=True,
    )
    base: str = setting_field(BASE_IRI, "Base of all IRIs of the graph.")
    token: str = setting_field(
        "", "Bearer token with all write scopes, in addition to the tokens of `wgig token`.", live=True
    )
    tokens: str = setting_field(
        "",
        f"File of the tokens of `wgig token`, which instances may share; empty: `{TOKENS_FILE}` in the "
        "folder of the store.",
    )
    oidc_issuer: str = setting_field(
        "",
        "OpenID Connect issuer whose tokens (JWT) also grant write access, such as `https://id.example.org`.",
    )
    oidc_audience: str = setting_field("", "Required `aud` of tokens of the issuer.")
    oidc_keys: str = setting_field(
        "",
        "URL of the keys of the issuer (JWKS); empty: the one in the metadata of the issuer, on the "
        "same host.",
    )
    oidc_claim: str = setting_field(
        "scope",
        "Claim that lists what a token grants; a nested claim is written with dots, such as "
        "`realm_access.roles`.",
    )
    oidc_scopes: str = setting_field(
        "",
        "Scopes that values of the claim grant, such as `editors=graphs,update`, separated by spaces; "
        "empty: `wgig:papers` grants `papers`, and so on.",
    )
    oidc_name: str = setting_field(
        "sub", "Claim with the name that is recorded, and published, for a writer."
    )
    contact: str = setting_field(
        "",
        "Contacts for security reports (`/.well-known/security.txt`), error reports (`/feedback`) "
        "and everything else (`/about`, `/catalog`): `mailto:` and `https:` addresses, separated "
        "by spaces.",
        live=True,
    )
    allow: str = setting_field(
        "",
        "URLs that `SERVICE` may query and `LOAD` may fetch, separated by spaces; a URL that ends "
        "in a slash allows all URLs below it.",
        live=True,
    )
    public_url: str = setting_field(
        "",
        "Address at which clients reach the service, such as `https://wgig.example.org/`, for messages to a "
        "hub and to webhooks; empty: `WGIG_BASE`.",
    )
    hub: str = setting_field(
        "", "URL of a WebSub hub, which feeds name, and which is told of the feeds that changed."
    )
    webhooks: str = setting_field(
        "", "URLs that get a signed message after changes (Standard Webhooks), separated by spaces."
    )
    webhook_secret: str = setting_field(
        "", "Secret that signs webhooks: `whsec_` and 24 to 64 bytes in base64, or `file:FILE` with that."
    )
    write_profile: str = setting_field(
        "draft",
        "Profile that a paper must conform to in order to be written: `draft`, `complete`, "
        "`final`, or `off` for none.",
        ("draft", "complete", "final", "off"),
        live=True,
    )
    history: str = setting_field(
        HISTORY_KEPT,
        "Whether earlier versions of graphs are `kept`, with the writer and time of each write, or `lost`.",
        (HISTORY_KEPT, "lost"),
    )
    history_days: int = setting_field(
        0,
        "Days for which earlier versions of graphs can be read; 0: forever. The writer and time "
        "of each write are kept forever.",
    )
    default_graph: str = setting_field(
        "union",
        "Default graph of a query: the `union` of all graphs, or only the `unnamed` graph.",
        ("union", "unnamed"),
    )
    workers: int = setting_field(
        min(os.cpu_count() or 1, MAX_WORKERS),
        f"Number of processes that speak HTTP, from 1 to {MAX_WORKERS}. With 2 or more, one more process "
        "writes, and computes pages.",
        default_words=f"1 per core, at most {MAX_WORKERS}",
    )
    readers: int = setting_field(
        max(4, 2 * (os.cpu_count() or 1)),
        "Number of worker processes that evaluate queries; 0: the service evaluates them itself, "
        "without limits on time and memory.",
        default_words="2 per core, at least 4",
    )
    reader_quads: int = setting_field(
        available_memory_bytes() // 4 // QUAD_MEMORY_BYTES,
        f"Maximum number of quads that workers hold in memory ({QUAD_MEMORY_BYTES} bytes each); "
        "a larger store is read from disk.",
        default_words="as many as fit a quarter of the memory",
    )
    query_seconds: int = setting_field(
        30,
        "Maximum time to evaluate a query, in seconds, excluding time spent waiting for a worker, "
        "`SERVICE` or a slow client.",
        live=True,
    )
    query_memory: int = setting_field(512 * MIB, "Maximum memory for one query, in bytes.")
    cache_bytes: int = setting_field(64 * MIB, "Size of the response cache in memory, in bytes.")
    query_length: int = setting_field(100_000, "Maximum length of a query, in characters.", live=True)
    query_nesting: int = setting_field(
        100, "Maximum nesting of brackets and operators in a query or update.", live=True
    )
    warnings: str = setting_field(
        "pages",
        "Which queries are checked for likely mistakes, besides those with the parameter `hints`: `all`, "
        "those with `empty` results, or those sent from the `pages`.",
        ("all", "empty", "pages"),
        live=True,
    )
    result_bytes: int = setting_field(
        256 * MIB,
        "Maximum size of a result, in bytes; a larger one ends without its last chunk, which HTTP clients "
        "report as an error.",
        live=True,
    )
    result_rows: int = setting_field(
        0,
        "Maximum number of rows or triples in the result of a query; 0: no limit. A larger result "
        "is refused, never truncated. The limit does not apply to pages and lists.",
        live=True,
    )
    write_statements: int = setting_field(
        15_000,
        "Maximum number of statements that PUT, POST or DELETE of a graph may add and remove; 0: "
        "no limit. A larger write is refused, because all other writes would have to wait for it.",
        live=True,
    )
    write_bytes: int = setting_field(
        2 * MIB,
        "Maximum size of the statements that PUT, POST or DELETE of a graph may add and remove, "
        "in bytes of N-Triples; 0: no limit. A larger write is refused.",
        live=True,
    )
    shacl: str = setting_field(
        "shifty",
        "SHACL engine: `shifty`, or `pyshacl`, which reports the same findings for papers but is a hundred "
        "times slower.",
        ("shifty", "pyshacl"),
    )
    paper_bytes: int = setting_field(
        16 * MIB, "Maximum size of a file that is checked as a paper, in bytes.", live=True
    )
    paper_triples: int = setting_field(
        20_000, "Maximum number of triples in the papers of one request.", live=True
    )
    paper_seconds: int = setting_field(
        10, "Maximum time to check the papers of one request, in seconds.", live=True
    )
    shapes: int = setting_field(
        2_000,
        "Maximum number of shapes that a request to `/validate` or `wgig check --shapes` may send.",
        live=True,
    )
    rules: str = setting_field(
        "",
        "Rules that are evaluated after writes: `owl2rl`, files of SHACL rules, or files of CONSTRUCT "
        "queries (`.rq`), separated by spaces; empty: none. The shipped data alone has more statements than "
        "`WGIG_RULES_QUADS`: choose graphs with `WGIG_RULES_GRAPHS`, or nothing is evaluated.",
    )
    rules_graphs: str = setting_field(
        "",
        "Graphs that the rules read: names, such as `issues`, or IRIs, separated by spaces; empty: all that "
        "the service does not compute.",
    )
    rules_graph: str = setting_field(
        "derived",
        "Graph of what follows by the rules: a name or an IRI. Others cannot write to it. If it has content "
        "that no rules made, the service does not start.",
    )
    rules_quads: int = setting_field(
        10_000,
        "Maximum number of statements in the graphs that the rules read; above it, they are not evaluated "
        "after writes, only by `wgig infer`.",
    )
    rules_triples: int = setting_field(
        15_000,
        "Maximum number of triples that follow by the rules, which are written at once; more are refused, "
        "never truncated.",
    )
    rules_seconds: int = setting_field(60, "Maximum time to evaluate the rules after a write, in seconds.")
    paper_hosts: str = setting_field(
        "",
        "Hosts from which `/validate` may fetch a paper by its address, over HTTPS on port 443, separated by "
        "spaces; empty: none.",
        live=True,
    )
    rate_requests: int = setting_field(
        0,
        "Maximum number of requests from one client within `WGIG_RATE_SECONDS`; 0: no limit.",
        live=True,
    )
    rate_seconds: int = setting_field(
        60, "Seconds until a client that has used up its requests can make the full number again.", live=True
    )
    drain_seconds: int = setting_field(
        0,
        "Seconds between the stop signal, after which `/ready` responds with 503, and the time "
        "when no more connections are accepted.",
        live=True,
    )
    body_bytes: int = setting_field(64 * MIB, "Maximum size of a request body, in bytes.")

    @property
    def rules_graph_iri(self) -> str:
        """The IRI of the graph of what follows by the rules; empty without rules."""
        return self.resolve_graph_iri(self.rules_graph) if self.rules else ""

    @property
    def rules_graph_iris(self) -> list[str]:
        """The IRIs of the graphs that the rules read; empty: all that the service does not compute."""
        return [self.resolve_graph_iri(name) for name in self.rules_graphs.split()]

    def resolve_graph_iri(self, name: str) -> str:
        """The IRI of a graph, from its IRI or a name such as `issues`."""
        return name if ":" in name else f"{self.base}graph/{name}"

    @property
    def token_file(self) -> Path:
        """The path of the file of tokens."""
        return Path(self.tokens) if self.tokens else self.store / TOKENS_FILE

    @property
    def public_base(self) -> str:
        """The address at which clients reach the service, with a slash at its end."""
        return f"{(self.public_url or self.base).rstrip('/')}/"

    @classmethod
    def from_arguments(cls, arguments: Namespace) -> Self:
        """Settings from the environment, overridden by the arguments of a command.

        Raises ValueError and OSError as `from_environment` does.
        """
        return cls.from_environment(
            **{name: getattr(arguments, name, None) for name in ("store", "host", "port", "data", "workers")}
        )

    @classmethod
    def from_environment(cls, **overrides: Any) -> Self:
        """Settings from the environment and the settings file; `overrides` that are not None take precedence.

        Raises ValueError naming the variable whose value is invalid, OSError if the file cannot be read.
        """
        file = os.environ.get(SETTINGS_FILE_VARIABLE)
        environment = (read_settings_file(Path(file)) if file else {}) | os.environ
        values: dict[str, Any] = {
            setting.name: environment.get(f"WGIG_{setting.name.upper()}") for setting in fields(cls)
        }
        values |= {name: value for name, value in overrides.items() if value is not None}
        settings = cls(
            **{
                setting.name: convert_setting_value(setting, values[setting.name])
                for setting in fields(cls)
                if values[setting.name] is not None
            }
        )
        parse_allowed_urls(settings.allow)  # raises ValueError for an invalid one
        for name in ("public_url", "hub", "webhooks"):
            parse_allowed_urls(getattr(settings, name), f"WGIG_{name.upper()}")
        parse_paper_hosts(settings.paper_hosts)
        for address in filter(None, map(str.strip, settings.proxies.split(","))):
            check_proxy_address(address)
        if settings.rate_seconds < 1:
            raise ValueError("WGIG_RATE_SECONDS is less than 1. Set it to a number of seconds.")
        if not 1 <= settings.workers <= MAX_WORKERS:
            raise ValueError(
                f"The number of processes that speak HTTP is {settings.workers}. Set WGIG_WORKERS or "
                f"--workers to a number from 1 to {MAX_WORKERS}."
            )
        if settings.remote_queries < 1:
            raise ValueError("WGIG_REMOTE_QUERIES is less than 1. Set it to a number of queries.")
        check_shared_store_urls(settings)
        if settings.rules and settings.remote_query:
            raise ValueError("WGIG_RULES cannot be used with a shared store (WGIG_REMOTE_QUERY).")
        if not IRI_PATTERN.fullmatch(settings.base):
            raise ValueError(
                f"WGIG_BASE is {settings.base!r}. Set it to an IRI such as https://example.org/wgig/."
            )
        for contact in settings.contact.split():
            if not CONTACT_PATTERN.fullmatch(contact):
                raise ValueError(
                    f"WGIG_CONTACT has the invalid contact {contact!r}. Write it like "
                    "mailto:security@example.org or https://example.org/contact."
                )
        return settings

    def with_live(self, other: Self) -> Self:
        """These settings, with the `live` ones of others."""
        return replace(
            self,
            **{field.name: getattr(other, field.name) for field in fields(self) if field.metadata["live"]},
        )


def check_shared_store_urls(settings: Settings) -> None:
    """Raise ValueError if a URL of the shared store is not an HTTP(S) URL."""
    for name in ("remote_query", "remote_update", "remote_replicas"):
        for url in getattr(settings, name).split():
            if not SHARED_STORE_URL_PATTERN.fullmatch(url):
                raise ValueError(
                    f"WGIG_{name.upper()} has the invalid URL {url!r}. Write it like "
                    "http://127.0.0.1:8890/sparql."
                )


def check_proxy_address(address: str) -> None:
    """Raise ValueError if `address` is not an IP address or network; uvicorn would accept any text."""
    try:
        ip_network(address)
    except ValueError as error:
        raise ValueError(
            f"WGIG_PROXIES has the invalid address {address!r}. Write addresses and networks, such "
            "as 10.0.0.1,fd00::/8."
        ) from error


def read_settings_file(path: Path) -> dict[str, str]:
    """The settings in a file, by variable, in the syntax of systemd's EnvironmentFile, with # for comments.

    Raises OSError if the file cannot be read. Raises ValueError if a line is not a setting, or if the file
    contains a token and users other than its owner can read it.
    """
    settings = read_settings_lines(path)
    if {"WGIG_TOKEN", "WGIG_WEBHOOK_SECRET"} & settings.keys() and path.stat().st_mode & 0o077:
        raise ValueError(open_token_file_message(path))
    return settings


def open_token_file_message(path: Path) -> str:
    """The message about a file with tokens or secrets that other users can open."""
    return f"Users other than its owner can open {path}, which contains a token. Run: chmod 600 {path}"


# The group may read the file, as Kubernetes and systemd give a process access to it through a group.
INSECURE_MODE_BITS = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP


def read_secret_file(path: Path, setting: str) -> str:
    """The secret in a file, which this setting names.

    Raises ValueError if it is unreadable, or if other users can access it.
    """
    try:
        if path.stat().st_mode & INSECURE_MODE_BITS:
            raise ValueError(f"Other users can access the file {path} of {setting}. Run chmod 600 {path}.")
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"The file {path} of {setting} cannot be read: {error.strerror}.") from error


def read_settings_lines(path: Path) -> dict[str, str]:
    """The settings in the lines of a file. Raises OSError, and ValueError if a line is not a setting."""
    settings: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not (assignment := line.strip()) or assignment.startswith("#"):
            continue
        name, equals_sign, value = assignment.partition("=")
        if not equals_sign or not name.startswith("WGIG_"):
            raise ValueError(f"Line {number} of {path} is not a setting. Write WGIG_NAME=value.")
        for message in iter_variable_errors([name]):
            raise ValueError(f"Line {number} of {path}: {message}")
        is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        settings[name] = value[1:-1] if is_quoted else value
    return settings


def iter_variable_errors(names: Iterable[str]) -> Iterator[str]:
    """A message for each name that begins with WGIG_ but is not a setting."""
    known_names = ["WGIG_DEBUG", *(f"WGIG_{setting.name.upper()}" for setting in fields(Settings))]
    for name in names:
        if name.startswith("WGIG_") and name not in known_names:
            hint = suggest_near_name(name, known_names, f"The settings are: {', '.join(known_names)}.")
            yield f"The variable {name} is not a setting. {hint}"


def convert_setting_value(setting: Field[Any], value: Any) -> Any:
    """The value converted to the type of the setting. Raises ValueError naming the variable."""
    name = f"WGIG_{setting.name.upper()}"
    choices = setting.metadata["choices"]
    if choices and value not in choices:
        raise ValueError(f"{name} is {value!r}. Set it to one of: {', '.join(choices)}.")
    type_: type[Any] = type(setting.default)
    try:
        converted = type_(value)
    except ValueError as error:
        raise ValueError(f"{name} is {value!r}. Set it to a number.") from error
    if isinstance(converted, (int, float)) and not converted >= 0:  # refuses NaN, too
        raise ValueError(f"{name} is {value!r}. Set it to a number of 0 or more.")
    return converted
