"""Papers in Markdown: triples and their positions, errors, and statements that Markdown cannot hold."""

import re
from random import Random

import pyoxigraph as ox
import pytest
from wgig.papers import markdown
from wgig.papers.markdown.reader import parse_paper_statements
from wgig.papers.markdown.template import (
    CRITERION_HEADINGS,
    FORUM_HEADINGS,
    FRONT_MATTER_KEYS,
    MECHANISM_HEADINGS,
    SECTION_HEADINGS,
    SWOT_HEADINGS,
)
from wgig.papers.markdown.values import find_graph_mechanism
from wgig.papers.readers import read_paper_document
from wgig.problems import Problem
from wgig.rdf import shipped
from wgig.rdf.formats import MARKDOWN
from wgig.rdf.namespaces import expand_curie
from wgig.rdf.positions_turtle import TriplePosition
from wgig.settings import CHECKOUT_FOLDER, SHIPPED_FOLDER
from wgig.shacl.check import check_document
from wgig.shacl.rules import section_headings
from wgig.text import replace_control_characters

from tests.fixtures.triples import load_triples

EXAMPLE_PATHS = {path.stem: path for path in sorted((SHIPPED_FOLDER / "data/examples").glob("*.md"))}
PAPER_IRI = "https://w3id.org/wgig/id/paper/mine"
NRO_NAME = "Number Resource Organization (NRO)"  # parentheses in a name are no stakeholder groups
FRONT_MATTER = "---\npaper: mine\n---\n\n"
SNIPPETS_QUERY = """
PREFIX sh: <http://www.w3.org/ns/shacl#> PREFIX wgig: <https://w3id.org/wgig/ontology#>
SELECT ?rule ?section ?snippet { ?rule wgig:exampleInMarkdown ?snippet ; sh:group ?section }
"""
# The start of a body: two mechanisms, and a criterion below which the tests put an assessment.
MECHANISMS_AND_CRITERION = (
    "## 6. Mechanisms\n\n### First\n\n### Second\n\n## 7. Adequacy\n\n### b. Transparent\n\n"
)


def list_values(text: str, curie: str) -> list[str]:
    """The values of a property of any node in a paper, as texts."""
    return [
        term_value(triple.object)
        for triple in markdown.parse_paper_triples(text)[0]
        if triple.predicate == expand_curie(curie)
    ]


def term_value(term: object) -> str:
    assert isinstance(term, ox.NamedNode | ox.Literal)
    return term.value


def get_syntax_problem(text: str) -> Problem:
    with pytest.raises(Problem) as error:
        markdown.parse_paper_triples(text)
    assert (error.value.status, error.value.slug) == (400, "syntax")
    return error.value


@pytest.mark.parametrize("name", EXAMPLE_PATHS)
def test_example_has_the_same_triples_in_markdown_and_turtle(name: str) -> None:
    path = EXAMPLE_PATHS[name]
    assert set(markdown.parse_paper_triples(path.read_text())[0]) == set(
        load_triples(path.with_suffix(".ttl"))
    )


@pytest.mark.parametrize("name", EXAMPLE_PATHS)
def test_example_is_serialized_to_the_same_markdown(name: str) -> None:
    text = EXAMPLE_PATHS[name].read_text()
    assert markdown.serialize_markdown_paper(markdown.parse_paper_triples(text)[0]) == text
    assert markdown.serialize_markdown_paper(load_triples(EXAMPLE_PATHS[name].with_suffix(".ttl"))) == text


@pytest.mark.parametrize("name", EXAMPLE_PATHS)
def test_order_of_triples_does_not_change_the_paper(name: str) -> None:
    triples = markdown.parse_paper_triples(EXAMPLE_PATHS[name].read_text())[0]
    shuffled = Random(7).sample(triples, len(triples))
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(shuffled))[0]) == set(triples)


@pytest.mark.parametrize("name", EXAMPLE_PATHS)
def test_example_conforms_to_the_final_profile(name: str) -> None:
    document = read_paper_document(name, EXAMPLE_PATHS[name].read_bytes(), MARKDOWN)
    for engine in ("pyshacl", "shifty"):
        (paper,) = check_document(document, "final", engine).papers
        assert paper.conforms


