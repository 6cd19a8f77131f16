"""The client in Python: whole answers as values, or one exception that carries the problem."""

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pyoxigraph as ox
import pytest
import wgig
from wgig.client.connection import Connection, RequestLimits
from wgig.client.graph import PAPERS_PAGE_QUERY
from wgig.client.values import Rows, convert_term_to_value, convert_value_to_term
from wgig.settings import SHIPPED_FOLDER

from tests.fixtures.processes import Serving

pytestmark = pytest.mark.slow

XSD = "http://www.w3.org/2001/XMLSchema#"
TRANSPARENCY = "https://w3id.org/wgig/id/principle/transparency"
SPAM = "https://w3id.org/wgig/id/issue/spam"
NOTHING = b'{"head":{"vars":["x"]},"results":{"bindings":[]}}'
ROWS = {"Content-Type": "application/sparql-results+json"}


@pytest.fixture(scope="module")
def graph(served: str) -> Iterator[wgig.Graph]:
    with wgig.connect(served) as graph:
        yield graph


def answering(*answers: httpx.Response | Exception, **limits: float) -> tuple[wgig.Graph, list[float]]:
    """A graph whose service answers so, one after the other, and the pauses that were made between."""
    given = iter(answers)

    def handle(_: httpx.Request) -> httpx.Response:
        one = next(given)
        if isinstance(one, Exception):
            raise one
        return one

    kept: Any = limits
    connection = Connection("http://example.org/", RequestLimits(**kept), httpx.MockTransport(handle))
    pauses: list[float] = []
    connection.sleep = pauses.append
    return wgig.Graph(connection), pauses


def busy(**headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): said for name, said in headers.items()}
    return httpx.Response(503, headers=named, text="busy")


def test_import_is_light_and_the_rest_comes_when_asked_for() -> None:
    code = "import sys, wgig; assert not {'httpx', 'pyoxigraph', 'fastapi', 'wgig.client'} & {*sys.modules}; "
    code += "wgig.connect; assert 'httpx' in sys.modules and 'pandas' not in sys.modules; print(dir(wgig))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'connect'" in done.stdout
    with pytest.raises(AttributeError, match="nothing"):
        wgig.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_a_select_gives_rows_of_values(graph: wgig.Graph) -> None:
    rows = graph.query(
        f"SELECT ?label ?issue ?none {{ ?issue <http://www.w3.org/2004/02/skos/core#prefLabel> ?label "
        f"FILTER(?issue = <{SPAM}>) }}"
    )
    assert rows == [{"label": "Spam", "issue": SPAM, "none": None}]
    assert rows.columns == ("label", "issue", "none")
    assert (type(rows[0]["issue"]), rows[0]["label"].language) == (wgig.IRI, "en")
    assert rows.terms[0]["issue"] == ox.NamedNode(SPAM)


def test_an_ask_gives_a_truth_value_and_a_construct_triples(graph: wgig.Graph) -> None:
    assert graph.query(f"ASK {{ <{SPAM}> ?p ?o }}") is True
    assert graph.query("ASK { <urn:x> ?p ?o }") is False
    triples = graph.query(f"CONSTRUCT WHERE {{ <{SPAM}> ?p ?o }}")
    assert {str(one.subject) for one in triples} == {f"<{SPAM}>"}
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
def test_a_literal_becomes_a_value_and_the_way_back(lexical: str, datatype: str, expected: object) -> None:
    literal = ox.Literal(lexical, datatype=ox.NamedNode(XSD + datatype))
    found = convert_term_to_value(literal)
    assert (found, type(found)) == (expected, type(expected))
    assert convert_term_to_value(convert_value_to_term(found)) == expected


@pytest.mark.parametrize("literal", [("2005", "gYear"), ("many", "integer"), ("2005-01-25Z", "date")])
def test_what_python_has_no_type_for_is_text_with_its_datatype(literal: tuple[str, str]) -> None:
    lexical, datatype = literal
    found = convert_term_to_value(ox.Literal(lexical, datatype=ox.NamedNode(XSD + datatype)))
    assert (str(found), found.datatype, found.language) == (lexical, XSD + datatype, None)
    assert convert_value_to_term(found) == ox.Literal(lexical, datatype=ox.NamedNode(XSD + datatype))


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="has no RDF datatype"):
        convert_value_to_term(object())
    with pytest.raises(ValueError, match="IRI"):
        convert_value_to_term(wgig.IRI("no iri> <"))


