"""The Python client: complete results as Python values, or a ServiceError with the problem document."""

import pickle
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pyoxigraph as ox
import pytest
import wgig
from wgig.settings import SHIPPED_FOLDER
from wgig_client.calls import PAPERS_PAGE_QUERY
from wgig_client.connection import Connection, RequestLimits
from wgig_client.values import Rows, Triples, convert_term_to_value, convert_value_to_term

from tests.fixtures.processes import ServiceStarter

pytestmark = pytest.mark.slow

EXAMPLE_PAPER = SHIPPED_FOLDER / "data/examples/community-networks.md"
XSD_NAMESPACE = "http://www.w3.org/2001/XMLSchema#"
TRANSPARENCY_IRI = "https://w3id.org/wgig/id/principle/transparency"
SPAM_IRI = "https://w3id.org/wgig/id/issue/spam"
EMPTY_RESULT = b'{"head":{"vars":["x"]},"results":{"bindings":[]}}'
RESULT_HEADERS = {"Content-Type": "application/sparql-results+json"}


@pytest.fixture(scope="module")
def graph(service_url: str) -> Iterator[wgig.GraphClient]:
    with wgig.connect(service_url) as graph:
        yield graph


def mock_graph(
    *outcomes: httpx2.Response | Exception, **limits: float
) -> tuple[wgig.GraphClient, list[float]]:
    """A graph whose requests have these outcomes, in order, and the list of pauses between retries."""
    remaining_outcomes = iter(outcomes)

    def handle_request(_: httpx2.Request) -> httpx2.Response:
        outcome = next(remaining_outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    request_limits: Any = limits
    transport = httpx2.MockTransport(handle_request)
    connection = Connection("http://example.org/", RequestLimits(**request_limits), transport)
    pauses: list[float] = []
    connection.sleep = pauses.append
    return wgig.GraphClient(connection), pauses


def make_busy_response(**headers: str) -> httpx2.Response:
    """A 503; an underscore in the name of a header stands for a hyphen."""
    http_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(503, headers=http_headers, text="busy")


def test_import_of_the_package_does_not_import_dependencies() -> None:
    code = "import sys, wgig; "
    code += "assert not {'httpx2', 'pyoxigraph', 'fastapi', 'wgig_client.client'} & {*sys.modules}; "
    code += "wgig.connect; assert 'httpx2' in sys.modules and 'pandas' not in sys.modules; print(dir(wgig))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'connect'" in process.stdout
    with pytest.raises(AttributeError, match="nothing"):
        wgig.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_select_returns_rows_of_python_values(graph: wgig.GraphClient) -> None:
    rows = graph.query(
        f"SELECT ?label ?issue ?none {{ ?issue <http://www.w3.org/2004/02/skos/core#prefLabel> ?label "
        f"FILTER(?issue = <{SPAM_IRI}> && LANG(?label) = 'en') }}"
    )
    assert rows == [{"label": "Spam", "issue": SPAM_IRI, "none": None}]
    assert rows.columns == ("label", "issue", "none")
    assert (type(rows[0]["issue"]), rows[0]["label"].language) == (wgig.IRI, "en")
    assert rows.terms[0]["issue"] == ox.NamedNode(SPAM_IRI)


def test_ask_returns_a_bool_and_construct_returns_triples(graph: wgig.GraphClient) -> None:
    assert graph.query(f"ASK {{ <{SPAM_IRI}> ?p ?o }}") is True
    assert graph.query("ASK { <urn:x> ?p ?o }") is False
    triples = graph.query(f"CONSTRUCT WHERE {{ <{SPAM_IRI}> ?p ?o }}")
    assert {str(triple.subject) for triple in triples} == {f"<{SPAM_IRI}>"}
    assert len(triples.to_rdflib()) == len(triples) > 3


@pytest.mark.parametrize(
    ("lexical", "datatype", "expected"),
    [
        ("5", "integer", 5),
        ("5", "unsignedByte", 5),
        ("1.50", "decimal", Decimal("1.50")),
        ("1.5", "double", 1.5),
        ("true", "boolean", True),
        ("2005-01-25", "date", date(2005, 1, 25)),
        ("2005-01-25T10:00:00Z", "dateTime", datetime(2005, 1, 25, 10, tzinfo=UTC)),
        ("text", "string", "text"),
    ],
)
def test_literal_is_converted_to_a_python_value_and_back(
    lexical: str, datatype: str, expected: object
) -> None:
    value = convert_term_to_value(ox.Literal(lexical, datatype=ox.NamedNode(XSD_NAMESPACE + datatype)))
    assert (value, type(value)) == (expected, type(expected))
    assert convert_term_to_value(convert_value_to_term(value)) == expected


@pytest.mark.parametrize(
    ("lexical", "datatype"), [("2005", "gYear"), ("many", "integer"), ("2005-01-25Z", "date")]
)
def test_literal_without_a_python_type_is_converted_to_text(lexical: str, datatype: str) -> None:
    literal = ox.Literal(lexical, datatype=ox.NamedNode(XSD_NAMESPACE + datatype))
    text = convert_term_to_value(literal)
    assert (str(text), text.datatype, text.language) == (lexical, XSD_NAMESPACE + datatype, None)
    assert convert_value_to_term(text) == literal


def test_value_without_a_datatype_and_invalid_iri_are_refused() -> None:
    with pytest.raises(TypeError, match="has no RDF datatype"):
        convert_value_to_term(object())
    with pytest.raises(ValueError, match="IRI"):
        convert_value_to_term(wgig.IRI("no iri> <"))


def make_rows() -> Rows:
    """Two rows with IRIs, numbers, dates, a column of mixed types, and unbound variables."""
    integer, date_type = (ox.NamedNode(XSD_NAMESPACE + name) for name in ("integer", "date"))
    return Rows(
        ["thing", "n", "day", "mixed", "half"],
        [
            [
                ox.NamedNode("urn:a"),
                ox.Literal("1", datatype=integer),
                ox.Literal("2005-01-25", datatype=date_type),
                ox.Literal("1", datatype=integer),
                ox.Literal("0.5", datatype=ox.NamedNode(f"{XSD_NAMESPACE}decimal")),
            ],
            [ox.NamedNode("urn:b"), None, None, ox.Literal("one"), None],
        ],
    )


def test_rows_are_converted_to_pandas() -> None:
    frame = make_rows().to_pandas()
    assert str(frame["n"].dtype) == "Int64"
    assert str(frame["day"].dtype).startswith("datetime64")
    assert frame["day"][0].year == 2005
    assert list(frame["mixed"]) == ["1", "one"]
    assert frame["half"][0] == 0.5
    decimal_type = ox.NamedNode(f"{XSD_NAMESPACE}decimal")
    whole = Rows(["x"], [[ox.Literal("1.0", datatype=decimal_type)], [None]]).to_pandas()
    assert (str(whole["x"].dtype), whole["x"][0]) == ("Float64", 1.0)
    assert list(Rows(["x"], []).to_pandas().columns) == ["x"]


def test_rows_are_converted_to_polars() -> None:
    frame = make_rows().to_polars()
    assert frame["n"].to_list() == [1, None]
    assert frame["day"].to_list() == [date(2005, 1, 25), None]
    assert frame["thing"].to_list() == ["urn:a", "urn:b"]
    assert frame["half"].to_list() == [0.5, None]


@pytest.mark.parametrize("name", ["pandas", "polars", "rdflib", "networkx"])
def test_missing_library_is_reported_with_the_command(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    result = make_rows() if name in ("pandas", "polars") else Triples()
    with pytest.raises(ImportError, match=rf"pip install 'wgig-client\[{name}\]'"):
        getattr(result, f"to_{name}")()


def test_example_query_is_filtered_by_its_parameters(graph: wgig.GraphClient) -> None:
    all_rows = graph.example("coverage-matrix")
    rows = graph.example("coverage-matrix", the_issue="spam", the_criterion=wgig.IRI(TRANSPARENCY_IRI))
    assert 0 < len(rows) < len(all_rows)
    assert rows == [
        row for row in all_rows if (row["issueLabel"], row["criterionLabel"]) == ("Spam", "transparency")
    ]


@pytest.mark.parametrize("injection", ['") } } DROP ALL #', "x\\", "a&the_criterion=x", "\n}"])
def test_sparql_injection_in_a_parameter_is_refused(graph: wgig.GraphClient, injection: str) -> None:
    with pytest.raises(wgig.ServiceError, match="the_issue is") as caught:
        graph.example("coverage-matrix", the_issue=injection)
    assert caught.value.status == 400


def test_too_long_url_is_not_sent() -> None:
    with pytest.raises(wgig.ServiceError, match=r"The URL would be invalid: .* too long"):
        mock_graph()[0].example("coverage-matrix", the_issue="x" * 100_000)


def test_unknown_example_or_parameter_is_an_error_with_a_suggestion(graph: wgig.GraphClient) -> None:
    with pytest.raises(wgig.ServiceError, match="Did you mean coverage-matrix") as caught:
        graph.example("coverage-matrx")
    assert caught.value.status == 404
    with pytest.raises(wgig.ServiceError, match="Did you mean the_issue"):
        graph.example("coverage-matrix", the_isue="spam")


@pytest.mark.parametrize("page_size", [1, 4, 500])
def test_papers_are_fetched_from_all_pages(graph: wgig.GraphClient, page_size: int) -> None:
    papers = list(graph.papers(page_size))
    assert len({paper["paper"] for paper in papers}) == len(papers)
    items = graph.connection.send_read("GET", "papers", params={"size": "500"}).json()["items"]
    assert {paper["paper"] for paper in papers} == {item["id"] for item in items}
    (spam,) = [paper for paper in papers if paper["paper"].endswith("/wp-spam")]
    assert spam == {"paper": spam["paper"], "title": "Spam", "issue": SPAM_IRI, "posted": date(2005, 2, 1)}


def test_page_of_papers_starts_after_the_last_iri(graph: wgig.GraphClient) -> None:
    first_paper, second_paper = list(graph.papers())[:2]
    page_size = 1
    rows = graph.select(PAPERS_PAGE_QUERY % (convert_value_to_term(str(first_paper["paper"])), page_size))
    assert rows == [second_paper]


@pytest.mark.parametrize("name", [SPAM_IRI, "issue/spam", "issue:spam"])
def test_resource_is_described_as_json(graph: wgig.GraphClient, name: str) -> None:
    assert SPAM_IRI.removeprefix("https://w3id.org/wgig/") in str(graph.thing(name))


def test_resource_of_another_service_is_an_error(graph: wgig.GraphClient) -> None:
    with pytest.raises(wgig.ServiceError, match="has no resource http://example") as caught:
        graph.thing("http://example.org/id/issue/spam")
    assert caught.value.status == 404


def test_unknown_resource_is_an_error(graph: wgig.GraphClient) -> None:
    with pytest.raises(wgig.ServiceError, match="There is no resource") as caught:
        graph.thing("issue/nö?x#")
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "name", ["../papers", "issue/./spam", "issue//spam", "issue/spam/..", "issue:../x", ""]
)
def test_invalid_resource_name_is_not_sent(name: str) -> None:
    with pytest.raises(wgig.ServiceError, match=r"does not name a resource\. Give its IRI") as caught:
        mock_graph()[0].thing(name)
    assert caught.value.status is None


def write_draft(folder: Path) -> Path:
    """Write a paper without threats to a file in a folder."""
    draft = folder / "spam.md"
    text = EXAMPLE_PAPER.read_text("utf-8")
    draft.write_text(re.sub(r"### Threats\n\n.*?\n\n", "", text, flags=re.DOTALL), encoding="utf-8")
    return draft


def test_paper_is_checked(graph: wgig.GraphClient, tmp_path: Path) -> None:
    report = graph.check(EXAMPLE_PAPER)
    assert (report.conforms, report.findings) == (True, [])
    draft = write_draft(tmp_path)
    report = graph.check(draft, profile="final", language="fr")
    assert not report.conforms
    assert report["files"][0]["name"] == "spam.md"
    assert {paper["conforms"] for paper in report.papers} == {False}
    assert all(finding["message"] for finding in report.findings)
    with pytest.raises(wgig.ServiceError, match="no profile"):
        graph.check(draft, profile="last")


def test_syntax_error_has_line_and_column(graph: wgig.GraphClient) -> None:
    with pytest.raises(wgig.ServiceError) as caught:
        graph.query("SELECT ?issue, ?label WHERE { ?issue ?p ?label }")
    error = caught.value
    assert (error.status, error.title, error.line, error.column) == (400, "Syntax error", 1, 14)
    assert error.suggestion == "Remove the comma."
    assert " " * 13 + "^" in str(error)  # under column 14


def test_graph_is_written_with_a_token(start_service: ServiceStarter, tmp_path: Path) -> None:
    file, paper = tmp_path / "mine.ttl", tmp_path / "paper.md"
    file.write_text("<urn:s> <urn:p> 1, 2 .")
    paper.write_text(EXAMPLE_PAPER.read_text("utf-8"), encoding="utf-8")
    settings = {"WGIG_DATA": "none", "WGIG_TOKEN": "secret", "WGIG_WRITE_PROFILE": "complete"}
    with start_service(tmp_path / "store", **settings) as url:
        with wgig.connect(url) as graph_without_token, pytest.raises(wgig.ServiceError) as caught:
            graph_without_token.put("mine", file)
        assert caught.value.status == 401
        with wgig.connect(url, token="secret") as graph:
            assert graph.put("urn:mine", file) is True  # created
            assert graph.put("urn:mine", file) is False  # replaced
            assert graph.query("SELECT ?n { GRAPH <urn:mine> { ?s ?p ?n } } ORDER BY ?n") == [
                {"n": 1},
                {"n": 2},
            ]
            assert graph.put("paper/example-community-networks", paper)
            with pytest.raises(wgig.ServiceError, match="example-community-networks") as caught_wrong_graph:
                graph.put("paper/other", paper)
            assert caught_wrong_graph.value.status == 422
            # Without its drafters, the paper is not complete.
            paper.write_text(
                re.sub(r"drafters:.*\n(?:  .*\n)*", "", paper.read_text("utf-8")), encoding="utf-8"
            )
            with pytest.raises(wgig.ServiceError, match="Does not conform") as caught_report:
                graph.put("paper/example-community-networks", paper)
            assert (caught_report.value.status, caught_report.value.members["conforms"]) == (422, False)
            with pytest.raises(ValueError, match="cannot be determined"):
                graph.put("mine", tmp_path / "mine.data")  # a suffix of no format


def test_busy_service_is_retried_at_the_time_of_retry_after() -> None:
    past_date = format_datetime(datetime.now(UTC).replace(year=2001), usegmt=True)
    graph, pauses = mock_graph(
        make_busy_response(Retry_After="5"),
        make_busy_response(Retry_After=past_date),
        httpx2.Response(200, headers=RESULT_HEADERS, content=EMPTY_RESULT),
    )
    assert graph.query("SELECT ?x {}") == []
    assert pauses == [5, 0]


def test_retries_are_limited_by_number_and_total_pause() -> None:
    graph, pauses = mock_graph(*[make_busy_response(Retry_After="20")] * 3)
    with pytest.raises(wgig.ServiceError, match="503"):
        graph.query("SELECT ?x {}")
    assert pauses == [20]  # a second pause would exceed the total of 30 s
    graph, pauses = mock_graph(*[make_busy_response(Retry_After="1")] * 9, retries=2)
    with pytest.raises(wgig.ServiceError):
        graph.query("SELECT ?x {}")
    assert pauses == [1, 1]


@pytest.mark.parametrize("headers", [{}, {"Retry_After": "soon"}, {"Retry_After": "-5"}])
def test_busy_service_without_valid_retry_after_is_not_retried(headers: dict[str, str]) -> None:
    graph, pauses = mock_graph(make_busy_response(**headers))
    with pytest.raises(wgig.ServiceError) as caught:
        graph.query("SELECT ?x {}")
    assert (caught.value.status, caught.value.detail, pauses) == (503, "busy", [])


def test_unreachable_service_is_retried_only_for_reads(tmp_path: Path) -> None:
    connect_error = httpx2.ConnectError("refused")
    graph, pauses = mock_graph(
        connect_error, connect_error, httpx2.Response(200, headers=RESULT_HEADERS, content=EMPTY_RESULT)
    )
    assert graph.query("SELECT ?x {}") == []
    assert pauses == [0.2, 0.4]
    file = tmp_path / "mine.ttl"
    file.touch()
    graph, pauses = mock_graph(connect_error)
    with pytest.raises(wgig.ServiceError, match="cannot be reached") as caught:
        graph.put("mine", file)
    assert (caught.value.status, pauses) == (None, [])


def test_timeout_is_an_error_and_not_retried() -> None:
    graph, pauses = mock_graph(httpx2.ReadTimeout("slow"))
    with pytest.raises(wgig.ServiceError, match="Request timed out"):
        graph.query("SELECT ?x {}")
    assert pauses == []


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/sparql-results+json", b'{"head":{"vars":["x"]},"results":{"bindings":['),
        ("application/n-triples", b"<urn:a> <urn:b> <urn:c"),
        ("text/html", b"<p>Welcome to the hotel</p>"),
    ],
)
def test_incomplete_or_invalid_result_is_an_error(media_type: str, body: bytes) -> None:
    graph, _ = mock_graph(httpx2.Response(200, headers={"Content-Type": media_type}, content=body))
    with pytest.raises(wgig.ServiceError, match="Invalid response"):
        graph.query("SELECT ?x {}")