@pytest.mark.parametrize("name", EXAMPLE_PATHS)
def test_position_of_each_text_is_that_of_its_first_line(name: str) -> None:
    text = EXAMPLE_PATHS[name].read_text()
    for triple, position in zip(*markdown.parse_paper_triples(text), strict=True):
        assert min(position) >= 0
        if (
            isinstance(triple.object, ox.Literal)
            and triple.object.language
            and "label" not in str(triple.predicate)  # labels are generated, not in the text
        ):
            assert text.startswith(triple.object.value.partition("\n")[0], position.object)


def test_position_of_a_part_is_its_heading_and_of_the_paper_its_name() -> None:
    text = EXAMPLE_PATHS["community-networks"].read_text()
    triples, positions = markdown.parse_paper_triples(text)
    text_by_subject = {
        term_value(triple.subject).rpartition("/paper/")[2]: text[position.subject :]
        for triple, position in zip(triples, positions, strict=True)
    }
    paper_name = "example-community-networks"
    for name, line in {
        paper_name: "paper: example-community-networks",
        f"{paper_name}/swot": "## 3. SWOT analysis",
        f"{paper_name}/forum/2": "### Meeting of village networks",
        f"{paper_name}/mechanism/1": "### License for shared spectrum",
        f"{paper_name}/assessment/transparency": "### b. Transparent",
    }.items():
        assert text_by_subject[name].startswith(f"{line}\n")


def query_rule_snippets() -> dict[str, tuple[int, str]]:
    """The section number and the Markdown example of each rule."""
    store = ox.Store()
    for path in (SHIPPED_FOLDER / "shapes").glob("issue-paper*.ttl"):
        store.load(path=path, format=ox.RdfFormat.TURTLE)
    return {
        row["rule"].value.rpartition("#")[2]: (int(row["section"].value[-1]), row["snippet"].value)
        for row in store.query(SNIPPETS_QUERY)  # type: ignore[union-attr]
    }


