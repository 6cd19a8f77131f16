"""What the kinds of things are called, by which their IRIs are sorted."""

from .catalogues import marked
from .speaking import gettext

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
