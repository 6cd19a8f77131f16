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
    concerns_definition,
    for_each_value,
    for_person,
    for_posts,
    has_category_count,
    has_date,
    has_due_date,
    has_evidence,
    has_generation,
    has_inventory_entries,
    has_language,
    has_languages,
    has_literal,
    has_name,
    has_number,
    has_paper,
    has_participation,
    has_passages,
    has_source,
    has_text,
    has_time,
    has_yes_or_no,
    is_in_background_section,
    is_inside,
    is_outcome_of,
    labels_resource,
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
JUDGED_ISSUES_CHECK = for_each_value(links_to_slug("wgig:issue", "issue"))
PRINCIPLES_CHECK = for_each_value(links_to_slug("wgig:namesPrinciple", "principle"))


class Table(NamedTuple):
    """A fact table: the IRI of a row, a graph pattern for all rows (?row), and the check of each column."""

    row_iri: Callable[[Row], str]
    rows_pattern: str
    columns: dict[str, CellCheck]


def iri_below(folder: str, column: str = "id", prefix: str = "") -> Callable[[Row], str]:
    """The IRI of a row: its column, without the prefix, below the folder."""
    return lambda row: f"{ID_NAMESPACE}{folder}/{row[column].removeprefix(prefix)}"


def report_part_iri(row: Row) -> str:
    return ID_NAMESPACE + "document/report" + ("" if row["id"] == "report" else f"/{row['id']}")


def meeting_or_session_iri(row: Row) -> str:
    return ID_NAMESPACE + ("session/" if row["parent"] else "meeting/") + row["id"]


def form_item_iri(row: Row) -> str:
    return f"{ID_NAMESPACE}document/form/{row['form']}/{row['order']}"


# The agents that are mechanisms, too, by the identifier of the mechanism.
AGENTS_BY_MECHANISM = {
    "bgm-alac": "icann-alac",
    "bgm-apnic": "apnic",
    "bgm-ec": "european-commission",
    "bgm-eu": "european-union",
    "bgm-icann": "icann",
    "bgm-icc": "international-chamber-of-commerce",
    "bgm-ietf": "ietf",
    "bgm-isoc": "internet-society",
    "bgm-itu": "international-telecommunication-union",
    "bgm-lacnic": "lacnic",
    "bgm-oecd": "oecd",
    "bgm-ordig": "ordig",
    "bgm-ripe-ncc": "ripe-ncc",
    "bgm-un": "united-nations",
    "bgm-unesco": "unesco",
    "bgm-wipo": "world-intellectual-property-organization",
    "bgm-witsa": "witsa",
    "bgm-wto": "world-trade-organization",
}


def mechanism_iri(identifier: str) -> str:
    agent = AGENTS_BY_MECHANISM.get(identifier)
    return ID_NAMESPACE + (f"agent/{agent}" if agent else "mechanism/" + identifier.removeprefix("bgm-"))


def background_part_iri(row: Row) -> str:
    document_iri = ID_NAMESPACE + "document/background-report"
    return document_iri if row["id"] == "bg" else f"{document_iri}/{row['id'].removeprefix('bg-')}"


