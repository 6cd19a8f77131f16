"""What is computed from the quads by other means than rules: before them, or when all else is in line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import pyoxigraph as ox

from .writes.changes import Change


class Computed(Protocol):
    """What is computed from the stated quads into a graph, and rules may ask for."""

    graph: ox.NamedNode

    @property
    def digest(self) -> str:
        """The digest of how it is computed."""

    def follow(self, quads: ox.Store, change: Change | None) -> Change | None:
        """Bring it in line with the stated quads after a change; None: it may be anything.

        Returns the change with what followed, None where that is not known.
        """

    def told(self, quads: ox.Store, graphs: Iterable[str]) -> set[ox.Quad] | None:
        """What is computed from these graphs alone; None where their change may change the rest as well."""


class Describing(Protocol):
    """What is computed from all quads once rules were followed. No rule asks for it."""

    graphs: frozenset[ox.NamedNode]

    @property
    def digest(self) -> str:
        """The digest of how it is computed."""

    def describe(self, quads: ox.Store, change: Change | None, prepared: Any = None) -> Change:
        """Bring it in line with a change of the other quads, None: they may be any. What that changed.

        Where it is `prepared`, the quads may be further than this change by now.
        """

    def prepare(self, copy: Path, change: Change) -> Any:
        """Do what takes long of `describe` in another process, from a copy of the quads as after the change.

        Raises OSError or subprocess.SubprocessError.
        """

    def can_prepare(self, quads: ox.Store, change: Change) -> bool:
        """Whether what was prepared is enough to describe the change."""

    def state(self, quads: ox.Store) -> str:
        """What tells one state that is described from any other."""
