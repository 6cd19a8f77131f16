"""The conformance graph has an assertion on each paper and is updated with every write.

The assertion states which profiles, sections and parts of section 7 did not pass, and which rules are broken.
"""

import multiprocessing
import os
import signal
from pathlib import Path

import httpx2
import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import RDF_TYPE, WGIG_ISSUE_PAPER, expand_curie
from wgig.rdf.serialization import build_quad, normalize_triples, parse_graph_document
from wgig.rdf.shipped import read_inference_rules, read_turtle_files
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl import conformance, conformance_graph, conformance_workers
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.shacl.documents import Document
from wgig.shacl.outcomes import (
    OUTCOME_FAILED,
    OUTCOME_PASSED,
    OUTCOMES_BY_PROPERTY,
    list_section_outcomes,
)
from wgig.shacl.rules import CHECK_PROFILES, TEMPLATE_SECTIONS
from wgig.store.change import Change, apply_change, combine_changes
from wgig.store.overlay import QuadOverlay
from wgig.store.store import Store
from wgig.store.view import select_solutions
from wgig_client.namespaces import namespaces_by_prefix

from tests.fixtures.service import make_store_client
from tests.fixtures.triples import parse_triples

NAMESPACES = namespaces_by_prefix(Settings.base)
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in NAMESPACES.items())
EXAMPLE_NAME = "example-community-networks"
CONFORMANCE_GRAPH = f"{NAMESPACES['graph']}conformance"
SPAM_GRAPH = f"{NAMESPACES['graph']}paper/wp-spam"
WGIG_EVIDENCE = expand_curie("wgig:evidence")
CRITERION_PARTS = ("7a", "7b", "7c", "7d", "7e", "7f")  # the parts of section 7, one for each criterion
OUTCOMES = OUTCOMES_BY_PROPERTY | {expand_curie("wgig:profileFailed"): OUTCOME_FAILED}


def parse_turtle(text: str) -> list[ox.Triple]:
    return parse_triples(PREFIXES + text)


def read_paper_as_seen() -> list[ox.Triple]:
    """A bundled paper, without the statement that its text was not seen."""
    paper = parse_graph_document((SHIPPED_FOLDER / "data/papers/wp-spam.ttl").read_bytes(), "text/turtle")
    text = [triple for triple in paper if triple.predicate != WGIG_EVIDENCE]
    assert len(text) == len(paper) - 1
    return text


@pytest.fixture
def store() -> Store:
    """A store with one bundled paper, which has little more than a title, as if that were all of it."""
    store = Store.in_memory(computed_graphs=[ConformanceGraph(Settings.base, Settings.shacl)])
    store.apply(store.compute_addition(SPAM_GRAPH, read_paper_as_seen()))
    return store


def add_statements(store: Store, text: str, name: str = "wp-spam") -> None:
    store.apply(store.compute_addition(f"{NAMESPACES['graph']}paper/{name}", parse_turtle(text)))


def select_column(store: Store, pattern: str) -> list[str]:
    """The values of ?x in the solutions of a pattern, in order."""
    return [
        row["x"].value for row in select_solutions(store, f"{PREFIXES} SELECT ?x {{ {pattern} }} ORDER BY ?x")
    ]


def select_outcomes(store: Store, paper: str = "wp-spam") -> dict[str, str]:
    """The outcomes for a paper by profile, section and part of section 7; empty if it is not checked."""
    rows = select_solutions(
        store, f"{PREFIXES} SELECT * {{ [] earl:subject paper:{paper} ; ?property ?value }}"
    )
    outcomes = {
        row["value"].value.rpartition("/")[2]: OUTCOMES[row["property"]]
        for row in rows
        if row["property"] in OUTCOMES
    }
    names = (*CHECK_PROFILES, *map(str, TEMPLATE_SECTIONS), *CRITERION_PARTS)
    return {name: outcomes.get(name, OUTCOME_PASSED) for name in names} if rows else {}


