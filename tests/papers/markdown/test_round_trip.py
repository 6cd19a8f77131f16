"""Any paper that can be read from Markdown can be written as Markdown, and says the same then."""

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

Text = SearchStrategy[str]

ODD = "ab1 \t\u3000\u00a0é村の\u202e\u200fא`*_[]()<>&\\|~#-+.:;,/%\"'"
LINES = st.text(ODD, max_size=12).map("x {}".format)
BLOCKS = st.sampled_from(
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
TEXTS = st.lists(BLOCKS | LINES, min_size=1, max_size=3).map("\n\n".join)
ITEMS = TEXTS.map(lambda text: "- " + text.replace("\n", "\n  "))
VALUES = st.lists(ITEMS | BLOCKS | LINES, max_size=3).map("\n\n".join)
NAMES = ["AT&T", "AT T", "at t", "ICANN 理事会", "ICANN 咨询委员会", "甲", "乙", "Group of 77", "actor"]
NAMES += ["unesco", "nobody", "nobody ()", "Number Resource Organization (NRO)", "[a](b)"]
NAMES += ["- dash", "#", "C #", "a. b", "x \\"]
GROUPS = st.sampled_from(["", " (governments)", " (civil society, 政府)", "(,)"])
HEAD: dict[str, list[str]] = {
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


def lines(head: dict[str, str]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in head.items())


def below(level: int, heading: str, text: str) -> str:
    return f"{'#' * level} {heading}\n\n{text}"


def headed(level: int, headings: tuple[TemplateHeading, ...], text: Text) -> Text:
    """Some of the headings in any order, with texts below."""
    some = st.lists(st.tuples(st.sampled_from(headings), text), max_size=3, unique_by=lambda one: one[0])
    return some.map(lambda found: "\n\n".join(below(level, one.marked_title, text) for one, text in found))


def named(level: int, text: Text) -> Text:
    """Some names, two of which may be the same, with texts below."""
    name = st.sampled_from(NAMES).map(lambda name: f"{name} #" if name.endswith("#") else name)
    some = st.lists(st.tuples(name, text), max_size=3)
    return some.map(lambda found: "\n\n".join(below(level, name, text) for name, text in found))


def actors() -> Text:
    actor = st.tuples(st.sampled_from(NAMES), GROUPS).map("".join)
    return st.lists(actor.map("- {}".format), max_size=5).map("\n".join)


@st.composite
def judged(draw: DrawFn) -> str:
    said = {
        "Verdict": st.sampled_from(["adequate", "其他", ""]),
        "Mechanism": st.sampled_from([*NAMES, "", "nowhere"]),
        "Cites": st.sampled_from(["declaration/48, declaration/49;x", "100%25", ""]),
    }
    assert said.keys() == ASSESSMENT_FIELDS.keys()
    keys = draw(st.lists(st.sampled_from(list(said)), max_size=3))
    found = [f"{key}: {draw(said[key])}" for key in keys]
    return "\n".join([*found, "", draw(TEXTS | st.just(""))])


@st.composite
def papers(draw: DrawFn) -> str:
    head: dict[str, Any] = {key: st.sampled_from(values) for key, values in HEAD.items()}
    others = ("f. Other: 美", "f. Other: multilateralism", "f. Other: top-10", "f. Other")
    criteria = (*CRITERION_HEADINGS[1:-1], *(TemplateHeading("", "", one) for one in others))
    adequacy = st.tuples(judged(), named(4, judged())).map("\n\n".join)
    sections = {
        "1. Issue": TEXTS,
        "2. Category": VALUES,
        "3. SWOT": headed(3, SWOT_HEADINGS, VALUES),
        "4. Actors": headed(3, ACTOR_HEADINGS, actors()),
        "5. Forums": named(
            3, headed(4, tuple(one for one in FORUM_HEADINGS if "Decisions" not in one.key), TEXTS)
        ),
        "6. Mechanisms": named(3, headed(4, MECHANISM_HEADINGS, TEXTS)),
        "7. Adequacy": headed(3, criteria, adequacy),
        "8. Comments": TEXTS,
    }
    some = draw(st.lists(st.sampled_from(list(sections)), unique=True, max_size=4))
    body = "\n\n".join(below(2, title, draw(sections[title])) for title in some)
    return f"---\npaper: mine\n{lines(draw(st.fixed_dictionaries({}, optional=head)))}---\n\n{body}\n"


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(papers())
def test_a_paper_says_the_same_after_it_is_written_and_all_of_it_has_a_place(text: str) -> None:
    triples, spots = markdown.parse_paper_triples(text)
    assert all(0 <= at < len(text) for spot in spots for at in spot)
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(triples))[0]) == set(triples)


@pytest.mark.parametrize(
    ("head", "body"),
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
def test_what_is_seldom_written_is_kept_too(head: str, body: str) -> None:
    triples = markdown.parse_paper_triples(f"---\npaper: mine\n{head}\n---\n\n{body}\n")[0]
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(triples))[0]) == set(triples)
