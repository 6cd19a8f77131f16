"""What the kinds of things are called, by which their IRIs are sorted."""

TITLES = {
    "agent": "People and bodies",
    "agreement": "Agreements",
    "assertion": "State of the papers",
    "category": "Categories",
    "citation": "Citations",
    "claim": "Claims",
    "concept": "Concepts",
    "contribution": "Contributions",
    "disagreement": "Disagreements between sources",
    "document": "Documents",
    "identifier": "Outside identifiers",
    "issue": "Issues",
    "meeting": "Meetings",
    "membership": "Memberships",
    "milestone": "Milestones",
    "paper": "Papers",
    "participation": "Participations",
    "place": "Places",
    "principle": "Principles",
    "scheme": "Concept schemes",
    "session": "Sessions",
    "software": "Software",
    "stakeholder-group": "Stakeholder groups",
    "test-result": "Results of tests",
    "write": "Writes",
    "writer": "Writers",
}

# What the service says of its own work, which would drown the rest where things are listed for people.
ITS_OWN = frozenset({"assertion", "software", "test-result", "write", "writer"})


def title(folder: str) -> str:
    """What a folder is called: its title, or its last name as words."""
    name = folder.rpartition("/")[2].replace("-", " ")
    return TITLES.get(folder, name[:1].upper() + name[1:])