def table() -> Rows:
    integer, day = (ox.NamedNode(XSD + name) for name in ("integer", "date"))
    return Rows(
        ["thing", "n", "day", "mixed", "half"],
        [
            [ox.NamedNode("urn:a"), ox.Literal("1", datatype=integer), ox.Literal("2005-01-25", datatype=day),
             ox.Literal("1", datatype=integer), ox.Literal("0.5", datatype=ox.NamedNode(f"{XSD}decimal"))],
            [ox.NamedNode("urn:b"), None, None, ox.Literal("one"), None],
        ],
    )  # fmt: skip


def test_rows_become_a_table_of_pandas() -> None:
    frame = table().to_pandas()
    assert [str(one) for one in frame.dtypes][1] == "Int64"
    assert str(frame["day"].dtype).startswith("datetime64")
    assert frame["day"][0].year == 2005
    assert list(frame["mixed"]) == ["1", "one"]
    assert frame["half"][0] == 0.5
    assert list(Rows(["x"], []).to_pandas().columns) == ["x"]


def test_rows_become_a_table_of_polars() -> None:
    frame = table().to_polars()
    assert frame["n"].to_list() == [1, None]
    assert frame["day"].to_list() == [date(2005, 1, 25), None]
    assert frame["thing"].to_list() == ["urn:a", "urn:b"]
    assert frame["half"].to_list() == [0.5, None]


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_a_table_says_what_to_install(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"pip install 'wgig\[{name}\]'"):
        getattr(table(), f"to_{name}")()


def test_an_example_query_takes_values_for_its_parameters(graph: wgig.Graph) -> None:
    whole = graph.example("coverage-matrix")
    part = graph.example("coverage-matrix", the_issue="spam", the_criterion=wgig.IRI(TRANSPARENCY))
    assert 0 < len(part) < len(whole)
    assert part == [row for row in whole if (row["issue"], row["criterion"]) == ("Spam", "transparency")]


@pytest.mark.parametrize("hostile", ['") } } DROP ALL #', "x\\", "a&the_criterion=x", "\n}"])
def test_a_value_is_never_read_as_more_than_that(graph: wgig.Graph, hostile: str) -> None:
    with pytest.raises(wgig.ServiceError, match="the_issue is") as caught:
        graph.example("coverage-matrix", the_issue=hostile)
    assert caught.value.status == 400


def test_what_no_address_can_hold_is_never_sent() -> None:
    with pytest.raises(wgig.ServiceError, match=r"The URL would be invalid: .* too long"):
        answering()[0].example("coverage-matrix", the_issue="x" * 100_000)


def test_an_unknown_example_or_parameter_is_named(graph: wgig.Graph) -> None:
    with pytest.raises(wgig.ServiceError, match="Did you mean coverage-matrix") as caught:
        graph.example("coverage-matrx")
    assert caught.value.status == 404
    with pytest.raises(wgig.ServiceError, match="Did you mean the_issue"):
        graph.example("coverage-matrix", the_isue="spam")


@pytest.mark.parametrize("page", [1, 4, 500])
def test_papers_come_from_all_pages(graph: wgig.Graph, page: int) -> None:
    papers = list(graph.papers(page))
    assert len({paper["paper"] for paper in papers}) == len(papers)
    listed = graph.connection.send_read("GET", "papers", params={"size": "500"}).json()["items"]
    assert {paper["paper"] for paper in papers} == {one["id"] for one in listed}
    (spam,) = [paper for paper in papers if paper["paper"].endswith("/wp-spam")]
    assert spam == {"paper": spam["paper"], "title": "Spam", "issue": SPAM, "posted": date(2005, 2, 1)}


def test_a_page_of_papers_begins_behind_the_last(graph: wgig.Graph) -> None:
    first, second = list(graph.papers())[:2]
    rows = graph.select(PAPERS_PAGE_QUERY % (convert_value_to_term(str(first["paper"])), 1))
    assert rows == [second]


