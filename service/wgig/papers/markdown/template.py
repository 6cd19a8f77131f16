"""The Markdown template of a paper: front matter keys, section headings and sub-headings."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from ...text import find_near_names

# The keys of the front matter in order, each with a description of the value.
FRONT_MATTER_KEYS = {
    "paper": "name of the paper in URLs: lowercase letters, digits and hyphens",
    "title": "title, or a map from language to title",
    "language": "language tag of the texts (default: en)",
    "issue": "name of an issue in the inventory",
    "drafters": "list of short names of members in the graph, or of people with name, group, id and member",
    "posted": "date of posting: year-month-day",
    "pages": "number of pages",
    "version": "version of the text",
    "status": "status of the text, such as draft",
    "illustrative": "true if the paper is made up",
    "source": "URL or document from which the paper is taken",
    "cites": "list of paragraphs that the whole paper cites",
    "waivers": "map from the code of a rule to the reason why it does not apply",
}
DRAFTER_KEYS = ("name", "group", "id", "member")

MIN_HEADING_SIMILARITY = 0.6  # lower than for other names, because authors shorten headings
# A number, or a letter before punctuation, such as `3 SWOT` or `f. Other`. The punctuation may be escaped.
HEADING_MARK_PATTERN = re.compile(r"(\d+|[a-z](?=\\?[.):]))\\?[.):]?\s*(.*)", re.IGNORECASE)
OTHER_CRITERION_PATTERN = re.compile(r"other\b\W*", re.IGNORECASE)


class TemplateHeading(NamedTuple):
    """A heading of the template: key, mark (a number or letter), title, and synonyms of the title.

    The key is a property (a CURIE), the name of a section, or that of a criterion.
    """

    key: str
    mark: str
    title: str
    synonyms: tuple[str, ...] = ()

    @property
    def marked_title(self) -> str:
        """The heading with its mark, such as `3. SWOT analysis`."""
        return f"{self.mark}. {self.title}" if self.mark else self.title

    @property
    def spellings(self) -> set[str]:
        """The normalized texts by which the heading is recognized."""
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
# The key is the name of the principle; assessments by other principles are below "Other".
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
# By level: the headings with fixed texts. Other headings of level 3 are names that authors choose.
FIXED_HEADINGS = {2: SECTION_HEADINGS, 3: (*SWOT_HEADINGS, *ACTOR_HEADINGS, *CRITERION_HEADINGS)}
# The properties of the fields `Key: value` of a forum, of a mechanism and of an assessment, by key.
FORUM_FIELDS: Mapping[str, str] = {}
MECHANISM_FIELDS: Mapping[str, str] = {"About": "wgig:about"}
ASSESSMENT_FIELDS = {"Verdict": "wgig:verdict", "Mechanism": "wgig:judges", "Cites": "cito:cites"}


def normalize_words(text: str) -> str:
    """The text casefolded, without punctuation, with single spaces between words."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def split_heading_mark(title: str) -> tuple[str, str]:
    """The number or letter at the start of a heading, in lower case, and the text after it."""
    match = HEADING_MARK_PATTERN.fullmatch(title)
    return (match[1].lower(), match[2]) if match else ("", title)


def recognize_heading(title: str, headings: Sequence[TemplateHeading]) -> TemplateHeading | None:
    """The template heading for a title, found by text or mark.

    It is None if there is none, or if the text and the mark belong to different headings.
    """
    mark, text = split_heading_mark(title)
    text_match = next((heading for heading in headings if normalize_words(text) in heading.spellings), None)
    mark_match = next((heading for heading in headings if mark and heading.mark == mark), None)
    if text_match and text_match.mark and mark_match not in (None, text_match):
        return None
    return text_match or mark_match


def recognize_criterion(title: str) -> tuple[TemplateHeading | None, str]:
    """The template heading for a title in section 7, and the name of the principle.

    Below `Other`, the title has the principle, such as `f. Other: development`.
    """
    text = split_heading_mark(title)[1]
    heading = recognize_heading(title, CRITERION_HEADINGS) or (
        CRITERION_HEADINGS[-1] if OTHER_CRITERION_PATTERN.match(text) else None
    )
    return heading, (heading and heading.key) or OTHER_CRITERION_PATTERN.sub("", text, count=1).strip()


# Markdown has no place for the labels of assessments and waivers: the reader generates them, and the writer
# refuses others. So the form calls the same functions.
def build_criterion_label(principle: str) -> str:
    """The end of the label of an assessment: the heading of its criterion, else the name of the principle."""
    titles = {heading.key: heading.title.lower() for heading in CRITERION_HEADINGS}
    return titles.get(principle, unquote(principle))


def build_waiver_label(code: str) -> str:
    """The end of the label of a waiver of the rule with this code."""
    return f"waiver of {code}"


def find_nearest_key(key: str, known_keys: Collection[str]) -> str:
    """The known key that is most similar to a key, or an empty string."""
    return find_nearest_value(key, {normalize_words(known_key): known_key for known_key in known_keys})


def find_nearest_heading(title: str, headings: Sequence[TemplateHeading]) -> str:
    """The heading, with its mark, that is most similar to a title, or an empty string."""
    return find_nearest_value(
        split_heading_mark(title)[1],
        {spelling: heading.marked_title for heading in headings for spelling in heading.spellings},
    )


def find_nearest_value(text: str, values_by_key: Mapping[str, str]) -> str:
    """The value whose key is most similar to a text, or an empty string."""
    nearest = find_near_names(normalize_words(text), values_by_key, similarity=MIN_HEADING_SIMILARITY)
    return values_by_key[nearest[0]] if nearest else ""