@pytest.mark.parametrize("rule", query_rule_snippets())
def test_markdown_example_of_a_rule_parses_in_its_section(rule: str) -> None:
    """Put the example below the headings that it needs, or into the front matter if it is a key."""
    section_number, snippet = query_rule_snippets()[rule]
    if re.match(r"[a-z]+:", snippet):
        name_line = "" if snippet.startswith("paper:") else "paper: mine\n"
        text = f"---\n{name_line}{snippet}\n---\n"
    else:
        # A rule on the front matter (section 0) may have an example in the body, which fits in any section.
        section = f"## {SECTION_HEADINGS[(section_number or 3) - 1].marked_title}\n\n"
        subheadings = {3: "### Strengths\n\n", 4: "### Main actor\n\n", 7: "### b. Transparent\n\n"}
        headings_by_mark = {"## ": "", "###": section, "####": f"{section}### A name\n\n"}
        mark = (re.match(r"## |#*", snippet) or [""])[0]
        headings = headings_by_mark.get(mark, section + subheadings.get(section_number, ""))
        text = FRONT_MATTER + headings + snippet
    markdown.parse_paper_triples(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("# No head", 1, 1, "does not start with a line `---`"),
        ("---\npaper: mine\n", 1, 1, "no end"),
        ("---\n---\n", 1, 1, "empty"),
        ("---\ntitle: Spam\n---\n", 1, 1, "does not name the paper"),
        ("---\npaper: My Paper\n---\n", 2, 8, "Write my-paper."),
        ("---\npaper: mine\ntitel: Spam\n---\n", 3, 1, "Did you mean `title`?"),
        ("---\npaper: mine\npages: 3\npages: 4\n---\n", 4, 1, "twice"),
        ("---\npaper: mine\ntitle: Spam: a view\n---\n", 3, 12, "quotes"),
        ("---\npaper: mine\nlanguage: plain English\n---\n", 3, 11, "not a language tag"),
        ("---\npaper: mine\nillustrative: perhaps\n---\n", 3, 15, "neither true nor false"),
        ("---\npaper: mine\npages: {a: 1}\n---\n", 3, 8, "single value"),
        ("---\npaper: &a mine\n---\n", 2, 8, "signs &, * and !"),
        ("---\npaper: mine\nissue: *a\n---\n", 3, 8, "signs &, * and !"),
        ("---\npaper: !!python/name:os.system mine\n---\n", 2, 8, "signs &, * and !"),
        ("---\npaper: mine\ncites: [[[[[[x]]]]]]\n---\n", 3, 12, "nested"),
        ("---\n- paper\n---\n", 2, 1, "must consist of keys with values"),
        ("---\npaper: mine\ndrafters:\n  - group: governments\n---\n", 4, 5, "no name"),
        ("---\npaper: mine\ndrafters:\n  - nmae: Ann\n---\n", 4, 5, "Did you mean `name`?"),
        ("---\npaper: mine\ndrafters:\n  - {name: [Ann, Ben]}\n---\n", 4, 18, "several values of name"),
        ("---\npaper: mine\ndrafters: afonso, al-darrab\n---\n", 3, 11, "several drafters"),
        ("---\npaper: mine\ndrafters:\n  - {name: Ann, id: [a, b]}\n---\n", 4, 25, "several values of id"),
        ("---\npaper: mine\ndrafters:\n  - {name: Ann, member: [no, yes]}\n---\n", 4, 30, "of member"),
        ("---\npaper: [mine, yours]\n---\n", 2, 15, "several values of paper"),
        ('---\npaper: mine\ntitle: "\\uD800"\n---\n', 3, 8, "not allowed"),
        ('---\npaper: mine\ntitle: "\\U00110000"\n---\n', 3, 11, "not allowed"),
        ('---\npaper: mine\ntitle: "\\UFFFFFFFF"\n---\n', 3, 11, "not allowed"),
        (f"---\n%YAML {'9' * 5_000}.1\n---\n", 2, 7, "not allowed"),
        ("---\npaper: mine\n? [a, b]\n: c\n---\n", 3, 3, "A key must be a single word"),
        ("---\npaper: mine\ndrafters:\n\t- afonso\n---\n", 4, 1, "Replace the tab with spaces."),
        ("---\npaper: m\x01ine\n---\n", 2, 9, "not allowed"),
        (FRONT_MATTER + "Loose words.", 5, 1, "before section 1"),
        (FRONT_MATTER + "# Title\n\nLoose words.", 7, 1, "before section 1"),
        (FRONT_MATTER + "## 9. Summary", 5, 1, "not a section of the template"),
        (FRONT_MATTER + "## Forum", 5, 1, "Did you mean `## 5. Forums (where?)`?"),
        (FRONT_MATTER + "## 3. Actors", 5, 1, "Did you mean `## 4. Actors (who, with whom?)`?"),
        (FRONT_MATTER + "# 3. SWOT analysis", 5, 1, "Did you mean `## 3. SWOT analysis`?"),
        (
            FRONT_MATTER + "## 8. Comments\n\n## 8. Comments",
            7,
            1,
            "twice. Write below the first heading, on line 5",
        ),
        (FRONT_MATTER + "## 1. Issue\n\n### History", 7, 1, "without headings"),
        (FRONT_MATTER + "## 3. SWOT\n\nGood and bad.", 7, 1, "before its first heading"),
        (FRONT_MATTER + "## 3. SWOT\n\n### Strenghts", 7, 1, "Did you mean `### Strengths`?"),
        (FRONT_MATTER + "## 3. SWOT\n\n#### Strengths", 7, 1, "Did you mean `### Strengths`?"),
        (FRONT_MATTER + "## 4. Actors\n\n- Ann", 7, 1, "before its first heading"),
        (FRONT_MATTER + "## 5. Forums\n\nHere.", 7, 1, "Start each forum with ###"),
        (FRONT_MATTER + "## 5. Forums\n\n### Here\n\nOpen to all.", 9, 1, "#### a. Who participates"),
        (FRONT_MATTER + "## 5. Forums\n\n### Here\n\n#### c. Results", 9, 1, "Here has no heading"),
        (FRONT_MATTER + "## 5. Forums\n\n### Here\n\nAbout: agent/icann", 9, 1, "There is text below Here"),
        (FRONT_MATTER + "## 6. Mechanisms\n\n### Own\n\nAbuot: icann", 9, 1, "Did you mean `About`?"),
        (FRONT_MATTER + "## 6. Mechanisms\n\n### Own\n\nAbout: icann\nText.", 10, 1, "#### a. Objectives"),
        (FRONT_MATTER + "## 7. Adequacy\n\n### Fair", 7, 1, "Section 7 has no heading"),
        (FRONT_MATTER + "## 7. Adequacy\n\n### Transparent\n\n### b. Transparency", 9, 1, "on line 7"),
        (
            FRONT_MATTER + "## 7. Adequacy\n\n### Transparent\n\nVerdikt: adequate",
            9,
            1,
            "Did you mean `Verdict`?",
        ),
        (FRONT_MATTER + "## 1. Issue\n\nA <!-- note", 7, 3, "no end"),
        (FRONT_MATTER + "## 1. Issue\n\nA `<!--` and\n<!-- note", 8, 1, "no end"),
        (FRONT_MATTER + "## 1. Issue\n\nA <!-- b\n\nC <!-- d -->", 7, 3, "Another comment starts"),
        (FRONT_MATTER + "<!-- a\n\n## 2. Category ##\n\nb -->", 5, 1, "The heading ## 2. Category"),
        (FRONT_MATTER + "## 3. SWOT\r\r<!-- a\r### Threats\r-->", 7, 1, "The heading ### Threats is inside"),
        (FRONT_MATTER + "<!--" * 10_000 + "-->", 5, 1, "Another comment starts"),
    ],
)
def test_syntax_error_is_refused_with_line_and_column(
    text: str, line: int, column: int, message: str
) -> None:
    problem = get_syntax_problem(text)
    assert (problem.members["line"], problem.members["column"]) == (line, column)
    assert message in problem.detail
    excerpt_line, caret_line = problem.members["excerpt"].split("\n")
    assert replace_control_characters(text.splitlines()[line - 1]).startswith(excerpt_line)
    assert caret_line == " " * (column - 1) + "^"
    assert "column" not in problem.detail


