"""Papers in Markdown: what the form holds, where it stands, and what is said of what it cannot hold."""

import re
from random import Random

import pyoxigraph as ox
import pytest
from wgig.papers import markdown
from wgig.papers.markdown.template import (
    CRITERION_HEADINGS,
    FORUM_HEADINGS,
    FRONT_MATTER_KEYS,
    MECHANISM_HEADINGS,
    SECTION_HEADINGS,
    SWOT_HEADINGS,
)
from wgig.papers.readers import read_paper_document as read_document
from wgig.problems import Problem
from wgig.rdf.formats import MARKDOWN
from wgig.rdf.namespaces import expand_curie
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER
from wgig.shacl.check import check_document
from wgig.shacl.rules import section_headings

from tests.fixtures.triples import load_triples

EXAMPLES = {path.stem: path for path in sorted((SHIPPED_FOLDER / "data/examples").glob("*.md"))}
PAPER = "https://w3id.org/wgig/id/paper/mine"
NRO = "Number Resource Organization (NRO)"
HEADED = "---\npaper: mine\n---\n\n"
SNIPPETS = """
PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX wgig: <https://w3id.org/wgig/ontology#>
SELECT ?rule ?section ?snippet { ?rule wgig:exampleInMarkdown ?snippet ; sh:group ?section }
"""
MECHANISMS = "## 6. Mechanisms\n\n### First\n\n### Second\n\n## 7. Adequacy\n\n### b. Transparent\n\n"


def node(name: str) -> ox.NamedNode:
    return ox.NamedNode(f"{PAPER}{name}")


def values(text: str, name: str) -> list[str]:
    """What is said with a property, in a paper that has this head and body."""
    return [
        value_of(one.object)
        for one in markdown.parse_paper_triples(text)[0]
        if one.predicate == expand_curie(name)
    ]


def value_of(term: object) -> str:
    assert isinstance(term, ox.NamedNode | ox.Literal)
    return term.value


def refused(text: str) -> Problem:
    with pytest.raises(Problem) as caught:
        markdown.parse_paper_triples(text)
    assert (caught.value.status, caught.value.slug) == (400, "syntax")
    return caught.value


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_the_same_in_markdown_and_in_turtle(name: str) -> None:
    path = EXAMPLES[name]
    assert set(markdown.parse_paper_triples(path.read_text())[0]) == set(
        load_triples(path.with_suffix(".ttl"))
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_markdown_to_rdf_and_back_loses_nothing(name: str) -> None:
    text = EXAMPLES[name].read_text()
    assert markdown.serialize_markdown_paper(markdown.parse_paper_triples(text)[0]) == text
    assert markdown.serialize_markdown_paper(load_triples(EXAMPLES[name].with_suffix(".ttl"))) == text


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_order_of_the_triples_changes_no_statement(name: str) -> None:
    triples = markdown.parse_paper_triples(EXAMPLES[name].read_text())[0]
    mixed = Random(7).sample(triples, len(triples))
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(mixed))[0]) == set(triples)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_final(name: str) -> None:
    document = read_document(name, EXAMPLES[name].read_bytes(), MARKDOWN)
    for engine in ("pyshacl", "shifty"):
        (paper,) = check_document(document, "final", engine).papers
        assert paper.conforms


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_value_stands_where_its_spot_says(name: str) -> None:
    text = EXAMPLES[name].read_text()
    for triple, spot in zip(*markdown.parse_paper_triples(text), strict=True):
        assert min(spot) >= 0
        if (
            isinstance(triple.object, ox.Literal)
            and triple.object.language
            and "label" not in str(triple.predicate)
        ):
            assert text.startswith(triple.object.value.partition("\n")[0], spot.object)