def list_broken_rules(store: Store, paper: str = "wp-spam") -> list[str]:
    """The codes of the rules that a paper breaks."""
    shape_iris = select_column(store, f"assertion:{paper} wgig:breaks ?x")
    return [iri.removeprefix(NAMESPACES["shape"]) for iri in shape_iris]


def count_parts(store: Store, paper: str = "wp-spam") -> tuple[int, int]:
    """The number of required parts that a paper has, and the number of all required parts."""
    pattern = "wgig:partsMet ?met ; wgig:partsAsked ?asked"
    (row,) = select_solutions(store, f"{PREFIXES} SELECT * {{ assertion:{paper} {pattern} }}")
    return int(row["met"].value), int(row["asked"].value)


def test_a_paper_is_tested_by_every_profile_section_and_criterion(store: Store) -> None:
    sections = dict.fromkeys("01234567", "missing") | {"8": "untested"}
    criteria = dict.fromkeys(CRITERION_PARTS, "missing")
    profiles = {"draft": "passed", "complete": "failed", "final": "failed"}
    assert select_outcomes(store) == sections | criteria | profiles


def test_a_complete_paper_passes_every_test(store: Store) -> None:
    assert set(select_outcomes(store, EXAMPLE_NAME).values()) == {"passed"}
    met, required = count_parts(store, EXAMPLE_NAME)
    assert met == required > 20


@pytest.mark.parametrize("evidence", ["not seen", "heading only", "beginning only"])
def test_nobody_can_tell_what_a_paper_lacks_whose_text_was_not_seen(store: Store, evidence: str) -> None:
    add_statements(store, f'paper:wp-spam wgig:evidence "{evidence}" .')
    pattern = "assertion:wp-spam earl:result ?x . ?x earl:outcome earl:cantTell"
    assert select_column(store, pattern) == [f"{NAMESPACES['test-result']}cannot-tell"]
    properties = [iri.rpartition("#")[2] for iri in select_column(store, "assertion:wp-spam ?x ?value")]
    assert {name for name in properties if "arts" in name or "part" in name} == {"partsAsked"}
    assert not {"breaks", "profileFailed"}.intersection(properties)
    assert count_statements(store, "wp-spam") == 10
    assertion = ox.NamedNode(f"{NAMESPACES['assertion']}wp-spam")
    pairs = [(quad.predicate, quad.object) for quad in store.match(assertion)]
    assert list_section_outcomes(pairs) == ["unseen"] * len(TEMPLATE_SECTIONS)


def test_a_paper_whose_full_text_was_seen_is_checked(store: Store) -> None:
    before = select_outcomes(store)
    add_statements(store, 'paper:wp-spam wgig:evidence "full text" .')
    assert select_outcomes(store) == before
    assert count_parts(store) == (2, 28)


def test_a_paper_whose_text_somebody_entered_is_checked(store: Store) -> None:
    add_statements(store, 'paper:wp-spam wgig:evidence "not seen" .')
    assert set(select_outcomes(store).values()) == {"passed"}  # nothing is stated
    add_statements(store, 'paper:wp-spam wgig:issueDescription "Mail that nobody asked for"@en .')
    outcomes = select_outcomes(store)
    assert (outcomes["complete"], outcomes["1"], outcomes["3"]) == ("failed", "passed", "missing")
    assert count_parts(store) == (3, 28)


def test_a_faulty_part_is_not_missing(store: Store) -> None:
    paper = parse_graph_document(
        (SHIPPED_FOLDER / "shapes/examples/issue-paper/bad-WGIG-7B-TWICE.ttl").read_bytes(), "text/turtle"
    )
    subject = next(str(triple.subject) for triple in paper if triple.object == WGIG_ISSUE_PAPER)
    name = subject.strip("<>").removeprefix(NAMESPACES["paper"])
    store.apply(store.compute_addition(f"{NAMESPACES['graph']}paper/{name}", paper))
    outcomes = select_outcomes(store, name)
    assert (outcomes["7"], outcomes["7b"], outcomes["7a"], outcomes["complete"]) == (
        "faulty",
        "faulty",
        "passed",
        "failed",
    )
    pattern = f"[] earl:subject paper:{name} ; earl:test profile:complete ; earl:result/earl:outcome ?x"
    assert select_column(store, pattern) == [f"{NAMESPACES['earl']}failed"]