@pytest.mark.parametrize("text", ["", "\n# No head"])
def test_problem_at_a_blank_line_has_no_excerpt(text: str) -> None:
    members = get_syntax_problem(text).members
    assert (members["line"], members["column"]) == (1, 1)
    assert "excerpt" not in members


@pytest.mark.parametrize(
    ("front_matter", "body", "code"),
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
        ("", MECHANISMS_AND_CRITERION + "Verdict: splendid", "WGIG-7-VERDICT-UNKNOWN"),
        ("", MECHANISMS_AND_CRITERION + "Verdict: adequate\nVerdict: inadequate", "WGIG-7-VERDICT-TWICE"),
        ("", MECHANISMS_AND_CRITERION + "Mechanism: Third", "WGIG-7-MECHANISM-UNKNOWN"),
        ("", MECHANISMS_AND_CRITERION + "Mechanism: agent/icannn", "WGIG-7-MECHANISM-UNKNOWN"),
        ("", MECHANISMS_AND_CRITERION + "Cites: background-report/999", "WGIG-7-CITATION-UNKNOWN"),
        ("", "## 6. Mechanisms\n\n### Own\n\nAbout: mechanism/icann", "WGIG-6-ABOUT-UNKNOWN"),
        ("", "## 6. Mechanisms\n\n### Own\n\nAbout: agent/afonso", "WGIG-6-ABOUT-UNKNOWN"),
        ("", MECHANISMS_AND_CRITERION + "Cites: declaration/48, declaration/999", "WGIG-7-CITATION-UNKNOWN"),
        ("", MECHANISMS_AND_CRITERION + "#### First\n\nGood.\n\n#### first\n\nBad.", "WGIG-7B-TWICE"),
        ("", "## 7. Adequacy\n\n### f. Other: beauty\n\nFine.", "WGIG-7-CRITERION-UNKNOWN"),
        ("", "## 7. Adequacy\n\n### f. Other\n\nFine.", "WGIG-7-CRITERION-MISSING"),
        ("", "## 7. Adequacy\n\n### f. Other: 美\n\nFine.", "WGIG-7-CRITERION-UNKNOWN"),
    ],
)
def test_invalid_value_is_parsed_and_violates_its_rule(front_matter: str, body: str, code: str) -> None:
    text = f"---\npaper: mine\n{front_matter}\n---\n\n{body}\n"
    document = read_paper_document("mine.md", text.encode(), MARKDOWN)
    (paper,) = check_document(document, "draft").papers
    assert [finding.rule.code for finding in paper.findings] == [code]
    assert paper.findings[0].position is not None


def test_headings_are_recognized_by_number_or_text_in_any_case_and_punctuation() -> None:
    for heading in ("## 3. SWOT analysis", "## 3) Analyse SWOT", "## swot Analysis:", "## 3 –"):
        assert list_values(f"{FRONT_MATTER}{heading}\n\n### STRENGTHS\n\nIt works.", "wgig:strength") == [
            "It works."
        ]
    for heading in (
        "### f. Other: development",
        "### Development",
        "### other – development",
        "### f) Development",
    ):
        text = f"{FRONT_MATTER}## 7. Adequacy\n\n{heading}\n\nFine."
        assert list_values(text, "wgig:criterion") == ["https://w3id.org/wgig/id/principle/development"]