def test_a_subject_stands_at_its_heading_and_the_paper_at_its_name() -> None:
    text = EXAMPLES["community-networks"].read_text()
    triples, spots = markdown.parse_paper_triples(text)
    places = {
        value_of(triple.subject).rpartition("/paper/")[2]: text[spot.subject :]
        for triple, spot in zip(triples, spots, strict=True)
    }
    base = "example-community-networks"
    for name, line in {
        base: "paper: example-community-networks",
        f"{base}/swot": "## 3. SWOT analysis",
        f"{base}/forum/2": "### Meeting of village networks",
        f"{base}/mechanism/1": "### License for shared spectrum",
        f"{base}/assessment/transparency": "### b. Transparent",
    }.items():
        assert places[name].startswith(f"{line}\n")


def snippets() -> dict[str, tuple[int, str]]:
    store = ox.Store()
    for path in (SHIPPED_FOLDER / "shapes").glob("issue-paper*.ttl"):
        store.load(path=path, format=ox.RdfFormat.TURTLE)
    return {
        row["rule"].value.rpartition("#")[2]: (int(row["section"].value[-1]), row["snippet"].value)
        for row in store.query(SNIPPETS)  # type: ignore[union-attr]
    }


@pytest.mark.parametrize("rule", snippets())
def test_the_form_takes_the_snippet_of_a_rule_in_its_place(rule: str) -> None:
    number, snippet = snippets()[rule]
    if re.match(r"[a-z]+:", snippet):
        name = "" if snippet.startswith("paper:") else "paper: mine\n"
        text = f"---\n{name}{snippet}\n---\n"
    else:
        section = f"## {SECTION_HEADINGS[(number or 3) - 1].marked_title}\n\n"
        above = {3: "### Strengths\n\n", 4: "### Main actor\n\n", 7: "### b. Transparent\n\n"}
        context = {"## ": "", "###": section, "####": f"{section}### A name\n\n"}
        start = (re.match(r"## |#*", snippet) or [""])[0]
        text = HEADED + context.get(start, section + above.get(number, "")) + snippet
    markdown.parse_paper_triples(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("# No head", 1, 1, "no front matter"),
        ("---\npaper: mine\n", 1, 1, "no end"),
        ("---\n---\n", 1, 1, "empty"),
        ("---\ntitle: Spam\n---\n", 1, 1, "does not name the paper"),
        ("---\npaper: My Paper\n---\n", 2, 8, "Write my-paper."),
        ("---\npaper: mine\ntitel: Spam\n---\n", 3, 1, "Did you mean title?"),
        ("---\npaper: mine\npages: 3\npages: 4\n---\n", 4, 1, "twice"),
        ("---\npaper: mine\ntitle: Spam: a view\n---\n", 3, 12, "quotes"),
        ("---\npaper: mine\nlanguage: plain English\n---\n", 3, 11, "not a language tag"),
        ("---\npaper: mine\nillustrative: perhaps\n---\n", 3, 15, "neither true nor false"),
        ("---\npaper: mine\npages: {a: 1}\n---\n", 3, 8, "plain value"),
        ("---\npaper: &a mine\n---\n", 2, 8, "anchors"),
        ("---\npaper: mine\nissue: *a\n---\n", 3, 8, "anchors"),
        ("---\npaper: !!python/name:os.system mine\n---\n", 2, 8, "anchors"),
        ("---\npaper: mine\ncites: [[[[[[x]]]]]]\n---\n", 3, 12, "nested"),
        ("---\n- paper\n---\n", 2, 1, "not a mapping of keys"),
        ("---\npaper: mine\ndrafters:\n  - group: governments\n---\n", 4, 5, "no name"),
        ("---\npaper: mine\ndrafters:\n  - nmae: Ann\n---\n", 4, 5, "Did you mean name?"),
        ("---\npaper: mine\ndrafters:\n  - {name: [Ann, Ben]}\n---\n", 4, 18, "several values of name"),
        ("---\npaper: mine\ndrafters: afonso, al-darrab\n---\n", 3, 11, "several drafters"),
        ("---\npaper: mine\ndrafters:\n  - {name: Ann, id: [a, b]}\n---\n", 4, 25, "several values of id"),
        ("---\npaper: mine\ndrafters:\n  - {name: Ann, member: [no, yes]}\n---\n", 4, 30, "of member"),
        ("---\npaper: [mine, yours]\n---\n", 2, 15, "several values of paper"),
        ('---\npaper: mine\ntitle: "\\uD800"\n---\n', 3, 8, "not allowed"),
        ('---\npaper: mine\ntitle: "\\U00110000"\n---\n', 3, 11, "not allowed"),
        ('---\npaper: mine\ntitle: "\\UFFFFFFFF"\n---\n', 3, 11, "not allowed"),
        (f"---\n%YAML {'9' * 5_000}.1\n---\n", 2, 7, "not allowed"),
        ("---\npaper: mine\n? [a, b]\n: c\n---\n", 3, 3, "A key must be a plain word"),
        ("---\npaper: mine\ndrafters:\n\t- afonso\n---\n", 4, 1, "Replace the tab with spaces."),
        ("---\npaper: m\x01ine\n---\n", 2, 9, "not allowed"),
        (HEADED + "Loose words.", 5, 1, "before section 1"),
        (HEADED + "# Title\n\nLoose words.", 7, 1, "before section 1"),
        (HEADED + "## 9. Summary", 5, 1, "The form has no heading"),
        (HEADED + "## Forum", 5, 1, "Did you mean ## 5. Forums (where?)?"),
        (HEADED + "## 3. Actors", 5, 1, "Did you mean ## 4. Actors (who, with whom?)?"),
        (HEADED + "# 3. SWOT analysis", 5, 1, "Did you mean ## 3. SWOT analysis?"),
        (HEADED + "## 8. Comments\n\n## 8. Comments", 7, 1, "twice. Write below the first one, on line 5"),
        (HEADED + "## 1. Issue\n\n### History", 7, 1, "without headings"),
        (HEADED + "## 3. SWOT\n\nGood and bad.", 7, 1, "before its first heading"),
        (HEADED + "## 3. SWOT\n\n### Strenghts", 7, 1, "Did you mean ### Strengths?"),
        (HEADED + "## 3. SWOT\n\n#### Strengths", 7, 1, "Did you mean ### Strengths?"),
        (HEADED + "## 4. Actors\n\n- Ann", 7, 1, "before its first heading"),
        (HEADED + "## 5. Forums\n\nHere.", 7, 1, "Begin each forum with ###"),
        (HEADED + "## 5. Forums\n\n### Here\n\nOpen to all.", 9, 1, "#### a. Who participates"),
        (HEADED + "## 5. Forums\n\n### Here\n\n#### c. Results", 9, 1, "Here has no heading"),
        (HEADED + "## 7. Adequacy\n\n### Fair", 7, 1, "Section 7 has no heading"),
        (HEADED + "## 7. Adequacy\n\n### Transparent\n\n### b. Transparency", 9, 1, "on line 7"),
        (HEADED + "## 7. Adequacy\n\n### Transparent\n\nVerdikt: adequate", 9, 1, "Did you mean Verdict?"),
        (HEADED + "## 1. Issue\n\nA <!-- note", 7, 3, "no end"),
        (HEADED + "## 1. Issue\n\nA `<!--` and\n<!-- note", 8, 1, "no end"),
        (HEADED + "## 1. Issue\n\nA <!-- b\n\nC <!-- d -->", 7, 3, "Another comment begins"),
        (HEADED + "<!-- a\n\n## 2. Category ##\n\nb -->", 5, 1, "The heading ## 2. Category"),
        (HEADED + "## 3. SWOT\r\r<!-- a\r### Threats\r-->", 7, 1, "The heading ### Threats is inside"),
        (HEADED + "<!--" * 10_000 + "-->", 5, 1, "Another comment begins"),
    ],
)
def test_what_the_form_has_no_place_for_is_refused_with_its_place(
    text: str, line: int, column: int, said: str
) -> None:
    problem = refused(text)
    assert (problem.members["line"], problem.members["column"]) == (line, column)
    assert said in problem.detail
    shown, caret = problem.members["excerpt"].split("\n")
    assert text.splitlines()[line - 1].startswith(shown)
    assert caret == " " * (column - 1) + "^"
    assert "column" not in problem.detail


