"""Explanation of queries: plans in sentences, counts of matches, advice, limits, HTTP formats."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import httpx2
import pytest
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.sparql import plan
from wgig.sparql.explain import QueryExplanation, explain_query
from wgig.sparql.plan import PlanStep, StatementCount, count_plan_statements, split_pattern_terms
from wgig.sparql.request import build_internal_query
from wgig.store.store import Store
from wgig.store.view import QueryDataset

from tests.fixtures.service import make_service_client

BASE = Settings.base
MANY_TRIPLES = "".join(f"<x:s{number}> <x:many> {number} . " for number in range(50))


def test_command_and_library_have_the_same_version() -> None:
    assert version("oxigraph") == version("pyoxigraph")  # the command returns plans, the library runs queries


@pytest.fixture(scope="module")
def store() -> Store:
    """A store with 50 triples of the property many, 3 of the property few, and an instance of a class."""
    store = Store.in_memory()
    store.update(
        f"INSERT DATA {{ {MANY_TRIPLES} <x:s1> <x:few> 1, 2 . <x:s1> a <x:C> . "
        "GRAPH <x:g> { <x:s2> <x:few> 3 } }"
    )
    return store


@pytest.fixture(scope="module")
def explain(store: Store) -> Callable[[str], QueryExplanation]:
    """A function that explains a query over the store."""
    return lambda text: explain_query(build_internal_query(text, text.split()[0]), store, BASE)


def list_sentences(explanation: QueryExplanation) -> list[str]:
    """The sentences of an explanation, indented by depth."""
    return [f"{'  ' * line.depth}{line.sentence}" for line in explanation.lines]


def test_steps_are_in_the_order_of_evaluation(explain: Callable[[str], QueryExplanation]) -> None:
    explanation = explain("SELECT ?s ?o { ?s <x:many> ?o ; ?p 1 FILTER(?o > 3) } ORDER BY ?o LIMIT 5")
    assert list_sentences(explanation) == [
        "Find ?s ?p 1.",
        "For each row so far: find ?s <x:many> ?o.",
        "Keep the rows where (?o > 3).",
        "Sort them by ASC(?o).",
        "Show ?s, ?o.",
        "Keep the first 5 rows.",
    ]
    assert explanation.lines[0].matches == StatementCount(2)


@pytest.mark.parametrize(
    ("clauses", "sentence"),
    [
        ("LIMIT 1", "Keep the first row."),
        ("OFFSET 5", "Leave out the first 5 rows."),
        ("OFFSET 5 LIMIT 2", "Leave out the first 5 rows, and keep the next 2 rows."),
    ],
)
def test_limits_are_explained_in_words(
    explain: Callable[[str], QueryExplanation], clauses: str, sentence: str
) -> None:
    assert list_sentences(explain(f"SELECT ?s {{ ?s <x:many> ?o }} {clauses}"))[-1] == sentence


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("?s <x:few> ?o OPTIONAL { ?s <x:many> ?n }", "(OPTIONAL): find ?s <x:many> ?n."),
        (
            "?s <x:few> ?o MINUS { ?s <x:many> ?n }",
            "Remove rows that match an entry in a table of all matches (MINUS)",
        ),
        ("{ ?s <x:few> ?o } UNION { ?s <x:many> ?o }", "Either (UNION):"),
        ("?s <x:few>* ?o", "It follows <x:few>."),
        (
            "?s <x:few> ?o . ?t <x:many> ?n",
            "pair each row of one with each row of the other (a cross product)",
        ),
        ("VALUES ?o { 1 2 } ?s <x:few> ?o", "Use the values (?o), ((1), (2))."),
        ("?s <x:few> ?o FILTER EXISTS { ?s <x:many> ?n }", "Check for each row whether there is a match:"),
        ("?s <x:few> [ <x:many> ?n ]", "find ?s <x:few> ?_1."),
        ("{ SELECT ?s { ?s <x:few> ?o } LIMIT 1 } ?s <x:many> ?n", "Keep the first row."),
        ("?s <x:few> ?o BIND(?o - 1 AS ?n)", "Compute ?o - 1 -> ?n."),
        ("GRAPH ?g { ?s <x:few> ?o }", "Find ?s <x:few> ?o ?g."),
    ],
)
def test_each_kind_of_pattern_is_explained(
    explain: Callable[[str], QueryExplanation], pattern: str, text: str
) -> None:
    assert text in explain(f"SELECT * {{ {pattern} }}").format_text()


def test_variables_of_a_table_are_sorted(explain: Callable[[str], QueryExplanation]) -> None:
    text = "SELECT * { ?s <x:a> ?o OPTIONAL { ?s <x:b> ?o . ?s <x:c> ?x . ?o <x:d> ?y } }"
    assert "(OPTIONAL) from a table of all matches, by ?o, ?s:" in explain(text).format_text()


@pytest.mark.parametrize(
    "text", ["ASK { ?s <x:few> ?o }", "CONSTRUCT WHERE { ?s <x:few> ?o }", "DESCRIBE <x:s1>"]
)
def test_each_form_has_a_plan(explain: Callable[[str], QueryExplanation], text: str) -> None:
    assert explain(text).lines


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("?s <x:many> ?o", StatementCount(50)),
        ("?s <x:few> ?o", StatementCount(3)),
        ("?s <x:few> ?o <x:g>", StatementCount(1)),  # the fourth term is the graph
        ("?s <x:few> ?o ?g", StatementCount(1)),
        ('?s <x:few> "1"^^<http://www.w3.org/2001/XMLSchema#integer>', StatementCount(1)),
        ("<x:s1> <x:few> ?o", StatementCount(2)),
        ("?s <x:few> ?s", StatementCount(3, is_upper_bound=True)),
        ("<x:s1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <x:C>", StatementCount(1)),
        ("?s ?p ?o", StatementCount(54)),  # 50 + 3 + 1
    ],
)
def test_matches_of_patterns_are_counted(store: Store, pattern: str, count: StatementCount) -> None:
    assert count_plan_statements([PlanStep("QuadPattern", pattern, ())], store, QueryDataset()) == {
        pattern: count
    }


def test_only_statements_of_the_dataset_are_counted(store: Store) -> None:
    step = PlanStep("QuadPattern", "?s <x:few> ?o", ())
    assert count_plan_statements([step], store, QueryDataset(("x:g",)))[step.detail] == StatementCount(1)
    assert count_plan_statements([step], store, QueryDataset(union=False))[step.detail] == StatementCount(2)


@pytest.mark.parametrize(
    ("clauses", "pattern", "count"),
    [
        ("FROM <x:g>", "?s ?p ?o", 1),
        ("from x:g FROM <x:none>", "?s ?p ?o", 1),
        ("FROM <x:none>", "?s ?p ?o", 0),
        ("FROM NAMED <x:g>", "?s ?p ?o", 0),
        ("FROM NAMED <x:g>", "GRAPH ?g { ?s ?p ?o }", 1),
        ("FROM NAMED <x:none>", "GRAPH ?g { ?s ?p ?o }", 0),
    ],
)
def test_only_statements_of_the_dataset_clauses_are_counted(
    store: Store, clauses: str, pattern: str, count: int
) -> None:
    query = build_internal_query(f"PREFIX x: <x:> SELECT * {clauses} {{ {pattern} }}")
    assert explain_query(query, store, BASE).lines[0].matches == StatementCount(count)


def test_dataset_of_the_request_replaces_that_of_the_text(store: Store) -> None:
    query = build_internal_query("SELECT * FROM <x:none> { ?s <x:few> ?o }")
    query = replace(query, dataset=QueryDataset(("x:g",)))
    assert explain_query(query, store, BASE).lines[0].matches == StatementCount(1)


def test_counting_stops_at_the_limits(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    step = PlanStep("QuadPattern", "?s <x:many> ?o", ())
    monkeypatch.setattr(plan, "MAX_COUNTED_STATEMENTS", 20)
    count = count_plan_statements([step], store, QueryDataset())[step.detail]
    assert count == StatementCount(20, is_lower_bound=True)
    assert str(count) == "more than 20 statements"
    monkeypatch.setattr(plan, "COUNT_SECONDS", -1)  # the time is over at the start
    assert count_plan_statements([step], store, QueryDataset()) == {}


@pytest.mark.parametrize(
    ("pattern", "terms"),
    [
        ('?s <x:p> "a b"@en', ["?s", "<x:p>", '"a b"@en']),
        ('?s <x:p> "a \\" ?b"^^<x:t> ?g', ["?s", "<x:p>", '"a \\" ?b"^^<x:t>', "?g"]),
        ("?s (<x:p> / (<x:q>)*) ?o", ["?s", "(<x:p> / (<x:q>)*)", "?o"]),
        ("<x:a> !(<x:p>) ?o <x:g>", ["<x:a>", "!(<x:p>)", "?o", "<x:g>"]),
    ],
)
def test_pattern_of_a_plan_is_split_into_terms(pattern: str, terms: list[str]) -> None:
    assert split_pattern_terms(pattern) == terms


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (
            "?s <x:few> ?o . ?t <x:many> ?n",
            "A cross product: the parts with ?s <x:few> ?o and ?t <x:many> ?n",
        ),
        ("?s <x:none> ?o", "No statement matches ?s <x:none> ?o, so"),
        ("?s <x:many> ?o . ?s <x:few> ?n", "Put ?s <x:few> ?n (3 statements) before it."),
    ],
)
def test_advice_names_the_patterns_to_improve(
    explain: Callable[[str], QueryExplanation], pattern: str, text: str
) -> None:
    assert text in "\n".join(explain(f"SELECT * {{ {pattern} }}").advice)


def test_query_changed_by_the_advice_has_a_better_plan(explain: Callable[[str], QueryExplanation]) -> None:
    explanation = explain("SELECT * { ?s <x:few> ?n . ?s <x:many> ?o }")
    assert list_sentences(explanation)[0] == "Find ?s <x:few> ?n."
    assert not explanation.advice


def test_query_that_cannot_be_evaluated_has_no_plan(explain: Callable[[str], QueryExplanation]) -> None:
    with pytest.raises(Problem, match="cannot be planned: The custom function <x:unknown>") as caught:
        explain("ASK { FILTER(<x:unknown>(1)) }")
    assert caught.value.status == 422


def test_removed_empty_store_is_made_again(explain: Callable[[str], QueryExplanation]) -> None:
    explain("ASK {}")
    shutil.rmtree(plan.make_empty_store().name)
    assert list_sentences(explain("ASK { ?s ?p ?o }"))[0] == "Find ?s ?p ?o."


def test_damaged_empty_store_is_replaced_without_naming_its_path(
    explain: Callable[[str], QueryExplanation], caplog: pytest.LogCaptureFixture
) -> None:
    explain("ASK {}")
    folder = Path(plan.make_empty_store().name)
    next(folder.glob("MANIFEST-*")).unlink()
    with pytest.raises(Problem, match="cannot be planned at the moment") as caught:
        explain("ASK {}")
    assert (caught.value.status, str(folder) in str(caught.value), str(folder) in caplog.text) == (
        503,
        False,
        True,
    )
    assert list_sentences(explain("ASK { ?s ?p ?o }"))[0] == "Find ?s ?p ?o."


def test_planning_stops_at_the_time_limit(
    explain: Callable[[str], QueryExplanation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PLAN_SECONDS", 1)
    with pytest.raises(Problem, match="exceeds the time or memory limit") as caught:
        explain(f"ASK {{ {' '.join(f'?x{n} ?p{n} ?x{n + 1} .' for n in range(900))} }}")
    assert caught.value.status == 503


def test_query_with_a_syntax_error_has_no_plan(explain: Callable[[str], QueryExplanation]) -> None:
    with pytest.raises(SyntaxError, match="error at 1:"):
        explain("SELECT ?x { ?x ?p }")


def test_planning_stops_at_the_memory_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PLAN_MEMORY_BYTES", 64 * 1024 * 1024)
    monkeypatch.setattr(plan, "PLAN_SECONDS", 60)  # so that the memory limit is reached first
    rows = " ".join(map(str, range(1000)))
    text = f"SELECT * {{ {' '.join(f'VALUES ?x{n} {{ {rows} }}' for n in range(2))} }} ORDER BY ?x0"
    with pytest.raises(Problem, match="exceeds the time or memory limit"):
        plan.plan_query(text, "SELECT", BASE)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
    ],
)
def test_explanation_has_the_negotiated_media_type(
    read_only_client: httpx2.Client, accept: str, media_type: str
) -> None:
    response = read_only_client.get(
        "/sparql?query=ASK{?s%20%3Cx:%26%3E%20?o}&explain", headers={"Accept": accept}
    )
    assert (response.status_code, response.headers["content-type"]) == (200, media_type)
    if media_type == "application/json":
        expected_step = {"depth": 0, "step": "Find ?s <x:&> ?o.", "statements": 0, "more": False}
        assert response.json()["steps"][0] == expected_step
    else:
        assert "0 statements" in response.text
        assert ("<x:&>" in response.text) is (accept != "text/html")  # HTML is escaped


def test_explanation_can_be_requested_by_a_form(read_only_client: httpx2.Client) -> None:
    response = read_only_client.post("/sparql", data={"query": "ASK {?s ?p ?o}", "explain": ""})
    assert response.json()["steps"][0]["step"] == "Find ?s ?p ?o."
    assert (
        read_only_client.post("/sparql", data={"query": "ASK {?s ?p }", "explain": ""}).json()["column"] == 12
    )
    assert read_only_client.get("/sparql?query=ASK{}&explain&_mediatype=csv").status_code == 406
    assert read_only_client.get("/sparql?query=ASK{SERVICE%3Cx:y%3E{}}&explain").status_code == 403


def test_query_with_service_has_no_plan() -> None:
    client = make_service_client(Settings(allow="https://example.org/sparql"), Store.in_memory())
    query = "ASK { SERVICE <https://example.org/sparql> { ?s ?p ?o } }"
    response = client.get("/sparql", params={"query": query, "explain": ""})
    assert response.status_code == 422
    assert "A query with SERVICE has no plan" in response.json()["detail"]
