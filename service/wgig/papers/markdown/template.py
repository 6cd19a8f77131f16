"""The form of a paper in Markdown: keys of its head, sections and sub-headings, as in the template."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ...text import find_near_name

# What stands in the head of the file, in the order in which it is written, and what a value is.
FRONT_MATTER_KEYS = {
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
DRAFTER_KEYS = ("name", "group", "id", "member")

HEADING_MARK_PATTERN = re.compile(r"(\d+|[a-z](?=\\?[.):]))\\?[.):]?\s*(.*)", re.IGNORECASE)
OTHER_CRITERION_PATTERN = re.compile(r"other\b\W*", re.IGNORECASE)


class TemplateHeading(NamedTuple):
    """A heading of the form: what it stands for, its number or letter, its title, other words for it."""

    key: str
    mark: str
    title: str
    synonyms: tuple[str, ...] = ()

    @property
    def marked_title(self) -> str:
        """The heading as the form writes it."""
        return f"{self.mark}. {self.title}" if self.mark else self.title

    @property
    def spellings(self) -> set[str]:
        """All words by which the heading is known, in plain form."""
        return {normalize_words(one) for one in (self.title, self.title.partition("(")[0], *self.synonyms)}


SECTION_HEADINGS = (
    TemplateHeading("issue", "1", "Issue (what?)"),
    TemplateHeading(
        "categories", "2", "Attribution to category / ies", ("categories", "category", "attribution")
    ),
    TemplateHeading("swot", "3", "SWOT analysis", ("SWOT",)),
    TemplateHeading("actors", "4", "Actors (who, with whom?)"),
    TemplateHeading("forums", "5", "Forums (where?)", ("fora",)),
    TemplateHeading("mechanisms", "6", "Governance mechanisms (how?)", ("mechanisms",)),
    TemplateHeading(
        "adequacy",
        "7",
        "Adequacy measured against the criteria of the Declaration of Principles",
        (
            "adequacy",
            "adequacy measured against criteria / benchmarks set out in Declaration of Principles",
        ),
    ),
    TemplateHeading("comments", "8", "Additional comments", ("comments",)),
)
SWOT_HEADINGS = (
    TemplateHeading("wgig:strength", "", "Strengths", ("strength",)),
    TemplateHeading("wgig:weakness", "", "Weaknesses", ("weakness",)),
    TemplateHeading("wgig:opportunity", "", "Opportunities", ("opportunity",)),
    TemplateHeading("wgig:threat", "", "Threats", ("threat",)),
)
ACTOR_HEADINGS = (
    TemplateHeading("wgig:mainActor", "", "Main actor", ("main actors",)),
    TemplateHeading("wgig:otherActor", "", "Other actors", ("other actor",)),
)
FORUM_HEADINGS = (
    TemplateHeading("wgig:participants", "a", "Who participates", ("participants",)),
    TemplateHeading("wgig:nature", "b", "Nature of the forum", ("nature of forum", "nature")),
    TemplateHeading("wgig:makesDecisions", "", "Makes decisions", ("decisions",)),
    TemplateHeading("wgig:decisionProcedure", "", "Decision procedure", ("procedure",)),
)
MECHANISM_HEADINGS = (
    TemplateHeading("wgig:objectives", "a", "Objectives", ("objectives of the rules system",)),
    TemplateHeading("wgig:content", "b", "Content", ("content of principles, norms and rules",)),
)
# The criteria, by the names of the principles; what is no criterion of the template stands under "Other".
CRITERION_HEADINGS = (
    TemplateHeading("multilateralism", "a", "Multilateral", ("multilateralism",)),
    TemplateHeading("transparency", "b", "Transparent", ("transparency",)),
    TemplateHeading("democracy", "c", "Democratic", ("democracy",)),
    TemplateHeading(
        "coordination-capacity",
        "d",
        "Coordinated",
        ("coordination", "capacity to address Internet governance in a coordinated manner"),
    ),
    TemplateHeading(
        "involvement",
        "e",
        "Multi-stakeholder",
        ("multi-stakeholder approach", "multistakeholder", "involvement"),
    ),
    TemplateHeading("", "f", "Other", ("development",)),
)
# The headings that every paper has, by their level.
FIXED_HEADINGS = {2: SECTION_HEADINGS, 3: (*SWOT_HEADINGS, *ACTOR_HEADINGS, *CRITERION_HEADINGS)}
# The lines before the reason of an assessment.
ASSESSMENT_FIELDS = {"Verdict": "wgig:verdict", "Mechanism": "wgig:judges", "Cites": "cito:cites"}


def normalize_words(words: str) -> str:
    """Words in small letters, one space between them, without punctuation."""
    return " ".join(re.findall(r"\w+", words.casefold()))


def split_heading_mark(title: str) -> tuple[str, str]:
    """The number or letter that a heading begins with, in small letters, and the words after it."""
    found = HEADING_MARK_PATTERN.fullmatch(title)
    return (found[1].lower(), found[2]) if found else ("", title)


def recognize_heading(title: str, headings: Sequence[TemplateHeading]) -> TemplateHeading | None:
    """The heading that a title means by its words or its mark; none where the two say different things."""
    mark, words = split_heading_mark(title)
    by_words = next((one for one in headings if normalize_words(words) in one.spellings), None)
    by_mark = next((one for one in headings if mark and one.mark == mark), None)
    if by_words and by_words.mark and by_mark not in (None, by_words):
        return None
    return by_words or by_mark


def recognize_criterion(title: str) -> tuple[TemplateHeading | None, str]:
    """The heading of section 7 that a title means, and the words for the principle that it names."""
    words = split_heading_mark(title)[1]
    heading = recognize_heading(title, CRITERION_HEADINGS) or (
        CRITERION_HEADINGS[-1] if OTHER_CRITERION_PATTERN.match(words) else None
    )
    return heading, (heading and heading.key) or OTHER_CRITERION_PATTERN.sub("", words, count=1).strip()


def find_nearest_key(words: str, known: Collection[str]) -> str:
    """The known key that is nearest to these words, or an empty text."""
    return find_nearest_value(words, {normalize_words(one): one for one in known})


def find_nearest_heading(title: str, headings: Sequence[TemplateHeading]) -> str:
    """The heading, as the form writes it, whose words are nearest to those of a title, or an empty text."""
    return find_nearest_value(
        split_heading_mark(title)[1], {words: one.marked_title for one in headings for words in one.spellings}
    )


def find_nearest_value(words: str, known: Mapping[str, str]) -> str:
    """What is known under the words nearest to these, or an empty text."""
    return known.get(find_near_name(normalize_words(words), known), "")