@pytest.mark.parametrize("name", [SPAM, "issue/spam", "issue:spam"])
def test_a_thing_is_json(graph: wgig.Graph, name: str) -> None:
    assert SPAM.removeprefix("https://w3id.org/wgig/") in str(graph.thing(name))


def test_a_thing_that_nobody_knows_is_an_error(graph: wgig.Graph) -> None:
    with pytest.raises(wgig.ServiceError, match="Nothing is known about") as caught:
        graph.thing("issue/nö?x#")
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "name", ["../papers", "issue/./spam", "issue//spam", "issue/spam/..", "issue:../x", ""]
)
def test_what_names_no_thing_is_never_sent(name: str) -> None:
    with pytest.raises(wgig.ServiceError, match=r"names no resource\. Give its IRI") as caught:
        answering()[0].thing(name)
    assert caught.value.status is None


def test_a_paper_is_checked(graph: wgig.Graph, tmp_path: Path) -> None:
    whole = graph.check(SHIPPED_FOLDER / "data/examples/community-networks.md")
    assert (whole.conforms, whole.findings) == (True, [])
    draft = tmp_path / "spam.md"
    text = (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8")
    draft.write_text(re.sub(r"### Threats\n\n.*?\n\n", "", text, flags=re.DOTALL), encoding="utf-8")
    report = graph.check(draft, profile="final", language="fr")
    assert not report.conforms
    assert report["files"][0]["name"] == "spam.md"
    assert {paper["conforms"] for paper in report.papers} == {False}
    assert all(finding["message"] for finding in report.findings)
    with pytest.raises(wgig.ServiceError, match="no profile"):
        graph.check(draft, profile="last")


def test_a_syntax_error_carries_its_place(graph: wgig.Graph) -> None:
    with pytest.raises(wgig.ServiceError) as caught:
        graph.query("SELECT ?issue, ?label WHERE { ?issue ?p ?label }")
    error = caught.value
    assert (error.status, error.title, error.line, error.column) == (400, "The text does not parse", 1, 14)
    assert error.suggestion == "Remove the comma."
    assert "             ^" in str(error)


def test_a_graph_is_put_with_a_token(serving: Serving, tmp_path: Path) -> None:
    file, paper = tmp_path / "mine.ttl", tmp_path / "paper.md"
    file.write_text("<urn:s> <urn:p> 1, 2 .")
    paper.write_text(
        (SHIPPED_FOLDER / "data/examples/community-networks.md").read_text("utf-8"), encoding="utf-8"
    )
    settings = {"WGIG_DATA": "none", "WGIG_TOKEN": "secret", "WGIG_WRITE_PROFILE": "complete"}
    with serving(tmp_path / "store", **settings) as url:
        with wgig.connect(url) as stranger, pytest.raises(wgig.ServiceError) as caught:
            stranger.put("mine", file)
        assert caught.value.status == 401
        with wgig.connect(url, token="secret") as graph:
            assert graph.put("urn:mine", file) is True
            assert graph.put("urn:mine", file) is False
            assert graph.query("SELECT ?n { GRAPH <urn:mine> { ?s ?p ?n } } ORDER BY ?n") == [
                {"n": 1},
                {"n": 2},
            ]
            assert graph.put("paper/example-community-networks", paper)
            with pytest.raises(wgig.ServiceError, match="example-community-networks") as other:
                graph.put("paper/other", paper)
            assert other.value.status == 422
            paper.write_text(
                re.sub(r"drafters:.*\n(?:  .*\n)*", "", paper.read_text("utf-8")), encoding="utf-8"
            )
            with pytest.raises(wgig.ServiceError, match="Does not conform") as lacking:
                graph.put("paper/example-community-networks", paper)
            assert (lacking.value.status, lacking.value.members["conforms"]) == (422, False)
            with pytest.raises(ValueError, match="cannot be determined"):
                graph.put("mine", tmp_path / "mine.data")


def test_what_is_busy_is_asked_again_when_it_says() -> None:
    moment = format_datetime(datetime.now(UTC).replace(year=2001), usegmt=True)
    graph, pauses = answering(
        busy(Retry_After="5"), busy(Retry_After=moment), httpx.Response(200, headers=ROWS, content=NOTHING)
    )
    assert graph.query("SELECT ?x {}") == []
    assert pauses == [5, 0]


def test_patience_and_tries_have_an_end() -> None:
    graph, pauses = answering(*[busy(Retry_After="20")] * 3)
    with pytest.raises(wgig.ServiceError, match="503"):
        graph.query("SELECT ?x {}")
    assert pauses == [20]
    graph, pauses = answering(*[busy(Retry_After="1")] * 9, retries=2)
    with pytest.raises(wgig.ServiceError):
        graph.query("SELECT ?x {}")
    assert pauses == [1, 1]


@pytest.mark.parametrize("field", [{}, {"Retry_After": "soon"}, {"Retry_After": "-5"}])
def test_what_does_not_say_when_is_not_asked_again(field: dict[str, str]) -> None:
    graph, pauses = answering(busy(**field))
    with pytest.raises(wgig.ServiceError) as caught:
        graph.query("SELECT ?x {}")
    assert (caught.value.status, caught.value.detail, pauses) == (503, "busy", [])


def test_out_of_reach_is_tried_again_but_a_write_is_not(tmp_path: Path) -> None:
    gone = httpx.ConnectError("refused")
    graph, pauses = answering(gone, gone, httpx.Response(200, headers=ROWS, content=NOTHING))
    assert graph.query("SELECT ?x {}") == []
    assert pauses == [0.2, 0.4]
    file = tmp_path / "mine.ttl"
    file.touch()
    graph, pauses = answering(gone)
    with pytest.raises(wgig.ServiceError, match="cannot be reached") as caught:
        graph.put("mine", file)
    assert (caught.value.status, pauses) == (None, [])


def test_time_that_runs_out_is_an_error() -> None:
    graph, pauses = answering(httpx.ReadTimeout("slow"))
    with pytest.raises(wgig.ServiceError, match="Too slow"):
        graph.query("SELECT ?x {}")
    assert pauses == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/sparql-results+json", b'{"head":{"vars":["x"]},"results":{"bindings":['),
        ("application/n-triples", b"<urn:a> <urn:b> <urn:c"),
        ("text/html", b"<p>Welcome to the hotel</p>"),
    ],
)
def test_what_is_no_whole_answer_is_none(kind: str, body: bytes) -> None:
    graph, _ = answering(httpx.Response(200, headers={"Content-Type": kind}, content=body))
    with pytest.raises(wgig.ServiceError, match="Invalid response"):
        graph.query("SELECT ?x {}")


