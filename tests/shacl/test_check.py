"""What a check finds in papers: by profile and engine, of several papers in one file, and within limits."""

from collections import Counter
from typing import Any

import pyoxigraph as ox
import pytest
from wgig.papers.readers import read_paper_document
from wgig.problems import Problem
from wgig.rdf.formats import TRIG, TURTLE
from wgig.rdf.namespaces import WGIG_NAMESPACE
from wgig.shacl import check as shacl_check
from wgig.shacl.check import check_document
from wgig.shacl.documents import Document
from wgig.shacl.engines import ENGINE_NAMES
from wgig.shacl.results import ValidationResult
from wgig.shacl.rules import CHECK_PROFILES, rules_by_code

from tests.fixtures.checked_papers import EXAMPLES, PREFIXES, checked, codes, document, example, waiving

pytestmark = pytest.mark.slow


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


def test_a_profile_that_there_is_none_of_is_refused_with_those_there_are() -> None:
    with pytest.raises(Problem, match="draft, complete, final"):
        checked("paper:x a wgig:IssuePaper .", "perfect")


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


def test_papers_that_share_all_that_they_name_are_not_walked_through_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    papers = "".join(f"paper:x{n} a wgig:IssuePaper ; dcterms:relation agent:n0 .\n" for n in range(100))
    chain = "".join(f"agent:n{n} dcterms:relation agent:n{n + 1} .\n" for n in range(100))
    shared = document(papers + chain)
    looked: list[ox.Triple] = []
    find = Document.find_object_nodes

    def counted(document: Document, node: Any) -> set[Any]:
        looked.extend(document.triples_about(node))
        return find(document, node)

    monkeypatch.setattr(Document, "find_object_nodes", counted)
    check_document(shared, "draft")
    assert Counter(looked) == Counter(shared.triples)


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
