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
    "skosxl": "http://www.w3.org/2008/05/skos-xl#",
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
    "Geneva Declaration of Principles: subtitle": "document/declaration",
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
    "Internet governance": "concept/internet-governance",
    "secretariat": "agent/wgig-secretariat",
    "wsis": "meeting/summit-tunis",
}
# Slugs of the ways to take part that one cell names.
PARTICIPATION_SLUGS = {
    "webcast; real-time captioning": {"webcast", "real-time-captioning"},
    "webcast, real-time captioning (public sessions)": {"open-parts-webcast", "open-parts-captioning"},
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

# The graphs whose names differ from those of their tables.
GRAPHS_BY_TABLE = {
    "decisions": "agreements",
    "plan_of_action": "plan-of-action",
    "secretariat": "members",
    "template": "forms",
    "tunis": "tunis-agenda",
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


def name_graphs(cell: str) -> str:
    """The text of a cell in which the names of tables and of their README are those of graphs."""
    cell = re.sub(r"\b([a-z_]+)\.tsv", lambda match: f"graph {GRAPHS_BY_TABLE.get(match[1], match[1])}", cell)
    return cell.replace("README-B", "note of the graph members")


def has_text(predicate: str) -> CellCheck:
    """Check for the text of the cell, with the names of graphs."""
    return lambda facts, subject, cell: name_graphs(cell) in facts.values(subject, predicate)


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


def links_to_name(predicate: str, remark: str = "") -> CellCheck:
    """Check for a resource with the name in the cell; the remark of the table's author is not in the name."""
    return lambda facts, subject, cell: any(
        cell.removesuffix(remark) in facts.names(resource)
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


def has_name(facts: Facts, subject: str, cell: str) -> bool:
    return cell in facts.names(subject)


def has_yes_or_no(predicate: str) -> CellCheck:
    """Check for `yes` or `no` as a boolean."""
    return lambda facts, subject, cell: has_literal(predicate, "xsd:boolean")(
        facts, subject, {"yes": "true", "no": "false"}[cell]
    )


def has_passages(predicate: str) -> CellCheck:
    """Check for passages of the Background Report, written as `12`, `4-6`, `box2` or `157 note 30`.

    The text of a note is not in the graph: the locator of the row names it.
    """

    def check(facts: Facts, subject: str, cell: str) -> bool:
        passages: list[str] = []
        for text in cell.split(" | "):
            first, _, last = text.partition("-")
            if last:
                passages += map(str, range(int(first), int(last) + 1))
            else:
                passages.append(text.partition(" note ")[0])
        iris = {f"{ID_NAMESPACE}document/background-report/{passage}" for passage in passages}
        return iris <= facts.values(subject, predicate) and (
            " note " not in cell or cell in facts.values(subject, "bibo:locator")
        )

    return check


def is_in_background_section(facts: Facts, subject: str, cell: str) -> bool:
    """Check that the row is, or is part of, the section of the Background Report with this number."""
    return any(cell in facts.values(part, "wgig:number") for part in facts.self_and_ancestors(subject))


def has_evidence(facts: Facts, subject: str, cell: str) -> bool:
    """Check for the text, and for sources that contain the paragraphs of the Background Report in it."""
    cited_paragraphs: set[int] = set()
    for source in facts.values(subject, "dcterms:source"):
        if not source.startswith(f"{ID_NAMESPACE}document/background-report/"):
            continue
        for first in facts.values(source, "wgig:firstParagraph"):
            for last in facts.values(source, "wgig:lastParagraph"):
                cited_paragraphs.update(range(int(first), int(last) + 1))
    return name_graphs(cell) in facts.values(subject, "wgig:evidence") and all(
        set(range(int(first), int(last or first) + 1)) <= cited_paragraphs
        for first, last in re.findall(r"¶(\d+)(?:-(\d+))?", cell)
    )


def is_outcome_of(facts: Facts, subject: str, cell: str) -> bool:
    """Check that the row is an outcome of the agreement with the slug in the cell."""
    return subject in facts.values(f"{ID_NAMESPACE}agreement/{cell}", "wgig:outcome")


def concerns_definition(facts: Facts, subject: str, cell: str) -> bool:
    """Check for a definition of the term that the cell names after `definition of`."""
    return any(
        cell.removeprefix("definition of ") in facts.names(term)
        for definition in facts.values(subject, "wgig:concerns")
        for term in facts.values(definition, "wgig:definedTerm")
    )


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


def has_participation(facts: Facts, subject: str, cell: str) -> bool:
    """Check for exactly these ways of remote participation, or for a note with the number of participants."""
    slugs = PARTICIPATION_SLUGS.get(cell, {slugify(cell)})
    ways = {f"{ID_NAMESPACE}participation/{slug}" for slug in slugs}
    return ways == facts.values(subject, "wgig:remoteParticipation") or (
        f"participants: {cell}" in facts.values(subject, "skos:note")
    )


def has_time(predicate: str) -> CellCheck:
    return lambda facts, subject, cell: has_literal(predicate, "xsd:time")(facts, subject, f"{cell}:00")


def labels_resource(*folders: str) -> CellCheck:
    """Check that the row is a label of a resource with this name or, in one of these folders, this slug.

    The resource has the text of the label in the same language as a name or title, too.
    """
    has_slug = {f"{ID_NAMESPACE}{folder}/" for folder in folders}

    def check(facts: Facts, subject: str, cell: str) -> bool:
        resources = facts.subjects("skosxl:prefLabel", subject) | facts.subjects("skosxl:altLabel", subject)
        iris = {folder + cell for folder in has_slug} | {ID_NAMESPACE + RESOURCES_BY_CELL.get(cell, "")}
        forms = facts.objects(subject, "skosxl:literalForm")
        return len(forms) == 1 and any(
            (resource in iris or cell in facts.names(resource))
            and any(
                forms[0] in facts.objects(resource, name)
                for name in (*NAME_PROPERTIES, "dcterms:alternative")
            )
            for resource in resources
        )

    return check


def has_language(predicate: str) -> CellCheck:
    return lambda facts, subject, cell: (
        cell in {text.language for text in facts.objects(subject, predicate) if isinstance(text, ox.Literal)}
    )


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
