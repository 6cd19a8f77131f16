"""The fact tables (TSV files): the resource of each row, and the check of each of its cells in the graph."""

from collections.abc import Callable
from typing import NamedTuple

from .cells import (
    CRITERION_SLUGS,
    GROUP_SLUGS,
    ID_NAMESPACE,
    CellCheck,
    Row,
    any_of,
    for_each_value,
    for_person,
    for_posts,
    has_category_count,
    has_date,
    has_developing_country,
    has_due_date,
    has_generation,
    has_inventory_entries,
    has_languages,
    has_literal,
    has_number,
    has_paper,
    has_source,
    has_text,
    has_time,
    is_inside,
    links_to,
    links_to_name,
    links_to_resource,
    links_to_slug,
    slugify,
)

NOTE_CHECK, SOURCE_CHECK = has_text("skos:note"), for_each_value(has_source)
CONFIDENCE_CHECK = links_to_slug("wgig:confidence", "confidence")
PART_KIND_CHECK = links_to("dcterms:type", "part-kind")
ISSUES_CHECK = for_each_value(links_to_slug("wgig:bearsOn", "issue"))
PRINCIPLES_CHECK = for_each_value(links_to_slug("wgig:namesPrinciple", "principle"))


class Table(NamedTuple):
    """A fact table: the IRI of a row, a graph pattern for all rows (?row), and the check of each column."""

    row_iri: Callable[[Row], str]
    rows_pattern: str
    columns: dict[str, CellCheck]


def iri_below(folder: str, column: str = "id") -> Callable[[Row], str]:
    return lambda row: f"{ID_NAMESPACE}{folder}/{row[column]}"


def report_part_iri(row: Row) -> str:
    return ID_NAMESPACE + "document/report" + ("" if row["id"] == "report" else f"/{row['id']}")


def meeting_or_session_iri(row: Row) -> str:
    return ID_NAMESPACE + ("session/" if row["parent"] else "meeting/") + row["id"]


def form_item_iri(row: Row) -> str:
    return f"{ID_NAMESPACE}document/form/{row['form']}/{row['order']}"


