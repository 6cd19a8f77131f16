"""The fact tables: which thing each row is, and where each of its cells stands in the graph."""

from collections.abc import Callable
from typing import NamedTuple

from .cells import (
    CRITERIA,
    GROUPS,
    ID,
    Found,
    Row,
    clock,
    date,
    developing,
    due,
    each,
    either,
    entries_of_issue,
    generation,
    inside,
    key,
    languages,
    link,
    named,
    number_of_categories,
    numbered,
    of_person,
    paper_on_issue,
    posts,
    slug,
    source,
    text,
    thing,
    typed,
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
            "language": text("schema:inLanguage"),
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
        ("language", "schema:inLanguage", ""),
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