@pytest.mark.parametrize("text", ["", "\n# No head"])
def test_a_blank_line_is_not_shown(text: str) -> None:
    members = refused(text).members
    assert (members["line"], members["column"]) == (1, 1)
    assert "excerpt" not in members


@pytest.mark.parametrize(
    ("head", "body", "code"),
    [
        ("issue: no-such-issue", "", "WGIG-1-ISSUE-UNKNOWN"),
        ("issue: [spam, voip]", "", "WGIG-1-ISSUE-TWICE"),
        ("title: [One, Two]", "", "WGIG-0-TITLE-TWICE"),
        ("title: One", "# Two", "WGIG-0-TITLE-TWICE"),
        ("drafters: [nobody]", "", "WGIG-0-DRAFTER-MEMBER"),
        ("cites: declaration/999", "", "WGIG-0-CITATION-UNKNOWN"),
        ("pages: four", "", "WGIG-0-PAGES-VALUE"),
        ("pages: [3, 4]", "", "WGIG-0-PAGES-TWICE"),
        ("posted: 2005-02-30", "", "WGIG-0-POSTED-VALUE"),
        ("posted: [2005-01-20, 2005-01-21]", "", "WGIG-0-POSTED-TWICE"),
        ("waivers:\n  WGIG-0-NONE: Why not.", "", "WGIG-0-WAIVER-UNKNOWN"),
        ("waivers:\n  WGIG-0-LATE:", "", "WGIG-0-WAIVER-REASON"),
        ("", "## 2. Category\n\n- no-such-category", "WGIG-2-CATEGORY-UNKNOWN"),
        ("", "## 2. Category\n\n- 其他", "WGIG-2-CATEGORY-UNKNOWN"),
        ("", "## 4. Actors\n\n### Main actor\n\n- Ann (friends)", "WGIG-4-GROUP-UNKNOWN"),
        (
            "",
            "## 4. Actors\n\n### Main actor\n\n- Ann (governments)\n- Ben (governments)",
            "WGIG-4-MAIN-TWICE",
        ),
        (
            "",
            "## 4. Actors\n\n### Main actor\n\n- ICANN 理事会 (governments)\n- ICANN 委员会 (governments)",
            "WGIG-4-MAIN-TWICE",
        ),
        ("", "## 5. Forums\n\n### Here\n\n#### Makes decisions\n\nmaybe", "WGIG-5B-DECIDES-VALUE"),
        ("", "## 5. Forums\n\n### Here\n\n#### Makes decisions\n\n- yes\n- no", "WGIG-5B-DECIDES-TWICE"),
        ("", MECHANISMS + "Verdict: splendid", "WGIG-7-VERDICT-UNKNOWN"),
        ("", MECHANISMS + "Verdict: adequate\nVerdict: inadequate", "WGIG-7-VERDICT-TWICE"),
        ("", MECHANISMS + "Mechanism: Third", "WGIG-7-MECHANISM-UNKNOWN"),
        ("", MECHANISMS + "Cites: declaration/48, declaration/999", "WGIG-7-CITATION-UNKNOWN"),
        ("", MECHANISMS + "#### First\n\nGood.\n\n#### first\n\nBad.", "WGIG-7B-TWICE"),
        ("", "## 7. Adequacy\n\n### f. Other: beauty\n\nFine.", "WGIG-7-CRITERION-UNKNOWN"),
        ("", "## 7. Adequacy\n\n### f. Other\n\nFine.", "WGIG-7-CRITERION-MISSING"),
        ("", "## 7. Adequacy\n\n### f. Other: 美\n\nFine.", "WGIG-7-CRITERION-UNKNOWN"),
    ],
)
def test_a_wrong_value_is_read_and_breaks_its_rule(head: str, body: str, code: str) -> None:
    text = f"---\npaper: mine\n{head}\n---\n\n{body}\n"
    document = read_document("mine.md", text.encode(), MARKDOWN)
    (paper,) = check_document(document, "draft").papers
    assert [one.rule.code for one in paper.findings] == [code]
    assert paper.findings[0].place is not None