def test_each_list_item_and_paragraph_is_a_value() -> None:
    strengths = "- One,\n  and more.\n\n  - Inside.\n- Two.\n\nThree.\n\n1. Four.\n"
    text = f"{FRONT_MATTER}## 3. SWOT\n\n### Strengths\n\n{strengths}"
    assert list_values(text, "wgig:strength") == [
        "One,\nand more.\n\n- Inside.",
        "Two.",
        "Three.",
        "Four.",
    ]
    assert list_values(
        f"{FRONT_MATTER}## 3. SWOT\n\n### Strengths\n\n   Three.\n\n-     code\n", "wgig:strength"
    ) == [
        "Three.",
        "    code",
    ]


def test_category_may_be_named_by_its_label() -> None:
    text = f"{FRONT_MATTER}## 2. Category\n\n- Access for all\n"
    assert list_values(text, "wgig:category") == ["https://w3id.org/wgig/id/category/access-for-all"]


def test_actor_in_the_graph_is_linked_and_not_described() -> None:
    assert list_values(
        f"{FRONT_MATTER}## 4. Actors\n\n### Main actor\n\n- {NRO_NAME}\n", "wgig:mainActor"
    ) == [expand_curie("agent:number-resource-organization").value]
    items = "- unesco\n- International Telecommunication Union (international organizations)\n"
    actors = f"## 4. Actors\n\n### Other actors\n\n{items}"
    triples = markdown.parse_paper_triples(FRONT_MATTER + actors)[0]
    itu = expand_curie("agent:international-telecommunication-union")
    assert list_values(FRONT_MATTER + actors, "wgig:otherActor") == [
        expand_curie("agent:unesco").value,
        itu.value,
    ]
    assert {triple.predicate for triple in triples if triple.subject == itu} == {
        expand_curie("wgig:stakeholderGroup")
    }
    assert expand_curie("agent:unesco") not in {triple.subject for triple in triples}


def test_actor_name_without_latin_letters_gets_an_iri() -> None:
    actors = "## 4. Actors\n\n### Main actor\n\n- 村の組合 (civil-society)\n"
    assert list_values(FRONT_MATTER + actors, "wgig:mainActor") == [expand_curie("agent:mine-actor").value]
    assert (
        markdown.parse_paper_triples(
            markdown.serialize_markdown_paper(markdown.parse_paper_triples(FRONT_MATTER + actors)[0])
        )[0]
        == markdown.parse_paper_triples(FRONT_MATTER + actors)[0]
    )


def test_different_names_are_different_actors_and_equal_names_are_one() -> None:
    items = "- AT&T (private-sector)\n- AT T (private-sector)\n- 甲\n- 乙\n- AT&T\n"
    front_matter = "---\npaper: mine\ndrafters:\n  - name: AT/T\n---\n\n"
    text = f"{front_matter}## 4. Actors\n\n### Other actors\n\n{items}"
    assert list_values(text, "wgig:drafter") == [expand_curie("agent:mine-at-t").value]
    names = ["at-t-2", "at-t-3", "actor", "actor-2"]
    assert list_values(text, "wgig:otherActor") == [
        expand_curie(f"agent:mine-{name}").value for name in names
    ]
    triples = markdown.parse_paper_triples(text)[0]
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(triples))[0]) == set(triples)
    assert set(markdown.parse_paper_triples(markdown.serialize_markdown_paper(triples[::-1]))[0]) == set(
        triples
    )


def test_drafter_and_actor_may_have_several_groups() -> None:
    drafter = "{name: Ann, group: [governments, civil-society], member: true}"
    front_matter = f"---\npaper: mine\ndrafters:\n  - {drafter}\n---\n"
    groups = [
        expand_curie("group:governments").value,
        expand_curie("group:civil-society").value,
    ]
    assert list_values(front_matter, "wgig:stakeholderGroup") == groups
    actors = "## 4. Actors\n\n### Main actor\n\n- Ann (governments, civil society)\n"
    assert list_values(FRONT_MATTER + actors, "wgig:stakeholderGroup") == groups


def test_field_lines_in_a_reason_are_text() -> None:
    reason = "A code says:\n\n```\nMechanism: the court\n```\n\n- Verdict: the court of 2003\n- Verdikt: none"
    text = f"{MECHANISMS_AND_CRITERION}Verdict: adequate\n\n{reason}\n"
    assert list_values(FRONT_MATTER + text, "wgig:rationale") == [reason]
    assert list_values(FRONT_MATTER + text, "wgig:verdict") == [expand_curie("verdict:adequate").value]
    assert list_values(FRONT_MATTER + text, "wgig:judges") == []


