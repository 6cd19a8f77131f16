"""What a check says of papers: profiles, sections, waivers, several papers in one file, and its limits."""

from collections import Counter
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.papers.readers import read_paper_document
from wgig.problems import Problem
from wgig.rdf.formats import JSON_LD, MARKDOWN, TRIG, TURTLE
from wgig.rdf.namespaces import WGIG_NAMESPACE
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl import check as shacl_check
from wgig.shacl import suggestions
from wgig.shacl.check import check_document
from wgig.shacl.documents import Document
from wgig.shacl.engines import ENGINE_NAMES, ValidationResult
from wgig.shacl.findings import PaperReport, Report
from wgig.shacl.locations import DocumentIndex
from wgig.shacl.rules import CHECK_PROFILES, rules_by_code
from wgig.shacl.summary import UNWAIVABLE_CODE_PREFIX

pytestmark = pytest.mark.slow

EXAMPLES = SHIPPED_FOLDER / "shapes" / "examples" / "issue-paper"
PREFIXES = """
@prefix agent:     <https://w3id.org/wgig/id/agent/> .
@prefix bibo:      <http://purl.org/ontology/bibo/> .
@prefix category:  <https://w3id.org/wgig/id/category/> .
@prefix cito:      <http://purl.org/spar/cito/> .
@prefix declaration: <https://w3id.org/wgig/id/document/declaration/> .
@prefix dcterms:   <http://purl.org/dc/terms/> .
@prefix foaf:      <http://xmlns.com/foaf/0.1/> .
@prefix group:     <https://w3id.org/wgig/id/stakeholder-group/> .
@prefix issue:     <https://w3id.org/wgig/id/issue/> .
@prefix org:       <http://www.w3.org/ns/org#> .
@prefix paper:     <https://w3id.org/wgig/id/paper/> .
@prefix principle: <https://w3id.org/wgig/id/principle/> .
@prefix sh:        <http://www.w3.org/ns/shacl#> .
@prefix shape:     <https://w3id.org/wgig/shapes#> .
@prefix schema:    <https://schema.org/> .
@prefix skos:      <http://www.w3.org/2004/02/skos/core#> .
@prefix verdict:   <https://w3id.org/wgig/id/verdict/> .
@prefix rdfs:      <http://www.w3.org/2000/01/rdf-schema#> .
@prefix scheme:    <https://w3id.org/wgig/id/scheme/> .
@prefix wgig:      <https://w3id.org/wgig/ontology#> .
"""


def document(text: str) -> Document:
    return read_paper_document("paper.ttl", (PREFIXES + text).encode(), TURTLE)


def checked(text: str, profile: str = "complete") -> Report:
    return check_document(document(text), profile)


def codes(of: Report | PaperReport) -> list[str]:
    return [one.rule.code for one in of.findings]


def states(report: Report) -> list[str]:
    """The states of the sections of the first paper."""
    return [section.state for section in report.papers[0].sections]


def example(name: str, *changes: tuple[str, str]) -> Document:
    """A shipped example after changes of its text."""
    text = PREFIXES + (EXAMPLES / f"{name}.ttl").read_text()
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return read_paper_document(f"{name}.ttl", text.encode(), TURTLE)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ttl")), ids=lambda path: path.stem)
def test_a_profile_finds_all_that_those_before_it_find(path: Any) -> None:
    found = [Counter(codes(check_document(example(path.stem), profile))) for profile in CHECK_PROFILES]
    assert found[0] <= found[1] <= found[2]
    for profile, code in zip(CHECK_PROFILES, found, strict=True):
        assert all(rules_by_code()[one].is_in_profile(profile) for one in code)


def test_an_example_conforms_to_its_profile_and_those_before_it() -> None:
    conforms = {
        name: [check_document(example(f"ok-{name}"), profile).conforms for profile in CHECK_PROFILES]
        for name in CHECK_PROFILES
    }
    assert conforms == {
        "draft": [True, False, False],
        "complete": [True, True, False],
        "final": [True, True, True],
    }


def test_a_paper_of_a_title_alone_is_a_draft_and_no_section_is_checked() -> None:
    report = checked('paper:x a wgig:IssuePaper ; dcterms:title "Spam"@en .', "draft")
    assert report.conforms
    assert states(report) == ["not checked"] * 9
    assert (report.papers[0].met, report.papers[0].title) == (1, "Spam")