def test_truncated_response_is_an_error_and_not_retried() -> None:
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve_truncated_response() -> None:
            connection, _ = listener.accept()
            with connection:
                requests.append(connection.recv(65536))
                head = "HTTP/1.1 200 OK\r\nContent-Type: application/n-triples\r\n"
                chunks = "Transfer-Encoding: chunked\r\n\r\n1a\r\n<urn:a> <urn:b> <urn:c> .\n\r\n"
                connection.sendall(f"{head}{chunks}".encode())  # without the last chunk, of length 0

        server = threading.Thread(target=serve_truncated_response)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            wgig.connect(url) as graph,
            pytest.raises(wgig.ServiceError, match="connection was lost") as caught,
        ):
            graph.query("CONSTRUCT WHERE { ?s ?p ?o }")
        server.join()
    assert (caught.value.status, len(requests)) == (None, 1)


def test_connections_are_reused_and_reads_are_sent_without_the_token(service_url: str) -> None:
    with wgig.connect(service_url, token="secret") as graph:
        connection = graph.connection
        requests: list[httpx2.Request] = []
        connection.http_client.event_hooks["request"].append(requests.append)
        for _ in range(3):
            graph.query("ASK {}")
        assert not any("authorization" in request.headers for request in requests)
        transport: Any = connection.http_client._transport
        assert len(transport._pool.connections) == 1