def count_statements(store: Store, paper: str) -> int:
    """The number of statements about a paper in the conformance graph."""
    prefix = f"<{NAMESPACES['assertion']}{paper}"
    subjects = [str(triple.subject) for triple in store.triples(CONFORMANCE_GRAPH)]
    return sum(subject == f"{prefix}>" or subject.startswith(f"{prefix}/") for subject in subjects)


def test_a_paper_needs_few_statements(store: Store) -> None:
    assert count_statements(store, EXAMPLE_NAME) <= 13
    # It has little more than a title: 8 sections, 6 parts and 16 rules fail.
    assert count_statements(store, "wp-spam") <= 53
    examples = sorted((SHIPPED_FOLDER / "shapes/examples/issue-paper").glob("bad-*.ttl"))
    for path in examples:  # each is complete except for one fault
        paper = list(normalize_triples(read_turtle_files([path])))
        (node,) = {triple.subject for triple in paper if triple.object == WGIG_ISSUE_PAPER}
        assert isinstance(node, ox.NamedNode)
        (triples,) = conformance.build_conformance_triples(
            [conformance.PaperToCheck(node, paper, "digest")], Settings.shacl
        )
        assert len(triples) <= 40, path.name


def test_findings_above_the_limit_are_counted_and_fail_the_tests(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conformance, "MAX_SHOWN_FINDINGS", 5)
    categories = " , ".join(f"<urn:wrong:{number}>" for number in range(20))
    add_statements(store, f"paper:wp-wrong a wgig:IssuePaper ; wgig:category {categories} .", "wp-wrong")
    assert [select_outcomes(store, "wp-wrong")[part] for part in CRITERION_PARTS] == ["missing"] * 6
    comments = select_column(store, "assertion:wp-wrong rdfs:comment ?x")
    listed_findings = select_column(
        store, "?x a sh:ValidationResult FILTER(CONTAINS(STR(?x), 'wp-wrong/finding'))"
    )
    assert (len(listed_findings), len(comments)) == (5, 1)
    assert comments[0].startswith("Findings not listed: ")


def test_labels_quote_the_beginning_of_a_long_title(store: Store) -> None:
    title = "x y " * 500
    add_statements(store, f'paper:wp-mine a wgig:IssuePaper ; dcterms:title "{title}"@en .', "wp-mine")
    (label,) = select_column(store, "?s earl:subject paper:wp-mine ; rdfs:label ?x")
    assert label == f"{title[:999]}…, profile complete: failed, 1 of 28 parts"


def test_findings_do_not_repeat_long_terms(store: Store) -> None:
    long_text, long_part = "x y " * 500, f"<{NAMESPACES['paper']}wp-mine/{'x' * 2000}>"
    add_statements(
        store,
        f'paper:wp-mine a wgig:IssuePaper ; wgig:issue "{long_text}" ; wgig:assessment {long_part} . '
        f'{long_part} a wgig:Assessment ; wgig:criterion "{long_text}" .',
        "wp-mine",
    )
    assert {"WGIG-1-ISSUE-UNKNOWN", "WGIG-7-CRITERION-UNKNOWN"} <= set(list_broken_rules(store, "wp-mine"))
    assert select_column(store, "assertion:wp-mine dcterms:hasPart ?x") == []
    add_statements(store, f"{long_part} wgig:verdict <urn:wrong> .", "wp-mine")
    focus, value = (
        select_column(store, f"assertion:wp-mine dcterms:hasPart/sh:{name} ?x")
        for name in ("focusNode", "value")
    )
    assert (focus, value) == ([f"{NAMESPACES['paper']}wp-mine"], ["urn:wrong"])


