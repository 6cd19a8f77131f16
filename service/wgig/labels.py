"""What things are called, for people: the best label of each, and the order in which labels are expected."""

import re
from collections.abc import Iterable

import pyoxigraph as ox

from .lookup import BATCH, Row, rows, values
from .namespaces import OUTSIDE
from .store import Store

LABELS = (
    f"{OUTSIDE['skos']}prefLabel",
    f"{OUTSIDE['rdfs']}label",
    f"{OUTSIDE['foaf']}name",
    f"{OUTSIDE['dcterms']}title",
    f"{OUTSIDE['skos']}altLabel",
)
# An alternative label stands in for the label only where it spells a name of another script in Latin letters.
LABELED = """PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
SELECT ?s ?p ?o {
  VALUES ?s { %s } VALUES ?p { %s }
  ?s ?p ?o
  FILTER(isLiteral(?o) && (?p != skos:altLabel || STRENDS(LCASE(LANG(?o)), "-latn")))
}"""


def labels(store: Store, iris: Iterable[str]) -> dict[str, ox.Literal]:
    """The best label of each IRI that has one: English, else of no language, in Latin letters, or of any."""
    wanted = sorted(set(iris))
    best: dict[str, ox.Literal] = {}
    for start in range(0, len(wanted), BATCH):
        found = rows(store, LABELED % (values(wanted[start : start + BATCH]), values(LABELS)))
        for row in sorted(found, key=preference, reverse=True):
            best[row["s"].value] = row["o"]
    return best


def preference(row: Row) -> tuple[int, int, str]:
    """How far a label row is from what a reader of English wants; the smallest is best."""
    label = row["o"]
    language, _, script = (label.language or "").partition("-")
    return (
        {"en": 0, "": 1}.get(language, 2 if script == "latn" else 3),
        LABELS.index(row["p"].value),
        label.value,
    )


def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """A sort key by which "paragraph 9" comes before "paragraph 10"."""
    pieces = re.split(r"([0-9]+)", text.casefold())
    return tuple(
        (piece.isdecimal(), int(piece) if piece.isdecimal() else 0, piece) for piece in pieces if piece
    )
