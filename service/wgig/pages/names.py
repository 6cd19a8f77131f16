"""Display names of the kinds of resources, by which their IRIs are grouped, and of foreign properties.

Properties of other vocabularies come without labels in the graph; here they have names to translate.
"""

import pyoxigraph as ox

from ..http.language import gettext, language
from ..i18n import ENGLISH, marked
from ..rdf.namespaces import OUTSIDE
from .rendering import words

TITLES = {
    "agent": marked("People and bodies"),
    "agreement": marked("Agreements"),
    "assertion": marked("State of the papers"),
    "category": marked("Categories"),
    "citation": marked("Citations"),
    "claim": marked("Claims"),
    "concept": marked("Concepts"),
    "contribution": marked("Contributions"),
    "disagreement": marked("Disagreements between sources"),
    "document": marked("Documents"),
    "identifier": marked("Outside identifiers"),
    "issue": marked("Issues"),
    "meeting": marked("Meetings"),
    "membership": marked("Memberships"),
    "milestone": marked("Milestones"),
    "paper": marked("Papers"),
    "participation": marked("Participations"),
    "place": marked("Places"),
    "principle": marked("Principles"),
    "scheme": marked("Concept schemes"),
    "session": marked("Sessions"),
    "software": marked("Software"),
    "stakeholder-group": marked("Stakeholder groups"),
    "test-result": marked("Results of tests"),
    "write": marked("Writes"),
    "writer": marked("Writers"),
}

# Kinds whose titles are their names: vocabularies, and what is found in texts.
SMALL = {
    "agreement-kind": marked("Agreement kind"),
    "audience": marked("Audience"),
    "claim-kind": marked("Claim kind"),
    "confidence": marked("Confidence"),
    "contribution-kind": marked("Contribution kind"),
    "contributor-type": marked("Contributor type"),
    "milestone-kind": marked("Milestone kind"),
    "other": marked("Other"),
    "paragraph": marked("Paragraph"),
    "part-kind": marked("Part kind"),
    "profile": marked("Profile"),
    "role": marked("Role"),
    "session-kind": marked("Session kind"),
    "shape": marked("Shape"),
    "term": marked("Term"),
    "timeliness": marked("Timeliness"),
    "verdict": marked("Verdict"),
}

# What the service says of its own work, which would drown the rest where things are listed for people.
ITS_OWN = frozenset({"assertion", "software", "test-result", "write", "writer"})


def title(folder: str) -> str:
    """What a folder is called: its title, or its last name as words."""
    name = folder.rpartition("/")[2].replace("-", " ")
    return TITLES.get(folder, name[:1].upper() + name[1:])


def called(folder: str) -> str:
    """What a page calls a folder: its title in the language of now where that is known."""
    return gettext(title(folder)) if folder in TITLES or folder in SMALL else title(folder)


# The ends of the IRIs of those that are said of things here, in words.
NAMES = frozenset(
    (
        marked("alt label"), marked("alternative"), marked("asserted by"), marked("broad match"),
        marked("broader"), marked("broader transitive"), marked("cites"), marked("close match"),
        marked("conforms to"), marked("creator"), marked("date"), marked("definition"),
        marked("description"), marked("end date"), marked("end time"), marked("exact match"),
        marked("focus node"), marked("has artifact"), marked("has cited entity"),
        marked("has citing entity"), marked("has part"), marked("has resource"), marked("has role"),
        marked("has token"), marked("in language"), marked("in scheme"), marked("is part of"),
        marked("is profile of"), marked("issued"), marked("job title"), marked("label"), marked("location"),
        marked("member"), marked("member of"), marked("mode"), marked("name"), marked("notation"),
        marked("note"), marked("number"), marked("organization"), marked("outcome"), marked("page"),
        marked("page start"), marked("position"), marked("pref label"), marked("references"),
        marked("related match"), marked("relation"), marked("result"), marked("result message"),
        marked("result severity"), marked("role"), marked("same as"), marked("see also"), marked("source"),
        marked("source constraint component"), marked("source shape"), marked("spatial"),
        marked("start date"), marked("start time"), marked("test"), marked("title"),
        marked("top concept of"), marked("type"), marked("value"), marked("version"),
        marked("was attributed to"), marked("was revision of"),
    )
)  # fmt: skip
# Those of which the end would say too little, or what another one means.
OTHERWISE = {
    f"{OUTSIDE['dcterms']}subject": marked("subject matter"),
    f"{OUTSIDE['earl']}subject": marked("what was tested"),
    f"{OUTSIDE['foaf']}title": marked("form of address"),
}


def name_of(iri: str) -> ox.Literal:
    """What a property without a label is called: in the language of now where its name is a known one."""
    name = OTHERWISE.get(iri) or words(iri)
    if iri in OTHERWISE or name in NAMES:
        return ox.Literal(gettext(name), language=language())
    return ox.Literal(name, language=ENGLISH)