def test_a_section_is_done_missing_faulty_or_not_checked() -> None:
    report = checked(
        """paper:x a wgig:IssuePaper ; dcterms:title "Spam"@en ; wgig:drafter agent:afonso ;
             wgig:issue issue:spam ; wgig:issueDescription "Much mail."@en ;
             wgig:category <http://example.org/none> ; wgig:swot paper:x\\/swot .
           paper:x\\/swot a wgig:Swot ; wgig:strength "Strong."@en ."""
    )
    assert states(report) == ["done", "done", "faulty", *["missing"] * 5, "not checked"]


def test_comments_are_done_when_there_are_some_and_faulty_when_they_are_blank() -> None:
    commented = "paper:x a wgig:IssuePaper ; wgig:additionalComments {} ."
    assert states(checked(commented.format('"Yes."@en'), "draft"))[8] == "done"
    assert states(checked(commented.format('"\\t"@en'), "draft"))[8] == "faulty"


def test_completeness_counts_what_the_template_asks_for_within_parts_too() -> None:
    required = [rule for rule in rules_by_code().values() if rule.required]
    nothing, whole = (
        checked("paper:x a wgig:IssuePaper .").papers[0],
        check_document(example("ok-final")).papers[0],
    )
    assert (nothing.met, nothing.parts) == (0, len(required))
    assert (whole.met, whole.parts) == (len(required), len(required))
    without = check_document(example("bad-WGIG-6A-MISSING")).papers[0]
    assert without.met == len(required) - 1


@pytest.mark.parametrize(
    ("old", "new", "section"),
    [
        ('"Spam (an example)"@en', '""@en', 0),
        (
            '"Mail that nobody asked for costs those who receive it more than those who send it."@en',
            '" "@en',
            1,
        ),
        ('"Filters get better every year."@en', '"\t"@en', 3),
        ('"Consumer office (example)"', '""', 4),
        ('"Operators, and consumer offices as guests."@en', '""@en', 5),
        ('"By consensus of the operators who are present."@en', '""@en', 5),
        ('"To stop unwanted mail where it is sent."@en', '""@en', 6),
        ('"Those who are cut off have no say."@en', '""@en', 7),
    ],
)
def test_a_text_that_says_nothing_is_not_there(old: str, new: str, section: int) -> None:
    report = check_document(example("ok-final", (old, new)))
    (paper,) = report.papers
    assert [one.rule.code.endswith("-BLANK") for one in paper.findings] == [True]
    assert paper.met == paper.parts - 1
    assert [one.number for one in paper.sections if one.state == "missing"] == [section]


def test_a_text_beside_a_blank_one_is_there() -> None:
    report = check_document(
        example("ok-final", ('"Filters get better every year."@en', '"Filters work."@en , ""@en'))
    )
    assert (codes(report), report.papers[0].met) == (["WGIG-3-BLANK"], report.papers[0].parts)
    assert states(report)[3] == "faulty"


def test_a_blank_text_that_may_be_missing_with_a_reason_is_no_gap() -> None:
    blank = ('"Filters get better every year."@en', '""@en')
    waived = waiving("WGIG-3-STRENGTH-MISSING", '"There is none."@en')
    (paper,) = check_document(example("ok-final", blank, waived)).papers
    assert paper.met + paper.waived == paper.parts


LATE = ("2005-01-20", "2005-02-20")


def waiving(codes: str, reason: str) -> tuple[str, str]:
    """A change that adds a waiver to an example."""
    rules = ", ".join(f"<https://w3id.org/wgig/shapes#{code}>" for code in codes.split())
    waiver = f"[ a wgig:Waiver ; wgig:waives {rules} ; wgig:reason {reason} ]"
    return "wgig:issue ", f"wgig:waiver {waiver} ; wgig:issue "


def test_what_is_waived_with_a_reason_is_shown_and_does_not_count() -> None:
    report = check_document(
        example("ok-final", LATE, waiving("WGIG-0-LATE", '"The secretariat was closed. "@en')), "final"
    )
    assert [(one.rule.code, one.waiver) for one in report.findings] == [
        ("WGIG-0-LATE", "The secretariat was closed.")
    ]
    assert report.conforms
    assert not check_document(example("ok-final", LATE), "final").conforms