@pytest.mark.parametrize("url", ["http://x.org/a", "http://x.org/a/", "http://x.org/a/sparql"])
def test_service_is_identified_by_its_url_or_its_endpoint(url: str) -> None:
    with wgig.connect(url) as graph:
        assert graph.connection.url == "http://x.org/a/"


@pytest.mark.parametrize(
    "url", ["example.org", "ftp://x.org", "http://", "http://[::1", "http://x.org:abc/", "http://x.org/?x=1"]
)
def test_url_that_is_not_of_a_service_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"is not (the URL of a service|a URL)"):
        wgig.connect(url)
    with wgig.connect("HTTP://x.org") as graph:
        assert graph.connection.url == "http://x.org/"


def test_token_that_cannot_be_sent_is_refused_without_showing_it() -> None:
    for token in ("secret\n", "secrét", "a secret"):
        with pytest.raises(ValueError, match=r"^The token has white space or other characters"):
            wgig.connect("http://x.org", token=token)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 1e6])
def test_timeout_of_a_query_that_is_no_time_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match="Give a number of seconds above 0"):
        mock_graph()[0].query("ASK {}", timeout=timeout)


def test_service_that_accepts_no_connection_is_unreachable() -> None:
    timeout = httpx2.ConnectTimeout("slow")
    done = httpx2.Response(200, headers=RESULT_HEADERS, content=EMPTY_RESULT)
    graph, pauses = mock_graph(timeout, done)
    assert graph.query("SELECT ?x {}") == []
    assert pauses == [0.2]
    with pytest.raises(wgig.ServiceError, match="accepts no connection"):
        mock_graph(timeout, retries=0)[0].query("SELECT ?x {}")


