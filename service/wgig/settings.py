"""Every knob of the service, each with the sentence that the README shows for it. Read once, at start."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from platformdirs import user_data_path

from .outside.allowed import entries

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
# A wheel carries the Turtle inside the package; an editable install finds the checkout's.
SHIPPED = HERE / "shipped" if (HERE / "shipped").is_dir() else CHECKOUT

STORE = user_data_path("wgig") / "store"
KEPT = "kept"
CONTACT = re.compile(r"(?:mailto:[^\s@]+@[^\s@]+|https://[^\s/]+\S*)")
MIB = 1024 * 1024
STACK = 256 * MIB  # of a thread, for deeply nested queries; only what is touched takes memory


QUAD = 475  # bytes of a quad in memory


def memory(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """The memory that there is, in bytes: that of the machine, or what the control group allows of it."""
    every = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    allowed = limit.read_text().strip() if limit.exists() else ""
    return min(every, int(allowed)) if allowed.isdecimal() else every


def knob(default: Any, help_: str, choices: tuple[str, ...] = ()) -> Any:
    """A setting with its default, the sentence that describes it, and its values where they are few."""
    return field(default=default, metadata={"help": help_, "choices": choices})


@dataclass(frozen=True)
class Settings:
    """The settings of one process; each may be given as the environment variable `WGIG_<NAME>`."""

    store: Path = knob(STORE, "Folder of the durable store.")  # noqa: RUF009  a knob is a field
    data: str = knob(
        "shipped",
        "What the store is kept filled with: the `shipped` graphs and what follows, or `none`.",
        ("shipped", "none"),
    )
    host: str = knob("127.0.0.1", "Address to listen on.")
    port: int = knob(8000, "Port to listen on.")
    proxies: str = knob(
        "", "Addresses of proxies that are believed who asks (`X-Forwarded-For`), with commas between."
    )
    base: str = knob("https://w3id.org/wgig/", "Base of all IRIs of the graph.")
    token: str = knob("", "Bearer token that opens all writing, beside those of `wgig token`.")
    contact: str = knob(
        "",
        "Whom to tell of a weakness (`/.well-known/security.txt`) or of anything else (`/catalog`): "
        "`mailto:` and `https:` addresses, with spaces between.",
    )
    allow: str = knob(
        "",
        "Addresses that `SERVICE` may ask and `LOAD` may fetch, with spaces between; one that ends in a "
        "slash allows all below it.",
    )
    write_profile: str = knob(
        "draft",
        "What a paper must conform to before it is written: `draft`, `complete`, `final`, or `off`: nothing.",
        ("draft", "complete", "final", "off"),
    )
    history: str = knob(
        KEPT,
        "What becomes of what a graph held before a write: `kept`, with who wrote what and when, or `lost`.",
        (KEPT, "lost"),
    )
    default_graph: str = knob(
        "union",
        "Default graph of a query: `union` of all graphs, or `unnamed` alone.",
        ("union", "unnamed"),
    )
    readers: int = knob(
        max(4, 2 * (os.cpu_count() or 1)),
        "Processes that answer queries; 0: the service does it itself, with no limit of time and memory.",
    )
    reader_quads: int = knob(
        memory() // 4 // QUAD,
        f"Most quads that readers hold in memory ({QUAD} bytes each); of more they read from disk.",
    )
    query_seconds: int = knob(30, "Longest time to answer a query, in seconds.")
    query_memory: int = knob(512 * MIB, "Most memory that a query may take, in bytes.")
    cache_bytes: int = knob(64 * MIB, "Answers kept in memory to be given again, in bytes.")
    query_length: int = knob(100_000, "Longest query, in characters.")
    query_nesting: int = knob(100, "Deepest nesting of brackets and operators in a query or update.")
    warnings: str = knob(
        "empty",
        "Which queries are looked through for what is not meant: `all`, with `empty` answers, or of `pages`.",
        ("all", "empty", "pages"),
    )
    result_bytes: int = knob(256 * MIB, "Largest result, in bytes; a larger one is refused, never cut.")
    result_rows: int = knob(
        0,
        "Most rows or triples of a result, 0: as many as there are; one with more is refused, never cut.",
    )
    shacl: str = knob(
        "shifty",
        "Engine that checks papers: `shifty`, or `pyshacl`, which finds the same a hundred times as slowly.",
        ("shifty", "pyshacl"),
    )
    paper_bytes: int = knob(16 * MIB, "Largest file that is checked as a paper, in bytes.")
    paper_triples: int = knob(20_000, "Most statements that are checked at once, of all papers together.")
    paper_seconds: int = knob(10, "Longest time to check what one request holds, in seconds.")
    body_bytes: int = knob(64 * MIB, "Largest request body, in bytes.")

    @classmethod
    def from_environment(cls, **given: Any) -> Self:
        """Settings from the environment, overridden by what is `given` and not None.

        Raises ValueError naming the variable whose value does not fit.
        """
        values: dict[str, Any] = {one.name: os.environ.get(f"WGIG_{one.name.upper()}") for one in fields(cls)}
        values |= {name: value for name, value in given.items() if value is not None}
        settings = cls(
            **{
                one.name: fitting(one, values[one.name])
                for one in fields(cls)
                if values[one.name] is not None
            }
        )
        entries(settings.allow)  # speaks up where one does not fit
        for one in settings.contact.split():
            if not CONTACT.fullmatch(one):
                raise ValueError(
                    f"WGIG_CONTACT has {one!r}. Write mailto:security@example.org or https://example.org/contact."
                )
        return settings


def unknown(names: Iterable[str]) -> Iterator[str]:
    """A sentence for each of the names of environment variables that looks like ours and is not."""
    ours = ["WGIG_DEBUG", *(f"WGIG_{one.name.upper()}" for one in fields(Settings))]
    for name in names:
        if name.startswith("WGIG_") and name not in ours:
            near = get_close_matches(name, ours, 1)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(ours)}."
            yield f"The environment variable {name} is none of ours. {hint}"


def fitting(setting: Field[Any], value: Any) -> Any:
    """The value in the type of the setting. Raises ValueError naming the variable."""
    name = f"WGIG_{setting.name.upper()}"
    choices = setting.metadata["choices"]
    if choices and value not in choices:
        raise ValueError(f"{name} is {value!r}. Set it to one of: {', '.join(choices)}.")
    kind: type[Any] = type(setting.default)
    try:
        return kind(value)
    except ValueError as error:
        raise ValueError(f"{name} is {value!r}. Set it to a number.") from error
