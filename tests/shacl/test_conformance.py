"""The board: how each paper stands by the template, in line with the papers at every moment."""

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

from tests.fixtures.service import client_over
from tests.fixtures.triples import parse_triples

KNOWN = namespaces_by_prefix(Settings.base)
PREFIXES = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in KNOWN.items())
EXAMPLE = "example-community-networks"
GRAPH = f"{KNOWN['graph']}conformance"
SPAM = f"{KNOWN['graph']}paper/wp-spam"
CRITERIA = ("7a", "7b", "7c", "7d", "7e", "7f")


def turtle(text: str) -> list[ox.Triple]:
    return parse_triples(PREFIXES + text)


@pytest.fixture
def store() -> Store:
    """A store with one paper, of which the title is known."""
    filled = Store.in_memory(first=[ConformanceGraph(Settings.base, Settings.shacl)])
    paper = parse_graph_document((SHIPPED_FOLDER / "data/papers/wp-spam.ttl").read_bytes(), "text/turtle")
    filled.apply(filled.compute_addition(SPAM, paper))
    return filled


def say(store: Store, text: str, name: str = "wp-spam") -> None:
    store.apply(store.compute_addition(f"{KNOWN['graph']}paper/{name}", turtle(text)))


def column(store: Store, pattern: str) -> list[str]:
    return [
        row["x"].value for row in select_solutions(store, f"{PREFIXES} SELECT ?x {{ {pattern} }} ORDER BY ?x")
    ]


def outcomes(store: Store, paper: str = "wp-spam") -> dict[str, str]:
    """How the tests of a paper went, by the ends of the IRIs of the tests."""
    pattern = f"[] earl:subject paper:{paper} ; earl:test ?test ; earl:result ?how"
    return {
        row["test"].value.rpartition("/")[2]: row["how"].value.rpartition("/")[2]
        for row in select_solutions(store, f"{PREFIXES} SELECT * {{ {pattern} }}")
    }


def findings(store: Store, test: str) -> list[str]:
    """The rules that the assertion on a paper by a test rests on."""
    found = column(store, f"<{KNOWN['assertion']}{test}> dcterms:hasPart/sh:sourceShape ?x")
    return [iri.removeprefix(KNOWN["shape"]) for iri in found]


def figures(store: Store, paper: str = "wp-spam") -> tuple[int, int]:
    pattern = "wgig:partsMet ?met ; wgig:partsAsked ?asked"
    (row,) = select_solutions(store, f"{PREFIXES} SELECT * {{ assertion:{paper} {pattern} }}")
    return int(row["met"].value), int(row["asked"].value)


def test_a_paper_is_tested_by_every_profile_section_and_criterion(store: Store) -> None:
    sections = dict.fromkeys("01234567", "missing") | {"8": "untested"}
    criteria = dict.fromkeys(CRITERIA, "missing")
    profiles = {"draft": "passed", "complete": "failed", "final": "failed"}
    assert outcomes(store) == sections | criteria | profiles


def test_a_complete_paper_passes_every_test(store: Store) -> None:
    assert set(outcomes(store, EXAMPLE).values()) == {"passed"}
    met, asked = figures(store, EXAMPLE)
    assert met == asked > 20


def test_what_is_there_with_a_fault_is_not_missing(store: Store) -> None:
    paper = parse_graph_document(
        (SHIPPED_FOLDER / "shapes/examples/issue-paper/bad-WGIG-7B-TWICE.ttl").read_bytes(), "text/turtle"
    )
    subject = next(str(one.subject) for one in paper if one.object == WGIG_ISSUE_PAPER)
    name = subject.strip("<>").removeprefix(KNOWN["paper"])
    store.apply(store.compute_addition(f"{KNOWN['graph']}paper/{name}", paper))
    found = outcomes(store, name)
    assert (found["7"], found["7b"], found["7a"], found["complete"]) == (
        "faulty",
        "faulty",
        "passed",
        "failed",
    )
    faulty = f"[] earl:subject paper:{name} ; earl:test form-issue-paper:7 ; earl:result/earl:outcome ?x"
    assert column(store, faulty) == [f"{KNOWN['earl']}failed"]


