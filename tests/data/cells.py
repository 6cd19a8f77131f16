"""How a cell of a fact table is found in the graph."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyoxigraph as ox

ID = "https://w3id.org/wgig/id/"
PREFIXES = {
    "bibo": "http://purl.org/ontology/bibo/",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "wgig": "https://w3id.org/wgig/ontology#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
NAMES = ("skos:prefLabel", "skos:altLabel", "rdfs:label", "foaf:name", "dcterms:title")

# Things that a cell names in words of its own.
NAMED = {
    "all issue papers": "document/issue-papers",
    "assessment papers": "document/assessment-papers",
    "background report": "document/background-report",
    "chair": "agent/desai",
    "final report": "document/report",
    "group": "agent/wgig",
    "input paper for WGIG and WSIS": "document/ordig-input-paper",
    "issue papers": "document/issue-papers",
    "outline": "document/outline",
    "preliminary report": "document/preliminary-report",
    "questionnaire-june-2005": "document/form/questionnaire-june-2005",
    "several members": "agent/several-wgig-members",
    "template": "document/form/issue-paper",
    "wgig": "agent/wgig",
    "working papers": "document/working-papers",
    "WSIS process (asker not named)": "agent/wsis-process",
    "wsis": "meeting/summit-tunis",
}
SIX_UN_LANGUAGES = "ar, zh, en, fr, ru, es"
CRITERIA = {
    "capacity to address governance issues in a coordinated manner": "coordination-capacity",
    "full involvement of governments, the private sector, civil society and international organizations": (
        "involvement"
    ),
}
GROUPS = {
    "government": "governments",
    "international organization": "international-organizations",
    "academic & technical": "academic-technical",
}

Row = dict[str, str]


def expand(name: str) -> ox.NamedNode:
    prefix, _, local = name.partition(":")
    return ox.NamedNode(PREFIXES[prefix] + local)


def slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


class Facts(NamedTuple):
    """The graph as the tests ask it: all named graphs together."""

    store: ox.Store

    def objects(self, subject: str, predicate: str) -> list[ox.NamedNode | ox.Literal]:
        quads = self.store.quads_for_pattern(ox.NamedNode(subject), expand(predicate), None)
        return [q.object for q in quads if isinstance(q.object, ox.NamedNode | ox.Literal)]

    def values(self, subject: str, predicate: str) -> set[str]:
        return {term.value for term in self.objects(subject, predicate)}

    def subjects(self, predicate: str, value: str) -> set[str]:
        quads = self.store.quads_for_pattern(None, expand(predicate), ox.NamedNode(value))
        return {q.subject.value for q in quads if isinstance(q.subject, ox.NamedNode)}

    def names(self, subject: str) -> set[str]:
        return {value for name in NAMES for value in self.values(subject, name)}

    def lineage(self, subject: str) -> Iterator[str]:
        """The thing itself and what it is part of, from the inside out."""
        yield subject
        for whole in self.values(subject, "wgig:partOf"):
            yield from self.lineage(whole)


# Whether a cell holds in the graph, given the IRI of its row.
Found = Callable[[Facts, str, str], bool]


def each(found: Found, separator: str = r" \| ") -> Found:
    """Each of several values in a cell."""
    return lambda facts, subject, cell: all(found(facts, subject, one) for one in re.split(separator, cell))


def text(predicate: str) -> Found:
    """The words of the cell, unchanged."""
    return lambda facts, subject, cell: cell in facts.values(subject, predicate)


def typed(predicate: str, datatype: str) -> Found:
    """The cell as a literal of a datatype."""
    return lambda facts, subject, cell: (
        ox.Literal(cell, datatype=expand(datatype)) in facts.objects(subject, predicate)
    )


def date(predicate: str) -> Found:
    """A day, a month or a year, by the length of the cell."""
    datatypes = {10: "xsd:date", 7: "xsd:gYearMonth", 4: "xsd:gYear"}
    return lambda facts, subject, cell: typed(predicate, datatypes[len(cell)])(facts, subject, cell)


def link(predicate: str, *folders: str, slugged: Callable[[str], str] = slug) -> Found:
    """The thing whose slug is the cell, in one of these folders below the base of all things."""
    return lambda facts, subject, cell: any(
        f"{ID}{folder}/{slugged(cell)}" in facts.values(subject, predicate) for folder in folders
    )


def key(predicate: str, *folders: str) -> Found:
    """As `link`, for a cell that already is a slug."""
    return link(predicate, *folders, slugged=str)


def named(predicate: str) -> Found:
    """A thing that goes by the name in the cell."""
    return lambda facts, subject, cell: any(
        cell in facts.names(thing) or thing == ID + NAMED.get(cell, f"issue/{cell}")
        for thing in facts.values(subject, predicate)
    )


def thing(predicate: str) -> Found:
    """A meeting, a session or a paper by its key, or a thing by the words in the cell."""
    keyed = key(predicate, "meeting", "session", "paper")
    return lambda facts, subject, cell: (
        keyed(facts, subject, cell) or ID + NAMED.get(cell, "") in facts.values(subject, predicate)
    )


def inside(folder: str) -> Found:
    """The row itself, or something that it is part of, has this key."""
    return lambda facts, subject, cell: f"{ID}{folder}/{cell}" in facts.lineage(subject)


def numbered(facts: Facts, subject: str, cell: str) -> bool:
    """The number of a paragraph, or of the paragraph that this is a part of."""
    return any(cell in facts.values(part, "wgig:number") for part in facts.lineage(subject))


def source(facts: Facts, subject: str, cell: str) -> bool:
    """A page, or a paragraph of the summary of the first meeting."""
    iri = re.sub(r"^seed ¶", f"{ID}document/summary/", cell)
    iri = re.sub(r"[\s<>\"{}|^`\\]", lambda match: f"%{ord(match[0]):02X}", iri)
    return iri in facts.values(subject, "dcterms:source")


def either(*ways: Found) -> Found:
    return lambda facts, subject, cell: any(found(facts, subject, cell) for found in ways)


def entries_of_issue(facts: Facts, subject: str, cell: str) -> bool:
    """The numbers of the inventory entries that list this issue."""
    entries = [e for e in facts.subjects("wgig:issue", subject) if "/document/inventory/" in e]
    return set(cell.split(",")) == {n for entry in entries for n in facts.values(entry, "wgig:number")}


def number_of_categories(facts: Facts, subject: str, cell: str) -> bool:
    return int(cell) == len(facts.values(subject, "wgig:category"))


def paper_on_issue(facts: Facts, subject: str, cell: str) -> bool:
    return ID + "paper/" + cell in facts.subjects("wgig:issue", subject)


def generation(facts: Facts, subject: str, cell: str) -> bool:
    """The round, and the class of paper that goes with it."""
    number, kind = cell[0], {"1": "IssuePaper", "2": "AssessmentPaper"}[cell[0]]
    return number in facts.values(subject, "wgig:round") and expand("wgig:" + kind) in facts.objects(
        subject, "rdf:type"
    )


def due(facts: Facts, subject: str, cell: str) -> bool:
    """The end of the period in which it was due, and its start where it is a period."""
    *start, end = cell.split("/")
    return date("wgig:due")(facts, subject, end) and all(
        date("wgig:dueFrom")(facts, subject, day) for day in start
    )


def languages(facts: Facts, subject: str, cell: str) -> bool:
    codes = cell.replace("six UN languages", SIX_UN_LANGUAGES).split(", ")
    return set(codes) == facts.values(subject, "wgig:interpretation")


def clock(predicate: str) -> Found:
    return lambda facts, subject, cell: typed(predicate, "xsd:time")(facts, subject, f"{cell}:00")


def of_person(found: Found) -> Found:
    """What the row says of the person who holds the seat."""
    return lambda facts, subject, cell: any(
        found(facts, person, cell) for person in facts.values(subject, "org:member")
    )


def posts(found: Found) -> Found:
    """What the row says of the posts held beside the seat: memberships `<id>-1`, `<id>-2` in this order."""
    return lambda facts, subject, cell: all(
        found(facts, f"{subject}-{place}", one) for place, one in enumerate(cell.split(" | "), 1)
    )


def developing(facts: Facts, subject: str, cell: str) -> bool:
    return typed("wgig:developingCountry", "xsd:boolean")(
        facts, subject, {"yes": "true", "no": "false"}[cell]
    )
