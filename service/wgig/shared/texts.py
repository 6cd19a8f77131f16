"""Texts in the graph of a ledger, each in parts as large as the store can hold."""

from collections.abc import Sequence

from .engine import Engine
from .words import literal

NONE = "none"


class Texts:
    """Texts by their names, each with a word on whom it is by."""

    def __init__(self, engine: Engine, graph: str) -> None:
        """Take the store, and the graph in which they are."""
        self.engine, self.graph = engine, graph

    def keep(self, name: str, text: str) -> None:
        """Keep a text by nobody under a name, if there is none."""
        if self.read(name) is None:
            for one in self.said(name, NONE, self.parts(text)):
                self.engine.update(f"INSERT DATA {{ GRAPH <{self.graph}> {{ {one} }} }}")

    def read(self, name: str) -> tuple[str, str] | None:
        """By whom the text of a name is, and the text; None where there is none, or not all of it."""
        query = f"SELECT ?p ?o {{ GRAPH <{self.graph}> {{ <{self.graph}/{name}> ?p ?o }} }}"
        said = {
            row["p"].value.removeprefix(f"{self.graph}#"): row["o"].value for row in self.engine.rows(query)
        }
        if "by" not in said:
            return None
        by, _, count = said["by"].rpartition(" ")
        parts = [said.get(f"part-{at}") for at in range(int(count))]
        return (by, "".join(filter(None, parts))) if None not in parts else None

    def parts(self, text: str) -> list[str]:
        """The parts of a text."""
        size = self.engine.dialect.part
        return [text[at : at + size] for at in range(0, len(text), size)]

    def said(self, name: str, by: str, parts: Sequence[str]) -> list[str]:
        """A text as triples; the last one says by whom it is and how many parts there are."""
        node = f"{self.graph}/{name}"
        said = [f"<{node}> <{self.graph}#part-{at}> {literal(part)}" for at, part in enumerate(parts)]
        return [*said, f"<{node}> <{self.graph}#by> {literal(f'{by} {len(parts)}')}"]