@pytest.mark.parametrize("line", ["**Verdict:** adequate", "**Verdict**: adequate", "- _Verdict_: adequate"])
def test_key_of_an_assessment_field_may_be_emphasized(line: str) -> None:
    text = f"{FRONT_MATTER}{MECHANISMS_AND_CRITERION}{line}\n__Mechanism:__ Second\n\nRules are published.\n"
    assert list_values(text, "wgig:verdict") == [expand_curie("verdict:adequate").value]
    assert list_values(text, "wgig:judges") == [f"{PAPER_IRI}/mechanism/2"]
    assert list_values(text, "wgig:rationale") == ["Rules are published."]


@pytest.mark.parametrize(
    ("front_matter", "body", "property_curie", "value_curie"),
    [
        ("issue: issue:spam", "", "wgig:issue", "issue:spam"),
        ("drafters: [agent:afonso]", "", "wgig:drafter", "agent:afonso"),
        ("cites: [declaration:48]", "", "cito:cites", "declaration:48"),
        ("cites: [bg:118]", "", "cito:cites", "bg:118"),
        ("", "## 6. Mechanisms\n\n### Own\n\nAbout: agent:icann", "wgig:about", "agent:icann"),
        ("", f"{MECHANISMS_AND_CRITERION}Mechanism: mechanism:gac", "wgig:judges", "mechanism:gac"),
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
        ("", f"{MECHANISMS_AND_CRITERION}Cites: declaration:49.a", "cito:cites", "declaration:49.a"),
        ("", f"{MECHANISMS_AND_CRITERION}Verdict: verdict:adequate", "wgig:verdict", "verdict:adequate"),
        (
            "",
            "## 7. Adequacy\n\n### Other: principle:development\n\nFine.",
            "wgig:criterion",
            "principle:development",
        ),
    ],
)
def test_resource_may_be_named_by_a_curie(
    front_matter: str, body: str, property_curie: str, value_curie: str
) -> None:
    text = f"---\npaper: mine\n{front_matter}\n---\n\n{body}\n"
    assert list_values(text, property_curie) == [expand_curie(value_curie).value]


@pytest.mark.parametrize(
    ("text", "curie"),
    [
        ("agent/icann", "agent:icann"),
        ("ICANN", "agent:icann"),
        ("mechanism/gac", "mechanism:gac"),
        ("GAC", "mechanism:gac"),
        ("governmental advisory committee", "mechanism:gac"),
        ("Governmental Advisory Committee (GAC)", "mechanism:gac"),
    ],
)
def test_body_of_the_graph_may_be_named_by_its_path_or_a_name(text: str, curie: str) -> None:
    paper = f"{FRONT_MATTER}## 6. Mechanisms\n\n### First\n\n**About:** {text}\n\n#### b. Content\n\nRules.\n"
    assert list_values(paper, "wgig:about") == [expand_curie(curie).value]
    paper = f"{FRONT_MATTER}{MECHANISMS_AND_CRITERION}Mechanism: {text}\n"
    assert list_values(paper, "wgig:judges") == [expand_curie(curie).value]
    paper = f"{FRONT_MATTER}{MECHANISMS_AND_CRITERION}#### {text}\n\nGood.\n"
    assert list_values(paper, "wgig:judges") == [expand_curie(curie).value]


def test_mechanism_of_the_paper_is_preferred_to_one_of_the_graph_with_its_name() -> None:
    text = f"{FRONT_MATTER}{MECHANISMS_AND_CRITERION}Mechanism: ICANN\n".replace("### Second", "### ICANN")
    assert list_values(text, "wgig:judges") == [f"{PAPER_IRI}/mechanism/2"]
    assert list_values(text.replace(": ICANN", ": agent/icann"), "wgig:judges") == [
        expand_curie("agent:icann").value
    ]


def test_each_body_of_the_graph_is_found_by_its_path_and_label() -> None:
    labels = {
        triple.subject: term_value(triple.object)
        for triple in shipped.shipped_facts()
        if triple.predicate in (expand_curie("rdfs:label"), expand_curie("foaf:name"))
    }
    mechanisms = set(map(ox.NamedNode, shipped.shipped_mechanisms().values()))
    assert len(mechanisms) > 150
    for mechanism in mechanisms:
        for text in (mechanism.value.partition("/id/")[2], labels[mechanism]):
            assert find_graph_mechanism(text) == mechanism


