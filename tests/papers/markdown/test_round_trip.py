"""Papers that are parsed from Markdown, serialized and parsed again have the same triples."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from wgig.papers import markdown
from wgig.papers.markdown.template import (
    ACTOR_HEADINGS,
    ASSESSMENT_FIELDS,
    CRITERION_HEADINGS,
    FORUM_HEADINGS,
    MECHANISM_HEADINGS,
    SWOT_HEADINGS,
    TemplateHeading,
)

StringStrategy = SearchStrategy[str]

# Strategies of hypothesis: lines, blocks, texts of a section, list items, values of a property, actor groups.
UNUSUAL_CHARACTERS = "ab1 \t\u3000\u00a0é村の\u202e\u200fא`*_[]()<>&\\|~#-+.:;,/%\"'"
LINE_STRATEGY = st.text(UNUSUAL_CHARACTERS, max_size=12).map("x {}".format)
BLOCK_STRATEGY = st.sampled_from(
    [
        "    code\n\n    more code",
        "\tcode",
        "   A word set in  \nand a break\\\nand more",
        "　　段落の初め\n　　続き",
        "```yaml\n---\npaper: no\n---\n# no heading\nVerdict: none\n```",
        "  ~~~\n    set in\n  ~~~",
        "Verdicts differ:\n- Verdict: of 2003\n  1. inside\n\n     more\n- last  ",
        "   - one\n   - two\n    - three",
        "-\n  late\n-    code?\n-      code\n+ other",
        "10. ten\n    more\n11. eleven",
        "> quoted\n> > twice\nlazy",
        "[a link](https://example.org 'title') and ![picture](x.png) <https://example.org>",
        "[x]: https://example.org",
        "| a | b |\n| --- | --- |\n| `\\|` | c |",
        "<!-- a comment\n\n# of two --> behind it",
        "Word <!-- a comment --> word <!-- and\none more -->",
        "`<!-- code -->` ``` `` ``` and \\<!-- none",
        "<div>\nHTML & more\n</div>",
        "***",
        "- - -\n* ---",
        "שלום \u202eabc\u202c عربي",
    ]
)
TEXT_STRATEGY = st.lists(BLOCK_STRATEGY | LINE_STRATEGY, min_size=1, max_size=3).map("\n\n".join)
ITEM_STRATEGY = TEXT_STRATEGY.map(lambda text: "- " + text.replace("\n", "\n  "))
VALUES_STRATEGY = st.lists(ITEM_STRATEGY | BLOCK_STRATEGY | LINE_STRATEGY, max_size=3).map("\n\n".join)
UNUSUAL_NAMES = [
    "AT&T",
    "AT T",
    "at t",
    "ICANN 理事会",
    "ICANN 咨询委员会",
    "甲",
    "乙",
    "Group of 77",
    "actor",
]
UNUSUAL_NAMES += ["unesco", "nobody", "nobody ()", "Number Resource Organization (NRO)", "[a](b)"]
UNUSUAL_NAMES += ["- dash", "#", "C #", "a. b", "x \\"]
# Texts that name a body or instrument of the graph, or none.
GRAPH_MECHANISMS = [
    "agent/icann",
    "mechanism:gac",
    "ITU",
    "mechanism/nowhere",
    "agent/其他",
    "World Trade Org.",
]
GROUPS_STRATEGY = st.sampled_from(["", " (governments)", " (civil society, 政府)", "(,)"])
# Valid and invalid values by key.
FRONT_MATTER_VALUES: dict[str, list[str]] = {
    "title": ["007", "'yes'", "[One, Two]", "{en: One, FR: Un}", '"a\\n---\\nb \\x07 \\u2028c"'],
    "language": ["fr", "EN", "zh-Hant", "no"],
    "issue": ["spam", "[spam, 其他]"],
    "drafters": ["afonso", "[AT&T, {name: AT T}, {name: AT/T, member: yes}, {name: 甲, group: [a, b]}]"],
    "posted": ["2005-01-20", "2005-02-30", "soon", "20050120"],
    "pages": ["4", "007", "+3", "-0", "four", "[3, 4]", "''", "~"],
    "version": ["1.10", "'1'", "true"],
    "status": ["draft", "[]"],
    "illustrative": ["true", "no"],
    "source": ["https://example.org/a%20b", "https://[", "document/form/issue-paper", "[a b, 'c:d']"],
    "cites": ["declaration/48", "[Declaration/48, '100%, or so']"],
    "waivers": ["{WGIG-0-LATE: [One, Two], b c: '', d: , é: 007}"],
}


def format_front_matter_lines(front_matter: dict[str, str]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in front_matter.items())


def format_section(level: int, title: str, text: str) -> str:
    return f"{'#' * level} {title}\n\n{text}"


def make_template_sections(
    level: int, headings: tuple[TemplateHeading, ...], text: StringStrategy
) -> StringStrategy:
    """A strategy of sections with some of the template headings in any order."""
    heading_text = st.tuples(st.sampled_from(headings), text)
    sections = st.lists(heading_text, max_size=3, unique_by=lambda section: section[0])
    return sections.map(
        lambda sections: "\n\n".join(
            format_section(level, heading.marked_title, text) for heading, text in sections
        )
    )


def make_named_sections(level: int, text: StringStrategy) -> StringStrategy:
    """A strategy of sections with names as headings, which may be equal."""
    name = st.sampled_from(UNUSUAL_NAMES).map(lambda name: f"{name} #" if name.endswith("#") else name)
    return st.lists(st.tuples(name, text), max_size=3).map(
        lambda sections: "\n\n".join(format_section(level, name, text) for name, text in sections)
    )


def make_actor_lists() -> StringStrategy:
    actor = st.tuples(st.sampled_from(UNUSUAL_NAMES), GROUPS_STRATEGY).map("".join)
    return st.lists(actor.map("- {}".format), max_size=5).map("\n".join)


@st.composite
def draw_assessment(draw: DrawFn) -> str:
    field_values = {
        "Verdict": st.sampled_from(["adequate", "其他", ""]),
        "Mechanism": st.sampled_from([*UNUSUAL_NAMES, "", "nowhere", *GRAPH_MECHANISMS]),
        "Cites": st.sampled_from(["declaration/48, background-report/118;x", "100%25", ""]),
    }
    assert field_values.keys() == ASSESSMENT_FIELDS.keys()
    keys = draw(st.lists(st.sampled_from(list(field_values)), max_size=3))
    lines = [f"{key}: {draw(field_values[key])}" for key in keys]
    return "\n".join([*lines, "", draw(TEXT_STRATEGY | st.just(""))])


@st.composite
def draw_mechanism(draw: DrawFn) -> str:
    values = draw(st.lists(st.sampled_from(["", *GRAPH_MECHANISMS]), max_size=3))
    sections = make_template_sections(4, MECHANISM_HEADINGS, TEXT_STRATEGY)
    return "\n".join([*(f"About: {value}" for value in values), "", draw(sections)])


@st.composite
def draw_paper(draw: DrawFn) -> str:
    front_matter: dict[str, Any] = {
        key: st.sampled_from(values) for key, values in FRONT_MATTER_VALUES.items()
    }
    # The headings of some criteria, and other headings of the last one.
    other_titles = ("f. Other: 美", "f. Other: multilateralism", "f. Other: top-10", "f. Other")
    criteria = (*CRITERION_HEADINGS[1:-1], *(TemplateHeading("", "", title) for title in other_titles))
    adequacy = st.tuples(draw_assessment(), make_named_sections(4, draw_assessment())).map("\n\n".join)
    # Without "Makes decisions", whose value is yes or no.
    forum_headings = tuple(heading for heading in FORUM_HEADINGS if "Decisions" not in heading.key)
    sections = {
        "1. Issue": TEXT_STRATEGY,
        "2. Category": VALUES_STRATEGY,
        "3. SWOT": make_template_sections(3, SWOT_HEADINGS, VALUES_STRATEGY),
        "4. Actors": make_template_sections(3, ACTOR_HEADINGS, make_actor_lists()),
        "5. Forums": make_named_sections(3, make_template_sections(4, forum_headings, TEXT_STRATEGY)),
        "6. Mechanisms": make_named_sections(3, draw_mechanism()),
        "7. Adequacy": make_template_sections(3, criteria, adequacy),
        "8. Comments": TEXT_STRATEGY,
    }
    titles = draw(st.lists(st.sampled_from(list(sections)), unique=True, max_size=4))
    body = "\n\n".join(format_section(2, title, draw(sections[title])) for title in titles)
    lines = format_front_matter_lines(draw(st.fixed_dictionaries({}, optional=front_matter)))
    return f"---\npaper: mine\n{lines}---\n\n{body}\n"


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(draw_paper())
def test_serialized_paper_has_the_same_triples_and_every_triple_has_a_position(text: str) -> None:
    triples, positions = markdown.parse_paper_triples(text)
    assert all(0 <= offset < len(text) for position in positions for offset in position)
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(triples))[0]) == set(triples)


@pytest.mark.parametrize(
    ("front_matter", "body"),
    [
        (
            "drafters:\n- {name: Ann, group: governments, member: yes}",
            "## 4\n\n### Main actor\n\n- Ann (friends)",
        ),
        ("", "## 4\n\n### Main actor\n\n- nobody (,)"),
        ("", "## 3\n\n### Threats\n\n---\n\n   set in\n\n-     code"),
        ("", "## 5\n\n### Here\n\n#### Makes decisions\n\n- maybe\n\n  more"),
        ("title: {fr: Un, EN: One}", "## 3\n\n### Threats\n\n- War."),
    ],
)
def test_unusual_paper_keeps_its_triples(front_matter: str, body: str) -> None:
    triples = markdown.parse_paper_triples(f"---\npaper: mine\n{front_matter}\n---\n\n{body}\n")[0]
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(triples))[0]) == set(triples)
