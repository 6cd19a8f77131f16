"""Checks whether a cell of a fact table is in the graph.

A function with the parameters `facts`, `subject` and `cell` is a check; most others return one. `subject` is
the IRI of the row, `cell` the text of the cell.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyoxigraph as ox

ID_NAMESPACE = "https://w3id.org/wgig/id/"
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
NAME_PROPERTIES = ("skos:prefLabel", "skos:altLabel", "rdfs:label", "foaf:name", "dcterms:title")

# Resources that cells name by other texts than their labels.
RESOURCES_BY_CELL = {
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
# Slugs of the IRIs of criteria and stakeholder groups that cells name by longer texts.
CRITERION_SLUGS = {
    "capacity to address governance issues in a coordinated manner": "coordination-capacity",
    "full involvement of governments, the private sector, civil society and international organizations": (
        "involvement"
    ),
}
GROUP_SLUGS = {
    "government": "governments",
    "international organization": "international-organizations",
    "academic & technical": "academic-technical",
}

Row = dict[str, str]


def expand_curie(name: str) -> ox.NamedNode:
    prefix, _, local = name.partition(":")
    return ox.NamedNode(PREFIXES[prefix] + local)


def slugify(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


class Facts(NamedTuple):
    """The union of all named graphs."""

    store: ox.Store

    def objects(self, subject: str, predicate: str) -> list[ox.NamedNode | ox.Literal]:
        quads = self.store.quads_for_pattern(ox.NamedNode(subject), expand_curie(predicate), None)
        return [quad.object for quad in quads if isinstance(quad.object, ox.NamedNode | ox.Literal)]

    def values(self, subject: str, predicate: str) -> set[str]:
        return {term.value for term in self.objects(subject, predicate)}

    def subjects(self, predicate: str, value: str) -> set[str]:
        quads = self.store.quads_for_pattern(None, expand_curie(predicate), ox.NamedNode(value))
        return {quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)}

    def names(self, subject: str) -> set[str]:
        return {value for name in NAME_PROPERTIES for value in self.values(subject, name)}

    def self_and_ancestors(self, subject: str) -> Iterator[str]:
        """The resource itself, and the resources that it is part of, directly or indirectly."""
        yield subject
        for parent in self.values(subject, "wgig:partOf"):
            yield from self.self_and_ancestors(parent)


# Whether the graph has the content of a cell; arguments are the graph, the IRI of the row, and the cell.
CellCheck = Callable[[Facts, str, str], bool]


def for_each_value(check: CellCheck, separator: str = r" \| ") -> CellCheck:
    """Check each of several values in a cell."""
    return lambda facts, subject, cell: all(
        check(facts, subject, value) for value in re.split(separator, cell)
    )


def has_text(predicate: str) -> CellCheck:
    """Check for the text of the cell, unchanged."""
    return lambda facts, subject, cell: cell in facts.values(subject, predicate)


def has_literal(predicate: str, datatype: str) -> CellCheck:
    """Check for the cell as a literal of a datatype."""
    return lambda facts, subject, cell: (
        ox.Literal(cell, datatype=expand_curie(datatype)) in facts.objects(subject, predicate)
    )


def has_date(predicate: str) -> CellCheck:
    """Check for a day, month or year, depending on the length of the cell."""
    datatypes = {10: "xsd:date", 7: "xsd:gYearMonth", 4: "xsd:gYear"}
    return lambda facts, subject, cell: has_literal(predicate, datatypes[len(cell)])(facts, subject, cell)


def links_to(predicate: str, *folders: str, make_slug: Callable[[str], str] = slugify) -> CellCheck:
    """Check for a resource with the slug of the cell, in one of these folders below /id/."""
    return lambda facts, subject, cell: any(
        f"{ID_NAMESPACE}{folder}/{make_slug(cell)}" in facts.values(subject, predicate) for folder in folders
    )


def links_to_slug(predicate: str, *folders: str) -> CellCheck:
    """As `links_to`, for a cell that is a slug."""
    return links_to(predicate, *folders, make_slug=str)


def links_to_name(predicate: str) -> CellCheck:
    """Check for a resource with the name in the cell."""
    return lambda facts, subject, cell: any(
        cell in facts.names(resource)
        or resource == ID_NAMESPACE + RESOURCES_BY_CELL.get(cell, f"issue/{cell}")
        for resource in facts.values(subject, predicate)
    )


def links_to_resource(predicate: str) -> CellCheck:
    """Check for a meeting, session or paper with the slug in the cell, or a resource in RESOURCES_BY_CELL."""
    has_slug = links_to_slug(predicate, "meeting", "session", "paper")
    return lambda facts, subject, cell: (
        has_slug(facts, subject, cell)
        or ID_NAMESPACE + RESOURCES_BY_CELL.get(cell, "") in facts.values(subject, predicate)
    )


def is_inside(folder: str) -> CellCheck:
    """Check that the row, or a resource that it is part of, has the slug in the cell."""
    return lambda facts, subject, cell: f"{ID_NAMESPACE}{folder}/{cell}" in facts.self_and_ancestors(subject)


def has_number(facts: Facts, subject: str, cell: str) -> bool:
    """Check for the number of the paragraph, or of a resource that it is part of."""
    return any(cell in facts.values(part, "wgig:number") for part in facts.self_and_ancestors(subject))


def has_source(facts: Facts, subject: str, cell: str) -> bool:
    """Check for a web page, or a paragraph of the summary of the first meeting, written as `seed ¶6`."""
    iri = re.sub(r"^seed ¶", f"{ID_NAMESPACE}document/summary/", cell)
    iri = re.sub(r"[\s<>\"{}|^`\\]", lambda match: f"%{ord(match[0]):02X}", iri)
    return iri in facts.values(subject, "dcterms:source")


def any_of(*checks: CellCheck) -> CellCheck:
    return lambda facts, subject, cell: any(check(facts, subject, cell) for check in checks)


def has_inventory_entries(facts: Facts, subject: str, cell: str) -> bool:
    """Check for the numbers of the inventory entries that list the issue."""
    entries = [iri for iri in facts.subjects("wgig:issue", subject) if "/document/inventory/" in iri]
    return set(cell.split(",")) == {
        number for entry in entries for number in facts.values(entry, "wgig:number")
    }


def has_category_count(facts: Facts, subject: str, cell: str) -> bool:
    return int(cell) == len(facts.values(subject, "wgig:category"))


def has_paper(facts: Facts, subject: str, cell: str) -> bool:
    return ID_NAMESPACE + "paper/" + cell in facts.subjects("wgig:issue", subject)


def has_generation(facts: Facts, subject: str, cell: str) -> bool:
    """Check for the round with which the cell begins, and the class of papers of that round."""
    number, class_name = cell[0], {"1": "IssuePaper", "2": "AssessmentPaper"}[cell[0]]
    return number in facts.values(subject, "wgig:round") and expand_curie(
        "wgig:" + class_name
    ) in facts.objects(subject, "rdf:type")


def has_due_date(facts: Facts, subject: str, cell: str) -> bool:
    """Check for the due date, or for the start and end of a period."""
    *start, end = cell.split("/")
    return has_date("wgig:due")(facts, subject, end) and all(
        has_date("wgig:dueFrom")(facts, subject, day) for day in start
    )


def has_languages(facts: Facts, subject: str, cell: str) -> bool:
    codes = cell.replace("six UN languages", SIX_UN_LANGUAGES).split(", ")
    return set(codes) == facts.values(subject, "wgig:interpretation")


def has_time(predicate: str) -> CellCheck:
    return lambda facts, subject, cell: has_literal(predicate, "xsd:time")(facts, subject, f"{cell}:00")


def for_person(check: CellCheck) -> CellCheck:
    """Apply a check to the person of the membership instead of the membership."""
    return lambda facts, subject, cell: any(
        check(facts, person, cell) for person in facts.values(subject, "org:member")
    )


def for_posts(check: CellCheck) -> CellCheck:
    """Apply a check to the other posts of the member, in order: the memberships `<id>-1`, `<id>-2`, ..."""
    return lambda facts, subject, cell: all(
        check(facts, f"{subject}-{number}", value) for number, value in enumerate(cell.split(" | "), 1)
    )


def has_developing_country(facts: Facts, subject: str, cell: str) -> bool:
    return has_literal("wgig:developingCountry", "xsd:boolean")(
        facts, subject, {"yes": "true", "no": "false"}[cell]
    )
