"""Checks of papers: by profile and engine, with several papers in one file, and within limits."""

from collections import Counter
from pathlib import Path
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

from tests.fixtures.checked_papers import (
    EXAMPLES_FOLDER,
    PREFIXES,
    check_text,
    parse_paper,
    read_example,
    rule_codes,
    waiver_change,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("path", sorted(EXAMPLES_FOLDER.glob("*.ttl")), ids=lambda path: path.stem)
def test_a_profile_has_all_findings_of_earlier_profiles(path: Path) -> None:
    counts_by_profile = [
        Counter(rule_codes(check_document(read_example(path.stem), profile))) for profile in CHECK_PROFILES
    ]
    assert counts_by_profile[0] <= counts_by_profile[1] <= counts_by_profile[2]
    for profile, counts in zip(CHECK_PROFILES, counts_by_profile, strict=True):
        assert all(rules_by_code()[code].is_in_profile(profile) for code in counts)


def test_an_example_conforms_to_its_profile_and_earlier_ones() -> None:
    conforms = {
        name: [check_document(read_example(f"ok-{name}"), profile).conforms for profile in CHECK_PROFILES]
        for name in CHECK_PROFILES
    }
    assert conforms == {
        "draft": [True, False, False],
        "complete": [True, True, False],
        "final": [True, True, True],
    }


def test_papers_in_one_file_have_their_own_findings() -> None:
    report = check_text(
        """paper:one a wgig:IssuePaper ; bibo:numPages "four" ; wgig:swot paper:one\\/swot .
           paper:two a wgig:IssuePaper ; wgig:swot paper:two\\/swot ; dcterms:relation paper:one .
           paper:one\\/swot a wgig:Swot . paper:two\\/swot a wgig:Swot ; wgig:strength 1 , <x:> .""",
        "draft",
    )
    assert [(paper.iri[-3:], rule_codes(paper), paper.conforms) for paper in report.papers] == [
        ("one", ["WGIG-0-PAGES-VALUE"], False),
        ("two", ["WGIG-3-TEXT"], False),
    ]


def test_a_paper_that_part_of_another_paper_refers_to_keeps_its_findings() -> None:
    report = check_text(
        """paper:one a wgig:IssuePaper ; wgig:swot paper:one\\/swot .
           paper:one\\/swot a wgig:Swot ; dcterms:relation paper:two .
           paper:two a wgig:IssuePaper ; bibo:numPages "four" .""",
        "draft",
    )
    assert [rule_codes(paper) for paper in report.papers] == [[], ["WGIG-0-PAGES-VALUE"]]


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_a_paper_may_assess_only_its_own_mechanisms(engine: str) -> None:
    paper = """paper:{0} a wgig:IssuePaper ; wgig:mechanism paper:{0}\\/m ; wgig:assessment paper:{0}\\/a .
               paper:{0}\\/m a wgig:Mechanism .
               paper:{0}\\/a a wgig:Assessment ; wgig:criterion principle:transparency ;
                 wgig:judges paper:{1}\\/m ."""
    report = check_document(
        parse_paper(paper.format("one", "one") + paper.format("two", "one")), "draft", engine
    )
    assert [rule_codes(paper) for paper in report.papers] == [[], ["WGIG-7-MECHANISM-UNKNOWN"]]
    (finding,) = report.findings
    assert finding.line.startswith("wgig:judges paper:one")


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_a_mechanism_is_assessed_once_by_each_criterion(engine: str) -> None:
    paper = """paper:x a wgig:IssuePaper ; wgig:mechanism paper:x\\/1 , paper:x\\/2 ; wgig:assessment
                 [ a wgig:Assessment ; wgig:criterion principle:democracy ; wgig:judges paper:x\\/1 ] ,
                 [ a wgig:Assessment ; wgig:criterion principle:democracy ; wgig:judges paper:x\\/{} ] .
               paper:x\\/1 a wgig:Mechanism . paper:x\\/2 a wgig:Mechanism ."""
    assert not rule_codes(check_document(parse_paper(paper.format(2)), "draft", engine))
    assert rule_codes(check_document(parse_paper(paper.format(1)), "draft", engine)) == ["WGIG-7C-TWICE"]


GROUP_STATEMENT = "wgig:stakeholderGroup group:{}"


@pytest.mark.parametrize("engine", ENGINE_NAMES)
@pytest.mark.parametrize(
    ("first_statement", "second_statement", "has_two_groups"),
    [
        (GROUP_STATEMENT.format("governments"), GROUP_STATEMENT.format("civil-society"), True),
        (GROUP_STATEMENT.format("governments"), GROUP_STATEMENT.format("governments"), False),
        ("wgig:stakeholderGroup <http://x/1>", "wgig:stakeholderGroup <http://x/2>", False),
        ('foaf:name "Ann"', GROUP_STATEMENT.format("civil-society"), False),
    ],
)
def test_the_group_of_a_drafter_who_is_no_member_counts(
    first_statement: str, second_statement: str, has_two_groups: bool, engine: str
) -> None:
    drafters = f"agent:a {first_statement} . agent:b {second_statement} ."
    text = f"paper:x a wgig:IssuePaper ; wgig:drafter agent:a , agent:b . {drafters}"
    broken_codes = rule_codes(check_document(parse_paper(text), "complete", engine))
    # This rule requires drafters of two groups.
    assert ("WGIG-0-DRAFTER-GROUPS" in broken_codes) is not has_two_groups


def test_membership_and_stated_group_count_alike() -> None:
    # The group of agent:afonso, civil society, comes from the membership in the bundled data.
    text = """paper:x a wgig:IssuePaper ; wgig:drafter agent:afonso , agent:ann .
              agent:ann wgig:stakeholderGroup group:governments ."""
    assert "WGIG-0-DRAFTER-GROUPS" not in rule_codes(check_text(text))


def test_a_fault_of_an_actor_is_found_in_each_paper_that_refers_to_it() -> None:
    report = check_text(
        """paper:one a wgig:IssuePaper ; wgig:mainActor agent:x .
           paper:two a wgig:IssuePaper ; wgig:mainActor agent:x .
           agent:x foaf:name "X" ; wgig:stakeholderGroup <x:> .""",
        "draft",
    )
    assert [rule_codes(paper) for paper in report.papers] == [["WGIG-4-GROUP-UNKNOWN"]] * 2


def test_a_fault_outside_all_papers_is_found_in_the_first_paper() -> None:
    text = "paper:one a wgig:IssuePaper . paper:two a wgig:IssuePaper . <x:> wgig:strenght 1 ."
    assert [rule_codes(paper) for paper in check_text(text, "draft").papers] == [["WGIG-0-TERM-UNKNOWN"], []]


def test_a_file_without_a_paper_is_refused() -> None:
    with pytest.raises(Problem, match="No paper found in this file") as caught:
        check_text("issue:spam a wgig:Issue .")
    assert (caught.value.status, caught.value.slug) == (422, "no-paper")


def test_an_unknown_profile_is_refused_with_the_list_of_profiles() -> None:
    with pytest.raises(Problem, match="draft, complete, final"):
        check_text("paper:x a wgig:IssuePaper .", "perfect")


def test_a_misspelled_term_is_found_as_datatype_and_as_subject() -> None:
    report = check_text(
        """paper:x a wgig:IssuePaper ; bibo:numPages 4 ; wgig:issueDescription "Mail"^^wgig:issu .
           wgig:Sw0t a wgig:Swot . wgig:Forum dcterms:title "Known" .""",
        "draft",
    )
    assert {(finding.rule.code, str(finding.value), finding.suggestion) for finding in report.findings} == {
        ("WGIG-0-TERM-UNKNOWN", f"<{WGIG_NAMESPACE}Sw0t>", "wgig:Swot"),
        ("WGIG-0-TERM-UNKNOWN", f'"Mail"^^<{WGIG_NAMESPACE}issu>', "wgig:issue"),
    }
    assert [finding.line.split()[0] for finding in report.findings] == ["paper:x", "wgig:Sw0t"]


@pytest.mark.parametrize("pages", ["-4", "0", "4.0", '"four"', '"4"'])
def test_the_number_of_pages_is_a_positive_integer(pages: str) -> None:
    assert rule_codes(
        check_document(
            read_example("ok-final", ("bibo:numPages           4", f"bibo:numPages {pages}")), "final"
        )
    ) == ["WGIG-0-PAGES-VALUE"]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ('bibo:numPages "4"', "WGIG-0-PAGES-VALUE"),
        ('wgig:round "1"', "WGIG-0-ROUND-VALUE"),
        ('wgig:forum [ a wgig:Forum ; wgig:makesDecisions "no" ]', "WGIG-5B-DECIDES-VALUE"),
    ],
)
def test_the_message_about_a_number_or_boolean_in_quotes_says_without_quotes(
    statement: str, code: str
) -> None:
    (finding,) = check_text(f"paper:x a wgig:IssuePaper ; {statement} .", "draft").findings
    assert finding.rule.code == code
    for language, words in {
        "ar": "بلا علامات اقتباس",
        "en": "without quotes",
        "es": "sin comillas",
        "fr": "sans guillemets",
        "ru": "без кавычек",
        "zh": "不加引号",
    }.items():
        assert words in finding.rule.message_in(language)