def test_a_title_does_not_change_the_writing_direction_after_it(store: Store) -> None:
    add_statements(store, 'paper:wp-mine a wgig:IssuePaper ; dcterms:title "Spam \u202eabc"@en .', "wp-mine")
    (label,) = select_column(store, "?s earl:subject paper:wp-mine ; rdfs:label ?x")
    # U+202C ends the effect of U+202E.
    assert label == "Spam \u202eabc\u202c, profile complete: failed, 1 of 28 parts"


def test_a_finding_is_stated_if_it_says_more_than_its_rule(store: Store) -> None:
    assert {"WGIG-7B-MISSING", "WGIG-0-LATE"} <= set(list_broken_rules(store))
    findings = select_solutions(
        store,
        f"{PREFIXES} SELECT ?focus ?shape ?value {{ assertion:wp-spam dcterms:hasPart ?finding . "
        "?finding a sh:ValidationResult ; sh:focusNode ?focus ; sh:sourceShape ?shape ; sh:value ?value }",
    )
    (posted,) = select_column(store, "paper:wp-spam wgig:posted ?x")
    assert [{name: row[name].value for name in ("focus", "shape", "value")} for row in findings] == [
        {
            "focus": f"{NAMESPACES['paper']}wp-spam",
            "shape": f"{NAMESPACES['shape']}WGIG-0-LATE",
            "value": posted,
        }
    ]


def test_an_example_paper_is_marked_as_illustrative_and_is_not_in_the_store(store: Store) -> None:
    assert (
        select_column(
            store, f"?x earl:subject paper:{EXAMPLE_NAME} FILTER NOT EXISTS {{ ?x wgig:illustrative true }}"
        )
        == []
    )
    assert select_column(store, f"paper:{EXAMPLE_NAME} ?x ?o") == []
    assert select_column(store, "?x earl:subject paper:wp-spam ; wgig:illustrative true") == []


def test_the_conformance_graph_is_updated_after_every_change_of_a_paper(store: Store) -> None:
    met_before = count_parts(store)[0]
    add_statements(store, 'paper:wp-spam wgig:issueDescription "Mail that nobody asked for."@en .')
    assert select_outcomes(store)["1"] == "passed"
    assert count_parts(store)[0] == met_before + 1
    store.update(
        f"DELETE WHERE {{ GRAPH <{SPAM_GRAPH}> {{ ?s <{NAMESPACES['wgig']}issueDescription> ?o }} }}"
    )
    assert select_outcomes(store)["1"] == "missing"
    assert "WGIG-1-DESCRIPTION-MISSING" in list_broken_rules(store)
    add_statements(store, "paper:new a wgig:IssuePaper .", "new")
    store.apply(store.compute_replacement(SPAM_GRAPH, None))
    assert select_outcomes(store) == {}
    assert select_column(store, "?x ?p ?o FILTER(CONTAINS(STR(?x), 'wp-spam'))") == []
    assert select_outcomes(store, "new")


def test_an_unchanged_paper_is_not_checked_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    checked_names: list[str] = []
    build_paper_document = conformance.build_paper_document

    def record_check(paper: conformance.PaperToCheck) -> Document:
        checked_names.append(paper.node.value.removeprefix(NAMESPACES["paper"]))
        return build_paper_document(paper)

    monkeypatch.setattr(conformance, "build_paper_document", record_check)
    add_statements(store, "paper:new a wgig:IssuePaper .", "new")
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert checked_names == ["new"]


