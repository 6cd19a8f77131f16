"""Display names of properties and of the kinds of resources.

The kind of a resource is the path between `id/` and its name: `issue` for `id/issue/spam`.

Properties of external vocabularies have no labels in the graph; this module has translated names of them.
"""

from functools import lru_cache

import pyoxigraph as ox

from ..http.language import current_language, gettext
from ..i18n import ENGLISH, gettext_noop, load_catalog
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import expand_curie

MAX_CACHED_PROPERTY_NAMES = 2_000  # of properties, in all languages

# Short names of criteria, by the last part of their IRIs.
SHORT_CRITERION_NAMES = {
    "coordination-capacity": gettext_noop("capacity to coordinate"),
    "involvement": gettext_noop("involvement of all"),
    "involvement-governments": gettext_noop("involvement of governments"),
    "involvement-private-sector": gettext_noop("involvement of the private sector"),
    "involvement-civil-society": gettext_noop("involvement of civil society"),
    "involvement-international-organizations": gettext_noop("involvement of international organizations"),
    "development": gettext_noop("development"),
    "multilateralism": gettext_noop("multilateralism"),
    "transparency": gettext_noop("transparency"),
    "democracy": gettext_noop("democracy"),
    "accountability": gettext_noop("accountability"),
    "adequacy": gettext_noop("adequacy"),
}
KIND_TITLES = {
    "agent": gettext_noop("People and organizations"),
    "agreement": gettext_noop("Agreements"),
    "assertion": gettext_noop("Reports of checks"),
    "category": gettext_noop("Categories"),
    "citation": gettext_noop("Citations"),
    "claim": gettext_noop("Claims"),
    "concept": gettext_noop("Concepts"),
    "contribution": gettext_noop("Contributions"),
    "definition": gettext_noop("Definitions"),
    "disagreement": gettext_noop("Disagreements between sources"),
    "dispute": gettext_noop("Disputes"),
    "document": gettext_noop("Documents"),
    "identifier": gettext_noop("External identifiers"),
    "issue": gettext_noop("Issues"),
    "judgment": gettext_noop("Judgments"),
    "label": gettext_noop("Official labels"),
    "mechanism": gettext_noop("Mechanisms"),
    "meeting": gettext_noop("Meetings"),
    "membership": gettext_noop("Memberships"),
    "milestone": gettext_noop("Milestones"),
    "outcome": gettext_noop("Outcomes of agreements"),
    "paper": gettext_noop("Papers"),
    "participation": gettext_noop("Participations"),
    "place": gettext_noop("Places"),
    "principle": gettext_noop("Principles"),
    "recommendation": gettext_noop("Recommendations"),
    "scheme": gettext_noop("Concept schemes"),
    "session": gettext_noop("Sessions"),
    "software": gettext_noop("Software"),
    "stakeholder-group": gettext_noop("Stakeholder groups"),
    "test-result": gettext_noop("Results of checks"),
    "write": gettext_noop("Writes"),
    "writer": gettext_noop("Writers"),
}

# Kinds whose titles are made from their names: terms of vocabularies, and parts of documents.
VOCABULARY_KIND_NAMES = {
    "agreement-kind": gettext_noop("Agreement kind"),
    "audience": gettext_noop("Audience"),
    "author-type": gettext_noop("Author type"),
    "claim-kind": gettext_noop("Claim kind"),
    "confidence": gettext_noop("Confidence"),
    "contribution-kind": gettext_noop("Contribution kind"),
    "contributor-type": gettext_noop("Contributor type"),
    "criterion": gettext_noop("Criterion"),
    "judged-kind": gettext_noop("Judged kind"),
    "mechanism-kind": gettext_noop("Mechanism kind"),
    "milestone-kind": gettext_noop("Milestone kind"),
    "other": gettext_noop("Other records"),
    "outcome-kind": gettext_noop("Outcome kind"),
    "paragraph": gettext_noop("Paragraphs and sections"),
    "part-kind": gettext_noop("Part kind"),
    "profile": gettext_noop("Profile"),
    "query": gettext_noop("Questions and answers"),
    "recommendation-kind": gettext_noop("Recommendation kind"),
    "role": gettext_noop("Role"),
    "session-kind": gettext_noop("Session kind"),
    "shape": gettext_noop("Shapes"),
    "term": gettext_noop("Terms"),
    "timeliness": gettext_noop("Timeliness"),
    "verdict": gettext_noop("Verdict"),
    "view-holder": gettext_noop("View holder"),
}

