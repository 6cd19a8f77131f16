"""A store with everything that a service holds at its first start."""

from wgig.about.portrait import Portrait
from wgig.board import Board
from wgig.settings import Settings
from wgig.shipped import refresh, rules
from wgig.store import Store

BASE = Settings.base


def filled() -> Store:
    """A store in memory with the shipped graphs, what follows from them, and what describes them."""
    board, portrait = Board(BASE, Settings.shacl), Portrait(BASE)
    store = Store.in_memory(rules(), f"{BASE}graph/inferred", [board], [portrait])
    refresh(store, BASE)
    return store