TABLES = {
    "composition": Table(
        iri_below("claim"),
        "?row a wgig:Claim ; wgig:about <agent/wgig> FILTER(STRSTARTS(STR(?row), STR(<claim/comp->)))",
        {
            "property": has_text("wgig:claimedProperty"),
            "value": for_each_value(has_text("rdf:value")),
            "kind": links_to("dcterms:type", "claim-kind"),
            "confidence": CONFIDENCE_CHECK,
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "contributions": Table(
        iri_below("contribution"),
        "?row a wgig:Contribution",
        {
            "contributor": links_to_name("wgig:contributor"),
            "contributor_type": links_to("wgig:contributorType", "contributor-type"),
            "person": has_text("wgig:speakerAsNamed"),
            "concerns_kind": links_to("dcterms:type", "contribution-kind"),
            "concerns": links_to_resource("wgig:concerns"),
            "date": has_date("dcterms:date"),
            "url": has_text("foaf:page"),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "crosswalk": Table(
        iri_below("identifier"),
        "?row a wgig:Identifier",
        {
            "entity": links_to_name("wgig:identifies"),
            "entity_type": has_text("wgig:entityType"),
            "scheme": has_text("wgig:identifierScheme"),
            "identifier": has_text("skos:notation"),
            "iri": has_text("wgig:target"),
            "relation": has_text("wgig:relation"),
            "confidence": CONFIDENCE_CHECK,
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "decisions": Table(
        iri_below("agreement"),
        "?row a wgig:Agreement",
        {
            "paragraph": links_to_slug("dcterms:source", "document/summary"),
            "kind": links_to("dcterms:type", "agreement-kind"),
            "seed_verb": has_text("wgig:verb"),
            "by": links_to_resource("wgig:settledBy"),
            "summary": has_text("dcterms:description"),
            "concerns": has_text("wgig:topic"),
            "source": SOURCE_CHECK,
        },
    ),
    "declaration": Table(
        iri_below("document/declaration"),
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/declaration/>)))",
        {
            "kind": PART_KIND_CHECK,
            "para": has_number,
            "section": is_inside("document/declaration"),
            "section_basis": has_text("wgig:sectionBasis"),
            "heading": has_text("dcterms:title"),
            "heading_basis": has_text("wgig:headingBasis"),
            "topic_summary": has_text("dcterms:description"),
            "principles": PRINCIPLES_CHECK,
            "categories": for_each_value(links_to_slug("wgig:bearsOn", "category")),
            "issues": ISSUES_CHECK,
            "evidence": has_text("wgig:evidence"),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "issue_entries": Table(
        iri_below("document/inventory", "entry"),
        "?row a wgig:InventoryEntry",
        {
            "entry": has_text("wgig:number"),
            "category": links_to_slug("wgig:category", "category"),
            "position_in_category": has_literal("wgig:order", "xsd:integer"),
            "label_as_listed": has_text("wgig:labelAsListed"),
            "issue_slug": links_to_slug("wgig:issue", "issue"),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "issues": Table(
        iri_below("issue", "slug"),
        "?row a wgig:Issue",
        {
            "label": has_text("skos:prefLabel"),
            "label_variants": for_each_value(has_text("skos:altLabel")),
            "categories": for_each_value(links_to_slug("wgig:category", "category")),
            "category_count": has_category_count,
            "inventory_entries": has_inventory_entries,
            "cluster_2005": links_to("wgig:cluster", "category", make_slug=lambda cell: f"cluster-{cell}"),
            "in_inventory": has_text("wgig:inventoryStatus"),
            "parent": links_to_slug("skos:broader", "issue"),
            "description": has_text("skos:definition"),
            "paper": for_each_value(has_paper),
            "priority_hint": has_text("wgig:priorityHint"),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "meetings": Table(
        meeting_or_session_iri,
        "?row a ?class VALUES ?class { wgig:Meeting wgig:Session }",
        {
            "parent": links_to_slug("wgig:partOf", "meeting"),
            "event": has_text("dcterms:title"),
            "session": has_text("wgig:sessionTitle"),
            "planned_kind": links_to("wgig:plannedKind", "session-kind"),
            "kind": links_to("wgig:actualKind", "session-kind"),
            "start_date": has_date("schema:startDate"),
            "end_date": has_date("schema:endDate"),
            "start_time": has_time("wgig:startTime"),
            "end_time": has_time("wgig:endTime"),
            "venue": has_text("wgig:venue"),
            "room": has_text("wgig:room"),
            "city": for_each_value(links_to_name("wgig:place"), " / | and "),
            "participation": links_to("wgig:remoteParticipation", "participation"),
            "interpretation": has_languages,
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "members": Table(
        iri_below("membership"),
        "?row a org:Membership ; org:role ?role VALUES ?role { <role/chair> <role/member> }",
        {
            "name": for_person(has_text("foaf:name")),
            "honorific": for_person(has_text("foaf:title")),
            "role": links_to("org:role", "role"),
            "affiliation": for_posts(links_to_name("org:organization")),
            "title": any_of(for_posts(has_text("wgig:postTitle")), for_person(has_text("schema:jobTitle"))),
            "country": links_to_slug("wgig:country", "place"),
            "country_basis": has_text("wgig:countryBasis"),
            "stakeholder_group": links_to(
                "wgig:stakeholderGroup",
                "stakeholder-group",
                make_slug=lambda cell: GROUP_SLUGS.get(cell, slugify(cell)),
            ),
            "stakeholder_basis": has_text("wgig:stakeholderGroupBasis"),
            "developing_country": has_developing_country,
            "developing_basis": has_text("wgig:developingBasis"),
            "appointed": has_date("wgig:appointed"),
            "evidence": has_text("wgig:evidence"),
            "confidence": CONFIDENCE_CHECK,
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "milestones": Table(
        iri_below("milestone"),
        "?row a wgig:Milestone",
        {
            "title": has_text("rdfs:label"),
            "kind": links_to("dcterms:type", "milestone-kind"),
            "about": links_to_resource("wgig:about"),
            "date_due": has_due_date,
            "date_delivered": has_date("wgig:delivered"),
            "delivered_basis": has_text("wgig:deliveryBasis"),
            "responsible": links_to_name("wgig:responsible"),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "outline": Table(
        iri_below("document/outline", "order"),
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/outline/>)))",
        {
            "order": has_text("wgig:number"),
            "parent": links_to_slug("wgig:partOf", "document/outline"),
            "heading": has_text("dcterms:title"),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "papers": Table(
        iri_below("paper", "slug"),
        "?row a ?class VALUES ?class { wgig:IssuePaper wgig:AssessmentPaper }",
        {
            "title": has_text("dcterms:title"),
            "generation": has_generation,
            "categories": for_each_value(links_to_slug("wgig:category", "category")),
            "category_basis": has_text("wgig:categoryBasis"),
            "issues_covered": for_each_value(links_to_slug("wgig:issue", "issue")),
            "date_posted": has_date("wgig:posted"),
            "date_basis": has_text("wgig:dateBasis"),
            "language": has_text("schema:inLanguage"),
            "file_url": has_text("foaf:page"),
            "copy_url": has_text("foaf:page"),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "plan_of_action": Table(
        iri_below("document/plan-of-action"),
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/plan-of-action/>)))",
        {
            "kind": PART_KIND_CHECK,
            "line": is_inside("document/plan-of-action"),
            "paragraph": has_text("wgig:number"),
            "paragraph_basis": has_text("wgig:numberBasis"),
            "heading": has_text("dcterms:title"),
            "heading_basis": has_text("wgig:headingBasis"),
            "summary": has_text("dcterms:description"),
            "list_items": has_literal("wgig:listItems", "xsd:integer"),
            "wgig_relevance": has_text("wgig:relevance"),
            "issues": ISSUES_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "report": Table(
        report_part_iri,
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/report/>)) || ?row = <document/report>)",
        {
            "kind": PART_KIND_CHECK,
            "para_from": has_literal("wgig:firstParagraph", "xsd:integer"),
            "para_to": has_literal("wgig:lastParagraph", "xsd:integer"),
            "page": has_text("bibo:pageStart"),
            "section": is_inside("document/report"),
            "heading": has_text("dcterms:title"),
            "heading_basis": has_text("wgig:headingBasis"),
            "summary": has_text("dcterms:description"),
            "issues": ISSUES_CHECK,
            "principles": PRINCIPLES_CHECK,
            "confidence": CONFIDENCE_CHECK,
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "secretariat": Table(
        iri_below("membership"),
        # without other posts of members, whose IRIs end in a number
        "?row a org:Membership FILTER NOT EXISTS { ?row org:role <role/chair> }"
        " FILTER NOT EXISTS { ?row org:role <role/member> } FILTER(!REGEX(STR(?row), '-[0-9]$'))",
        {
            "name": for_person(has_text("foaf:name")),
            "honorific": for_person(has_text("foaf:title")),
            "role": links_to("org:role", "role"),
            "organization": links_to_name("org:organization"),
            "from": has_date("schema:startDate"),
            "to": has_date("schema:endDate"),
            "previous_post": has_text("wgig:previousPost"),
            "country": links_to_slug("wgig:country", "place"),
            "country_basis": has_text("wgig:countryBasis"),
            "confidence": CONFIDENCE_CHECK,
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "template": Table(
        form_item_iri,
        "?row a ?class FILTER(REGEX(STR(?row), '/document/form/[^/]+/'))",
        {
            "form": is_inside("document/form"),
            "order": has_text("wgig:number"),
            "heading": has_text("dcterms:title"),
            "guidance": has_text("dcterms:description"),
            "required": has_text("wgig:required"),
            "principle": any_of(
                has_text("wgig:topic"),
                links_to(
                    "wgig:namesPrinciple", "principle", make_slug=lambda cell: CRITERION_SLUGS.get(cell, cell)
                ),
            ),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "tunis": Table(
        iri_below("document/tunis-agenda"),
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/tunis-agenda/>)))",
        {
            "para": has_number,
            "summary": has_text("dcterms:description"),
            "topic": has_text("wgig:topic"),
            "responds_to": for_each_value(
                any_of(
                    links_to_slug("wgig:respondsTo", "document/report"),
                    # a part of another document
                    lambda facts, subject, cell: (
                        f"{ID_NAMESPACE}document/{cell}" in facts.values(subject, "wgig:respondsTo")
                    ),
                )
            ),
            "responds_basis": has_text("wgig:responseBasis"),
            "issues": ISSUES_CHECK,
            "principles": PRINCIPLES_CHECK,
            "evidence": has_text("wgig:evidence"),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
}
# Columns, with their properties, for which the graph has exactly as many values as the cell. The last item is
# the folder of the values, if the property has values from several columns.
COUNTED_COLUMNS = {
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