def test_what_is_not_listed_is_said_and_still_counts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "MAX_SHOWN_FINDINGS", 5)
    wrong = " , ".join(f"<urn:wrong:{number}>" for number in range(20))
    say(store, f"paper:wp-wrong a wgig:IssuePaper ; wgig:category {wrong} .", "wp-wrong")
    assert [outcomes(store, "wp-wrong")[one] for one in CRITERIA] == ["missing"] * 6
    said = column(store, "assertion:wp-wrong rdfs:comment ?x")
    listed = column(store, "?x a sh:ValidationResult FILTER(CONTAINS(STR(?x), 'wp-wrong/finding'))")
    assert (len(listed), len(said)) == (5, 1)
    assert said[0].startswith("Findings that are not listed: ")


def test_a_title_does_not_turn_the_words_behind_it(store: Store) -> None:
    say(store, 'paper:wp-mine a wgig:IssuePaper ; dcterms:title "Spam \u202eabc"@en .', "wp-mine")
    labels = column(store, "?s earl:subject paper:wp-mine ; rdfs:label ?x")
    assert "Spam \u202eabc\u202c, section 7: missing" in labels


def test_an_assertion_leads_to_what_was_found(store: Store) -> None:
    assert findings(store, "wp-spam/7b") == ["WGIG-7B-MISSING"]
    assert "WGIG-7B-MISSING" in findings(store, "wp-spam/7")


def test_a_made_up_paper_is_marked_and_is_not_in_the_store(store: Store) -> None:
    assert (
        column(store, f"?x earl:subject paper:{EXAMPLE} FILTER NOT EXISTS {{ ?x wgig:illustrative true }}")
        == []
    )
    assert column(store, f"paper:{EXAMPLE} ?x ?o") == []
    assert column(store, "?x earl:subject paper:wp-spam ; wgig:illustrative true") == []


def test_the_board_follows_every_change_of_a_paper(store: Store) -> None:
    before = figures(store)[0]
    say(store, 'paper:wp-spam wgig:issueDescription "Mail that nobody asked for."@en .')
    assert outcomes(store)["1"] == "passed"
    assert figures(store)[0] == before + 1
    store.update(f"DELETE WHERE {{ GRAPH <{SPAM}> {{ ?s <{KNOWN['wgig']}issueDescription> ?o }} }}")
    assert outcomes(store)["1"] == "missing"
    assert findings(store, "wp-spam/1") == ["WGIG-1-DESCRIPTION-MISSING"]
    say(store, "paper:new a wgig:IssuePaper .", "new")
    store.apply(store.compute_replacement(SPAM, None))
    assert outcomes(store) == {}
    assert column(store, "?x ?p ?o FILTER(CONTAINS(STR(?x), 'wp-spam'))") == []
    assert outcomes(store, "new")


def test_a_paper_that_did_not_change_is_not_checked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    state = conformance.build_conformance_triples

    def counted(paper: ox.NamedNode, *rest: Any) -> set[ox.Triple]:
        checked.append(paper.value.removeprefix(KNOWN["paper"]))
        return state(paper, *rest)

    monkeypatch.setattr(conformance, "build_conformance_triples", counted)
    say(store, "paper:new a wgig:IssuePaper .", "new")
    store.update("INSERT DATA { <urn:s> <urn:p> 1 }")
    assert checked == ["new"]


def test_other_rules_test_every_paper_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened() -> Store:
        return Store.open(tmp_path, first=[ConformanceGraph(Settings.base, Settings.shacl)])

    store = opened()
    say(store, "paper:wp-spam a wgig:IssuePaper .")
    digests = column(store, "[] wgig:digest ?x")
    del store
    assert column(opened(), "[] wgig:digest ?x") == digests
    monkeypatch.setattr(conformance_graph, "__version__", "another")
    monkeypatch.setattr(conformance, "__version__", "another")
    store = opened()
    assert not set(column(store, "[] wgig:digest ?x")) & set(digests)
    assert column(store, "software:checker schema:version ?x") == ["another"]


def test_what_was_written_without_the_board_is_made_good_at_the_next_opening(tmp_path: Path) -> None:
    plain = Store.open(tmp_path)
    say(plain, "paper:wp-spam a wgig:IssuePaper .")
    del plain
    assert outcomes(Store.open(tmp_path, first=[ConformanceGraph(Settings.base, Settings.shacl)]))


def test_a_board_that_was_dropped_comes_back(store: Store) -> None:
    before = set(store.triples(GRAPH))
    store.update(f"DROP GRAPH <{GRAPH}>")
    assert set(store.triples(GRAPH)) == before


