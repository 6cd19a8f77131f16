"""The coverage matrix as it is shown: a table of cells with words, colors and links, and its picture."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

import pyoxigraph as ox

from ..catalogues import marked
from ..lists.found import nearest
from ..matrix import Labels, Matrix
from ..namespaces import namespaces
from ..typed import NAME
from . import words

ROWS = 200  # that are shown on a page; data has all
# What a cell says, by the class of its color: none of the papers on it measures by the criterion, …
TONES = {
    "adequate": marked("every verdict is adequate"),
    "partly-adequate": marked("every verdict is partly adequate"),
    "inadequate": marked("every verdict is inadequate"),
    "not-assessed": marked("a paper names the criterion and gives no judgment"),
    "mixed": marked("verdicts differ"),
    "unjudged": marked("a paper measures by the criterion, and its verdict is not known"),
    "none": marked("there are papers, and none is known to measure by the criterion"),
    "no-paper": marked("no paper is known"),
}


class Side(NamedTuple):
    """A row or column: its IRI, what it is called, how many papers stand there, where they are listed."""

    iri: str
    name: ox.Literal
    papers: int
    path: str


class Shown(NamedTuple):
    """A cell: the class of its color, how many papers in all and by verdict, where they and its query are."""

    tone: str
    papers: int
    verdicts: Sequence[tuple[ox.Literal, int]]
    path: str
    query: str


class View(NamedTuple):
    """The matrix, row by row; of many rows the first."""

    found: Matrix
    columns: Sequence[Side]
    rows: Sequence[tuple[Side, Sequence[Shown]]]
    tones: Mapping[str, str]

    @property
    def measured(self) -> list[tuple[Side, Side, Shown]]:
        """The cells that have papers, each with its row and column."""
        return [
            (row, column, one)
            for row, cells in self.rows
            for column, one in zip(self.columns, cells, strict=True)
            if one.papers
        ]

    @property
    def is_cut(self) -> bool:
        """Whether there are rows that are not shown."""
        return len(self.rows) < len(self.found.rows)


def view(found: Matrix, base: str, ranges: Sequence[str] = ()) -> View:
    """What is shown of a matrix to a reader of these languages."""
    known = namespaces(base)
    columns = [
        Side(iri, called(iri, found.criteria, ranges), 0, named(iri, known["principle"]))
        for iri in found.criteria
    ]
    rows = []
    for iri in list(found.rows)[:ROWS]:
        name = named(iri, known[found.of.type])
        papers = found.papers.get((iri,), 0)
        path = f"/papers?{urlencode({found.of.key: name})}"
        row = Side(iri, called(iri, found.rows, ranges), papers, path)
        rows.append((row, [cell(found, row, name, one, ranges) for one in columns]))
    there = {one.tone for _, cells in rows for one in cells}
    return View(found, columns, rows, {tone: says for tone, says in TONES.items() if tone in there})


def called(iri: str, labels: Labels, ranges: Sequence[str]) -> ox.Literal:
    """What a thing is called for a reader of these languages, or else the end of its IRI in words."""
    texts = [one for one in labels[iri] if one.value]
    return nearest(texts, ranges) if texts else ox.Literal(words(iri))


def named(iri: str, start: str) -> str:
    """How a thing is named in an address: by the end of its IRI where that is known to be of its kind."""
    end = iri.removeprefix(start)
    return end if iri.startswith(start) and NAME.fullmatch(end) else iri


def cell(found: Matrix, row: Side, name: str, column: Side, ranges: Sequence[str]) -> Shown:
    """A cell of the matrix, its row and column under these names in addresses."""
    papers = found.papers.get((row.iri, column.iri), 0)
    verdicts = [
        (verdict, found.papers[row.iri, column.iri, verdict])
        for verdict in found.verdicts
        if (row.iri, column.iri, verdict) in found.papers
    ]
    example, parameter = found.of.example
    return Shown(
        tone(papers, [iri for iri, _ in verdicts], row.papers),
        papers,
        [(called(iri, found.verdicts, ranges), count) for iri, count in verdicts],
        f"{row.path}&{urlencode({'criterion': column.path})}",
        f"/queries/{example}?{urlencode({parameter: name, 'the_criterion': column.path})}",
    )


def tone(papers: int, verdicts: Sequence[str], there: int) -> str:
    """The class of the color of a cell with so many papers and these verdicts, in a row of so many papers."""
    if not papers:
        return "none" if there else "no-paper"
    if not verdicts:
        return "unjudged"
    end = verdicts[0].rpartition("/")[2]
    return end if len(verdicts) == 1 and end in TONES else "mixed"