# A resource of a kind, where it differs from the titles above.
KIND_NAMES = {
    "agent": gettext_noop("Person or organization"),
    "agreement": gettext_noop("Agreement"),
    "assertion": gettext_noop("Report of a check"),
    "category": gettext_noop("Category"),
    "citation": gettext_noop("Citation"),
    "claim": gettext_noop("Claim"),
    "concept": gettext_noop("Concept"),
    "contribution": gettext_noop("Contribution"),
    "definition": gettext_noop("Definition"),
    "disagreement": gettext_noop("Disagreement between sources"),
    "dispute": gettext_noop("Dispute"),
    "document": gettext_noop("Document"),
    "issue": gettext_noop("Issue"),
    "judgment": gettext_noop("Judgment"),
    "mechanism": gettext_noop("Mechanism"),
    "meeting": gettext_noop("Meeting"),
    "membership": gettext_noop("Membership or post"),
    "milestone": gettext_noop("Milestone"),
    "outcome": gettext_noop("Outcome of an agreement"),
    "paper": gettext_noop("Paper"),
    "paragraph": gettext_noop("Paragraph or section"),
    "participation": gettext_noop("Remote participation"),
    "place": gettext_noop("Place"),
    "principle": gettext_noop("Principle"),
    "query": gettext_noop("Question and answer"),
    "recommendation": gettext_noop("Recommendation"),
    "scheme": gettext_noop("Concept scheme"),
    "session": gettext_noop("Session"),
    "shape": gettext_noop("Shape"),
    "stakeholder-group": gettext_noop("Stakeholder group"),
    "term": gettext_noop("Term"),
}

# Kinds of records for programs; people see their content on the pages of the resources that they are about.
RECORD_KINDS = frozenset({"identifier", "label"})
# Kinds of resources that the service creates itself; they are many, and lists for people leave them out.
INTERNAL_KINDS = frozenset({"assertion", "software", "test-result", "write", "writer"})


def short_criterion_name(iri: str) -> str:
    """The message of the short name of a criterion; empty without one."""
    return SHORT_CRITERION_NAMES.get(iri.rpartition("/")[2], "")


def criterion_name(iri: str, label: str) -> str:
    """The short name of a criterion in the current language, or else its label."""
    short_name = short_criterion_name(iri)
    return gettext(short_name) if short_name else label


def is_criterion_shortened(iri: str) -> bool:
    """Whether the short name of a criterion stands for a phrase, which readers may want to see once."""
    return " " in short_criterion_name(iri)


def kind_title(kind: str) -> str:
    """The title of a kind in English; if it has none, the last segment of the kind as words."""
    name = kind.rpartition("/")[2].replace("-", " ")
    return KIND_TITLES.get(kind) or VOCABULARY_KIND_NAMES.get(kind) or name[:1].upper() + name[1:]


def localized_kind_title(kind: str) -> str:
    """The title of a kind in the current language, if it can be translated."""
    return (
        gettext(kind_title(kind))
        if kind in KIND_TITLES or kind in VOCABULARY_KIND_NAMES
        else kind_title(kind)
    )


def localized_kind_name(kind: str) -> str:
    """What a resource of a kind is, in the current language, if it can be translated."""
    return gettext(KIND_NAMES[kind]) if kind in KIND_NAMES else localized_kind_title(kind)