def test_a_waiver_without_a_reason_waives_nothing() -> None:
    report = check_document(example("ok-final", LATE, waiving("WGIG-0-LATE", '" "@en')), "final")
    assert not report.conforms
    assert [one.waiver for one in report.findings if one.rule.code == "WGIG-0-LATE"] == [""]


def test_a_waiver_of_an_unknown_rule_is_a_finding() -> None:
    assert "WGIG-0-WAIVER-UNKNOWN" in codes(
        check_document(example("ok-final", waiving("WGIG-9-NONE", '"So."@en')))
    )


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        ('" "', {"WGIG-0-WAIVER-BLANK"}),
        ('""@en', {"WGIG-0-WAIVER-BLANK"}),
        ("<http://x>", {"WGIG-0-WAIVER-TEXT"}),
        ("[]", {"WGIG-0-WAIVER-BLANK", "WGIG-0-WAIVER-TEXT"}),
    ],
)
def test_a_reason_that_says_nothing_is_a_finding(reason: str, found: set[str]) -> None:
    report = check_document(example("ok-final", LATE, waiving("WGIG-0-LATE", reason)), "final")
    assert set(codes(report)) == {"WGIG-0-LATE", *found}
    assert not any(one.waiver for one in report.findings)


@pytest.mark.parametrize("reason", ['""', '" "'])
def test_a_blank_reason_in_markdown_is_a_finding(reason: str) -> None:
    text = f"---\npaper: x\nlanguage: en\ntitle: X\npages: 9\nwaivers:\n  WGIG-0-PAGES-MANY: {reason}\n---\n"
    report = check_document(read_paper_document("paper.md", text.encode(), MARKDOWN), "draft")
    assert codes(report) == ["WGIG-0-WAIVER-BLANK"]


def test_a_rule_about_waivers_cannot_be_waived() -> None:
    waived = waiving("WGIG-0-WAIVER-UNKNOWN WGIG-9-NONE", '"So."@en')
    report = check_document(example("ok-final", waived))
    assert [(one.rule.code, one.waiver) for one in report.findings] == [
        ("WGIG-0-WAIVER-UNKNOWN", ""),
        ("WGIG-0-WAIVER-REFUSED", ""),
    ]
    assert not report.conforms


def test_each_rule_about_waivers_is_told_to_be_one_that_cannot_be_waived() -> None:
    about = [code for code in rules_by_code() if code.startswith(UNWAIVABLE_CODE_PREFIX)]
    found = check_document(example("ok-final", waiving(" ".join(about), '"So."@en'))).findings
    assert Counter(one.rule.code for one in found) == {"WGIG-0-WAIVER-REFUSED": len(about)}


def test_who_may_leave_out_a_part_need_not_describe_it() -> None:
    changes = waiving("WGIG-5-FORUM-MISSING", '"There is none."@en')
    report = check_document(example("bad-WGIG-5-FORUM-MISSING", changes))
    assert (report.conforms, states(report)[5]) == (True, "waived")
    (paper,) = report.papers
    assert 0 < paper.waived == paper.parts - paper.met


def test_papers_in_one_file_have_their_own_findings() -> None:
    report = checked(
        """paper:one a wgig:IssuePaper ; bibo:numPages "four" ; wgig:swot paper:one\\/swot .
           paper:two a wgig:IssuePaper ; wgig:swot paper:two\\/swot ; dcterms:relation paper:one .
           paper:one\\/swot a wgig:Swot . paper:two\\/swot a wgig:Swot ; wgig:strength 1 , <x:> .""",
        "draft",
    )
    assert [(paper.iri[-3:], codes(paper), paper.conforms) for paper in report.papers] == [
        ("one", ["WGIG-0-PAGES-VALUE"], False),
        ("two", ["WGIG-3-TEXT"], False),
    ]