@pytest.mark.parametrize("rest", ["", "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }"])
def test_a_store_without_papers_has_no_board(store: Store, rest: str) -> None:
    store.update(f"DROP ALL; {rest}")
    assert GRAPH not in store.graphs()
    assert not list(store.triples(GRAPH))


def test_loaded_papers_are_on_the_board_and_many_are_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance_graph, "MAX_UNANNOUNCED_PAPERS", 2)
    monkeypatch.setattr(conformance_graph, "MAX_TRANSACTION_PAPERS", 2)
    said: list[str] = []
    store = Store.in_memory(first=[ConformanceGraph(Settings.base, Settings.shacl, said.append)])
    papers = "".join(
        f"GRAPH graph:paper\\/p{number} {{ paper:p{number} a wgig:IssuePaper }}\n" for number in range(5)
    )
    store.bulk_load(io.BytesIO((PREFIXES + papers).encode()), ox.RdfFormat.TRIG, None)
    store.infer()
    assert all(outcomes(store, f"p{number}") for number in range(5))
    count = 5 + len(list((SHIPPED_FOLDER / "data/examples").glob("*.ttl")))
    assert said == [f"Checking {count} papers against the template ..."]


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
def test_only_an_issue_paper_in_its_own_graph_is_on_the_board(store: Store, graph: str, text: str) -> None:
    before = set(store.triples(GRAPH))
    store.apply(store.compute_addition(KNOWN["graph"] + graph, turtle(text)))
    assert set(store.triples(GRAPH)) == before


def test_what_is_waived_with_a_reason_is_not_held_against_a_paper(store: Store) -> None:
    assert "WGIG-0-LATE" in findings(store, "wp-spam/0")
    say(
        store,
        """paper:wp-spam wgig:waiver paper:wp-spam\\/waiver\\/1 .
        paper:wp-spam\\/waiver\\/1 a wgig:Waiver ; wgig:waives shape:WGIG-0-LATE ; wgig:reason "Ill."@en .""",
    )
    assert "WGIG-0-LATE" not in findings(store, "wp-spam/0")


def test_what_is_waived_is_neither_there_nor_missing(store: Store) -> None:
    waiver = 'wgig:waiver [ a wgig:Waiver ; wgig:waives shape:WGIG-7B-MISSING ; wgig:reason "No room."@en ]'
    met = figures(store)[0]
    say(store, f"paper:wp-spam {waiver} .")
    assert (outcomes(store)["7b"], outcomes(store)["7"], figures(store)[0]) == ("waived", "missing", met)
    how = "[] earl:subject paper:wp-spam ; earl:test form-issue-paper:7b ; earl:result/earl:outcome ?x"
    assert column(store, how) == [f"{KNOWN['earl']}inapplicable"]


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
def test_what_has_no_name_or_is_new_in_rdf_breaks_no_board(store: Store, text: str) -> None:
    say(store, text)
    assert figures(store)
    assert not [one for one in store.triples(GRAPH) if ox.BlankNode in map(type, one)]


def test_both_engines_say_the_same(store: Store) -> None:
    slow = Store.in_memory(first=[ConformanceGraph(Settings.base, "pyshacl")])
    slow.apply(slow.compute_addition(SPAM, store.triples(SPAM)))
    assert set(slow.triples(GRAPH)) == set(store.triples(GRAPH))


def test_nobody_else_writes_the_board(writable: httpx.Client) -> None:
    answer = writable.put("/graph/conformance", content="", headers={"Content-Type": "text/turtle"})
    assert (answer.status_code, "results of checking the papers" in answer.json()["detail"]) == (403, True)


def test_the_page_of_an_assertion_reads_well() -> None:
    store = Store.in_memory(read_inference_rules(), first=[ConformanceGraph(Settings.base, Settings.shacl)])
    for name in ("ontology/wgig", "data/forms", "data/papers/wp-spam"):
        graph = f"{KNOWN['graph']}{name.removeprefix('data/').replace('papers', 'paper')}"
        store.apply(
            store.compute_addition(
                graph, parse_graph_document((SHIPPED_FOLDER / f"{name}.ttl").read_bytes(), "text/turtle")
            )
        )
    page = client_over(store).get("/doc/assertion/wp-spam", headers={"Accept": "text/html"})
    assert page.status_code == 200
    for words in ("Spam, profile complete: failed, 2 of 28 parts", "Spam, section 7: missing", "parts met"):
        assert words in page.text
    assert client_over(store).get("/graph/conformance", headers={"Accept": "text/html"}).status_code == 200