# The local names of the external properties in the graph, as words.
TRANSLATED_PROPERTY_NAMES = frozenset(
    (
        gettext_noop("asserted by"), gettext_noop("broader"), gettext_noop("cites"),
        gettext_noop("conforms to"), gettext_noop("creator"), gettext_noop("date"),
        gettext_noop("definition"), gettext_noop("description"), gettext_noop("end date"),
        gettext_noop("end time"), gettext_noop("focus node"), gettext_noop("has artifact"),
        gettext_noop("has part"), gettext_noop("has resource"), gettext_noop("has role"),
        gettext_noop("has token"), gettext_noop("identifier"), gettext_noop("in language"),
        gettext_noop("is part of"), gettext_noop("is profile of"), gettext_noop("issued"),
        gettext_noop("job title"), gettext_noop("label"), gettext_noop("latitude"),
        gettext_noop("location"), gettext_noop("longitude"), gettext_noop("member"),
        gettext_noop("member of"), gettext_noop("mode"), gettext_noop("name"), gettext_noop("note"),
        gettext_noop("number"), gettext_noop("organization"), gettext_noop("outcome"), gettext_noop("page"),
        gettext_noop("page start"), gettext_noop("position"), gettext_noop("references"),
        gettext_noop("relation"), gettext_noop("result"), gettext_noop("result message"),
        gettext_noop("result severity"), gettext_noop("role"), gettext_noop("same as"),
        gettext_noop("see also"), gettext_noop("source"), gettext_noop("source constraint component"),
        gettext_noop("source shape"), gettext_noop("spatial"), gettext_noop("start date"),
        gettext_noop("start time"), gettext_noop("test"), gettext_noop("title"), gettext_noop("type"),
        gettext_noop("value"), gettext_noop("version"),
    )
)  # fmt: skip
# Properties whose local name is jargon, vague or ambiguous.
PROPERTY_NAME_EXCEPTIONS = {
    expand_curie(curie).value: name
    for curie, name in {
        "bibo:locator": gettext_noop("place in the text"),
        "cito:hasCitedEntity": gettext_noop("cited text"),
        "cito:hasCitingEntity": gettext_noop("citing text"),
        "dcterms:alternative": gettext_noop("also called"),
        "dcterms:isReferencedBy": gettext_noop("mentioned in"),
        "dcterms:subject": gettext_noop("subject"),
        "earl:subject": gettext_noop("what was checked"),
        "foaf:title": gettext_noop("form of address"),
        "prov:wasAttributedTo": gettext_noop("attributed to"),
        "prov:wasRevisionOf": gettext_noop("earlier version"),
        "skos:altLabel": gettext_noop("also called"),
        "skos:broadMatch": gettext_noop("broader concept elsewhere"),
        "skos:broaderTransitive": gettext_noop("all broader concepts"),
        "skos:closeMatch": gettext_noop("similar concept elsewhere"),
        "skos:exactMatch": gettext_noop("same concept elsewhere"),
        "skos:inScheme": gettext_noop("vocabulary"),
        "skos:notation": gettext_noop("code"),
        "skos:prefLabel": gettext_noop("name"),
        "skos:relatedMatch": gettext_noop("related concept elsewhere"),
        "skos:topConceptOf": gettext_noop("top level of"),
        "skosxl:altLabel": gettext_noop("record of another name"),
        "skosxl:literalForm": gettext_noop("wording"),
        "skosxl:prefLabel": gettext_noop("record of the name"),
    }.items()
}
# Classes of other vocabularies that people meet on pages.
CLASS_NAMES = {
    expand_curie(curie).value: name
    for curie, name in {
        "cito:Citation": gettext_noop("citation"),
        "dcat:Dataset": gettext_noop("dataset"),
        "dcterms:Location": gettext_noop("place"),
        "earl:Assertion": gettext_noop("report of a check"),
        "earl:TestResult": gettext_noop("result of a check"),
        "foaf:Group": gettext_noop("group"),
        "foaf:Person": gettext_noop("person"),
        "org:Membership": gettext_noop("membership"),
        "org:Organization": gettext_noop("organization"),
        "org:Role": gettext_noop("role"),
        "prof:Profile": gettext_noop("profile"),
        "skos:Collection": gettext_noop("collection of concepts"),
        "skos:Concept": gettext_noop("concept"),
        "skos:ConceptScheme": gettext_noop("vocabulary"),
        "skosxl:Label": gettext_noop("official label"),
    }.items()
}


def foreign_class_label(iri: str) -> ox.Literal | None:
    """The display name of a class of another vocabulary, in the current language; None without one."""
    return ox.Literal(gettext(CLASS_NAMES[iri]), language=current_language()) if iri in CLASS_NAMES else None


def foreign_property_label(iri: str) -> ox.Literal:
    """The display name of a property without a label, in the current language if it has a translation."""
    return translate_property_name(iri, current_language())


@lru_cache(MAX_CACHED_PROPERTY_NAMES)
def translate_property_name(iri: str, page_language: str) -> ox.Literal:
    """The display name of a property in a language if it has a translation, else in English."""
    name = PROPERTY_NAME_EXCEPTIONS.get(iri) or words_of_iri(iri)
    if iri in PROPERTY_NAME_EXCEPTIONS or name in TRANSLATED_PROPERTY_NAMES:
        return ox.Literal(load_catalog(page_language).gettext(name), language=page_language)
    return ox.Literal(name, language=ENGLISH)
