"""Display names of the kinds of resources, by which their IRIs are grouped, and of foreign properties.

Properties of other vocabularies come without labels in the graph; here they have names to translate.
"""

import pyoxigraph as ox

from ..http.language import current_language, gettext
from ..i18n import ENGLISH, gettext_noop
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import DCTERMS_NAMESPACE, EARL_NAMESPACE, EXTERNAL_NAMESPACES

KIND_TITLES = {
    "agent": gettext_noop("People and bodies"),
    "agreement": gettext_noop("Agreements"),
    "assertion": gettext_noop("State of the papers"),
    "category": gettext_noop("Categories"),
    "citation": gettext_noop("Citations"),
    "claim": gettext_noop("Claims"),
    "concept": gettext_noop("Concepts"),
    "contribution": gettext_noop("Contributions"),
    "disagreement": gettext_noop("Disagreements between sources"),
    "document": gettext_noop("Documents"),
    "identifier": gettext_noop("Outside identifiers"),
    "issue": gettext_noop("Issues"),
    "meeting": gettext_noop("Meetings"),
    "membership": gettext_noop("Memberships"),
    "milestone": gettext_noop("Milestones"),
    "paper": gettext_noop("Papers"),
    "participation": gettext_noop("Participations"),
    "place": gettext_noop("Places"),
    "principle": gettext_noop("Principles"),
    "scheme": gettext_noop("Concept schemes"),
    "session": gettext_noop("Sessions"),
    "software": gettext_noop("Software"),
    "stakeholder-group": gettext_noop("Stakeholder groups"),
    "test-result": gettext_noop("Results of tests"),
    "write": gettext_noop("Writes"),
    "writer": gettext_noop("Writers"),
}

# Kinds whose titles are their names: vocabularies, and what is found in texts.
VOCABULARY_KIND_NAMES = {
    "agreement-kind": gettext_noop("Agreement kind"),
    "audience": gettext_noop("Audience"),
    "claim-kind": gettext_noop("Claim kind"),
    "confidence": gettext_noop("Confidence"),
    "contribution-kind": gettext_noop("Contribution kind"),
    "contributor-type": gettext_noop("Contributor type"),
    "milestone-kind": gettext_noop("Milestone kind"),
    "other": gettext_noop("Other"),
    "paragraph": gettext_noop("Paragraph"),
    "part-kind": gettext_noop("Part kind"),
    "profile": gettext_noop("Profile"),
    "role": gettext_noop("Role"),
    "session-kind": gettext_noop("Session kind"),
    "shape": gettext_noop("Shape"),
    "term": gettext_noop("Term"),
    "timeliness": gettext_noop("Timeliness"),
    "verdict": gettext_noop("Verdict"),
}

# What the service says of its own work, which would drown the rest where things are listed for people.
INTERNAL_KINDS = frozenset({"assertion", "software", "test-result", "write", "writer"})


def kind_title(folder: str) -> str:
    """What a folder is called: its title, or its last name as words."""
    name = folder.rpartition("/")[2].replace("-", " ")
    return KIND_TITLES.get(folder, name[:1].upper() + name[1:])


def localized_kind_title(folder: str) -> str:
    """What a page calls a folder: its title in the language of now where that is known."""
    return (
        gettext(kind_title(folder))
        if folder in KIND_TITLES or folder in VOCABULARY_KIND_NAMES
        else kind_title(folder)
    )


# The ends of the IRIs of those that are said of things here, in words.
TRANSLATED_PROPERTY_NAMES = frozenset(
    (
        gettext_noop("alt label"), gettext_noop("alternative"), gettext_noop("asserted by"),
        gettext_noop("broad match"), gettext_noop("broader"), gettext_noop("broader transitive"),
        gettext_noop("cites"), gettext_noop("close match"), gettext_noop("conforms to"),
        gettext_noop("creator"), gettext_noop("date"), gettext_noop("definition"),
        gettext_noop("description"), gettext_noop("end date"), gettext_noop("end time"),
        gettext_noop("exact match"), gettext_noop("focus node"), gettext_noop("has artifact"),
        gettext_noop("has cited entity"), gettext_noop("has citing entity"), gettext_noop("has part"),
        gettext_noop("has resource"), gettext_noop("has role"), gettext_noop("has token"),
        gettext_noop("in language"), gettext_noop("in scheme"), gettext_noop("is part of"),
        gettext_noop("is profile of"), gettext_noop("issued"), gettext_noop("job title"),
        gettext_noop("label"), gettext_noop("location"), gettext_noop("member"), gettext_noop("member of"),
        gettext_noop("mode"), gettext_noop("name"), gettext_noop("notation"), gettext_noop("note"),
        gettext_noop("number"), gettext_noop("organization"), gettext_noop("outcome"), gettext_noop("page"),
        gettext_noop("page start"), gettext_noop("position"), gettext_noop("pref label"),
        gettext_noop("references"), gettext_noop("related match"), gettext_noop("relation"),
        gettext_noop("result"), gettext_noop("result message"), gettext_noop("result severity"),
        gettext_noop("role"), gettext_noop("same as"), gettext_noop("see also"), gettext_noop("source"),
        gettext_noop("source constraint component"), gettext_noop("source shape"), gettext_noop("spatial"),
        gettext_noop("start date"), gettext_noop("start time"), gettext_noop("test"), gettext_noop("title"),
        gettext_noop("top concept of"), gettext_noop("type"), gettext_noop("value"), gettext_noop("version"),
        gettext_noop("was attributed to"), gettext_noop("was revision of"),
    )
)  # fmt: skip
# Those of which the end would say too little, or what another one means.
PROPERTY_NAME_EXCEPTIONS = {
    f"{DCTERMS_NAMESPACE}subject": gettext_noop("subject matter"),
    f"{EARL_NAMESPACE}subject": gettext_noop("what was tested"),
    f"{EXTERNAL_NAMESPACES['foaf']}title": gettext_noop("form of address"),
}


def foreign_property_label(iri: str) -> ox.Literal:
    """What a property without a label is called: in the language of now where its name is a known one."""
    name = PROPERTY_NAME_EXCEPTIONS.get(iri) or words_of_iri(iri)
    if iri in PROPERTY_NAME_EXCEPTIONS or name in TRANSLATED_PROPERTY_NAMES:
        return ox.Literal(gettext(name), language=current_language())
    return ox.Literal(name, language=ENGLISH)