@pytest.mark.parametrize(
    ("tag", "is_valid"),
    [("en", True), ("zh-Hans", True), ("gsw-CH", True), ("english", False), ("e", False), ("en_US", False)],
)
def test_the_language_of_a_paper_is_a_language_tag(tag: str, is_valid: bool) -> None:
    broken_codes = rule_codes(check_text(f'paper:x a wgig:IssuePaper ; schema:inLanguage "{tag}" .', "draft"))
    assert broken_codes == ([] if is_valid else ["WGIG-0-LANGUAGE-VALUE"])


# The known name that an invented one replaces, the statements about the invented one, and the broken rules.
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
    "passage of an invented class": (
        "declaration:50",
        "{} a <http://x/k> ; wgig:partOf declaration:48 . <http://x/k> rdfs:subClassOf wgig:Paragraph .",
        {"WGIG-7-CITATION-UNKNOWN", "WGIG-7-CITATION-MISSING"},
    ),
    "group": ("group:governments", "{} a wgig:StakeholderGroup .", {"WGIG-4-GROUP-UNKNOWN"}),
}


@pytest.mark.parametrize("engine", ENGINE_NAMES)
@pytest.mark.parametrize("invented_name", ["<http://x/made-up>", "_:made-up", "paper:example\\/made-up"])
@pytest.mark.parametrize("resource_type", INVENTIONS)
def test_a_paper_cannot_invent_the_resources_it_refers_to(
    resource_type: str, invented_name: str, engine: str
) -> None:
    known_name, statement, broken_codes = INVENTIONS[resource_type]
    changed_example = read_example("ok-final", (f" {known_name} ;", f" {invented_name} ;"))
    report = check_document(
        read_paper_document(
            "", f"{changed_example.text}\n{statement.format(invented_name)}".encode(), TURTLE
        ),
        "final",
        engine,
    )
    assert set(rule_codes(report)) == broken_codes
    assert not report.conforms


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_a_paper_may_state_the_membership_of_its_drafter(engine: str) -> None:
    paper = "paper:x a wgig:IssuePaper ; wgig:drafter agent:ann ."
    membership = "[] a org:Membership ; org:member agent:ann ; org:organization agent:wgig ."
    assert rule_codes(check_document(parse_paper(paper), "draft", engine)) == ["WGIG-0-DRAFTER-MEMBER"]
    assert rule_codes(check_document(parse_paper(paper + membership), "draft", engine)) == []