def test_headings_are_known_by_number_or_words_whatever_the_case_and_punctuation() -> None:
    for heading in ("## 3. SWOT analysis", "## 3) Analyse SWOT", "## swot Analysis:", "## 3 –"):
        assert values(f"{HEADED}{heading}\n\n### STRENGTHS\n\nIt works.", "wgig:strength") == ["It works."]
    for heading in (
        "### f. Other: development",
        "### Development",
        "### other – development",
        "### f) Development",
    ):
        text = f"{HEADED}## 7. Adequacy\n\n{heading}\n\nFine."
        assert values(text, "wgig:criterion") == ["https://w3id.org/wgig/id/principle/development"]


def test_a_list_item_or_a_paragraph_is_a_value_of_its_own() -> None:
    strengths = "- One,\n  and more.\n\n  - Inside.\n- Two.\n\nThree.\n\n1. Four.\n"
    text = f"{HEADED}## 3. SWOT\n\n### Strengths\n\n{strengths}"
    assert values(text, "wgig:strength") == ["One,\nand more.\n\n- Inside.", "Two.", "Three.", "Four."]
    assert values(f"{HEADED}## 3. SWOT\n\n### Strengths\n\n   Three.\n\n-     code\n", "wgig:strength") == [
        "Three.",
        "    code",
    ]