def test_a_stream_that_breaks_off_is_an_error_and_not_asked_again() -> None:
    served: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve_half() -> None:
            connection, _ = listening.accept()
            with connection:
                served.append(connection.recv(65536))
                head = "HTTP/1.1 200 OK\r\nContent-Type: application/n-triples\r\n"
                chunk = "Transfer-Encoding: chunked\r\n\r\n1a\r\n<urn:a> <urn:b> <urn:c> .\n\r\n"
                connection.sendall(f"{head}{chunk}".encode())

        half = threading.Thread(target=serve_half)
        half.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with wgig.connect(url) as graph, pytest.raises(wgig.ServiceError, match="connection broke") as caught:
            graph.query("CONSTRUCT WHERE { ?s ?p ?o }")
        half.join()
    assert (caught.value.status, len(served)) == (None, 1)


def test_connections_are_kept_and_the_token_is_not_told_to_readers(served: str) -> None:
    with wgig.connect(served, token="secret") as graph:
        connection = graph.connection
        seen: list[httpx.Request] = []
        connection.http_client.event_hooks["request"].append(seen.append)
        for _ in range(3):
            graph.query("ASK {}")
        assert not any("authorization" in one.headers for one in seen)
        transport: Any = connection.http_client._transport
        assert len(transport._pool.connections) == 1


@pytest.mark.parametrize("url", ["http://x.org/a", "http://x.org/a/", "http://x.org/a/sparql"])
def test_a_service_is_known_by_its_address_or_that_of_its_endpoint(url: str) -> None:
    with wgig.connect(url) as graph:
        assert graph.connection.url == "http://x.org/a/"


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="not the URL of a service"):
        wgig.connect("example.org")