def test_a_paper_that_a_part_of_another_names_keeps_its_findings() -> None:
    report = checked(
        """paper:one a wgig:IssuePaper ; wgig:swot paper:one\\/swot .
           paper:one\\/swot a wgig:Swot ; dcterms:relation paper:two .
           paper:two a wgig:IssuePaper ; bibo:numPages "four" .""",
        "draft",
    )
    assert [codes(paper) for paper in report.papers] == [[], ["WGIG-0-PAGES-VALUE"]]


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_a_paper_judges_its_own_mechanisms_alone(engine: str) -> None:
    paper = """paper:{0} a wgig:IssuePaper ; wgig:mechanism paper:{0}\\/m ; wgig:assessment paper:{0}\\/a .
               paper:{0}\\/m a wgig:Mechanism .
               paper:{0}\\/a a wgig:Assessment ; wgig:criterion principle:transparency ;
                 wgig:judges paper:{1}\\/m ."""
    report = check_document(
        document(paper.format("one", "one") + paper.format("two", "one")), "draft", engine
    )
    assert [codes(paper) for paper in report.papers] == [[], ["WGIG-7-MECHANISM-UNKNOWN"]]
    (finding,) = report.findings
    assert finding.line.startswith("wgig:judges paper:one")


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_two_mechanisms_may_be_judged_by_one_criterion_but_one_may_not_twice(engine: str) -> None:
    paper = """paper:x a wgig:IssuePaper ; wgig:mechanism paper:x\\/1 , paper:x\\/2 ; wgig:assessment
                 [ a wgig:Assessment ; wgig:criterion principle:democracy ; wgig:judges paper:x\\/1 ] ,
                 [ a wgig:Assessment ; wgig:criterion principle:democracy ; wgig:judges paper:x\\/{} ] .
               paper:x\\/1 a wgig:Mechanism . paper:x\\/2 a wgig:Mechanism ."""
    assert not codes(check_document(document(paper.format(2)), "draft", engine))
    assert codes(check_document(document(paper.format(1)), "draft", engine)) == ["WGIG-7C-TWICE"]


GROUPS = "wgig:stakeholderGroup group:{}"


@pytest.mark.parametrize("engine", ENGINE_NAMES)
@pytest.mark.parametrize(
    ("ann", "ben", "known"),
    [
        (GROUPS.format("governments"), GROUPS.format("civil-society"), True),
        (GROUPS.format("governments"), GROUPS.format("governments"), False),
        ("wgig:stakeholderGroup <http://x/1>", "wgig:stakeholderGroup <http://x/2>", False),
        ('foaf:name "Ann"', GROUPS.format("civil-society"), False),
    ],
)
def test_a_drafter_without_a_seat_has_a_group_too(ann: str, ben: str, known: bool, engine: str) -> None:
    text = f"paper:x a wgig:IssuePaper ; wgig:drafter agent:a , agent:b . agent:a {ann} . agent:b {ben} ."
    assert ("WGIG-0-DRAFTER-GROUPS" in codes(check_document(document(text), "complete", engine))) is not known


def test_a_seat_and_a_group_of_ones_own_count_alike() -> None:
    text = """paper:x a wgig:IssuePaper ; wgig:drafter agent:afonso , agent:ann .
              agent:ann wgig:stakeholderGroup group:governments ."""
    assert "WGIG-0-DRAFTER-GROUPS" not in codes(checked(text))


def test_what_is_wrong_with_an_actor_is_wrong_in_each_paper_that_names_it() -> None:
    report = checked(
        """paper:one a wgig:IssuePaper ; wgig:mainActor agent:x .
           paper:two a wgig:IssuePaper ; wgig:mainActor agent:x .
           agent:x foaf:name "X" ; wgig:stakeholderGroup <x:> .""",
        "draft",
    )
    assert [codes(paper) for paper in report.papers] == [["WGIG-4-GROUP-UNKNOWN"]] * 2


def test_what_hangs_on_no_paper_is_found_in_the_first() -> None:
    text = "paper:one a wgig:IssuePaper . paper:two a wgig:IssuePaper . <x:> wgig:strenght 1 ."
    assert [codes(paper) for paper in checked(text, "draft").papers] == [["WGIG-0-TERM-UNKNOWN"], []]


