"""The plan of a query in words, and what could be better."""

from collections.abc import Callable
from importlib.metadata import version

import httpx
import pytest
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.sparql import plan
from wgig.sparql.explain import QueryExplanation, explain_query
from wgig.sparql.plan import PlanStep, StatementCount, count_plan_statements, split_pattern_terms
from wgig.sparql.request import build_own_query
from wgig.store.store import Store
from wgig.store.view import QueryDataset

from tests.fixtures.service import service_of

BASE = Settings.base
MANY = "".join(f"<x:s{number}> <x:many> {number} . " for number in range(50))


def test_the_command_is_of_the_release_of_the_library() -> None:
    assert version("oxigraph") == version("pyoxigraph")


@pytest.fixture(scope="module")
def store() -> Store:
    """Fifty statements of one property, two of another, and a class."""
    made = Store.in_memory()
    made.update(
        f"INSERT DATA {{ {MANY} <x:s1> <x:few> 1, 2 . <x:s1> a <x:C> . GRAPH <x:g> {{ <x:s2> <x:few> 3 }} }}"
    )
    return made


@pytest.fixture(scope="module")
def told(store: Store) -> Callable[[str], QueryExplanation]:
    """Explain a query over the store."""
    return lambda text: explain_query(build_own_query(text, text.split()[0]), store, BASE)


def sentences(found: QueryExplanation) -> list[str]:
    return [f"{'  ' * line.depth}{line.sentence}" for line in found.lines]


def test_the_steps_stand_in_the_order_of_the_engine(told: Callable[[str], QueryExplanation]) -> None:
    found = told("SELECT ?s ?o { ?s <x:many> ?o ; ?p 1 FILTER(?o > 3) } ORDER BY ?o LIMIT 5")
    assert sentences(found) == [
        "Find ?s ?p 1.",
        "For each row so far: find ?s <x:many> ?o.",
        "Keep the rows where (?o > 3).",
        "Sort them by ASC(?o).",
        "Show ?s, ?o.",
        "Take a range of the rows: start = 0, length = 5.",
    ] or sentences(found)[1:3] == ["For each row so far:", "  Find ?s <x:many> ?o."]
    assert [line.matches for line in found.lines][:1] == [StatementCount(2)]


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("?s <x:few> ?o OPTIONAL { ?s <x:many> ?n }", "(OPTIONAL): find ?s <x:many> ?n."),
        ("?s <x:few> ?o MINUS { ?s <x:many> ?n }", "Remove rows that match (MINUS)"),
        ("{ ?s <x:few> ?o } UNION { ?s <x:many> ?o }", "Either (UNION):"),
        ("?s <x:few>* ?o", "It goes along <x:few>."),
        ("?s <x:few> ?o . ?t <x:many> ?n", "pair each row of one with each of the other (a cross product)"),
        ("VALUES ?o { 1 2 } ?s <x:few> ?o", "Take the values (?o), ((1), (2))."),
        ("?s <x:few> ?o FILTER EXISTS { ?s <x:many> ?n }", "Check for each row whether there is a match:"),
        ("?s <x:few> [ <x:many> ?n ]", "find ?s <x:few> ?_1."),
        ("{ SELECT ?s { ?s <x:few> ?o } LIMIT 1 } ?s <x:many> ?n", "length = 1."),
        ("?s <x:few> ?o BIND(?o - 1 AS ?n)", "Compute ?o - 1 -> ?n."),
        ("GRAPH ?g { ?s <x:few> ?o }", "Find ?s <x:few> ?o ?g."),
    ],
)
def test_each_part_of_a_pattern_is_told(
    told: Callable[[str], QueryExplanation], pattern: str, says: str
) -> None:
    assert says in told(f"SELECT * {{ {pattern} }}").format_text()


def test_the_variables_of_a_table_stand_in_one_order(told: Callable[[str], QueryExplanation]) -> None:
    text = "SELECT * { ?s <x:a> ?o OPTIONAL { ?s <x:b> ?o . ?s <x:c> ?x . ?o <x:d> ?y } }"
    assert "(OPTIONAL) from a table of all matches, by ?o, ?s:" in told(text).format_text()


@pytest.mark.parametrize(
    "text", ["ASK { ?s <x:few> ?o }", "CONSTRUCT WHERE { ?s <x:few> ?o }", "DESCRIBE <x:s1>"]
)
def test_each_form_has_a_plan(told: Callable[[str], QueryExplanation], text: str) -> None:
    assert told(text).lines


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("?s <x:many> ?o", StatementCount(50)),
        ("?s <x:few> ?o", StatementCount(3)),
        ("?s <x:few> ?o <x:g>", StatementCount(1)),
        ("?s <x:few> ?o ?g", StatementCount(1)),
        ('?s <x:few> "1"^^<http://www.w3.org/2001/XMLSchema#integer>', StatementCount(1)),
        ("<x:s1> <x:few> ?o", StatementCount(2)),
        ("?s <x:few> ?s", StatementCount(3, is_upper_bound=True)),
        ("<x:s1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <x:C>", StatementCount(1)),
        ("?s ?p ?o", StatementCount(54)),
    ],
)
def test_patterns_are_counted(store: Store, pattern: str, count: StatementCount) -> None:
    assert count_plan_statements([PlanStep("QuadPattern", pattern, ())], store, QueryDataset()) == {
        pattern: count
    }