TABLES = {
    "assessments": Table(
        iri_below("judgment", prefix="bga-"),
        "?row a wgig:Judgment",
        {
            "paragraphs": has_passages("dcterms:source"),
            "subject_kind": links_to("dcterms:type", "judged-kind"),
            "issue": JUDGED_ISSUES_CHECK,
            "mechanism_or_actor": has_text("wgig:judgedAsNamed"),
            "criterion": links_to_slug("wgig:criterion", "principle", "criterion"),
            # the verdict of a side of a dispute is in the column `view`
            "verdict": any_of(
                links_to_slug("wgig:verdict", "verdict"),
                lambda facts, subject, cell: (
                    cell == "disputed" and bool(facts.values(subject, "wgig:dispute"))
                ),
            ),
            "whose": links_to("wgig:viewHolder", "view-holder"),
            "summary": has_text("dcterms:description"),
            "quote": has_text("wgig:quotation"),
            "confidence": CONFIDENCE_CHECK,
            "view": links_to_slug("wgig:verdict", "verdict"),
            "dispute": links_to_slug("wgig:dispute", "dispute"),
            "outcome": for_each_value(links_to_slug("wgig:aim", "category")),
            "mechanisms": for_each_value(
                lambda facts, subject, cell: mechanism_iri(cell) in facts.values(subject, "wgig:judges")
            ),
            "second_reader": has_text("wgig:secondReading"),
            "source": SOURCE_CHECK,
        },
    ),
    "background": Table(
        background_part_iri,
        "?row a ?class FILTER(STRSTARTS(STR(?row), STR(<document/background-report/>))"
        " || ?row = <document/background-report>)",
        {
            "kind": PART_KIND_CHECK,
            "para_from": has_literal("wgig:firstParagraph", "xsd:integer"),
            "para_to": has_literal("wgig:lastParagraph", "xsd:integer"),
            "page": has_text("bibo:pageStart"),
            "section": is_in_background_section,
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
    "definitions": Table(
        iri_below("definition", prefix="def-"),
        "?row a wgig:Definition",
        {
            "number": has_text("wgig:number"),
            "author": links_to_name("dcterms:creator"),
            "author_type": links_to("wgig:authorType", "author-type"),
            "date": has_date("dcterms:date"),
            "occasion": has_text("wgig:occasion"),
            "summary": has_text("dcterms:description"),
            "names_actors": has_yes_or_no("wgig:namesActors"),
            "names_scope": has_text("wgig:namesScope"),
            "member": has_yes_or_no("wgig:byMember"),
            "note": NOTE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
    "mechanisms": Table(
        lambda row: mechanism_iri(row["id"]),
        "?row a wgig:GovernanceMechanism",
        {
            "name": has_name,
            "kind": links_to("dcterms:type", "mechanism-kind"),
            "issues": for_each_value(links_to_slug("wgig:governs", "issue")),
            "role": has_text("wgig:mechanismRole"),
            "paragraphs": has_passages("dcterms:isReferencedBy"),
            "source": SOURCE_CHECK,
        },
    ),
    "recommendations": Table(
        iri_below("recommendation", prefix="bgr-"),
        "?row a wgig:Recommendation",
        {
            "paragraph": has_passages("dcterms:source"),
            "item": has_text("wgig:number"),
            "kind": links_to("dcterms:type", "recommendation-kind"),
            "issues": JUDGED_ISSUES_CHECK,
            "principles": PRINCIPLES_CHECK,
            "summary": has_text("dcterms:description"),
            "whose": links_to("wgig:viewHolder", "view-holder"),
            "confidence": CONFIDENCE_CHECK,
            "source": SOURCE_CHECK,
        },
    ),
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
            "concerns": any_of(links_to_resource("wgig:concerns"), concerns_definition),
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
    "decision_outcomes": Table(
        iri_below("outcome", "decision"),
        "?row a wgig:AgreementOutcome",
        {
            "decision": is_outcome_of,
            "outcome": has_text("dcterms:description"),
            "kind": links_to("dcterms:type", "outcome-kind"),
            "evidence": has_evidence,
            "confidence": CONFIDENCE_CHECK,
            "note": NOTE_CHECK,
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
    "labels": Table(
        iri_below("label"),
        "?row a skosxl:Label",
        {
            "entity_type": has_text("wgig:entityType"),
            "entity": labels_resource(
                "category", "document/declaration", "document/report", "issue", "principle"
            ),
            "lang": has_language("skosxl:literalForm"),
            "label": has_text("skosxl:literalForm"),
            "official": has_text("wgig:official"),
            "form": has_text("wgig:labelForm"),
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
            "participation": has_participation,
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
            "affiliation": for_posts(links_to_name("org:organization", remark=" (as printed)")),
            "title": any_of(for_posts(has_text("wgig:postTitle")), for_person(has_text("schema:jobTitle"))),
            "country": links_to_slug("wgig:country", "place"),
            "country_basis": has_text("wgig:countryBasis"),
            "stakeholder_group": links_to(
                "wgig:stakeholderGroup",
                "stakeholder-group",
                make_slug=lambda cell: GROUP_SLUGS.get(cell, slugify(cell)),
            ),
            "stakeholder_basis": has_text("wgig:stakeholderGroupBasis"),
            "developing_country": has_yes_or_no("wgig:developingCountry"),
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
            # a title with more than the role is text
            "role": any_of(links_to("org:role", "role"), has_text("wgig:postTitle")),
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
            "principle": for_each_value(
                any_of(
                    has_text("wgig:topic"),
                    links_to(
                        "wgig:namesPrinciple",
                        "principle",
                        make_slug=lambda cell: CRITERION_SLUGS.get(cell, cell),
                    ),
                )
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
# the folder of the values, or `@` and their language, if the property has values from several columns.
COUNTED_COLUMNS = {
    "assessments": [
        ("issue", "wgig:issue", ""),
        ("criterion", "wgig:criterion", ""),
        ("quote", "wgig:quotation", ""),
        ("dispute", "wgig:dispute", ""),
        ("outcome", "wgig:aim", ""),
        ("mechanisms", "wgig:judges", ""),
    ],
    "background": [
        ("summary", "dcterms:description", ""),
        ("issues", "wgig:bearsOn", ""),
        ("principles", "wgig:namesPrinciple", ""),
        ("para_to", "wgig:lastParagraph", ""),
    ],
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
        ("parent", "skos:broader", ""),
        ("priority_hint", "wgig:priorityHint", ""),
    ],
    "meetings": [
        ("start_date", "schema:startDate", ""),
        ("start_time", "wgig:startTime", ""),
        ("room", "wgig:room", ""),
    ],
    "members": [
        ("country", "wgig:country", ""),
        ("stakeholder_group", "wgig:stakeholderGroup", ""),
        ("developing_country", "wgig:developingCountry", ""),
        ("appointed", "wgig:appointed", ""),
    ],
    "mechanisms": [("issues", "wgig:governs", "")],
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
    "recommendations": [
        ("item", "wgig:number", ""),
        ("issues", "wgig:issue", ""),
        ("principles", "wgig:namesPrinciple", ""),
    ],
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