def test_a_file_without_a_paper_is_an_error_of_its_own() -> None:
    with pytest.raises(Problem, match="No paper found in this file") as caught:
        checked("issue:spam a wgig:Issue .")
    assert (caught.value.status, caught.value.slug) == (422, "no-paper")


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("a wgig:IssuePapr", "wgig:IssuePapr is no class of the vocabulary. Did you mean wgig:IssuePaper?"),
        ("a <http://example.org/IssuePaper>", "example.org/IssuePaper is no class .* mean wgig:IssuePaper?"),
        ("a wgig:Qqq", "wgig:Qqq is no class of the vocabulary. Correct its spelling."),
        ('dcterms:title "Spam"@en', "Nothing in it has a type."),
    ],
)
def test_a_file_without_a_paper_is_told_what_may_be_the_reason(said: str, hint: str) -> None:
    with pytest.raises(Problem, match=hint.replace("?", r"\?")):
        checked(f"paper:x {said} .")


def test_a_profile_that_there_is_none_of_is_refused_with_those_there_are() -> None:
    with pytest.raises(Problem, match="draft, complete, final"):
        checked("paper:x a wgig:IssuePaper .", "perfect")


def test_a_misspelt_term_is_found_with_the_one_that_was_probably_meant() -> None:
    report = checked("paper:x a wgig:IssuePaper ; wgig:strenght 1 ; wgig:qqq wgig:Fourm .", "draft")
    found = {str(one.value).rpartition("#")[2]: one.suggestion for one in report.findings}
    assert found == {"strenght>": "wgig:strength", "qqq>": "", "Fourm>": "wgig:Forum"}


def test_a_misspelt_term_is_found_wherever_it_stands() -> None:
    report = checked(
        """paper:x a wgig:IssuePaper ; bibo:numPages 4 ; wgig:issueDescription "Mail"^^wgig:issu .
           wgig:Sw0t a wgig:Swot . wgig:Forum dcterms:title "Known" .""",
        "draft",
    )
    assert {(one.rule.code, str(one.value), one.suggestion) for one in report.findings} == {
        ("WGIG-0-TERM-UNKNOWN", f"<{WGIG_NAMESPACE}Sw0t>", "wgig:Swot"),
        ("WGIG-0-TERM-UNKNOWN", f'"Mail"^^<{WGIG_NAMESPACE}issu>', "wgig:issue"),
    }
    assert [one.line.split()[0] for one in report.findings] == ["paper:x", "wgig:Sw0t"]


# What an author wrote, the finding, and what was probably meant, in Turtle and in Markdown.
SLIPS = [
    ("wgig:issue issue:spamm", "issue: spamm", "WGIG-1-ISSUE-UNKNOWN", "issue:spam"),
    ("wgig:issue issue:Spam", "", "WGIG-1-ISSUE-UNKNOWN", "issue:spam"),
    ("wgig:drafter agent:afonsoo", "drafters: [afonsoo]", "WGIG-0-DRAFTER-MEMBER", "agent:afonso"),
    (
        "cito:cites declaration:480",
        "cites: [declaration/480]",
        "WGIG-0-CITATION-UNKNOWN",
        "declaration:48",
    ),
    ("wgig:category category:access", "", "WGIG-2-CATEGORY-UNKNOWN", "category:access-for-all"),
    ("wgig:drafter agent:rits", "", "WGIG-0-DRAFTER-MEMBER", ""),  # known, though no member
    ("wgig:category <http://example.org/access>", "", "WGIG-2-CATEGORY-UNKNOWN", ""),
    (
        "wgig:assessment [ a wgig:Assessment ; wgig:criterion principle:transparent ]",
        "",
        "WGIG-7-CRITERION-UNKNOWN",
        "principle:transparency",
    ),
    (
        "wgig:assessment [ wgig:criterion principle:democracy ; wgig:verdict verdict:adequat ; "
        "a wgig:Assessment ]",
        "",
        "WGIG-7-VERDICT-UNKNOWN",
        "verdict:adequate",
    ),
    (
        'wgig:waiver [ wgig:waives shape:WGIG-0-LATER ; wgig:reason "So."@en ]',
        "waivers: {WGIG-0-LATER: So.}",
        "WGIG-0-WAIVER-UNKNOWN",
        "shape:WGIG-0-LATE",
    ),
]


@pytest.mark.parametrize(("turtle", "markdown", "code", "name"), SLIPS)
def test_an_unknown_name_is_found_with_the_one_that_was_probably_meant(
    turtle: str, markdown: str, code: str, name: str
) -> None:
    (finding,) = checked(f"paper:x a wgig:IssuePaper ; {turtle} .", "draft").findings
    assert (finding.rule.code, finding.suggestion) == (code, name)
    if markdown:
        text = f"---\npaper: x\n{markdown}\n---\n"
        (finding,) = check_document(
            read_paper_document("paper.md", text.encode(), MARKDOWN), "draft"
        ).findings
        plain = name.replace("declaration:", "declaration/").rpartition(":")[2]
        assert (finding.rule.code, finding.suggestion) == (code, plain)