def test_a_paper_with_the_iri_of_another_resource_is_foreign() -> None:
    text = "issue:spam a wgig:IssuePaper . <https://w3id.org/wgig/id/issue> a wgig:IssuePaper ."
    report = check_text(text + "issue:voip wgig:category <http://x> .", "draft")
    # Neither subject has the IRI of a paper, and issue:voip is no part of a paper.
    assert Counter(rule_codes(report))["WGIG-0-FOREIGN"] == 3


def test_a_paper_may_describe_its_parts_and_actors_but_no_other_resource() -> None:
    report = check_text(
        """paper:x a wgig:IssuePaper . paper:x\\/swot a wgig:Swot . agent:wgig foaf:name "WGIG" .
           paper:xy\\/swot a wgig:Swot . issue:spam dcterms:title "Spam"@en . <x:> foaf:name "X" .""",
        "draft",
    )
    assert {str(finding.value) for finding in report.findings} == {
        "<https://w3id.org/wgig/id/paper/xy/swot>",
        "<https://w3id.org/wgig/id/issue/spam>",
    }


def test_findings_above_the_limit_are_counted() -> None:
    titles = ", ".join(f'"{number}"' for number in range(1500))
    (paper,) = check_text(f"paper:x a wgig:IssuePaper ; dcterms:title {titles} .", "draft").papers
    assert (len(paper.findings), paper.left_out) == (shacl_check.MAX_SHOWN_FINDINGS, 500)


def test_each_paper_gets_a_share_of_the_finding_limit() -> None:
    assert shacl_check.divide_finding_limit([1500, 1, 0, 1500], 1000) == [500, 1, 0, 499]
    assert shacl_check.divide_finding_limit([3, 2], 1000) == [3, 2]
    assert sum(shacl_check.divide_finding_limit([1] * 1500, 1000)) == 1000
    titles = ", ".join(f'"{number}"' for number in range(1500))
    second_paper = "paper:y a wgig:IssuePaper ; bibo:numPages 4.0 ."
    first, second = check_text(
        f"paper:x a wgig:IssuePaper ; dcterms:title {titles} . {second_paper}", "draft"
    ).papers
    assert (len(first.findings), first.left_out) == (shacl_check.MAX_SHOWN_FINDINGS - 1, 501)
    assert (rule_codes(second), second.left_out, second.conforms) == (["WGIG-0-PAGES-VALUE"], 0, False)


def test_many_findings_of_a_rule_do_not_hide_other_rules() -> None:
    titles = ", ".join(f'"{number}"' for number in range(1500))
    report = check_text(
        f'paper:x a wgig:IssuePaper ; dcterms:title {titles} ; bibo:numPages "four" ; wgig:category <x:> .',
        "draft",
    )
    assert rule_codes(report)[-2:] == ["WGIG-0-PAGES-VALUE", "WGIG-2-CATEGORY-UNKNOWN"]
    assert len(report.findings) == shacl_check.MAX_SHOWN_FINDINGS


