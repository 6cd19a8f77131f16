"""The Markdown template of a paper: keys of the front matter, sections and sub-headings."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ...text import find_near_names

# The keys of the front matter in their order, each with a description of its value.
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

MIN_HEADING_SIMILARITY = 0.6  # less than of other names: headings are long, and abridged
HEADING_MARK_PATTERN = re.compile(r"(\d+|[a-z](?=\\?[.):]))\\?[.):]?\s*(.*)", re.IGNORECASE)
OTHER_CRITERION_PATTERN = re.compile(r"other\b\W*", re.IGNORECASE)


class TemplateHeading(NamedTuple):
    """A heading of the template: its key, its number or letter, its title, and synonyms."""

    key: str
    mark: str
    title: str
    synonyms: tuple[str, ...] = ()

    @property
    def marked_title(self) -> str:
        """The heading as the template writes it."""
        return f"{self.mark}. {self.title}" if self.mark else self.title

    @property
    def spellings(self) -> set[str]:
        """All normalized texts by which the heading is recognized."""
        return {
            normalize_words(spelling)
            for spelling in (self.title, self.title.partition("(")[0], *self.synonyms)
        }


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
# The criteria, by the names of the principles; other principles are below "Other".
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
# The fields before the reason of an assessment, with their properties.
ASSESSMENT_FIELDS = {"Verdict": "wgig:verdict", "Mechanism": "wgig:judges", "Cites": "cito:cites"}


def normalize_words(words: str) -> str:
    """A text casefolded and without punctuation, its words separated by single spaces."""
    return " ".join(re.findall(r"\w+", words.casefold()))


def split_heading_mark(title: str) -> tuple[str, str]:
    """The number or letter at the start of a heading, in lowercase, and the text after it."""
    match = HEADING_MARK_PATTERN.fullmatch(title)
    return (match[1].lower(), match[2]) if match else ("", title)


def recognize_heading(title: str, headings: Sequence[TemplateHeading]) -> TemplateHeading | None:
    """The heading that a title means by its words or its mark; None where the two mean different headings."""
    mark, words = split_heading_mark(title)
    by_words = next((heading for heading in headings if normalize_words(words) in heading.spellings), None)
    by_mark = next((heading for heading in headings if mark and heading.mark == mark), None)
    if by_words and by_words.mark and by_mark not in (None, by_words):
        return None
    return by_words or by_mark


def recognize_criterion(title: str) -> tuple[TemplateHeading | None, str]:
    """The heading of section 7 that a title means, and the words that name its principle."""
    words = split_heading_mark(title)[1]
    heading = recognize_heading(title, CRITERION_HEADINGS) or (
        CRITERION_HEADINGS[-1] if OTHER_CRITERION_PATTERN.match(words) else None
    )
    return heading, (heading and heading.key) or OTHER_CRITERION_PATTERN.sub("", words, count=1).strip()


def find_nearest_key(words: str, known_keys: Collection[str]) -> str:
    """The known key nearest to these words, or an empty string."""
    return find_nearest_value(words, {normalize_words(key): key for key in known_keys})


def find_nearest_heading(title: str, headings: Sequence[TemplateHeading]) -> str:
    """The heading nearest to a title, as the template writes it, or an empty string."""
    return find_nearest_value(
        split_heading_mark(title)[1],
        {spelling: heading.marked_title for heading in headings for spelling in heading.spellings},
    )


def find_nearest_value(words: str, values_by_key: Mapping[str, str]) -> str:
    """The value of the key nearest to these words, or an empty string."""
    nearest = find_near_names(normalize_words(words), values_by_key, similarity=MIN_HEADING_SIMILARITY)
    return values_by_key[nearest[0]] if nearest else ""
