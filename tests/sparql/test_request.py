"""A text is cut into tokens once a request; the dataset of an update request becomes part of its text."""

import pickle
from collections.abc import Iterator
from re import Match

import httpx
import pytest
from wgig.http.outbound import OutboundResponse
from wgig.problems import Problem
from wgig.rdf import sparql_lexer
from wgig.rdf.sparql_lexer import SparqlText
from wgig.sparql import federation
from wgig.sparql.language.parser import ParsedSparqlText, SyntaxNode
from wgig.sparql.request import add_using_clauses
from wgig.store.store import Store
from wgig.store.update import read_update_targets

from tests.fixtures.service import writer_of

LABEL = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
SEARCH = "https://w3id.org/wgig/search"
PEER = "http://peer.example/sparql"
NOTHING_FOUND = b'{"head": {"vars": ["s"]}, "results": {"bindings": []}}'


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    """A client of a service that may ask PEER, which knows nothing."""

    async def answer(*_: object) -> OutboundResponse:
        return OutboundResponse("application/sparql-results+json", NOTHING_FOUND, PEER)

    monkeypatch.setattr(federation, "query_endpoint", answer)
    store = Store.in_memory()
    store.update(f"INSERT DATA {{ <x:spam> {LABEL} 'spam' }}")
    return writer_of(store, allow=PEER)


@pytest.fixture
def tokenized(
    asking: httpx.Client,  # noqa: ARG001 - whose own texts come before
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """The texts that are cut into tokens from now on, each as often as that is done."""
    texts: list[str] = []
    cut = sparql_lexer.iter_token_matches

    def noting(text: str) -> Iterator[Match[str]]:
        texts.append(text)
        return cut(text)

    monkeypatch.setattr(sparql_lexer, "iter_token_matches", noting)
    return texts


def test_a_plain_query_is_not_cut_into_tokens(asking: httpx.Client, tokenized: list[str]) -> None:
    answer = asking.get("/sparql", params={"query": f"SELECT ?s {{ ?s {LABEL} ?o }}", "_mediatype": "csv"})
    assert answer.text.split() == ["s", "x:spam"]
    assert tokenized == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("SELECT ?s { ?s <x:none> ?lable }", 200, id="hints on an empty answer"),
        pytest.param("SELECT ?s FROM <x:g> { ?s <x:none> ?o FILTER(?o > <x:a#b>) }", 200, id="a closer look"),
        pytest.param(f"SELECT ?s {{ SERVICE <{PEER}> {{ ?s <x:p> ?o }} }}", 200, id="SERVICE"),
        pytest.param(
            f"SELECT ?s {{ SERVICE <{SEARCH}> {{ ?s <{SEARCH}#matches> 'none' }} ?s ?p ?o }}",
            200,
            id="search",
        ),
        pytest.param("SELECT ?s { ?s <x:p ?o }", 400, id="a slip"),
        pytest.param("SELECT ?s { ?s skos:prefLabel ?o }", 400, id="a prefix that is not declared"),
        pytest.param(f"SELECT ?s {{ SERVICE <{PEER}> {{ ?s <x:p> ?o }}", 400, id="a slip beside SERVICE"),
        pytest.param("SELECT ?s { SERVICE <http://other.example/> {} }", 403, id="SERVICE that is refused"),
    ],
)
def test_a_query_is_cut_into_tokens_once(
    asking: httpx.Client, tokenized: list[str], query: str, status: int
) -> None:
    answer = asking.get("/sparql", params={"query": query}, headers={"Accept": "text/csv"})
    assert answer.status_code == status, answer.text
    assert tokenized == [query]


def test_a_query_that_is_cited_is_cut_into_tokens_once(asking: httpx.Client, tokenized: list[str]) -> None:
    query = f"SELECT ?s {{ ?s {LABEL} ?o }}"
    assert asking.get("/cite", params={"query": query}).status_code == 200
    assert tokenized == [query]


