"""A change as bytes, for other processes."""

import json
from collections.abc import Iterable

import pyoxigraph as ox

from .changes import Change

N_QUADS = ox.RdfFormat.N_QUADS


def packed(change: Change) -> bytes:
    """A change as bytes."""
    members = (lines(change.removed), lines(change.added), change.dropped, change.made)
    return json.dumps(members).encode()


def unpacked(body: bytes) -> Change:
    """The change of such bytes."""
    removed, added, dropped, made = json.loads(body)
    return Change(quads(removed), quads(added), tuple(dropped), tuple(made))


def lines(quads: Iterable[ox.Quad]) -> str:
    """The quads as N-Quads."""
    written = ox.serialize(quads, format=N_QUADS)
    assert written is not None
    return written.decode()


def quads(text: str) -> tuple[ox.Quad, ...]:
    """The quads of N-Quads."""
    return tuple(ox.parse(text, N_QUADS))
