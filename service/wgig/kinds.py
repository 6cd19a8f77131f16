"""The things of the graph by kind: their IRIs sort them into folders, as a path does."""

import re
from collections import Counter

import pyoxigraph as ox

from .labels import labels, natural
from .lookup import rows
from .store import Store

TITLES = {
    "agent": "People and bodies",
    "agreement": "Agreements",
    "assertion": "State of the papers",
    "category": "Categories",
    "citation": "Citations",
    "claim": "Claims",
    "concept": "Concepts",
    "contribution": "Contributions",
    "disagreement": "Disagreements between sources",
    "document": "Documents",
    "identifier": "Outside identifiers",
    "issue": "Issues",
    "meeting": "Meetings",
    "membership": "Memberships",
    "milestone": "Milestones",
    "paper": "Papers",
    "participation": "Participations",
    "place": "Places",
    "principle": "Principles",
    "scheme": "Concept schemes",
    "session": "Sessions",
    "software": "Software",
    "stakeholder-group": "Stakeholder groups",
    "test-result": "Results of tests",
    "write": "Writes",
    "writer": "Writers",
}


def title(folder: str) -> str:
    """What a folder is called: its title, or its last name as words."""
    name = folder.rpartition("/")[2].replace("-", " ")
    return TITLES.get(folder, name[:1].upper() + name[1:])


def counts(store: Store, base: str) -> dict[str, int]:
    """How many things are listed under each kind, ordered by the kind's title."""
    paths = [iri.removeprefix(f"{base}id/").split("/") for iri in things(store, f"{base}id/")]
    kinds = Counter(path[0] for path in paths if len(path) == 2)
    return dict(sorted(kinds.items(), key=lambda item: title(item[0])))


def listing(
    store: Store, folder: str, ranges: tuple[str, ...] = ()
) -> tuple[dict[str, ox.Literal], list[str]]:
    """What is directly below the IRI `folder`: things with their labels in their order, and further folders.

    The labels are in the languages of these ranges, where there are such. Both are empty where nothing is.
    """
    below = things(store, f"{folder}/")
    here = {iri for iri in below if "/" not in iri.removeprefix(f"{folder}/")}
    deeper = {f"{folder}/" + iri.removeprefix(f"{folder}/").partition("/")[0] for iri in below - here}
    found = labels(store, here, ranges)
    named = {iri: found.get(iri, ox.Literal(iri.rpartition("/")[2])) for iri in here}
    return dict(sorted(named.items(), key=lambda item: natural(item[1].value))), sorted(deeper - here)


def things(store: Store, start: str) -> set[str]:
    """All IRIs that have a type and begin with `start`."""
    pattern = re.sub(r"([\\\"])", r"\\\1", start)
    found = rows(
        store, f'SELECT DISTINCT ?s {{ ?s a ?type FILTER(isIRI(?s) && STRSTARTS(STR(?s), "{pattern}")) }}'
    )
    return {row["s"].value for row in found}