def test_counting_keeps_to_the_dataset(store: Store) -> None:
    step = PlanStep("QuadPattern", "?s <x:few> ?o", ())
    assert count_plan_statements([step], store, QueryDataset(("x:g",)))[step.detail] == StatementCount(1)
    assert count_plan_statements([step], store, QueryDataset(union=False))[step.detail] == StatementCount(2)


def test_counting_ends_at_a_bound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    step = PlanStep("QuadPattern", "?s <x:many> ?o", ())
    monkeypatch.setattr(plan, "MAX_COUNTED_STATEMENTS", 20)
    found = count_plan_statements([step], store, QueryDataset())[step.detail]
    assert found == StatementCount(20, is_lower_bound=True)
    assert str(found) == "more than 20 statements"
    monkeypatch.setattr(plan, "COUNT_SECONDS", -1)
    assert count_plan_statements([step], store, QueryDataset()) == {}


@pytest.mark.parametrize(
    ("pattern", "cut"),
    [
        ('?s <x:p> "a b"@en', ["?s", "<x:p>", '"a b"@en']),
        ('?s <x:p> "a \\" ?b"^^<x:t> ?g', ["?s", "<x:p>", '"a \\" ?b"^^<x:t>', "?g"]),
        ("?s (<x:p> / (<x:q>)*) ?o", ["?s", "(<x:p> / (<x:q>)*)", "?o"]),
        ("<x:a> !(<x:p>) ?o <x:g>", ["<x:a>", "!(<x:p>)", "?o", "<x:g>"]),
    ],
)
def test_a_pattern_of_the_plan_is_cut_into_its_terms(pattern: str, cut: list[str]) -> None:
    assert split_pattern_terms(pattern) == cut


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (
            "?s <x:few> ?o . ?t <x:many> ?n",
            "A cross product: the parts around ?s <x:few> ?o and ?t <x:many> ?n",
        ),
        ("?s <x:none> ?o", "No statement matches ?s <x:none> ?o, so"),
        ("?s <x:many> ?o . ?s <x:few> ?n", "Put ?s <x:few> ?n (3 statements) before it."),
    ],
)
def test_what_could_be_better_is_said(
    told: Callable[[str], QueryExplanation], pattern: str, says: str
) -> None:
    assert says in "\n".join(told(f"SELECT * {{ {pattern} }}").advice)


def test_the_advice_leads_to_the_better_plan(told: Callable[[str], QueryExplanation]) -> None:
    better = told("SELECT * { ?s <x:few> ?n . ?s <x:many> ?o }")
    assert sentences(better)[0] == "Find ?s <x:few> ?n."
    assert not better.advice


def test_what_cannot_be_evaluated_has_no_plan(told: Callable[[str], QueryExplanation]) -> None:
    with pytest.raises(Problem, match="cannot be planned: The custom function <x:unknown>") as refused:
        told("ASK { FILTER(<x:unknown>(1)) }")
    assert refused.value.status == 422


def test_a_plan_that_takes_too_long_is_given_up(
    told: Callable[[str], QueryExplanation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "PLAN_SECONDS", 1)
    with pytest.raises(Problem, match="exceeds the limit of time or memory") as refused:
        told(f"ASK {{ {' '.join(f'?x{n} ?p{n} ?x{n + 1} .' for n in range(900))} }}")
    assert refused.value.status == 503


def test_what_does_not_parse_has_no_plan(told: Callable[[str], QueryExplanation]) -> None:
    with pytest.raises(SyntaxError, match="error at 1:"):
        told("SELECT ?x { ?x ?p }")


def test_a_plan_that_takes_too_much_memory_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PLAN_MEMORY_BYTES", 64 * 1024 * 1024)
    monkeypatch.setattr(plan, "PLAN_SECONDS", 60)  # which it does not take
    rows = " ".join(map(str, range(1000)))
    text = f"SELECT * {{ {' '.join(f'VALUES ?x{n} {{ {rows} }}' for n in range(2))} }} ORDER BY ?x0"
    with pytest.raises(Problem, match="exceeds the limit of time or memory"):
        plan.plan_query(text, "SELECT", BASE)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
    ],
)
def test_a_plan_is_asked_over_http(closed: httpx.Client, accept: str, media_type: str) -> None:
    answer = closed.get("/sparql?query=ASK{?s%20%3Cx:%26%3E%20?o}&explain", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert "0 statements" in answer.text or answer.json()["steps"][0] == {
        "depth": 0,
        "step": "Find ?s <x:&> ?o.",
        "statements": 0,
        "more": False,
    }
    assert "<x:&>" not in answer.text or accept != "text/html"


def test_a_query_is_sent_to_be_explained_in_a_form(closed: httpx.Client) -> None:
    answer = closed.post("/sparql", data={"query": "ASK {?s ?p ?o}", "explain": ""})
    assert answer.json()["steps"][0]["step"] == "Find ?s ?p ?o."
    assert closed.post("/sparql", data={"query": "ASK {?s ?p }", "explain": ""}).json()["column"] == 12
    assert closed.get("/sparql?query=ASK{}&explain&_mediatype=csv").status_code == 406
    assert closed.get("/sparql?query=ASK{SERVICE%3Cx:y%3E{}}&explain").status_code == 403


def test_a_query_that_asks_others_has_no_plan() -> None:
    client = service_of(Settings(allow="https://example.org/sparql"), Store.in_memory())
    query = "ASK { SERVICE <https://example.org/sparql> { ?s ?p ?o } }"
    answer = client.get("/sparql", params={"query": query, "explain": ""})
    assert answer.status_code == 422
    assert "A query with SERVICE has no plan" in answer.json()["detail"]
