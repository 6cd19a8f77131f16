"""The conformance graph has assertions on each paper and is updated with every write.

An assertion states the outcome of one test of a paper: a profile, a section, or a part of section 7.
"""

import io
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import WGIG_ISSUE_PAPER, namespaces_by_prefix
from wgig.rdf.serialization import parse_graph_document
from wgig.rdf.shipped import read_inference_rules
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig.shacl import conformance, conformance_graph
from wgig.shacl.conformance_graph import ConformanceGraph
from wgig.store.store import Store
from wgig.store.view import select_solutions

from tests.fixtures.service import make_store_client
from tests.fixtures.triples import parse_triples

NAMESPACES = namespaces_by_prefix(Settings.base)
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in NAMESPACES.items())
EXAMPLE_NAME = "example-community-networks"
CONFORMANCE_GRAPH = f"{NAMESPACES['graph']}conformance"
SPAM_GRAPH = f"{NAMESPACES['graph']}paper/wp-spam"
CRITERION_PARTS = ("7a", "7b", "7c", "7d", "7e", "7f")  # the parts of section 7, one for each criterion


def parse_turtle(text: str) -> list[ox.Triple]:
    return parse_triples(PREFIXES + text)


@pytest.fixture
def store() -> Store:
    """A store with one bundled paper, which has little more than a title."""
    store = Store.in_memory(computed_graphs=[ConformanceGraph(Settings.base, Settings.shacl)])
    paper = parse_graph_document((SHIPPED_FOLDER / "data/papers/wp-spam.ttl").read_bytes(), "text/turtle")
    store.apply(store.compute_addition(SPAM_GRAPH, paper))
    return store


def add_statements(store: Store, text: str, name: str = "wp-spam") -> None:
    store.apply(store.compute_addition(f"{NAMESPACES['graph']}paper/{name}", parse_turtle(text)))


def select_column(store: Store, pattern: str) -> list[str]:
    """The values of ?x in the solutions of a pattern, in order."""
    return [
        row["x"].value for row in select_solutions(store, f"{PREFIXES} SELECT ?x {{ {pattern} }} ORDER BY ?x")
    ]


def select_outcomes(store: Store, paper: str = "wp-spam") -> dict[str, str]:
    """The outcomes of the tests of a paper, by the last segment of the IRI of the test."""
    pattern = f"[] earl:subject paper:{paper} ; earl:test ?test ; earl:result ?outcome"
    return {
        row["test"].value.rpartition("/")[2]: row["outcome"].value.rpartition("/")[2]
        for row in select_solutions(store, f"{PREFIXES} SELECT * {{ {pattern} }}")
    }


def list_finding_codes(store: Store, assertion: str) -> list[str]:
    """The codes of the findings of an assertion, such as "wp-spam/7b"."""
    shape_iris = select_column(
        store, f"<{NAMESPACES['assertion']}{assertion}> dcterms:hasPart/sh:sourceShape ?x"
    )
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
    pattern = f"[] earl:subject paper:{name} ; earl:test form-issue-paper:7 ; earl:result/earl:outcome ?x"
    assert select_column(store, pattern) == [f"{NAMESPACES['earl']}failed"]


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
    assert comments[0].startswith("Findings that are not listed: ")


def test_labels_quote_the_beginning_of_a_long_title(store: Store) -> None:
    title = "x y " * 500
    add_statements(store, f'paper:wp-mine a wgig:IssuePaper ; dcterms:title "{title}"@en .', "wp-mine")
    labels = select_column(store, "?s earl:subject paper:wp-mine ; rdfs:label ?x")
    assert f"{title[:999]}…, section 7: missing" in labels
    assert max(map(len, labels)) < 1100


def test_findings_do_not_repeat_long_terms(store: Store) -> None:
    long_text, long_part = "x y " * 500, f"<{NAMESPACES['paper']}wp-mine/{'x' * 2000}>"
    add_statements(
        store,
        f'paper:wp-mine a wgig:IssuePaper ; wgig:issue "{long_text}" ; wgig:assessment {long_part} . '
        f'{long_part} a wgig:Assessment ; wgig:criterion "{long_text}" .',
        "wp-mine",
    )
    own_findings = "FILTER(CONTAINS(STR(?finding), 'wp-mine/finding'))"
    assert len(select_column(store, f"?finding sh:focusNode ?x {own_findings}")) > 2
    values = select_column(store, f"?finding sh:focusNode|sh:value ?x {own_findings}")
    assert max(map(len, values)) < 1000


def test_a_title_does_not_change_the_writing_direction_after_it(store: Store) -> None:
    add_statements(store, 'paper:wp-mine a wgig:IssuePaper ; dcterms:title "Spam \u202eabc"@en .', "wp-mine")
    labels = select_column(store, "?s earl:subject paper:wp-mine ; rdfs:label ?x")
    assert "Spam \u202eabc\u202c, section 7: missing" in labels  # U+202C ends the effect of U+202E