def test_references_to_the_graph_are_serialized_as_paths() -> None:
    text = (
        f"{FRONT_MATTER}{MECHANISMS_AND_CRITERION}Verdict: adequate\nMechanism: ICANN\nCites: bg:118\n"
    ).replace("### First", "### First\n\n- About: GAC\n- About: agent:icann")
    triples = markdown.parse_paper_triples(text)[0]
    serialized = markdown.serialize_markdown_paper(triples)
    assert "### First\n\nAbout: mechanism/gac  \nAbout: agent/icann\n" in serialized
    assert "Verdict: adequate  \nMechanism: agent/icann  \nCites: background-report/118\n" in serialized
    assert set(markdown.parse_paper_triples(serialized)[0]) == set(triples)


def find_positions_by_property(text: str) -> dict[ox.NamedNode, TriplePosition]:
    """The position of the last triple with each property."""
    triples, positions = markdown.parse_paper_triples(text)
    return {triple.predicate: position for triple, position in zip(triples, positions, strict=True)}


def test_position_of_a_reason_is_its_first_word() -> None:
    text = f"{FRONT_MATTER}{MECHANISMS_AND_CRITERION}Verdict: adequate\n\n  Rules are published.\n"
    positions = find_positions_by_property(text)
    assert text.startswith("Rules", positions[expand_curie("wgig:rationale")].object)


@pytest.mark.parametrize("block", ["-\n  Mail.", "   Mail.", "<!-- c --> - Mail."])
def test_position_of_a_value_is_its_first_word(block: str) -> None:
    text = f"{FRONT_MATTER}## 3. SWOT\n\n### Strengths\n\n{block}\n"
    positions = find_positions_by_property(text)
    assert text.startswith("Mail.", positions[expand_curie("wgig:strength")].object)


def test_assessment_without_values_is_omitted() -> None:
    text = f"{FRONT_MATTER}{MECHANISMS_AND_CRITERION}Verdict:\nMechanism:\nCites:\n\n#### First\n\nGood.\n"
    assert list_values(text, "wgig:assessment") == [f"{PAPER_IRI}/assessment/transparency"]


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
def test_comment_in_code_is_text(code: str) -> None:
    text = f"{FRONT_MATTER}## 1. Issue\n\n<!-- ` -->\n\n{code}\n\nTwo. <!-- c -->\n"
    assert list_values(text, "wgig:issueDescription") == [f"{code}\n\nTwo."]


def test_unpaired_backticks_are_not_code() -> None:
    # A comment within a line is replaced by as many spaces.
    text = f"{FRONT_MATTER}## 1. Issue\n\n`` One ` two. <!-- c -->\n\nThree \\` <!-- c --> ```\n"
    assert list_values(text, "wgig:issueDescription") == [f"`` One ` two.\n\nThree \\`{' ' * 12}```"]


def test_text_after_a_comment_begins_the_line() -> None:
    issue = "## 1. Issue\n\n<!-- Say what\nit is. --> Mail.\n\n"
    text = f"{FRONT_MATTER}{issue}<!-- c --> ## 8. Comments\n\n<!-- c --> - One."
    assert list_values(text, "wgig:issueDescription") == ["Mail."]
    assert list_values(text, "wgig:additionalComments") == ["- One."]
    positions = find_positions_by_property(text)
    assert text.startswith("Mail.", positions[expand_curie("wgig:issueDescription")].object)
    assert text.startswith("- One.", positions[expand_curie("wgig:additionalComments")].object)


def test_comments_are_removed_and_link_definitions_are_kept() -> None:
    text_with_comments = "One.\n<!-- a\n\n## b -->\nTwo. <!-- c -->"
    text = f"{FRONT_MATTER}## 1. Issue\n\n{text_with_comments}\n\n[x]: https://example.org\n\\<!-- no comment"
    assert list_values(text, "wgig:issueDescription") == [
        "One.\n\n\n\nTwo.\n\n[x]: https://example.org\n\\<!-- no comment"
    ]


def test_line_ends_do_not_change_the_paper() -> None:
    text = EXAMPLE_PATHS["spam-filters"].read_text()
    triples, positions = markdown.parse_paper_triples(text)
    for line_end in ("\r\n", "\r"):
        converted_text = text.replace("\n", line_end)
        converted_triples, converted_positions = markdown.parse_paper_triples(converted_text)
        assert converted_triples == triples
        assert all(
            text.count("\n", 0, position.object) == converted_text.count(line_end, 0, converted.object)
            for position, converted in zip(positions, converted_positions, strict=True)
        )