def test_findings_of_a_rule_are_in_file_order() -> None:
    names = ["z", "b", "y", "a"]
    forums = "".join(f"paper:x wgig:forum <x:{name}> .\n" for name in names)
    findings = check_text(f"paper:x a wgig:IssuePaper .\n{forums}", "draft").findings
    assert [finding.focus.value for finding in findings] == ["https://w3id.org/wgig/id/paper/x"] * 4
    assert [finding.value.value[-1] for finding in findings if finding.value] == names
    assert [finding.position for finding in findings] == sorted(
        finding.position for finding in findings if finding.position
    )


def test_sort_keys_have_at_most_1000_characters_per_term() -> None:
    iri = f"<http://example.org/{'x' * 100_000}>"
    result = ValidationResult("WGIG-0-FOREIGN", ox.NamedNode(iri[1:-1]), ox.NamedNode(iri[1:-1]))
    assert all(
        len(key_part) <= 1000 for key_part in shacl_check.result_sort_key(result) if isinstance(key_part, str)
    )


def test_nodes_shared_by_papers_are_visited_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    papers = "".join(f"paper:x{n} a wgig:IssuePaper ; dcterms:relation agent:n0 .\n" for n in range(100))
    chain = "".join(f"agent:n{n} dcterms:relation agent:n{n + 1} .\n" for n in range(100))
    document = parse_paper(papers + chain)
    visited: list[ox.Triple] = []
    find_object_nodes = Document.find_object_nodes

    def record_visits(document: Document, node: Any) -> set[Any]:
        visited.extend(document.triples_about(node))
        return find_object_nodes(document, node)

    monkeypatch.setattr(Document, "find_object_nodes", record_visits)
    check_document(document, "draft")
    assert Counter(visited) == Counter(document.triples)


def test_graphs_of_a_dataset_are_checked_together() -> None:
    graphs = "<a:> { paper:x a wgig:IssuePaper } <b:> { paper:x a wgig:IssuePaper ; bibo:numPages 4.5 }"
    report = check_document(read_paper_document("paper.trig", (PREFIXES + graphs).encode(), TRIG), "draft")
    assert [rule_codes(paper) for paper in report.papers] == [["WGIG-0-PAGES-VALUE"]]


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_shapes_in_a_file_do_not_change_the_rules(engine: str) -> None:
    # On this title, the pattern in the shapes below would take exponential time.
    paper = f'paper:x a wgig:IssuePaper ; dcterms:title "{"a" * 40}!" .'
    shapes = """shape:WGIG-0-TITLE-LANGUAGE sh:deactivated true ; sh:severity sh:Info .
             shape:OWN a sh:NodeShape ; sh:targetClass wgig:IssuePaper ;
               sh:property [ sh:path dcterms:title ; sh:pattern "(a+)+$" ] ,
                           [ sh:path wgig:drafter ; sh:minCount 7 ] .
             shape:WGIG-0-PAGES-TWICE sh:minCount 9 ; sh:targetNode paper:x ."""
    report, report_with_shapes = (
        check_document(parse_paper(text), "draft", engine) for text in (paper, paper + shapes)
    )
    assert rule_codes(report) == rule_codes(report_with_shapes) == ["WGIG-0-TITLE-LANGUAGE"]
    assert not report_with_shapes.conforms


def test_invented_categories_break_only_the_rule_about_unknown_ones() -> None:
    names = [f"<http://example.org/{number}>" for number in range(1000)]
    statements = "".join(f"{name} skos:inScheme scheme:categories-2004 .\n" for name in names)
    paper = f"paper:x a wgig:IssuePaper ; wgig:issue issue:spam ; wgig:category {', '.join(names)} .\n"
    assert Counter(rule_codes(check_text(paper + statements, "draft"))) == {"WGIG-2-CATEGORY-UNKNOWN": 1000}
    assert "WGIG-2-CATEGORY-INVENTORY" not in rule_codes(check_text(paper + statements))


def test_a_long_waiver_reason_is_shortened_in_each_finding() -> None:
    waiver = waiver_change("WGIG-0-TITLE-LANGUAGE", f'"{"So. " * 1000}"@en')
    title_change = ('"Spam (an example)"@en', '"Spam" , "Mail" , "Spam (an example)"@en')
    findings = check_document(read_example("ok-final", waiver, title_change)).findings
    assert [finding.rule.code for finding in findings] == ["WGIG-0-TITLE-LANGUAGE"] * 2
    assert {(len(finding.waiver), finding.waiver[-1]) for finding in findings} == {(1000, "…")}