def test_what_was_probably_meant_is_looked_up_for_few_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "MAX_SUGGESTED_NAMES", 2)
    names = ", ".join(f"issue:spam{letter}" for letter in "mnopq")
    found = checked(f"paper:x a wgig:IssuePaper ; wgig:issue {names} .", "draft").findings
    assert [one.suggestion for one in found if one.value] == ["issue:spam"] * 2 + [""] * 3


@pytest.mark.parametrize("pages", ["-4", "0", "4.0", '"four"', '"4"'])
def test_pages_are_a_whole_number_above_zero(pages: str) -> None:
    assert codes(
        check_document(example("ok-final", ("bibo:numPages           4", f"bibo:numPages {pages}")), "final")
    ) == ["WGIG-0-PAGES-VALUE"]


@pytest.mark.parametrize(
    ("tag", "right"),
    [("en", True), ("zh-Hans", True), ("gsw-CH", True), ("english", False), ("e", False), ("en_US", False)],
)
def test_the_language_of_a_paper_is_a_tag(tag: str, right: bool) -> None:
    found = codes(checked(f'paper:x a wgig:IssuePaper ; schema:inLanguage "{tag}" .', "draft"))
    assert found == ([] if right else ["WGIG-0-LANGUAGE-VALUE"])


@pytest.mark.parametrize(
    ("paper", "title", "codes_"),
    [
        ("wp-spam", "Notes on mail", ["WGIG-0-NAME-TAKEN"]),
        ("wp-spam", "Spam", []),
        ("my-spam", "Notes on mail", []),
    ],
)
def test_a_paper_under_the_name_of_a_known_one_is_told_its_title(
    paper: str, title: str, codes_: list[str]
) -> None:
    report = checked(f'paper:{paper} a wgig:IssuePaper ; dcterms:title "{title}"@en .', "draft")
    assert codes(report) == codes_
    assert [one.suggestion for one in report.findings] == ["Spam"] * len(codes_)
    assert report.conforms


# What a paper refers to in place of what is known, what it says of that, and the rules that this breaks.
INVENTIONS = {
    "issue": ("issue:spam", '{} wgig:inventoryStatus "yes" .', {"WGIG-1-ISSUE-UNKNOWN"}),
    "category": (
        "category:stable-and-secure",
        "{} skos:inScheme scheme:categories-2004 .",
        {"WGIG-2-CATEGORY-UNKNOWN"},
    ),
    "verdict": ("verdict:inadequate", "{} skos:inScheme scheme:verdicts .", {"WGIG-7-VERDICT-UNKNOWN"}),
    "criterion": (
        "principle:involvement",
        "{} skos:inScheme scheme:principles ; skos:broader principle:involvement .",
        {"WGIG-7-CRITERION-UNKNOWN", "WGIG-7E-MISSING"},
    ),
    "passage": (
        "declaration:21",
        "{} a bibo:DocumentPart , wgig:Paragraph ; wgig:partOf doc:declaration .",
        {"WGIG-7-CITATION-UNKNOWN", "WGIG-7-CITATION-MISSING"},
    ),
    "passage of a class of one's own": (
        "declaration:50",
        "{} a <http://x/k> ; wgig:partOf declaration:48 . <http://x/k> rdfs:subClassOf wgig:Paragraph .",
        {"WGIG-7-CITATION-UNKNOWN", "WGIG-7-CITATION-MISSING"},
    ),
    "group": ("group:governments", "{} a wgig:StakeholderGroup .", {"WGIG-4-GROUP-UNKNOWN"}),
}