def test_a_new_version_checks_every_paper_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_store() -> Store:
        return Store.open(tmp_path, computed_graphs=[ConformanceGraph(Settings.base, Settings.shacl)])

    store = open_store()
    add_statements(store, "paper:wp-spam a wgig:IssuePaper .")
    digests = select_column(store, "[] wgig:digest ?x")  # of paper, rules and version
    del store  # closes it
    assert select_column(open_store(), "[] wgig:digest ?x") == digests
    monkeypatch.setattr(conformance_graph, "__version__", "another")
    monkeypatch.setattr(conformance, "__version__", "another")
    store = open_store()
    assert not set(select_column(store, "[] wgig:digest ?x")) & set(digests)
    assert select_column(store, "software:checker schema:version ?x") == ["another"]


def test_papers_written_without_the_conformance_graph_are_checked_at_the_next_opening(tmp_path: Path) -> None:
    store_without_graph = Store.open(tmp_path)
    add_statements(store_without_graph, "paper:wp-spam a wgig:IssuePaper .")
    del store_without_graph  # closes it
    assert select_outcomes(
        Store.open(tmp_path, computed_graphs=[ConformanceGraph(Settings.base, Settings.shacl)])
    )


def test_a_dropped_conformance_graph_is_rebuilt(store: Store) -> None:
    triples_before = set(store.triples(CONFORMANCE_GRAPH))
    store.update(f"DROP GRAPH <{CONFORMANCE_GRAPH}>")
    assert set(store.triples(CONFORMANCE_GRAPH)) == triples_before


@pytest.mark.parametrize("second_update", ["", "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }"])
def test_a_store_without_papers_has_no_conformance_graph(store: Store, second_update: str) -> None:
    store.update(f"DROP ALL; {second_update}")
    assert CONFORMANCE_GRAPH not in store.graphs()
    assert not list(store.triples(CONFORMANCE_GRAPH))


def load_papers(count: int) -> ox.Store:
    """Quads of papers that have nothing but a type; a third of them also have a wrong category."""
    quads = ox.Store()
    papers = "".join(
        f"GRAPH graph:paper\\/p{number} {{ paper:p{number} a wgig:IssuePaper "
        f"{'; wgig:category <urn:wrong> ' if number % 3 == 0 else ''}}}\n"
        for number in range(count)
    )
    quads.load(PREFIXES + papers, format=ox.RdfFormat.TRIG)
    return quads


def test_loaded_papers_are_checked_and_many_are_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance_graph, "MAX_UNANNOUNCED_PAPERS", 2)
    monkeypatch.setattr(conformance_graph, "MAX_CHANGED_PAPERS", 2)
    messages: list[str] = []
    progress: list[tuple[int, int]] = []
    graph = ConformanceGraph(
        Settings.base, Settings.shacl, messages.append, lambda done, total: progress.append((done, total))
    )
    quads = load_papers(5)
    changes = list(graph.iter_changes(quads, None))
    count = 5 + len(list((SHIPPED_FOLDER / "data/examples").glob("*.ttl")))
    assert len(changes) == count / 2
    assert messages == [f"Checking {count} papers against the template ..."]
    assert progress == [(done, count) for done in (*range(0, count, 2), count, count)]
    quads.extend(combine_changes(changes).added)
    assertions = quads.quads_for_pattern(None, expand_curie("earl:subject"), None, graph.graph)
    assert len(list(assertions)) == count