def test_empty_sections_have_no_triples() -> None:
    sections = "\n\n".join(f"## {heading.marked_title}" for heading in SECTION_HEADINGS)
    criteria = "\n".join(f"### {heading.marked_title}" for heading in CRITERION_HEADINGS)
    text = f"{FRONT_MATTER}{sections}\n".replace("## 8", f"{criteria}\n\n## 8")
    assert set(markdown.parse_paper_triples(text)[0]) == set(markdown.parse_paper_triples(FRONT_MATTER)[0])


def test_default_source_of_parts_is_the_paper() -> None:
    text = f"{FRONT_MATTER}## 3. SWOT\n\n### Threats\n\n- War.\n"
    assert list_values(text, "dcterms:source") == [PAPER_IRI]
    assert (
        list_values(text.replace("mine\n", "mine\nsource: https://example.org/p\n"), "dcterms:source")
        == ["https://example.org/p"] * 2  # of the paper and of its SWOT analysis
    )


@pytest.mark.parametrize(
    "turtle",
    [
        "<x:mine> a <https://w3id.org/wgig/ontology#IssuePaper> .",
        f"<{PAPER_IRI}> <https://w3id.org/wgig/ontology#evidence> 'seen' .",
        f"<{PAPER_IRI}> <https://w3id.org/wgig/ontology#issueDescription> 'Gris'@fr .",
        f"<{PAPER_IRI}> <https://w3id.org/wgig/ontology#issueDescription> '## 2. Category'@en .",
        f"<{PAPER_IRI}> <https://w3id.org/wgig/ontology#issueDescription> 'blank after '@en .",
        f"<{PAPER_IRI}> <https://w3id.org/wgig/ontology#issueDescription> 'a <!-- b -->'@en .",
        f"<{PAPER_IRI}> <https://w3id.org/wgig/ontology#issue> <https://example.org/issue> .",
        f"<{PAPER_IRI}> <http://purl.org/ontology/bibo/numPages> 4.0 .",
        f"<{PAPER_IRI}> <https://w3id.org/wgig/ontology#mainActor> [] .",
    ],
)
def test_statement_that_markdown_cannot_hold_is_refused(turtle: str) -> None:
    triples = markdown.parse_paper_triples(FRONT_MATTER)[0] + [
        quad.triple for quad in ox.parse(turtle, format=ox.RdfFormat.TURTLE)
    ]
    with pytest.raises(ValueError, match="Markdown"):
        markdown.serialize_markdown_paper(triples)


def test_statement_that_markdown_would_add_is_refused() -> None:
    triples = markdown.parse_paper_triples(
        "---\npaper: mine\ndrafters:\n  - {name: Ann, member: true}\n---\n"
    )[0]
    role = expand_curie("org:role")
    with pytest.raises(ValueError, match=re.escape(role.value)):
        markdown.serialize_markdown_paper(triple for triple in triples if triple.predicate != role)


def test_graph_without_a_paper_is_refused() -> None:
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
def test_many_marks_are_parsed_in_linear_time(body: str) -> None:
    assert list_values(f"{FRONT_MATTER}## 8. Comments\n\nSee:\n\n{body}\n", "wgig:additionalComments")


def test_many_actors_with_equal_slugs_get_iris_in_linear_time() -> None:
    names = [chr(0x4E00 + number) for number in range(8_000)]
    items = "".join(f"- {name}\n" for name in names)
    text = f"{FRONT_MATTER}## 4. Actors\n\n### Other actors\n\n{items}"
    assert len(set(list_values(text, "wgig:otherActor"))) == len(names)


def test_too_long_front_matter_is_refused() -> None:
    assert "longer than" in get_syntax_problem(f"---\npaper: mine\ntitle: {'a' * 40_000}\n---\n").detail


def test_section_titles_are_those_of_the_shapes() -> None:
    assert {int(section.mark): section.title for section in SECTION_HEADINGS} == {
        number: heading.title_in("en") for number, heading in section_headings().items() if number
    }


def test_tutorial_on_writing_a_paper_names_every_key_and_heading() -> None:
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


def test_lone_surrogate_is_refused_with_its_position() -> None:
    with pytest.raises(Problem) as caught:
        parse_paper_statements("---\npaper: a\n---\n\n\ud800")
    assert (caught.value.status, caught.value.members["line"], caught.value.members["column"]) == (400, 5, 1)