@pytest.mark.parametrize("engine", ENGINE_NAMES)
@pytest.mark.parametrize("name", ["<http://x/made-up>", "_:made-up", "paper:example\\/made-up"])
@pytest.mark.parametrize("what", INVENTIONS)
def test_a_paper_cannot_make_up_what_it_refers_to(what: str, name: str, engine: str) -> None:
    known, said, broken = INVENTIONS[what]
    made_up = example("ok-final", (f" {known} ;", f" {name} ;"))
    report = check_document(
        read_paper_document("", f"{made_up.text}\n{said.format(name)}".encode(), TURTLE), "final", engine
    )
    assert set(codes(report)) == broken
    assert not report.conforms


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_a_paper_may_seat_whom_it_names(engine: str) -> None:
    paper = "paper:x a wgig:IssuePaper ; wgig:drafter agent:ann ."
    seat = "[] a org:Membership ; org:member agent:ann ; org:organization agent:wgig ."
    assert codes(check_document(document(paper), "draft", engine)) == ["WGIG-0-DRAFTER-MEMBER"]
    assert codes(check_document(document(paper + seat), "draft", engine)) == []


def test_a_paper_under_the_name_of_another_thing_is_foreign() -> None:
    text = "issue:spam a wgig:IssuePaper . <https://w3id.org/wgig/id/issue> a wgig:IssuePaper ."
    report = checked(text + "issue:voip wgig:category <http://x> .", "draft")
    assert Counter(codes(report))["WGIG-0-FOREIGN"] == 3


def test_a_paper_may_describe_its_parts_and_actors_but_no_other_thing() -> None:
    report = checked(
        """paper:x a wgig:IssuePaper . paper:x\\/swot a wgig:Swot . agent:wgig foaf:name "WGIG" .
           paper:xy\\/swot a wgig:Swot . issue:spam dcterms:title "Spam"@en . <x:> foaf:name "X" .""",
        "draft",
    )
    assert {str(one.value) for one in report.findings} == {
        "<https://w3id.org/wgig/id/paper/xy/swot>",
        "<https://w3id.org/wgig/id/issue/spam>",
    }


def test_more_findings_than_can_be_shown_are_counted() -> None:
    titles = ", ".join(f'"{number}"' for number in range(1500))
    (paper,) = checked(f"paper:x a wgig:IssuePaper ; dcterms:title {titles} .", "draft").papers
    assert (len(paper.findings), paper.left_out) == (shacl_check.MAX_SHOWN_FINDINGS, 500)


def test_each_paper_has_its_share_of_what_is_shown() -> None:
    assert shacl_check.divide_finding_limit([1500, 1, 0, 1500], 1000) == [500, 1, 0, 499]
    assert shacl_check.divide_finding_limit([3, 2], 1000) == [3, 2]
    assert sum(shacl_check.divide_finding_limit([1] * 1500, 1000)) == 1000
    titles = ", ".join(f'"{number}"' for number in range(1500))
    other = "paper:y a wgig:IssuePaper ; bibo:numPages 4.0 ."
    first, second = checked(f"paper:x a wgig:IssuePaper ; dcterms:title {titles} . {other}", "draft").papers
    assert (len(first.findings), first.left_out) == (shacl_check.MAX_SHOWN_FINDINGS - 1, 501)
    assert (codes(second), second.left_out, second.conforms) == (["WGIG-0-PAGES-VALUE"], 0, False)


def test_no_rule_hides_another_however_often_it_is_broken() -> None:
    titles = ", ".join(f'"{number}"' for number in range(1500))
    report = checked(
        f'paper:x a wgig:IssuePaper ; dcterms:title {titles} ; bibo:numPages "four" ; wgig:category <x:> .',
        "draft",
    )
    assert codes(report)[-2:] == ["WGIG-0-PAGES-VALUE", "WGIG-2-CATEGORY-UNKNOWN"]
    assert len(report.findings) == shacl_check.MAX_SHOWN_FINDINGS


def test_findings_of_a_rule_stand_in_the_order_of_the_file() -> None:
    names = ["z", "b", "y", "a"]
    forums = "".join(f"paper:x wgig:forum <x:{name}> .\n" for name in names)
    found = checked(f"paper:x a wgig:IssuePaper .\n{forums}", "draft").findings
    assert [one.focus.value for one in found] == ["https://w3id.org/wgig/id/paper/x"] * 4
    assert [one.value.value[-1] for one in found if one.value] == names
    assert [one.place for one in found] == sorted(one.place for one in found if one.place)