@pytest.mark.parametrize("is_applied", [True, False])
def test_the_changes_of_a_graph_of_other_rules_replace_it(
    is_applied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the same whether or not each is applied before the next is computed."""
    monkeypatch.setattr(conformance_graph, "MAX_CHANGED_PAPERS", 2)
    monkeypatch.setattr(conformance_graph, "MAX_REMOVED_QUADS", 50)
    graph = ConformanceGraph(Settings.base, Settings.shacl)
    quads = load_papers(5)
    for change in graph.iter_changes(quads, None):
        apply_change(change, quads)
    expected = set(quads.quads_for_pattern(None, None, None, graph.graph))
    quads.remove(graph.rules_quad)
    leftover = parse_turtle("assertion:p1\\/7 dcterms:isPartOf assertion:p1 .")
    quads.extend(build_quad(triple, graph.graph) for triple in leftover)
    changes = []
    for change in graph.iter_changes(quads, None):
        changes.append(change)
        if is_applied:
            apply_change(change, quads)
    if not is_applied:
        apply_change(combine_changes(changes), quads)
    assert set(quads.quads_for_pattern(None, None, None, graph.graph)) == expected
    assert not list(graph.iter_changes(quads, None))


def test_the_change_of_the_graph_is_computed_before_that_of_the_paper_is_applied() -> None:
    graph = ConformanceGraph(Settings.base, Settings.shacl)
    quads = load_papers(3)
    for change in graph.iter_changes(quads, None):
        apply_change(change, quads)
    paper_graph = ox.NamedNode(f"{NAMESPACES['graph']}paper/p0")
    (title,) = parse_turtle('paper:p0 dcterms:title "Spam"@en .')
    title_quad = build_quad(title, paper_graph)
    replaced = [
        quad for quad in quads.quads_for_pattern(None, None, None, paper_graph) if "wrong" in str(quad)
    ]
    change = Change(tuple(replaced), (title_quad,))
    quads_before = set(quads)
    (derived,) = graph.iter_changes(QuadOverlay(quads, change), change)
    assert set(quads) == quads_before
    assert all(quad in quads for quad in derived.removed)
    assert not any(quad in quads for quad in derived.added)
    apply_change(change.combine(derived), quads)
    assert not list(graph.iter_changes(quads, None))
    assert '"Spam, profile complete: failed, 1 of 28 parts"@en' in map(str, (quad.object for quad in quads))


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("is_current", [False, True])
def test_many_papers_are_checked_in_several_processes(
    is_current: bool, is_killed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a process dies, the other papers are checked in this one."""
    quads = ox.Store(tmp_path / "quads")
    quads.extend(load_papers(40))
    graph = ConformanceGraph(Settings.base, Settings.shacl)
    if is_current:
        for change in graph.iter_changes(quads, None):
            apply_change(change, quads)
        quads.extend(
            ox.Quad(quad.subject, RDF_TYPE, ox.NamedNode("urn:changed"), quad.graph_name)
            for quad in list(quads.quads_for_pattern(None, RDF_TYPE, None, None))
            if "p3" in str(quad.subject)
        )
    (expected,) = graph.iter_changes(quads, None)
    quads.flush()
    quads.backup(str(tmp_path / "snapshot"))
    monkeypatch.setattr(conformance_graph, "MIN_PARALLEL_PAPERS", 30)
    monkeypatch.setattr(conformance_workers, "BATCH_PAPERS", 5)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    if is_killed:
        monkeypatch.setattr(conformance_workers, "check_paper_lines", kill_process)
    else:
        # Only other processes check papers.
        monkeypatch.setattr(conformance_workers, "check_papers", None)
    (change,) = graph.iter_changes(quads, None, snapshot=tmp_path / "snapshot")
    assert set(change.removed) == set(expected.removed)
    assert set(change.added) == set(expected.added)
    assert bool(change.removed) == is_current
    assert multiprocessing.active_children() == []


def kill_process(*_: object) -> None:
    """End the process like the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("graph", "text"),
    [
        ("paper/ap-ip-numbers", "paper:ap-ip-numbers a wgig:AssessmentPaper ."),
        ("elsewhere", "paper:elsewhere a wgig:IssuePaper ."),
        ("paper/mine", "paper:yours a wgig:IssuePaper ."),
        ("paper/mine", "[] a wgig:IssuePaper ."),
        ("paper/mine", "<urn:mine> a wgig:IssuePaper ."),
    ],
)
def test_only_an_issue_paper_in_its_own_graph_is_checked(store: Store, graph: str, text: str) -> None:
    triples_before = set(store.triples(CONFORMANCE_GRAPH))
    store.apply(store.compute_addition(NAMESPACES["graph"] + graph, parse_turtle(text)))
    assert set(store.triples(CONFORMANCE_GRAPH)) == triples_before


def test_a_waived_rule_is_left_out(store: Store) -> None:
    assert "WGIG-0-LATE" in list_broken_rules(store)
    add_statements(
        store,
        """paper:wp-spam wgig:waiver paper:wp-spam\\/waiver\\/1 .
        paper:wp-spam\\/waiver\\/1 a wgig:Waiver ; wgig:waives shape:WGIG-0-LATE ; wgig:reason "Ill."@en .""",
    )
    assert "WGIG-0-LATE" not in list_broken_rules(store)
    assert select_column(store, "assertion:wp-spam dcterms:hasPart ?x") == []


def test_a_waived_part_is_neither_passed_nor_missing(store: Store) -> None:
    waiver = 'wgig:waiver [ a wgig:Waiver ; wgig:waives shape:WGIG-7B-MISSING ; wgig:reason "No room."@en ]'
    parts_before = count_parts(store)
    add_statements(store, f"paper:wp-spam {waiver} .")
    assert (select_outcomes(store)["7b"], select_outcomes(store)["7"]) == ("waived", "missing")
    assert count_parts(store) == parts_before


@pytest.mark.parametrize(
    "text",
    [
        "paper:wp-spam wgig:swot [ a wgig:Swot ] .",
        'paper:wp-spam wgig:posted "soon" , [] .',
        'paper:wp-spam wgig:issueDescription "right to left"@ar--rtl .',
        "paper:wp-spam wgig:issueDescription <<( <urn:s> <urn:p> <urn:o> )>> .",
    ],
    ids=["part", "value", "direction", "statement"],
)
def test_blank_nodes_and_rdf_1_2_terms_are_not_copied_to_the_conformance_graph(
    store: Store, text: str
) -> None:
    add_statements(store, text)
    assert count_parts(store)
    assert not [triple for triple in store.triples(CONFORMANCE_GRAPH) if ox.BlankNode in map(type, triple)]


def test_both_engines_build_the_same_conformance_graph(store: Store) -> None:
    pyshacl_store = Store.in_memory(computed_graphs=[ConformanceGraph(Settings.base, "pyshacl")])
    pyshacl_store.apply(pyshacl_store.compute_addition(SPAM_GRAPH, store.triples(SPAM_GRAPH)))
    assert set(pyshacl_store.triples(CONFORMANCE_GRAPH)) == set(store.triples(CONFORMANCE_GRAPH))


def test_clients_cannot_write_the_conformance_graph(writable_client: httpx2.Client) -> None:
    response = writable_client.put("/graph/conformance", content="", headers={"Content-Type": "text/turtle"})
    assert response.status_code == 403
    assert "results of checking the papers" in response.json()["detail"]


def test_the_page_of_an_assertion_has_readable_labels() -> None:
    store = Store.in_memory(
        read_inference_rules(), computed_graphs=[ConformanceGraph(Settings.base, Settings.shacl)]
    )
    store.apply(store.compute_addition(SPAM_GRAPH, read_paper_as_seen()))
    for name in ("ontology/wgig", "data/forms"):
        graph = f"{NAMESPACES['graph']}{name.removeprefix('data/')}"
        store.apply(
            store.compute_addition(
                graph, parse_graph_document((SHIPPED_FOLDER / f"{name}.ttl").read_bytes(), "text/turtle")
            )
        )
    page = make_store_client(store).get("/doc/assertion/wp-spam", headers={"Accept": "text/html"})
    assert page.status_code == 200
    for text in ("Spam, profile complete: failed, 2 of 28 parts", "section 7: Adequacy", "parts met"):
        assert text in page.text
    assert (
        make_store_client(store).get("/graph/conformance", headers={"Accept": "text/html"}).status_code == 200
    )
