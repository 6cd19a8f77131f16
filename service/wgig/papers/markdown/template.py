"""The form of a paper in Markdown: keys of its head, sections and sub-headings, as in the template."""

import re
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

# What stands in the head of the file, in the order in which it is written, and what a value is.
HEAD = {
    "paper": "name of the paper in addresses: small letters, digits and hyphens",
    "title": "title, or a map from language to title",
    "language": "tag of the language that the texts are in (default: en)",
    "issue": "name of the one issue of the inventory that the paper treats",
    "drafters": "list of members by their names in the graph, or of people with name, group, id, member",
    "posted": "day of posting: year-month-day",
    "pages": "number of pages",
    "version": "version of the text",
    "status": "where the text stands, such as draft",
    "illustrative": "true when the paper is made up",
    "source": "web address or document that the paper is taken from",
    "cites": "list of paragraphs that the paper as a whole rests on",
    "waivers": "map from the code of a rule to the reason why it should not hold",
}
PERSON = ("name", "group", "id", "member")

MARK = re.compile(r"(\d+|[a-z](?=\\?[.):]))\\?[.):]?\s*(.*)", re.IGNORECASE)
OTHER = re.compile(r"other\b\W*", re.IGNORECASE)


class Heading(NamedTuple):
    """A heading of the form: what it stands for, its number or letter, its title, other words for it."""

    key: str
    mark: str
    title: str
    words: tuple[str, ...] = ()

    @property
    def written(self) -> str:
        """The heading as the form writes it."""
        return f"{self.mark}. {self.title}" if self.mark else self.title

    @property
    def spellings(self) -> set[str]:
        """All words by which the heading is known, in plain form."""
        return {plain(one) for one in (self.title, self.title.partition("(")[0], *self.words)}


SECTIONS = (
    Heading("issue", "1", "Issue (what?)"),
    Heading("categories", "2", "Attribution to category / ies", ("categories", "category", "attribution")),
    Heading("swot", "3", "SWOT analysis", ("SWOT",)),
    Heading("actors", "4", "Actors (who, with whom?)"),
    Heading("forums", "5", "Forums (where?)", ("fora",)),
    Heading("mechanisms", "6", "Governance mechanisms (how?)", ("mechanisms",)),
    Heading(
        "adequacy",
        "7",
        "Adequacy measured against the criteria of the Declaration of Principles",
        (
            "adequacy",
            "adequacy measured against criteria / benchmarks set out in Declaration of Principles",
        ),
    ),
    Heading("comments", "8", "Additional comments", ("comments",)),
)
SWOT = (
    Heading("wgig:strength", "", "Strengths", ("strength",)),
    Heading("wgig:weakness", "", "Weaknesses", ("weakness",)),
    Heading("wgig:opportunity", "", "Opportunities", ("opportunity",)),
    Heading("wgig:threat", "", "Threats", ("threat",)),
)
ACTORS = (
    Heading("wgig:mainActor", "", "Main actor", ("main actors",)),
    Heading("wgig:otherActor", "", "Other actors", ("other actor",)),
)
FORUM = (
    Heading("wgig:participants", "a", "Who participates", ("participants",)),
    Heading("wgig:nature", "b", "Nature of the forum", ("nature of forum", "nature")),
    Heading("wgig:makesDecisions", "", "Makes decisions", ("decisions",)),
    Heading("wgig:decisionProcedure", "", "Decision procedure", ("procedure",)),
)
MECHANISM = (
    Heading("wgig:objectives", "a", "Objectives", ("objectives of the rules system",)),
    Heading("wgig:content", "b", "Content", ("content of principles, norms and rules",)),
)
# The criteria, by the names of the principles; what is no criterion of the template stands under "Other".
CRITERIA = (
    Heading("multilateralism", "a", "Multilateral", ("multilateralism",)),
    Heading("transparency", "b", "Transparent", ("transparency",)),
    Heading("democracy", "c", "Democratic", ("democracy",)),
    Heading(
        "coordination-capacity",
        "d",
        "Coordinated",
        ("coordination", "capacity to address Internet governance in a coordinated manner"),
    ),
    Heading(
        "involvement",
        "e",
        "Multi-stakeholder",
        ("multi-stakeholder approach", "multistakeholder", "involvement"),
    ),
    Heading("", "f", "Other", ("development",)),
)
# The headings that every paper has, by their level.
FIXED = {2: SECTIONS, 3: (*SWOT, *ACTORS, *CRITERIA)}
# The lines before the reason of an assessment.
FIELDS = {"Verdict": "wgig:verdict", "Mechanism": "wgig:judges", "Cites": "cito:cites"}


def plain(words: str) -> str:
    """Words in small letters, one space between them, without punctuation."""
    return " ".join(re.findall(r"\w+", words.casefold()))


def marked(title: str) -> tuple[str, str]:
    """The number or letter that a heading begins with, in small letters, and the words after it."""
    found = MARK.fullmatch(title)
    return (found[1].lower(), found[2]) if found else ("", title)


def recognized(title: str, headings: Sequence[Heading]) -> Heading | None:
    """The heading that a title means by its words or its mark; none where the two say different things."""
    mark, words = marked(title)
    by_words = next((one for one in headings if plain(words) in one.spellings), None)
    by_mark = next((one for one in headings if mark and one.mark == mark), None)
    if by_words and by_words.mark and by_mark not in (None, by_words):
        return None
    return by_words or by_mark


def criterion(title: str) -> tuple[Heading | None, str]:
    """The heading of section 7 that a title means, and the words for the principle that it names."""
    words = marked(title)[1]
    heading = recognized(title, CRITERIA) or (CRITERIA[-1] if OTHER.match(words) else None)
    return heading, (heading and heading.key) or OTHER.sub("", words, count=1).strip()


def nearest(words: str, known: Collection[str]) -> str:
    """The known key that is nearest to these words, or an empty text."""
    return near(words, {plain(one): one for one in known})


def nearest_heading(title: str, headings: Sequence[Heading]) -> str:
    """The heading, as the form writes it, whose words are nearest to those of a title, or an empty text."""
    return near(marked(title)[1], {words: one.written for one in headings for words in one.spellings})


def near(words: str, known: Mapping[str, str]) -> str:
    """What is known under the words nearest to these, or an empty text."""
    found = get_close_matches(plain(words), known, 1)
    return known[found[0]] if found else ""