def test_errors_are_pickled() -> None:
    with pytest.raises(wgig.ServiceError) as caught:
        mock_graph(httpx2.ReadTimeout("slow"))[0].query("SELECT ?x {}")
    problem = wgig.ServiceError(400, "Syntax error", "No.", {"line": 1, "column": 2})
    for error in (caught.value, problem):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_url_comes_from_the_environment_unless_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_URL", "http://example.org/set/")
    assert wgig.connect().connection.url == "http://example.org/set/"
    assert wgig.connect("http://example.org/given").connection.url == "http://example.org/given/"
    monkeypatch.delenv("WGIG_URL")
    with pytest.raises(ValueError, match="set WGIG_URL"):
        wgig.connect()


def test_token_is_not_in_the_representation_of_a_client() -> None:
    graph = wgig.connect("http://user:password@example.org", token="secret")
    assert repr(graph) == "GraphClient('http://example.org/')"


def test_password_in_the_url_is_not_in_the_message_of_an_error() -> None:
    with (
        wgig.connect("http://user:password@127.0.0.1:9/", retries=0) as graph,
        pytest.raises(wgig.ServiceError, match=r"http://127\.0\.0\.1:9/ cannot be reached") as caught,
    ):
        graph.query("ASK {}")
    assert "password" not in str(caught.value)


