"""Every cell of every row of the fact tables is in the graph, and the graph has no row of its own."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pyoxigraph as ox
import pytest

FACTS = Path(__file__).parents[3] / "shared" / "facts"
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


NOTE, SOURCE = text("skos:note"), each(source)
CONFIDENCE = key("wgig:confidence", "confidence")
PART_KIND = link("dcterms:type", "part-kind")
ISSUES = each(key("wgig:bearsOn", "issue"))
PRINCIPLES = each(key("wgig:namesPrinciple", "principle"))


class Table(NamedTuple):
    """One table of facts: where the IRI of a row comes from, which IRIs are its rows, how a cell is found."""

    row: Callable[[Row], str]
    rows: str
    columns: dict[str, Found]


def below(folder: str, column: str = "id") -> Callable[[Row], str]:
    return lambda row: f"{ID}{folder}/{row[column]}"


def report_part(row: Row) -> str:
    return ID + "document/report" + ("" if row["id"] == "report" else f"/{row['id']}")


def meeting_or_session(row: Row) -> str:
    return ID + ("session/" if row["parent"] else "meeting/") + row["id"]


def form_item(row: Row) -> str:
    return f"{ID}document/form/{row['form']}/{row['order']}"


TABLES = {
    "composition": Table(
        below("claim"),
        "?row a wgig:Claim ; wgig:about <agent/wgig> FILTER(STRSTARTS(STR(?row), STR(<claim/comp->)))",
        {
            "property": text("wgig:claimedProperty"),
            "value": each(text("rdf:value")),
            "kind": link("dcterms:type", "claim-kind"),
            "confidence": CONFIDENCE,
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "contributions": Table(
        below("contribution"),
        "?row a wgig:Contribution",
        {
            "contributor": named("wgig:contributor"),
            "contributor_type": link("wgig:contributorType", "contributor-type"),
            "person": text("wgig:speakerAsNamed"),
            "concerns_kind": link("dcterms:type", "contribution-kind"),
            "concerns": thing("wgig:concerns"),
            "date": date("dcterms:date"),
            "url": text("foaf:page"),
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "crosswalk": Table(
        below("identifier"),
        "?row a wgig:Identifier",
        {
            "entity": named("wgig:identifies"),
            "entity_type": text("wgig:entityType"),
            "scheme": text("wgig:identifierScheme"),
            "identifier": text("skos:notation"),
            "iri": text("wgig:target"),
            "relation": text("wgig:relation"),
            "confidence": CONFIDENCE,
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "decisions": Table(
        below("agreement"),
        "?row a wgig:Agreement",
        {
            "paragraph": key("dcterms:source", "document/summary"),
            "kind": link("dcterms:type", "agreement-kind"),
            "seed_verb": text("wgig:verb"),
            "by": thing("wgig:settledBy"),
            "summary": text("dcterms:description"),
            "concerns": text("wgig:topic"),
            "source": SOURCE,
        },
    ),
    "declaration": Table(
        below("document/declaration"),
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/declaration/>)))",
        {
            "kind": PART_KIND,
            "para": numbered,
            "section": inside("document/declaration"),
            "section_basis": text("wgig:sectionBasis"),
            "heading": text("dcterms:title"),
            "heading_basis": text("wgig:headingBasis"),
            "topic_summary": text("dcterms:description"),
            "principles": PRINCIPLES,
            "categories": each(key("wgig:bearsOn", "category")),
            "issues": ISSUES,
            "evidence": text("wgig:evidence"),
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "issue_entries": Table(
        below("document/inventory", "entry"),
        "?row a wgig:InventoryEntry",
        {
            "entry": text("wgig:number"),
            "category": key("wgig:category", "category"),
            "position_in_category": typed("wgig:order", "xsd:integer"),
            "label_as_listed": text("wgig:labelAsListed"),
            "issue_slug": key("wgig:issue", "issue"),
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "issues": Table(
        below("issue", "slug"),
        "?row a wgig:Issue",
        {
            "label": text("skos:prefLabel"),
            "label_variants": each(text("skos:altLabel")),
            "categories": each(key("wgig:category", "category")),
            "category_count": number_of_categories,
            "inventory_entries": entries_of_issue,
            "cluster_2005": link("wgig:cluster", "category", slugged=lambda cell: f"cluster-{cell}"),
            "in_inventory": text("wgig:inventoryStatus"),
            "parent": key("skos:broader", "issue"),
            "description": text("skos:definition"),
            "paper": each(paper_on_issue),
            "priority_hint": text("wgig:priorityHint"),
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "meetings": Table(
        meeting_or_session,
        "?row a ?class VALUES ?class { wgig:Meeting wgig:Session }",
        {
            "parent": key("wgig:partOf", "meeting"),
            "event": text("dcterms:title"),
            "session": text("wgig:sessionTitle"),
            "planned_kind": link("wgig:plannedKind", "session-kind"),
            "kind": link("wgig:actualKind", "session-kind"),
            "start_date": date("schema:startDate"),
            "end_date": date("schema:endDate"),
            "start_time": clock("wgig:startTime"),
            "end_time": clock("wgig:endTime"),
            "venue": text("wgig:venue"),
            "room": text("wgig:room"),
            "city": each(named("wgig:place"), " / | and "),
            "participation": link("wgig:remoteParticipation", "participation"),
            "interpretation": languages,
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "members": Table(
        below("membership"),
        "?row a org:Membership ; org:role ?role VALUES ?role { <role/chair> <role/member> }",
        {
            "name": of_person(text("foaf:name")),
            "honorific": of_person(text("foaf:title")),
            "role": link("org:role", "role"),
            "affiliation": posts(named("org:organization")),
            "title": either(posts(text("wgig:postTitle")), of_person(text("schema:jobTitle"))),
            "country": key("wgig:country", "place"),
            "country_basis": text("wgig:countryBasis"),
            "stakeholder_group": link(
                "wgig:stakeholderGroup",
                "stakeholder-group",
                slugged=lambda cell: GROUPS.get(cell, slug(cell)),
            ),
            "stakeholder_basis": text("wgig:stakeholderGroupBasis"),
            "developing_country": developing,
            "developing_basis": text("wgig:developingBasis"),
            "appointed": date("wgig:appointed"),
            "evidence": text("wgig:evidence"),
            "confidence": CONFIDENCE,
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "milestones": Table(
        below("milestone"),
        "?row a wgig:Milestone",
        {
            "title": text("rdfs:label"),
            "kind": link("dcterms:type", "milestone-kind"),
            "about": thing("wgig:about"),
            "date_due": due,
            "date_delivered": date("wgig:delivered"),
            "delivered_basis": text("wgig:deliveryBasis"),
            "responsible": named("wgig:responsible"),
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "outline": Table(
        below("document/outline", "order"),
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/outline/>)))",
        {
            "order": text("wgig:number"),
            "parent": key("wgig:partOf", "document/outline"),
            "heading": text("dcterms:title"),
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "papers": Table(
        below("paper", "slug"),
        "?row a ?class VALUES ?class { wgig:IssuePaper wgig:AssessmentPaper }",
        {
            "title": text("dcterms:title"),
            "generation": generation,
            "categories": each(key("wgig:category", "category")),
            "category_basis": text("wgig:categoryBasis"),
            "issues_covered": each(key("wgig:issue", "issue")),
            "date_posted": date("wgig:posted"),
            "date_basis": text("wgig:dateBasis"),
            "language": text("dcterms:language"),
            "file_url": text("foaf:page"),
            "copy_url": text("foaf:page"),
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "plan_of_action": Table(
        below("document/plan-of-action"),
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/plan-of-action/>)))",
        {
            "kind": PART_KIND,
            "line": inside("document/plan-of-action"),
            "paragraph": text("wgig:number"),
            "paragraph_basis": text("wgig:numberBasis"),
            "heading": text("dcterms:title"),
            "heading_basis": text("wgig:headingBasis"),
            "summary": text("dcterms:description"),
            "list_items": typed("wgig:listItems", "xsd:integer"),
            "wgig_relevance": text("wgig:relevance"),
            "issues": ISSUES,
            "source": SOURCE,
        },
    ),
    "report": Table(
        report_part,
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/report/>)) || ?row = <document/report>)",
        {
            "kind": PART_KIND,
            "para_from": typed("wgig:firstParagraph", "xsd:integer"),
            "para_to": typed("wgig:lastParagraph", "xsd:integer"),
            "page": text("bibo:pageStart"),
            "section": inside("document/report"),
            "heading": text("dcterms:title"),
            "heading_basis": text("wgig:headingBasis"),
            "summary": text("dcterms:description"),
            "issues": ISSUES,
            "principles": PRINCIPLES,
            "confidence": CONFIDENCE,
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "secretariat": Table(
        below("membership"),
        "?row a org:Membership FILTER NOT EXISTS { ?row org:role <role/chair> }"
        " FILTER NOT EXISTS { ?row org:role <role/member> } FILTER(!REGEX(STR(?row), '-[0-9]$'))",
        {
            "name": of_person(text("foaf:name")),
            "honorific": of_person(text("foaf:title")),
            "role": link("org:role", "role"),
            "organization": named("org:organization"),
            "from": date("schema:startDate"),
            "to": date("schema:endDate"),
            "previous_post": text("wgig:previousPost"),
            "country": key("wgig:country", "place"),
            "country_basis": text("wgig:countryBasis"),
            "confidence": CONFIDENCE,
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "template": Table(
        form_item,
        "?row a ?class FILTER(REGEX(STR(?row), '/document/form/[^/]+/'))",
        {
            "form": inside("document/form"),
            "order": text("wgig:number"),
            "heading": text("dcterms:title"),
            "guidance": text("dcterms:description"),
            "required": text("wgig:required"),
            "principle": either(
                text("wgig:topic"),
                link("wgig:namesPrinciple", "principle", slugged=lambda cell: CRITERIA.get(cell, cell)),
            ),
            "note": NOTE,
            "source": SOURCE,
        },
    ),
    "tunis": Table(
        below("document/tunis-agenda"),
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/tunis-agenda/>)))",
        {
            "para": numbered,
            "summary": text("dcterms:description"),
            "topic": text("wgig:topic"),
            "responds_to": each(
                either(
                    key("wgig:respondsTo", "document/report"),
                    lambda facts, subject, cell: (
                        f"{ID}document/{cell}" in facts.values(subject, "wgig:respondsTo")
                    ),
                )
            ),
            "responds_basis": text("wgig:responseBasis"),
            "issues": ISSUES,
            "principles": PRINCIPLES,
            "evidence": text("wgig:evidence"),
            "note": NOTE,
            "source": SOURCE,
        },
    ),
}
# Properties of which the graph has no more values than the cell of this column, and none where it is blank;
# a folder narrows a property that has values from several columns.
NO_MORE = {
    "composition": [("value", "rdf:value", "")],
    "contributions": [
        ("contributor_type", "wgig:contributorType", ""),
        ("person", "wgig:speakerAsNamed", ""),
        ("concerns", "wgig:concerns", ""),
        ("date", "dcterms:date", ""),
    ],
    "crosswalk": [("identifier", "skos:notation", "")],
    "declaration": [
        ("topic_summary", "dcterms:description", ""),
        ("principles", "wgig:namesPrinciple", ""),
        ("categories", "wgig:bearsOn", "category/"),
        ("issues", "wgig:bearsOn", "issue/"),
    ],
    "issues": [
        ("categories", "wgig:category", ""),
        ("cluster_2005", "wgig:cluster", ""),
        ("label_variants", "skos:altLabel", ""),
        ("parent", "skos:broader", ""),
        ("priority_hint", "wgig:priorityHint", ""),
    ],
    "meetings": [
        ("start_date", "schema:startDate", ""),
        ("start_time", "wgig:startTime", ""),
        ("participation", "wgig:remoteParticipation", ""),
        ("room", "wgig:room", ""),
    ],
    "members": [
        ("country", "wgig:country", ""),
        ("stakeholder_group", "wgig:stakeholderGroup", ""),
        ("developing_country", "wgig:developingCountry", ""),
        ("appointed", "wgig:appointed", ""),
    ],
    "milestones": [
        ("date_due", "wgig:due", ""),
        ("date_delivered", "wgig:delivered", ""),
        ("responsible", "wgig:responsible", ""),
    ],
    "papers": [
        ("categories", "wgig:category", ""),
        ("issues_covered", "wgig:issue", ""),
        ("date_posted", "wgig:posted", ""),
        ("language", "dcterms:language", ""),
    ],
    "plan_of_action": [("summary", "dcterms:description", ""), ("issues", "wgig:bearsOn", "")],
    "report": [
        ("summary", "dcterms:description", ""),
        ("issues", "wgig:bearsOn", "issue/"),
        ("para_to", "wgig:lastParagraph", ""),
    ],
    "tunis": [
        ("summary", "dcterms:description", ""),
        ("responds_to", "wgig:respondsTo", ""),
        ("issues", "wgig:bearsOn", ""),
        ("principles", "wgig:namesPrinciple", ""),
    ],
}
# Columns that only make up the IRI of the row.
KEYS = {"id", "slug"}

pytestmark = pytest.mark.skipif(not FACTS.is_dir(), reason="the tables of facts are not beside this checkout")


def read(table: str) -> list[Row]:
    with (FACTS / f"{table}.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def facts(shipped: ox.Store) -> Facts:
    return Facts(shipped)


def test_every_table_is_mapped() -> None:
    assert {path.stem for path in FACTS.glob("*.tsv")} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_mapped(name: str) -> None:
    assert set(read(name)[0]) - KEYS == set(TABLES[name].columns)


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_is_in_the_graph(name: str, facts: Facts) -> None:
    table = TABLES[name]
    missing = [
        f"{name}.tsv, row {table.row(row).removeprefix(ID)}, column {column}: {row[column]}"
        for row in read(name)
        for column, found in table.columns.items()
        if row[column] and not found(facts, table.row(row), row[column])
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("name", TABLES)
def test_the_graph_has_the_rows_of_the_table_and_no_others(name: str, facts: Facts) -> None:
    table = TABLES[name]
    prologue = f"BASE <{ID}>" + "".join(f" PREFIX {prefix}: <{iri}>" for prefix, iri in PREFIXES.items())
    found = facts.store.query(
        f"{prologue} SELECT DISTINCT ?row {{ {table.rows} }}", use_default_graph_as_union=True
    )
    assert isinstance(found, ox.QuerySolutions)
    assert {solution["row"].value for solution in found} == {table.row(row) for row in read(name)}


@pytest.mark.parametrize("name", NO_MORE)
def test_the_graph_has_no_value_that_the_cell_lacks(name: str, facts: Facts) -> None:
    table = TABLES[name]
    for row in read(name):
        for column, predicate, folder in NO_MORE[name]:
            cell = row[column].split(" | ") if row[column] else []
            values = [
                v for v in facts.values(table.row(row), predicate) if not folder or v.startswith(ID + folder)
            ]
            assert len(values) == len(cell), f"{name}.tsv, row {table.row(row)}, column {column}: {values}"
