"""A text is tokenized once per request; the dataset of an update request is added to the text."""

import pickle
from collections.abc import Iterator
from re import Match

import httpx2
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

from tests.fixtures.service import make_writer_client

PREF_LABEL = "<http://www.w3.org/2004/02/skos/core#prefLabel>"
SEARCH_URL = "https://w3id.org/wgig/search"
PEER_URL = "http://peer.example/sparql"
EMPTY_RESULTS = b'{"head": {"vars": ["s"]}, "results": {"bindings": []}}'


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> httpx2.Client:
    """A client of a service that may call PEER_URL, whose results are empty."""

    async def return_empty_results(*_: object) -> OutboundResponse:
        return OutboundResponse("application/sparql-results+json", EMPTY_RESULTS, PEER_URL)

    monkeypatch.setattr(federation, "query_endpoint", return_empty_results)
    store = Store.in_memory()
    store.update(f"INSERT DATA {{ <x:spam> {PREF_LABEL} 'spam' }}")
    return make_writer_client(store, allow=PEER_URL)


@pytest.fixture
def tokenized_texts(
    client: httpx2.Client,  # noqa: ARG001 - its setup tokenizes texts, which are not recorded
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:
    """The texts that were tokenized during the test, one entry for each time."""
    texts: list[str] = []
    iter_token_matches = sparql_lexer.iter_token_matches

    def record_text(text: str) -> Iterator[Match[str]]:
        texts.append(text)
        return iter_token_matches(text)

    monkeypatch.setattr(sparql_lexer, "iter_token_matches", record_text)
    return texts


def test_simple_query_is_not_tokenized(client: httpx2.Client, tokenized_texts: list[str]) -> None:
    response = client.get(
        "/sparql", params={"query": f"SELECT ?s {{ ?s {PREF_LABEL} ?o }}", "_mediatype": "csv"}
    )
    assert response.text.split() == ["s", "x:spam"]
    assert tokenized_texts == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("SELECT ?s { ?s <x:none> ?lable }", 200, id="hints on an empty result"),
        pytest.param(
            "SELECT ?s FROM <x:g> { ?s <x:none> ?o FILTER(?o > <x:a#b>) }",
            200,
            id="text that needs the full analysis",
        ),
        pytest.param(f"SELECT ?s {{ SERVICE <{PEER_URL}> {{ ?s <x:p> ?o }} }}", 200, id="SERVICE"),
        pytest.param(
            f"SELECT ?s {{ SERVICE <{SEARCH_URL}> {{ ?s <{SEARCH_URL}#matches> 'none' }} ?s ?p ?o }}",
            200,
            id="search",
        ),
        pytest.param("SELECT ?s { ?s <x:p ?o }", 400, id="syntax error"),
        pytest.param("SELECT ?s { ?s skos:prefLabel ?o }", 400, id="undeclared prefix"),
        pytest.param(
            f"SELECT ?s {{ SERVICE <{PEER_URL}> {{ ?s <x:p> ?o }}",
            400,
            id="syntax error in a query with SERVICE",
        ),
        pytest.param("SELECT ?s { SERVICE <http://other.example/> {} }", 403, id="refused SERVICE"),
    ],
)
def test_query_is_tokenized_once(
    client: httpx2.Client, tokenized_texts: list[str], query: str, status: int
) -> None:
    params = {"query": query, "hints": ""}
    response = client.get("/sparql", params=params, headers={"Accept": "text/csv"})
    assert response.status_code == status, response.text
    assert tokenized_texts == [query]


def test_cited_query_is_tokenized_once(client: httpx2.Client, tokenized_texts: list[str]) -> None:
    query = f"SELECT ?s {{ ?s {PREF_LABEL} ?o }}"
    assert client.get("/cite", params={"query": query}).status_code == 200
    assert tokenized_texts == [query]


@pytest.mark.parametrize("target", [PEER_URL, SEARCH_URL])
def test_query_with_service_cannot_be_cited(client: httpx2.Client, target: str) -> None:
    query = f"SELECT ?s {{ SERVICE <{target}> {{ ?s <{SEARCH_URL}#matches> 'spam' }} }}"
    response = client.get("/cite", params={"query": query})
    assert response.status_code == 422
    assert "without SERVICE" in response.json()["detail"]


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ("INSERT DATA { GRAPH <x:g> { <x:a> <x:p> 1 } }", 204),
        ("DELETE { ?s ?p ?o } INSERT { GRAPH <x:g> { ?s ?p ?o } } WHERE { ?s ?p ?o }", 204),
        (f"INSERT {{ ?s <x:found> 1 }} WHERE {{ SERVICE <{PEER_URL}> {{ ?s <x:p> ?o }} }}", 204),
        ("INSERT { ?s <x:p 1 } WHERE { ?s ?p ?o }", 400),
        ("SELECT * {}", 400),
    ],
)
def test_update_is_tokenized_once(
    client: httpx2.Client, tokenized_texts: list[str], update: str, status: int
) -> None:
    response = client.post("/update", data={"update": update})
    assert response.status_code == status, response.text
    assert tokenized_texts == [update]


def test_unpickled_text_has_its_tokens_and_can_build_its_tree(tokenized_texts: list[str]) -> None:
    query = ParsedSparqlText("ASK {" + "{" * 2_000 + "}" * 2_000 + "}")
    assert isinstance(query.tree, SyntaxNode)
    unpickled = pickle.loads(pickle.dumps(query))
    assert unpickled.tokens == query.tokens
    assert isinstance(unpickled.tree, SyntaxNode)
    assert tokenized_texts == [query.text]


def test_text_with_replaced_iris_has_the_right_tokens() -> None:
    text = "PREFIX p: <x:y> LOAD SILENT p:x INTO GRAPH <x:g>; LOAD <http://a> # <x:h>\n; INSERT DATA {}"
    query = SparqlText(text)
    iris = {text.index("p:x"): "<x:long-one>", text.index("<http"): "<x:s>"}
    end = text.index(" DATA {}")
    for changed in (query.with_iris(iris), query.with_iris(iris, text.index("LOAD <"), end)):
        assert changed.tokens == SparqlText(changed.text).tokens
        assert "LOAD <x:s> # <x:h>" in changed.text


def test_tokens_of_a_long_text_are_not_cached(
    tokenized_texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparql_lexer, "MAX_KEPT_TOKENS_CHARS", 20)
    for text in ("INSERT DATA {}", "INSERT DATA { <x:s> <x:p> 1 }"):
        update = SparqlText(text)
        read_update_targets(update)
        assert tokenized_texts.count(text) == 1
        assert update.tokens
        assert tokenized_texts.count(text) == (2 if len(text) > 20 else 1)


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
def test_using_clauses_are_added_before_each_where(text: str, expected: str) -> None:
    update = add_using_clauses(ParsedSparqlText(text), ["g:1"], ["g:2"]).text
    assert update.split() == expected.split()
    Store.in_memory().update(update)


@pytest.mark.parametrize(
    "text", ["WITH <g:3> DELETE { ?s ?p 1 } WHERE {}", "DELETE { ?s ?p 1 } using <g:3> WHERE {}"]
)
def test_dataset_in_both_text_and_request_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="Specify the dataset in only one of them"):
        add_using_clauses(ParsedSparqlText(text), ["g:1"], [])


def test_update_without_dataset_is_not_changed() -> None:
    update = ParsedSparqlText("WITH <g:3> DELETE { ?s ?p 1 } WHERE {}")
    assert add_using_clauses(update, [], []) is update