def test_an_assertion_links_to_its_findings(store: Store) -> None:
    assert list_finding_codes(store, "wp-spam/7b") == ["WGIG-7B-MISSING"]
    assert "WGIG-7B-MISSING" in list_finding_codes(store, "wp-spam/7")


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
    assert list_finding_codes(store, "wp-spam/1") == ["WGIG-1-DESCRIPTION-MISSING"]
    add_statements(store, "paper:new a wgig:IssuePaper .", "new")
    store.apply(store.compute_replacement(SPAM_GRAPH, None))
    assert select_outcomes(store) == {}
    assert select_column(store, "?x ?p ?o FILTER(CONTAINS(STR(?x), 'wp-spam'))") == []
    assert select_outcomes(store, "new")


def test_an_unchanged_paper_is_not_checked_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    checked_names: list[str] = []
    build_conformance_triples = conformance.build_conformance_triples

    def record_check(paper: ox.NamedNode, *arguments: Any) -> set[ox.Triple]:
        checked_names.append(paper.value.removeprefix(NAMESPACES["paper"]))
        return build_conformance_triples(paper, *arguments)

    monkeypatch.setattr(conformance, "build_conformance_triples", record_check)
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


def test_loaded_papers_are_checked_and_many_are_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance_graph, "MAX_UNANNOUNCED_PAPERS", 2)
    monkeypatch.setattr(conformance_graph, "MAX_TRANSACTION_PAPERS", 2)
    messages: list[str] = []
    store = Store.in_memory(
        computed_graphs=[ConformanceGraph(Settings.base, Settings.shacl, messages.append)]
    )
    papers = "".join(
        f"GRAPH graph:paper\\/p{number} {{ paper:p{number} a wgig:IssuePaper }}\n" for number in range(5)
    )
    store.bulk_load(io.BytesIO((PREFIXES + papers).encode()), ox.RdfFormat.TRIG, None)
    store.infer()  # computes the conformance graph, too
    assert all(select_outcomes(store, f"p{number}") for number in range(5))
    count = 5 + len(list((SHIPPED_FOLDER / "data/examples").glob("*.ttl")))
    assert messages == [f"Checking {count} papers against the template ..."]


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


def test_a_waived_finding_is_left_out(store: Store) -> None:
    assert "WGIG-0-LATE" in list_finding_codes(store, "wp-spam/0")
    add_statements(
        store,
        """paper:wp-spam wgig:waiver paper:wp-spam\\/waiver\\/1 .
        paper:wp-spam\\/waiver\\/1 a wgig:Waiver ; wgig:waives shape:WGIG-0-LATE ; wgig:reason "Ill."@en .""",
    )
    assert "WGIG-0-LATE" not in list_finding_codes(store, "wp-spam/0")


def test_a_waived_part_has_the_outcome_inapplicable(store: Store) -> None:
    waiver = 'wgig:waiver [ a wgig:Waiver ; wgig:waives shape:WGIG-7B-MISSING ; wgig:reason "No room."@en ]'
    parts_before = count_parts(store)
    add_statements(store, f"paper:wp-spam {waiver} .")
    assert (select_outcomes(store)["7b"], select_outcomes(store)["7"]) == ("waived", "missing")
    assert count_parts(store) == parts_before
    pattern = "[] earl:subject paper:wp-spam ; earl:test form-issue-paper:7b ; earl:result/earl:outcome ?x"
    assert select_column(store, pattern) == [f"{NAMESPACES['earl']}inapplicable"]


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


def test_clients_cannot_write_the_conformance_graph(writable_client: httpx.Client) -> None:
    response = writable_client.put("/graph/conformance", content="", headers={"Content-Type": "text/turtle"})
    assert response.status_code == 403
    assert "results of checking the papers" in response.json()["detail"]


def test_the_page_of_an_assertion_has_readable_labels() -> None:
    store = Store.in_memory(
        read_inference_rules(), computed_graphs=[ConformanceGraph(Settings.base, Settings.shacl)]
    )
    for name in ("ontology/wgig", "data/forms", "data/papers/wp-spam"):
        graph = f"{NAMESPACES['graph']}{name.removeprefix('data/').replace('papers', 'paper')}"
        store.apply(
            store.compute_addition(
                graph, parse_graph_document((SHIPPED_FOLDER / f"{name}.ttl").read_bytes(), "text/turtle")
            )
        )
    page = make_store_client(store).get("/doc/assertion/wp-spam", headers={"Accept": "text/html"})
    assert page.status_code == 200
    for text in ("Spam, profile complete: failed, 2 of 28 parts", "Spam, section 7: missing", "parts met"):
        assert text in page.text
    assert (
        make_store_client(store).get("/graph/conformance", headers={"Accept": "text/html"}).status_code == 200
    )