def test_a_category_is_known_by_its_label_too() -> None:
    text = f"{HEADED}## 2. Category\n\n- Access for all\n"
    assert values(text, "wgig:category") == ["https://w3id.org/wgig/id/category/access-for-all"]


def test_an_actor_whom_the_graph_knows_is_named_and_not_described() -> None:
    assert values(f"{HEADED}## 4. Actors\n\n### Main actor\n\n- {NRO}\n", "wgig:mainActor") == [
        expand_curie("agent:number-resource-organization").value
    ]
    listed = "- unesco\n- International Telecommunication Union (international organizations)\n"
    actors = f"## 4. Actors\n\n### Other actors\n\n{listed}"
    triples = markdown.parse_paper_triples(HEADED + actors)[0]
    union = expand_curie("agent:international-telecommunication-union")
    assert values(HEADED + actors, "wgig:otherActor") == [
        expand_curie("agent:unesco").value,
        union.value,
    ]
    assert {one.predicate for one in triples if one.subject == union} == {
        expand_curie("wgig:stakeholderGroup")
    }
    assert expand_curie("agent:unesco") not in {one.subject for one in triples}


def test_a_name_without_latin_letters_has_an_address_too() -> None:
    actors = "## 4. Actors\n\n### Main actor\n\n- 村の組合 (civil-society)\n"
    assert values(HEADED + actors, "wgig:mainActor") == [expand_curie("agent:mine-actor").value]
    assert (
        markdown.parse_paper_triples(
            markdown.serialize_markdown_paper(markdown.parse_paper_triples(HEADED + actors)[0])
        )[0]
        == markdown.parse_paper_triples(HEADED + actors)[0]
    )


def test_different_names_are_different_actors_and_one_name_is_one() -> None:
    listed = "- AT&T (private-sector)\n- AT T (private-sector)\n- 甲\n- 乙\n- AT&T\n"
    head = "---\npaper: mine\ndrafters:\n  - name: AT/T\n---\n\n"
    text = f"{head}## 4. Actors\n\n### Other actors\n\n{listed}"
    assert values(text, "wgig:drafter") == [expand_curie("agent:mine-at-t").value]
    names = ["at-t-2", "at-t-3", "actor", "actor-2"]
    assert values(text, "wgig:otherActor") == [expand_curie(f"agent:mine-{one}").value for one in names]
    triples = markdown.parse_paper_triples(text)[0]
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(triples))[0]) == set(triples)
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(triples[::-1]))[0]) == set(
        triples
    )