def test_query_is_stopped_after_its_timeout(graph: wgig.GraphClient) -> None:
    slow_query = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
    with pytest.raises(wgig.ServiceError, match=r"longer than 0\.2 seconds") as caught:
        graph.query(slow_query, timeout=0.2)
    assert caught.value.status == 503
    assert graph.select("SELECT ?x {}", timeout=5) == [{"x": None}]


def test_search_results_are_those_of_all_pages_in_order(graph: wgig.GraphClient) -> None:
    pages = [*graph.iter_search_pages({"q": "internet"})]
    items = [item for page in pages for item in page["items"]]
    assert len(pages) > 1
    assert [*graph.search("internet")] == items
    assert {item["kind"] for item in graph.search("internet", kind="issue")} == {"issue"}
    assert [item["id"] for item in graph.search("pourriel", language="fr")] == [
        item["id"]
        for page in graph.iter_search_pages({"q": "pourriel", "lang": "fr"})
        for item in page["items"]
    ]


def test_graphs_are_all_named_graphs_with_their_titles(graph: wgig.GraphClient) -> None:
    rows = graph.graphs()
    named = graph.select("SELECT DISTINCT ?graph { GRAPH ?graph { ?s ?p ?o } } ORDER BY STR(?graph)")
    assert [row["graph"] for row in rows] == [row["graph"] for row in named]
    titles = {row["graph"].rpartition("/")[2]: row["title"] for row in rows}
    assert titles["agreements"] == "Agreements of the first meeting"