def test_a_huge_name_is_not_held_once_for_each_finding() -> None:
    name = f"<http://example.org/{'x' * 100_000}>"
    result = ValidationResult("WGIG-0-FOREIGN", ox.NamedNode(name[1:-1]), ox.NamedNode(name[1:-1]))
    assert all(len(one) <= 1000 for one in shacl_check.result_sort_key(result) if isinstance(one, str))


class Counted(DocumentIndex):
    """Places that count how many triples are looked at."""

    looked = 0

    def find_object_nodes(self, node: Any) -> set[Any]:
        Counted.looked += len(self.numbers_by_subject.get(node, ()))
        return super().find_object_nodes(node)


def test_papers_that_share_all_that_they_name_are_not_walked_through_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    papers = "".join(f"paper:x{n} a wgig:IssuePaper ; dcterms:relation agent:n0 .\n" for n in range(100))
    chain = "".join(f"agent:n{n} dcterms:relation agent:n{n + 1} .\n" for n in range(100))
    shared = document(papers + chain)
    monkeypatch.setattr(shacl_check, "DocumentIndex", Counted)
    check_document(shared, "draft")
    assert Counted.looked == len(shared.triples)


def test_the_graphs_of_a_dataset_are_one_paper() -> None:
    graphs = "<a:> { paper:x a wgig:IssuePaper } <b:> { paper:x a wgig:IssuePaper ; bibo:numPages 4.5 }"
    report = check_document(read_paper_document("paper.trig", (PREFIXES + graphs).encode(), TRIG), "draft")
    assert [codes(paper) for paper in report.papers] == [["WGIG-0-PAGES-VALUE"]]


@pytest.mark.parametrize("engine", ["shifty", "pyshacl"])
def test_shapes_in_a_file_neither_add_to_the_rules_nor_take_from_them(engine: str) -> None:
    paper = f'paper:x a wgig:IssuePaper ; dcterms:title "{"a" * 40}!" .'
    own = """shape:WGIG-0-TITLE-LANGUAGE sh:deactivated true ; sh:severity sh:Info .
             shape:OWN a sh:NodeShape ; sh:targetClass wgig:IssuePaper ;
               sh:property [ sh:path dcterms:title ; sh:pattern "(a+)+$" ] ,
                           [ sh:path wgig:drafter ; sh:minCount 7 ] .
             shape:WGIG-0-PAGES-TWICE sh:minCount 9 ; sh:targetNode paper:x ."""
    alone, beside = (check_document(document(text), "draft", engine) for text in (paper, paper + own))
    assert codes(alone) == codes(beside) == ["WGIG-0-TITLE-LANGUAGE"]
    assert not beside.conforms


def test_a_thousand_made_up_categories_are_unknown_and_no_matter_for_the_inventory() -> None:
    names = [f"<http://example.org/{number}>" for number in range(1000)]
    made_up = "".join(f"{name} skos:inScheme scheme:categories-2004 .\n" for name in names)
    paper = f"paper:x a wgig:IssuePaper ; wgig:issue issue:spam ; wgig:category {', '.join(names)} .\n"
    assert Counter(codes(checked(paper + made_up, "draft"))) == {"WGIG-2-CATEGORY-UNKNOWN": 1000}
    assert "WGIG-2-CATEGORY-INVENTORY" not in codes(checked(paper + made_up))


def test_a_reason_is_told_with_each_finding_so_it_is_told_in_short() -> None:
    reason = waiving("WGIG-0-TITLE-LANGUAGE", f'"{"So. " * 1000}"@en')
    titles = ('"Spam (an example)"@en', '"Spam" , "Mail" , "Spam (an example)"@en')
    found = check_document(example("ok-final", reason, titles)).findings
    assert [one.rule.code for one in found] == ["WGIG-0-TITLE-LANGUAGE"] * 2
    assert {(len(one.waiver), one.waiver[-1]) for one in found} == {(1000, "…")}


def test_a_slip_in_json_with_the_context_of_the_project_is_found() -> None:
    text = """{"@context": "https://w3id.org/wgig/context.jsonld", "id": "x", "type": "IssuePaper",
 "issu": "https://w3id.org/wgig/id/issue/spam"}"""
    (finding,) = check_document(read_paper_document("x.jsonld", text.encode(), JSON_LD), "draft").findings
    assert (finding.rule.code, finding.suggestion) == ("WGIG-0-TERM-UNKNOWN", "wgig:issue")
    assert finding.place == (2, 2)