def test_every_group_of_a_drafter_or_an_actor_is_kept() -> None:
    ann = "{name: Ann, group: [governments, civil-society], member: true}"
    head = f"---\npaper: mine\ndrafters:\n  - {ann}\n---\n"
    groups = [
        expand_curie("group:governments").value,
        expand_curie("group:civil-society").value,
    ]
    assert values(head, "wgig:stakeholderGroup") == groups
    actors = "## 4. Actors\n\n### Main actor\n\n- Ann (governments, civil society)\n"
    assert values(HEADED + actors, "wgig:stakeholderGroup") == groups


def test_lines_of_a_reason_stay_in_it() -> None:
    reason = "A code says:\n\n```\nMechanism: the court\n```\n\n- Verdict: the court of 2003\n- Verdikt: none"
    text = f"{MECHANISMS}Verdict: adequate\n\n{reason}\n"
    assert values(HEADED + text, "wgig:rationale") == [reason]
    assert values(HEADED + text, "wgig:verdict") == [expand_curie("verdict:adequate").value]
    assert values(HEADED + text, "wgig:judges") == []


@pytest.mark.parametrize("line", ["**Verdict:** adequate", "**Verdict**: adequate", "- _Verdict_: adequate"])
def test_the_key_of_a_line_may_be_emphasized(line: str) -> None:
    text = f"{HEADED}{MECHANISMS}{line}\n__Mechanism:__ Second\n\nRules are published.\n"
    assert values(text, "wgig:verdict") == [expand_curie("verdict:adequate").value]
    assert values(text, "wgig:judges") == [f"{PAPER}/mechanism/2"]
    assert values(text, "wgig:rationale") == ["Rules are published."]


@pytest.mark.parametrize(
    ("head", "body", "name", "value"),
    [
        ("issue: issue:spam", "", "wgig:issue", "issue:spam"),
        ("drafters: [agent:afonso]", "", "wgig:drafter", "agent:afonso"),
        ("cites: [declaration:48]", "", "cito:cites", "declaration:48"),
        ("waivers:\n  shape:WGIG-0-LATE: Why not.", "", "wgig:waives", "shape:WGIG-0-LATE"),
        ("", "## 2. Category\n\n- category:access-for-all", "wgig:category", "category:access-for-all"),
        ("", "## 4. Actors\n\n### Main actor\n\n- agent:unesco", "wgig:mainActor", "agent:unesco"),
        ("", "## 4. Actors\n\n### Main actor\n\n- agent:nobody", "wgig:mainActor", "agent:nobody"),
        (
            "",
            "## 4. Actors\n\n### Main actor\n\n- Ann (group:governments)",
            "wgig:stakeholderGroup",
            "group:governments",
        ),
        ("", f"{MECHANISMS}Cites: declaration:49.a", "cito:cites", "declaration:49.a"),
        ("", f"{MECHANISMS}Verdict: verdict:adequate", "wgig:verdict", "verdict:adequate"),
        (
            "",
            "## 7. Adequacy\n\n### Other: principle:development\n\nFine.",
            "wgig:criterion",
            "principle:development",
        ),
    ],
)
def test_a_name_may_be_written_as_in_turtle(head: str, body: str, name: str, value: str) -> None:
    assert values(f"---\npaper: mine\n{head}\n---\n\n{body}\n", name) == [expand_curie(value).value]


def test_a_reason_stands_at_its_first_word() -> None:
    text = f"{HEADED}{MECHANISMS}Verdict: adequate\n\n  Rules are published.\n"
    spots = {triple.predicate: spot for triple, spot in zip(*markdown.parse_paper_triples(text), strict=True)}
    assert text.startswith("Rules", spots[expand_curie("wgig:rationale")].object)


