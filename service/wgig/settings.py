"""Every knob of the service, each with the sentence that the README shows for it. Read once, at start."""

import os
import re
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import Field, dataclass, field, fields
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from platformdirs import user_data_path

from .text import suggest_near_name

_WEB_ADDRESS_PATTERN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>/[!#-;=?-\[\]_a-z~]*)?",
    re.IGNORECASE | re.ASCII,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def canonicalize_url(url: str) -> str | None:
    """The address in its one form, without a fragment; None for all that is no plain address of the web.

    It is an IRI in ASCII, has no user and no zone, and no part of its path leads upwards, by whatever
    spelling.
    """
    found = _WEB_ADDRESS_PATTERN.fullmatch(url.partition("#")[0])
    if found is None:
        return None
    scheme, host, rest = found["scheme"].lower(), found["host"].lower(), found["rest"] or "/"
    port = int(found["port"] or _DEFAULT_PORTS[scheme])
    if not 0 < port < 65536 or {".", ".."} & set(re.split(r"[/\\;?]", unquote(rest))):
        return None
    return f"{scheme}://{host}{'' if port == _DEFAULT_PORTS[scheme] else f':{port}'}{rest}"


@lru_cache
def parse_allowed_addresses(allow: str) -> tuple[str, ...]:
    """The addresses of the setting. Raises ValueError for one that is none."""
    found = []
    for entry in allow.split():
        url = canonicalize_url(entry)
        if url is None or "#" in entry:
            raise ValueError(
                f"WGIG_ALLOW has {entry!r}, which is no plain address. Write it like "
                "https://example.org/sparql, in ASCII, without a user, a fragment, or a path through dots."
            )
        found.append(url)
    return tuple(found)


PACKAGE_FOLDER = Path(__file__).parent
CHECKOUT_FOLDER = PACKAGE_FOLDER.parents[1]
# A wheel carries the Turtle inside the package; an editable install finds the checkout's.
SHIPPED_FOLDER = PACKAGE_FOLDER / "shipped" if (PACKAGE_FOLDER / "shipped").is_dir() else CHECKOUT_FOLDER

SERVICE_TITLE = "WGIG knowledge graph"
DEFAULT_STORE_FOLDER = user_data_path("wgig") / "store"
HISTORY_KEPT = "kept"
TOKENS_FILE = "tokens.json"  # in the folder of a store, unless another file is named
CONTACT_PATTERN = re.compile(r"(?:mailto:[^\s@]+@[^\s@]+|https://[^\s/]+\S*)")
ADDRESS_PATTERN = re.compile(r"https?://[^\s/]\S*")
IRI_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
MIB = 1024 * 1024
THREAD_STACK_BYTES = 256 * MIB  # of a thread, for deeply nested queries; only what is touched takes memory


SETTINGS_FILE_VARIABLE = "WGIG_SETTINGS"
QUAD_MEMORY_BYTES = 475  # bytes of a quad in memory


def available_memory_bytes(
    groups: Path = Path("/sys/fs/cgroup"), ours: Path = Path("/proc/self/cgroup")
) -> int:
    """The memory that there is, in bytes: that of the machine, or what the control groups allow of it."""
    every = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([every, *iter_cgroup_limits(groups, ours)])


def iter_cgroup_limits(groups: Path, ours: Path) -> Iterator[int]:
    """The limits of memory of our control group and of those above it, in bytes.

    In a container ours is the root of those that can be seen; in a unit of systemd it is below others.
    """
    found = re.search(r"^0::/(.*)$", ours.read_text(), re.MULTILINE) if ours.exists() else None
    group = groups / (found[1] if found else "")
    for folder in (group, *group.parents):
        limit = folder / "memory.max"
        said = limit.read_text().strip() if limit.exists() else ""
        if said.isdecimal():
            yield int(said)


def setting_field(default: Any, help_: str, choices: tuple[str, ...] = (), *, live: bool = False) -> Any:
    """A setting with its default, the sentence that describes it, and its values where they are few.

    One that is `live` can change while the service runs.
    """
    return field(default=default, metadata={"help": help_, "choices": choices, "live": live})


@dataclass(frozen=True)
class Settings:
    """The settings of one process; each may be given as the environment variable `WGIG_<NAME>`."""

    settings: str = setting_field(
        "",
        "File with more settings, a line `WGIG_NAME=value` each, read again on SIGHUP; the environment "
        "beats it.",
    )
    store: Path = setting_field(DEFAULT_STORE_FOLDER, "Folder of the durable store.")  # noqa: RUF009  a knob is a field
    remote_query: str = setting_field(
        "",
        "Where queries go of a SPARQL service that holds the data for several instances; "
        "empty: the data is in the folder of the store, which otherwise holds a copy.",
    )
    remote_update: str = setting_field("", "Where updates of that service go; empty: where queries go.")
    remote_replicas: str = setting_field(
        "", "Where queries of its replicas go, with spaces between; one that is behind is not asked."
    )
    remote_profile: str = setting_field(
        "standard",
        "What that service is, as far as it differs from the standard.",
        ("standard", "oxigraph", "virtuoso"),
    )
    remote_auth: str = setting_field(
        "",
        "Who we are to that service: `basic:FILE` or `digest:FILE` with `user:password`, or `bearer:FILE`.",
    )
    remote_queries: int = setting_field(32, "Queries that it is asked at once.")
    remote_seconds: int = setting_field(60, "Seconds for which it may be silent.")
    remote_fresh: float = setting_field(
        0.0,
        "Seconds for which it is not asked again whether others wrote; 0: each answer sees all writes.",
    )
    data: str = setting_field(
        "shipped",
        "What the store is kept filled with: the `shipped` graphs and what follows, or `none`.",
        ("shipped", "none"),
    )
    host: str = setting_field("127.0.0.1", "Address to listen on.")
    port: int = setting_field(8000, "Port to listen on.")
    proxies: str = setting_field(
        "", "Addresses of proxies that are believed who asks (`X-Forwarded-For`), with commas between."
    )
    metrics: str = setting_field(
        "token",
        "Who may read `/metrics`: whoever has a `token` of scope `metrics` or `admin`, or all (`open`).",
        ("token", "open"),
        live=True,
    )
    log: str = setting_field(
        "plain", "Form of what is logged: `plain` lines or `json`.", ("plain", "json"), live=True
    )
    access_log: str = setting_field(
        "off",
        "Whether requests are logged: `off`, with the `network` of the client (/24, /48), or its `address`.",
        ("off", "network", "address"),
        live=True,
    )
    query_log: str = setting_field(
        "off",
        "Whether queries are logged: `off`, by the `digest` of their text, or with the `text`.",
        ("off", "digest", "text"),
        live=True,
    )
    base: str = setting_field("https://w3id.org/wgig/", "Base of all IRIs of the graph.")
    token: str = setting_field(
        "", "Bearer token that opens all writing, beside those of `wgig token`.", live=True
    )
    tokens: str = setting_field(
        "",
        "File of the tokens of `wgig token`, which instances may share; "
        f"empty: `{TOKENS_FILE}` in the folder of the store.",
    )
    oidc_issuer: str = setting_field(
        "",
        "Issuer of OpenID Connect whose tokens (JWT) open writing as well, such as `https://id.example.org`.",
    )
    oidc_audience: str = setting_field(
        "", "What tokens of the issuer must have as `aud`, to be for this service."
    )
    oidc_keys: str = setting_field(
        "", "Address of the keys of the issuer (JWKS); without it, where its metadata say, on the same host."
    )
    oidc_claim: str = setting_field(
        "scope", "Claim that tells what a token opens; one inside of others with dots, `realm_access.roles`."
    )
    oidc_scopes: str = setting_field(
        "",
        "What values of the claim open, such as `editors=graphs,update`, with spaces between; without it "
        "`wgig:papers` opens `papers`, and so on.",
    )
    oidc_name: str = setting_field(
        "sub", "Claim that tells the name under which a writer is on record, for all to read."
    )
    contact: str = setting_field(
        "",
        "Whom to tell of a weakness (`/.well-known/security.txt`) or of anything else (`/catalog`): "
        "`mailto:` and `https:` addresses, with spaces between.",
        live=True,
    )
    allow: str = setting_field(
        "",
        "Addresses that `SERVICE` may ask and `LOAD` may fetch, with spaces between; one that ends in a "
        "slash allows all below it.",
        live=True,
    )
    write_profile: str = setting_field(
        "draft",
        "What a paper must conform to before it is written: `draft`, `complete`, `final`, or `off`: nothing.",
        ("draft", "complete", "final", "off"),
        live=True,
    )
    history: str = setting_field(
        HISTORY_KEPT,
        "What becomes of what a graph held before a write: `kept`, with who wrote what and when, or `lost`.",
        (HISTORY_KEPT, "lost"),
    )
    default_graph: str = setting_field(
        "union",
        "Default graph of a query: `union` of all graphs, or `unnamed` alone.",
        ("union", "unnamed"),
    )
    readers: int = setting_field(
        max(4, 2 * (os.cpu_count() or 1)),
        "Processes that answer queries; 0: the service does it itself, with no limit of time and memory.",
    )
    reader_quads: int = setting_field(
        available_memory_bytes() // 4 // QUAD_MEMORY_BYTES,
        f"Most quads that readers hold in memory ({QUAD_MEMORY_BYTES} bytes each); "
        "of more they read from disk.",
    )
    query_seconds: int = setting_field(
        30,
        "Longest time to evaluate a query, in seconds; waiting for a process, `SERVICE` and slow clients "
        "do not count.",
        live=True,
    )
    query_memory: int = setting_field(512 * MIB, "Most memory that a query may take, in bytes.")
    cache_bytes: int = setting_field(64 * MIB, "Answers kept in memory to be given again, in bytes.")
    query_length: int = setting_field(100_000, "Longest query, in characters.", live=True)
    query_nesting: int = setting_field(
        100, "Deepest nesting of brackets and operators in a query or update.", live=True
    )
    warnings: str = setting_field(
        "empty",
        "Which queries are looked through for what is not meant: `all`, with `empty` answers, or of `pages`.",
        ("all", "empty", "pages"),
        live=True,
    )
    result_bytes: int = setting_field(
        256 * MIB, "Largest result, in bytes; a larger one is refused, never cut.", live=True
    )
    result_rows: int = setting_field(
        0,
        "Most rows or triples of a result, 0: as many as there are; one with more is refused, never cut.",
        live=True,
    )
    shacl: str = setting_field(
        "shifty",
        "Engine that checks papers: `shifty`, or `pyshacl`, which finds the same a hundred times as slowly.",
        ("shifty", "pyshacl"),
    )
    paper_bytes: int = setting_field(
        16 * MIB, "Largest file that is checked as a paper, in bytes.", live=True
    )
    paper_triples: int = setting_field(
        20_000, "Most statements that are checked at once, of all papers together.", live=True
    )
    paper_seconds: int = setting_field(
        10, "Longest time to check what one request holds, in seconds.", live=True
    )
    rate_requests: int = setting_field(
        0,
        "Most requests of one client in `WGIG_RATE_SECONDS`, at once or spread, 0: as many as it likes.",
        live=True,
    )
    rate_seconds: int = setting_field(
        60, "Seconds until a client that made all its requests has all again.", live=True
    )
    drain_seconds: int = setting_field(
        0,
        "Seconds from the signal to stop, when `/ready` becomes 503, until no connection is taken any more.",
        live=True,
    )
    body_bytes: int = setting_field(64 * MIB, "Largest request body, in bytes.")

    @property
    def token_file(self) -> Path:
        """Where the tokens are."""
        return Path(self.tokens) if self.tokens else self.store / TOKENS_FILE

    @classmethod
    def from_arguments(cls, arguments: Namespace) -> Self:
        """Settings from the environment, overridden by the arguments of a command. Raises as that does."""
        return cls.from_environment(
            **{name: getattr(arguments, name, None) for name in ("store", "host", "port", "data")}
        )

    @classmethod
    def from_environment(cls, **given: Any) -> Self:
        """Settings from the environment and the file it names, overridden by what is `given` and not None.

        Raises ValueError naming the variable whose value does not fit, OSError where the file cannot be read.
        """
        file = os.environ.get(SETTINGS_FILE_VARIABLE)
        environment = (read_settings_file(Path(file)) if file else {}) | os.environ
        values: dict[str, Any] = {
            one.name: environment.get(f"WGIG_{one.name.upper()}") for one in fields(cls)
        }
        values |= {name: value for name, value in given.items() if value is not None}
        settings = cls(
            **{
                one.name: convert_setting_value(one, values[one.name])
                for one in fields(cls)
                if values[one.name] is not None
            }
        )
        parse_allowed_addresses(settings.allow)  # speaks up where one does not fit
        for one in filter(None, map(str.strip, settings.proxies.split(","))):
            check_proxy_address(one)
        if settings.rate_seconds < 1:
            raise ValueError("WGIG_RATE_SECONDS is less than 1. Set it to a number of seconds.")
        if settings.remote_queries < 1:
            raise ValueError("WGIG_REMOTE_QUERIES is less than 1. Set it to a number of queries.")
        check_service_addresses(settings)
        for one in settings.contact.split():
            if not CONTACT_PATTERN.fullmatch(one):
                raise ValueError(
                    f"WGIG_CONTACT has {one!r}. Write mailto:security@example.org or https://example.org/contact."
                )
        return settings


def check_service_addresses(settings: Settings) -> None:
    """Raises ValueError where an address is none that can be asked, or the base no IRI."""
    for name in ("remote_query", "remote_update", "remote_replicas"):
        for one in getattr(settings, name).split():
            if not ADDRESS_PATTERN.fullmatch(one):
                raise ValueError(
                    f"WGIG_{name.upper()} has {one!r}. Write an address such as http://127.0.0.1:8890/sparql."
                )
    if not IRI_PATTERN.fullmatch(settings.base):
        raise ValueError(f"WGIG_BASE is {settings.base!r}. Write an IRI such as https://example.org/wgig/.")


def check_proxy_address(address: str) -> None:
    """Raises ValueError where this is no address or network: nobody would be believed, or everybody."""
    try:
        ip_network(address)
    except ValueError as error:
        raise ValueError(
            f"WGIG_PROXIES has {address!r}. Write addresses and networks, such as 10.0.0.1,fd00::/8."
        ) from error


def read_settings_file(path: Path) -> dict[str, str]:
    """The settings in a file, as systemd reads an EnvironmentFile: in quotes or not; # begins a comment.

    Raises OSError, and ValueError for what is none, or where others may read a token.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not (text := line.strip()) or text.startswith("#"):
            continue
        name, sign, value = text.partition("=")
        if not sign or not name.startswith("WGIG_"):
            raise ValueError(f"Line {number} of {path} is no setting. Write WGIG_NAME=value.")
        for sentence in iter_unknown_variables([name]):
            raise ValueError(f"Line {number} of {path}: {sentence}")
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[name] = value[1:-1] if quoted else value
    if "WGIG_TOKEN" in found and path.stat().st_mode & 0o077:
        raise ValueError(f"Others than its owner may open {path}, which holds a token: chmod 600 {path}")
    return found


def iter_unknown_variables(names: Iterable[str]) -> Iterator[str]:
    """A sentence for each of the names of environment variables that looks like ours and is not."""
    ours = ["WGIG_DEBUG", *(f"WGIG_{one.name.upper()}" for one in fields(Settings))]
    for name in names:
        if name.startswith("WGIG_") and name not in ours:
            hint = suggest_near_name(name, ours, f"There are: {', '.join(ours)}.")
            yield f"The environment variable {name} is none of ours. {hint}"


def convert_setting_value(setting: Field[Any], value: Any) -> Any:
    """The value in the type of the setting. Raises ValueError naming the variable."""
    name = f"WGIG_{setting.name.upper()}"
    choices = setting.metadata["choices"]
    if choices and value not in choices:
        raise ValueError(f"{name} is {value!r}. Set it to one of: {', '.join(choices)}.")
    kind: type[Any] = type(setting.default)
    try:
        found = kind(value)
    except ValueError as error:
        raise ValueError(f"{name} is {value!r}. Set it to a number.") from error
    if isinstance(found, (int, float)) and not found >= 0:  # nor what is no number at all
        raise ValueError(f"{name} is {value!r}. Set it to a number that is not below 0.")
    return found