@pytest.fixture(scope="module")
def writable_graph(
    start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[wgig.GraphClient]:
    folder = tmp_path_factory.mktemp("writable")
    with (
        start_service(folder / "store", WGIG_DATA="none", WGIG_TOKEN="secret") as url,
        wgig.connect(url, token="secret") as graph,
    ):
        yield graph


def test_update_is_run_as_a_whole_or_refused(writable_graph: wgig.GraphClient) -> None:
    writable_graph.update("INSERT DATA { GRAPH <urn:updated> { <urn:s> <urn:p> 1, 2 } }")
    assert len(writable_graph.select("SELECT ?o { GRAPH <urn:updated> { ?s ?p ?o } }")) == 2
    with pytest.raises(wgig.ServiceError, match="400 Syntax error"):
        writable_graph.update("DROP GRAPH <urn:updated> ; DELETE EVERYTHING")
    assert writable_graph.query("ASK { GRAPH <urn:updated> { ?s ?p ?o } }")
    with wgig.connect(writable_graph.connection.url) as graph, pytest.raises(wgig.ServiceError, match="401"):
        graph.update("DROP ALL")


def test_changes_go_on_where_they_stopped(writable_graph: wgig.GraphClient) -> None:
    changes = writable_graph.changes()
    assert changes.position == ""
    earlier = [*changes]
    assert [*changes] == []
    writable_graph.update(
        "INSERT DATA { GRAPH <urn:followed> { "
        + " ".join(f"<urn:followed:{number:03}> <urn:p> {number} ." for number in range(300))
        + " } }"
    )
    later = [change for change in changes if change.resource.startswith("urn:followed:")]
    assert [change.resource for change in later] == [f"urn:followed:{number:03}" for number in range(300)]
    assert {change.kind for change in later} == {"create"}
    graph_name, value = ox.NamedNode("urn:followed"), ox.Literal(7)
    assert later[7].quads == (
        ox.Quad(ox.NamedNode("urn:followed:007"), ox.NamedNode("urn:p"), value, graph_name),
    )
    writable_graph.update("DROP GRAPH <urn:followed>")
    deleted = [change for change in changes if change.resource.startswith("urn:followed:")]
    assert {(change.kind, change.quads) for change in deleted} == {("delete", ())}
    assert len(deleted) == 300
    everything = [*writable_graph.changes()]  # on several pages
    assert len({change.position for change in everything}) == len(everything) > 600
    assert everything[: len(earlier)] == earlier
    middle = everything[len(everything) // 2]
    assert [*writable_graph.changes(since=middle.position)] == everything[everything.index(middle) + 1 :]
    assert everything[-1].time == max(change.time for change in everything)


@pytest.mark.parametrize(
    "call",
    [
        lambda graph, _: graph.query("ASK {}"),
        lambda graph, _: next(graph.papers()),
        lambda graph, _: next(graph.search("spam")),
        lambda graph, _: graph.graphs(),
        lambda graph, _: graph.thing("issue/spam"),
        lambda graph, path: graph.check(path),
        lambda graph, path: graph.put("mine", path),
        lambda graph, _: graph.update("DROP ALL"),
        lambda graph, path: graph.dump(path.with_suffix(".nq.gz")),
        lambda graph, _: next(iter(graph.changes())),
        lambda graph, _: graph.cite(iri="issue/spam"),
    ],
)
def test_response_of_another_server_is_an_error(
    tmp_path: Path, call: Callable[[wgig.GraphClient, Path], object]
) -> None:
    path = tmp_path / "mine.ttl"
    path.touch()
    hotel = httpx2.Response(200, headers={"Content-Type": "text/html"}, text="<p>Welcome to the hotel</p>")
    with pytest.raises(wgig.ServiceError, match="The response has the type text/html instead of"):
        call(mock_graph(hotel)[0], path)
    assert [*tmp_path.iterdir()] == [path]


def test_response_that_is_not_json_is_an_error() -> None:
    for body in (b"{", b"[]"):
        broken = httpx2.Response(200, headers={"Content-Type": "application/json"}, content=body)
        with pytest.raises(wgig.ServiceError, match="Invalid response: The response is not"):
            mock_graph(broken)[0].thing("issue/spam")


@pytest.mark.parametrize("position", ["x", "x/0.1", "../sparql?x/1.0", "x/1", f"x/1.{'9' * 5000}"])
def test_text_that_is_no_position_of_changes_is_refused(position: str) -> None:
    with pytest.raises(ValueError, match="is not a position of changes"):
        mock_graph()[0].changes(position)


def test_position_in_another_stream_is_an_error(writable_graph: wgig.GraphClient) -> None:
    with pytest.raises(wgig.ServiceError, match="Start from /changes") as caught:
        next(iter(writable_graph.changes("20000101T000000000000Z/1.0")))
    assert caught.value.status == 404
    changes = writable_graph.changes()
    writable_graph.update("INSERT DATA { GRAPH <urn:positions> { <urn:s> <urn:p> 1 } }")
    page = [*changes][-1].position.partition(".")[0]
    with pytest.raises(wgig.ServiceError, match=r"has only \d+ changes"):
        [*writable_graph.changes(f"{page}.251")]


@pytest.mark.parametrize("suffix", ["nq", "trig.gz"])
def test_dump_is_downloaded_as_the_service_sends_it(
    graph: wgig.GraphClient, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"all.{suffix}"
    path.write_text("an older dump")
    assert graph.dump(path) == path
    response = httpx2.get(f"{graph.connection.url}dump.{suffix}", headers={"Accept-Encoding": "identity"})
    assert path.read_bytes() == response.content
    assert [*tmp_path.iterdir()] == [path]
    with pytest.raises(ValueError, match="has the suffix of no dump"):
        graph.dump(tmp_path / "all.zip")
    with pytest.raises(FileNotFoundError, match="missing'"):
        graph.dump(tmp_path / "missing" / "all.nq")
    with ThreadPoolExecutor() as pool:
        assert {*pool.map(graph.dump, [path] * 3)} == {path}


@pytest.mark.parametrize(
    "outcome",
    [
        httpx2.Response(
            200, headers={"Repr-Digest": f"sha-256=:{'A' * 43}=:"}, stream=httpx2.ByteStream(b"<urn:a> ")
        ),
        httpx2.Response(200, stream=httpx2.ByteStream(b"<urn:a> ")),
        httpx2.Response(404, text="no dump"),
        httpx2.ReadError("lost"),
    ],
)
def test_incomplete_dump_is_not_left_behind(
    tmp_path: Path, outcome: httpx2.Response | httpx2.ReadError
) -> None:
    path = tmp_path / "all.nq"
    path.write_text("an older dump")
    with pytest.raises(wgig.ServiceError):
        mock_graph(outcome, retries=0)[0].dump(path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("all.nq", "an older dump")]


LIKE_ONE = [("1", "integer"), ("true", "boolean"), ("1.0", "decimal")]


def is_literal(term: object) -> bool:
    return isinstance(term, ox.Literal)


def test_triples_are_converted_to_networkx(graph: wgig.GraphClient) -> None:
    query = f"CONSTRUCT {{ <{SPAM_IRI}> ?p ?o }} WHERE {{ <{SPAM_IRI}> ?p ?o }}"
    triples = graph.query(query)
    network = triples.to_networkx()
    assert network.number_of_edges() == len(triples)
    assert all(network.has_edge(SPAM_IRI, triple.object) for triple in triples if is_literal(triple.object))
    names = {ox.Literal("forum", language=language) for language in ("en", "fr")}
    values = {ox.Literal(lexical, datatype=ox.NamedNode(XSD_NAMESPACE + name)) for lexical, name in LIKE_ONE}
    subject, predicate = ox.NamedNode("urn:s"), ox.NamedNode("urn:p")
    terms: set[Any] = names | values | {ox.NamedNode("urn:o"), ox.Literal("urn:o")}
    alike = Triples(ox.Triple(subject, predicate, term) for term in terms)
    assert alike.to_networkx().number_of_edges() == len(terms) == 7


def test_notebook_shows_the_first_rows_escaped() -> None:
    integer = ox.NamedNode(f"{XSD_NAMESPACE}integer")
    rows = Rows(
        ["a&b", "n"],
        [[ox.NamedNode("http://example.org/?a&b"), ox.Literal("1", datatype=integer)]]
        + [[ox.Literal("<script>"), None]] * 50,
    )
    html = rows._repr_html_()
    assert html.startswith(
        "<table><thead><tr><th>a&amp;b</th><th>n</th></tr></thead><tbody><tr><td>"
        '<a href="http://example.org/?a&amp;b">http://example.org/?a&amp;b</a></td><td>1</td></tr>'
        "<tr><td>&lt;script&gt;</td><td></td></tr>"
    )
    assert html.count("<tr>") == 51
    assert html.endswith("</table><p>50 of 51 rows</p>")
    script = Rows(["x"], [[ox.NamedNode("javascript:alert(1)")]])
    assert "href" not in script._repr_html_()


def test_notebook_shows_triples_and_reports(graph: wgig.GraphClient, tmp_path: Path) -> None:
    triples = graph.query(f"DESCRIBE <{SPAM_IRI}>")
    assert "<th>subject</th><th>property</th><th>value</th>" in triples._repr_html_()
    assert graph.check(EXAMPLE_PAPER)._repr_html_() == "<p>conforms</p>"
    html = wgig.check(write_draft(tmp_path))._repr_html_()
    assert html.startswith("<p>does not conform</p><table>")
    assert "<td>Violation</td>" in html


@pytest.mark.parametrize(("profile", "language"), [("complete", "en"), ("final", "fr")])
def test_report_without_a_service_is_that_of_the_service(
    graph: wgig.GraphClient, tmp_path: Path, profile: str, language: str
) -> None:
    draft = write_draft(tmp_path)
    report = wgig.check(draft, profile, language)
    assert report.findings
    service_report = graph.check(draft, profile, language)
    assert report.papers == service_report.papers
    assert report.conforms is service_report.conforms is False


def test_file_that_cannot_be_checked_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        wgig.check(tmp_path / "missing.md")
    broken = tmp_path / "broken.ttl"
    broken.write_text("<urn:a> <urn:b>\n  1 2 .")
    with pytest.raises(wgig.ServiceError, match="400 Syntax error") as caught:
        wgig.check(broken)
    assert (caught.value.line, caught.value.column) == (2, 5)
    with pytest.raises(wgig.ServiceError, match="no profile"):
        wgig.check(EXAMPLE_PAPER, profile="last")
    with pytest.raises(wgig.ServiceError, match="no messages in 'de'"):
        wgig.check(EXAMPLE_PAPER, language="de")