@pytest.mark.parametrize("written", ["-\n  Mail.", "   Mail.", "<!-- c --> - Mail."])
def test_a_value_stands_at_its_first_word(written: str) -> None:
    text = f"{HEADED}## 3. SWOT\n\n### Strengths\n\n{written}\n"
    spots = {triple.predicate: spot for triple, spot in zip(*markdown.parse_paper_triples(text), strict=True)}
    assert text.startswith("Mail.", spots[expand_curie("wgig:strength")].object)


def test_assessments_count_where_they_say_something() -> None:
    text = f"{HEADED}{MECHANISMS}Verdict:\nMechanism:\nCites:\n\n#### First\n\nGood.\n"
    assert values(text, "wgig:assessment") == [f"{PAPER}/assessment/transparency"]


@pytest.mark.parametrize(
    "code",
    [
        "See `<!-- x -->` and `` ` <!-- x --> ``.",
        "```\n<!-- x -->\n```",
        "- ~~~\n  <!-- x\n  ~~~",
        "> A quote\n>\n>     <!-- x -->",
        "    <!-- x -->",
        "\\<!-- and `a\nb <!-- x -->`",
    ],
)
def test_comments_in_code_are_text(code: str) -> None:
    text = f"{HEADED}## 1. Issue\n\n<!-- ` -->\n\n{code}\n\nTwo. <!-- c -->\n"
    assert values(text, "wgig:issueDescription") == [f"{code}\n\nTwo."]


def test_backticks_without_a_partner_are_no_code() -> None:
    text = f"{HEADED}## 1. Issue\n\n`` One ` two. <!-- c -->\n\nThree \\` <!-- c --> ```\n"
    assert values(text, "wgig:issueDescription") == [f"`` One ` two.\n\nThree \\`{' ' * 12}```"]


def test_what_stands_behind_a_comment_begins_the_line() -> None:
    issue = "## 1. Issue\n\n<!-- Say what\nit is. --> Mail.\n\n"
    text = f"{HEADED}{issue}<!-- c --> ## 8. Comments\n\n<!-- c --> - One."
    assert values(text, "wgig:issueDescription") == ["Mail."]
    assert values(text, "wgig:additionalComments") == ["- One."]
    spots = {triple.predicate: spot for triple, spot in zip(*markdown.parse_paper_triples(text), strict=True)}
    assert text.startswith("Mail.", spots[expand_curie("wgig:issueDescription")].object)
    assert text.startswith("- One.", spots[expand_curie("wgig:additionalComments")].object)


def test_comments_are_left_out_and_what_looks_like_a_link_definition_is_kept() -> None:
    commented = "One.\n<!-- a\n\n## b -->\nTwo. <!-- c -->"
    text = f"{HEADED}## 1. Issue\n\n{commented}\n\n[x]: https://example.org\n\\<!-- no comment"
    assert values(text, "wgig:issueDescription") == [
        "One.\n\n\n\nTwo.\n\n[x]: https://example.org\n\\<!-- no comment"
    ]


def test_line_ends_of_every_system_give_the_same_paper() -> None:
    text = EXAMPLES["spam-filters"].read_text()
    triples, spots = markdown.parse_paper_triples(text)
    for end in ("\r\n", "\r"):
        other, moved = markdown.parse_paper_triples(text.replace("\n", end))
        assert other == triples
        assert all(
            text.count("\n", 0, one.object) == text.replace("\n", end).count(end, 0, two.object)
            for one, two in zip(spots, moved, strict=True)
        )


def test_an_empty_heading_says_nothing() -> None:
    bare = "\n\n".join(f"## {one.marked_title}" for one in SECTION_HEADINGS)
    empty = f"{HEADED}{bare}\n".replace(
        "## 8", f"{chr(10).join(f'### {one.marked_title}' for one in CRITERION_HEADINGS)}\n\n## 8"
    )
    assert set(markdown.parse_paper_triples(empty)[0]) == set(markdown.parse_paper_triples(HEADED)[0])


def test_parts_without_a_source_in_the_head_come_from_the_paper() -> None:
    text = f"{HEADED}## 3. SWOT\n\n### Threats\n\n- War.\n"
    assert values(text, "dcterms:source") == [PAPER]
    assert (
        values(text.replace("mine\n", "mine\nsource: https://example.org/p\n"), "dcterms:source")
        == ["https://example.org/p"] * 2
    )


