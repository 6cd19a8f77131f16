"""Every knob of the service, each with the sentence that the README shows for it. Read once, at start."""

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from platformdirs import user_data_path

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
# A wheel carries the Turtle inside the package; an editable install finds the checkout's.
SHIPPED = HERE / "shipped" if (HERE / "shipped").is_dir() else CHECKOUT

KIB, MIB = 1024, 1024 * 1024


def knob(default: Any, help_: str) -> Any:
    """A setting with its default and the sentence that describes it."""
    return field(default=default, metadata={"help": help_})


@dataclass(frozen=True)
class Settings:
    """The settings of one process; each may be given as the environment variable `WGIG_<NAME>`."""

    store: Path = knob(user_data_path("wgig") / "store", "Folder of the durable store.")
    data: str = knob("shipped", "What the store is kept filled with: the `shipped` graphs and what follows, or `none`.")
    host: str = knob("127.0.0.1", "Address to listen on.")
    port: int = knob(8000, "Port to listen on.")
    base: str = knob("https://w3id.org/wgig/", "Base of all IRIs of the graph.")
    token: str = knob("", "Bearer token that opens writing; empty: the service is read-only.")
    default_graph: str = knob("union", "Default graph of a query: `union` of all graphs, or `unnamed` alone.")
    query_length: int = knob(100_000, "Longest query, in characters.")
    query_nesting: int = knob(100, "Deepest nesting of brackets and operators in a query or update.")
    result_bytes: int = knob(256 * MIB, "Largest result, in bytes; a larger one is refused, never cut.")
    body_bytes: int = knob(64 * MIB, "Largest request body, in bytes.")

    @classmethod
    def from_environment(cls, **given: Any) -> Self:
        """Settings from the environment, overridden by what is `given` and not None.

        Raises ValueError naming the variable whose value does not fit.
        """
        values: dict[str, Any] = {}
        for one in fields(cls):
            name = f"WGIG_{one.name.upper()}"
            if given.get(one.name) is not None:
                values[one.name] = given[one.name]
            elif name in os.environ:
                try:
                    values[one.name] = type(one.default)(os.environ[name])  # type: ignore[misc]
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from error
        return cls(**values)