@pytest.mark.parametrize("target", [PEER, SEARCH])
def test_a_query_with_service_is_not_cited(asking: httpx.Client, target: str) -> None:
    query = f"SELECT ?s {{ SERVICE <{target}> {{ ?s <{SEARCH}#matches> 'spam' }} }}"
    answer = asking.get("/cite", params={"query": query})
    assert answer.status_code == 422
    assert "without SERVICE" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ("INSERT DATA { GRAPH <x:g> { <x:a> <x:p> 1 } }", 204),
        ("DELETE { ?s ?p ?o } INSERT { GRAPH <x:g> { ?s ?p ?o } } WHERE { ?s ?p ?o }", 204),
        (f"INSERT {{ ?s <x:found> 1 }} WHERE {{ SERVICE <{PEER}> {{ ?s <x:p> ?o }} }}", 204),
        ("INSERT { ?s <x:p 1 } WHERE { ?s ?p ?o }", 400),
        ("SELECT * {}", 400),
    ],
)
def test_an_update_is_cut_into_tokens_once(
    asking: httpx.Client, tokenized: list[str], update: str, status: int
) -> None:
    answer = asking.post("/update", data={"update": update})
    assert answer.status_code == status, answer.text
    assert tokenized == [update]


def test_another_process_gets_the_tokens_of_a_text_and_makes_its_tree(tokenized: list[str]) -> None:
    query = ParsedSparqlText("ASK {" + "{" * 2_000 + "}" * 2_000 + "}")
    assert isinstance(query.tree, SyntaxNode)
    sent = pickle.loads(pickle.dumps(query))
    assert sent.tokens == query.tokens
    assert isinstance(sent.tree, SyntaxNode)
    assert tokenized == [query.text]


def test_the_tokens_of_a_text_with_other_iris_are_those_that_it_has() -> None:
    text = "PREFIX p: <x:y> LOAD SILENT p:x INTO GRAPH <x:g>; LOAD <http://a> # <x:h>\n; INSERT DATA {}"
    query = SparqlText(text)
    iris = {text.index("p:x"): "<x:long-one>", text.index("<http"): "<x:s>"}
    for part in (query.with_iris(iris), query.with_iris(iris, text.index("LOAD <"), len(text) - 8)):
        assert part.tokens == SparqlText(part.text).tokens
        assert "LOAD <x:s> # <x:h>" in part.text


def test_the_tokens_of_a_long_text_are_not_kept(
    tokenized: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparql_lexer, "MAX_KEPT_TOKENS_CHARS", 20)
    for text in ("INSERT DATA {}", "INSERT DATA { <x:s> <x:p> 1 }"):
        update = SparqlText(text)
        read_update_targets(update)
        assert tokenized.count(text) == 1
        assert (update.tokens, tokenized.count(text)) == (update.tokens, 1 + (len(text) > 20))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }",
            "INSERT { ?s ?p 1 } USING <g:1> USING NAMED <g:2> WHERE { ?s ?p ?o }",
        ),
        ("DELETE WHERE { ?s ?p ?o }", "DELETE { ?s ?p ?o } USING <g:1> USING NAMED <g:2> WHERE { ?s ?p ?o }"),
        ("INSERT DATA { <a:a> <a:b> 'WHERE' }", "INSERT DATA { <a:a> <a:b> 'WHERE' }"),
        (
            "INSERT {} WHERE { { SELECT * WHERE { ?s ?p ?o } } }",
            "INSERT {} USING <g:1> USING NAMED <g:2> WHERE { { SELECT * WHERE { ?s ?p ?o } } }",
        ),
    ],
)
def test_each_where_gets_the_clauses(text: str, expected: str) -> None:
    written = add_using_clauses(ParsedSparqlText(text), ["g:1"], ["g:2"]).text
    assert written.split() == expected.split()
    Store.in_memory().update(written)


@pytest.mark.parametrize(
    "text", ["WITH <g:3> DELETE { ?s ?p 1 } WHERE {}", "DELETE { ?s ?p 1 } using <g:3> WHERE {}"]
)
def test_two_datasets_at_once_are_refused(text: str) -> None:
    with pytest.raises(Problem, match="Specify the dataset in only one of them"):
        add_using_clauses(ParsedSparqlText(text), ["g:1"], [])


def test_without_a_dataset_the_text_stays() -> None:
    update = ParsedSparqlText("WITH <g:3> DELETE { ?s ?p 1 } WHERE {}")
    assert add_using_clauses(update, [], []) is update