@pytest.mark.parametrize(
    "more",
    [
        "<x:mine> a <https://w3id.org/wgig/ontology#IssuePaper> .",
        f"<{PAPER}> <https://w3id.org/wgig/ontology#evidence> 'seen' .",
        f"<{PAPER}> <https://w3id.org/wgig/ontology#issueDescription> 'Gris'@fr .",
        f"<{PAPER}> <https://w3id.org/wgig/ontology#issueDescription> '## 2. Category'@en .",
        f"<{PAPER}> <https://w3id.org/wgig/ontology#issueDescription> 'blank after '@en .",
        f"<{PAPER}> <https://w3id.org/wgig/ontology#issueDescription> 'a <!-- b -->'@en .",
        f"<{PAPER}> <https://w3id.org/wgig/ontology#issue> <https://example.org/issue> .",
        f"<{PAPER}> <http://purl.org/ontology/bibo/numPages> 4.0 .",
        f"<{PAPER}> <https://w3id.org/wgig/ontology#mainActor> [] .",
    ],
)
def test_what_markdown_cannot_hold_is_named_and_not_dropped(more: str) -> None:
    triples = markdown.parse_paper_triples(HEADED)[0] + [
        one.triple for one in ox.parse(more, format=ox.RdfFormat.TURTLE)
    ]
    with pytest.raises(ValueError, match="Markdown"):
        markdown.serialize_markdown_paper(triples)


def test_what_markdown_would_add_is_named_too() -> None:
    triples = markdown.parse_paper_triples(
        "---\npaper: mine\ndrafters:\n  - {name: Ann, member: true}\n---\n"
    )[0]
    role = expand_curie("org:role")
    with pytest.raises(ValueError, match=re.escape(role.value)):
        markdown.serialize_markdown_paper(one for one in triples if one.predicate != role)


def test_a_file_without_a_paper_is_none() -> None:
    with pytest.raises(ValueError, match="one issue paper"):
        markdown.serialize_markdown_paper([])


@pytest.mark.parametrize(
    "body",
    [
        "[" * 20_000,
        "> " * 5_000,
        "- " * 5_000,
        "<!-- -->" * 5_000,
        "`" * 20_000,
        "* a\n" * 5_000,
        "|a" * 9_000,
        "\\`` " * 20_000,
    ],
)
def test_a_long_tangle_of_marks_is_read_in_one_go(body: str) -> None:
    assert values(f"{HEADED}## 8. Comments\n\nSee:\n\n{body}\n", "wgig:additionalComments")


def test_many_actors_with_like_names_are_told_apart_in_one_go() -> None:
    names = [chr(0x4E00 + number) for number in range(8_000)]
    listed = "".join(f"- {one}\n" for one in names)
    found = values(f"{HEADED}## 4. Actors\n\n### Other actors\n\n{listed}", "wgig:otherActor")
    assert len(set(found)) == len(names)


def test_a_huge_head_is_refused_before_it_is_read() -> None:
    assert "longer than" in refused(f"---\npaper: mine\ntitle: {'a' * 40_000}\n---\n").detail


def test_the_sections_are_called_as_the_rules_call_them() -> None:
    assert {int(one.mark): one.title for one in SECTION_HEADINGS} == {
        number: heading.title_in("en") for number, heading in section_headings().items() if number
    }


def test_the_page_on_writing_a_paper_names_every_key_and_heading() -> None:
    page = (CHECKOUT_FOLDER / "docs/tutorials/writing-a-paper.md").read_text()
    keys = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert keys == list(FRONT_MATTER_KEYS)
    for heading in (
        *SECTION_HEADINGS,
        *SWOT_HEADINGS,
        *FORUM_HEADINGS,
        *MECHANISM_HEADINGS,
        *CRITERION_HEADINGS,
    ):
        assert f"{heading.marked_title}" in page
