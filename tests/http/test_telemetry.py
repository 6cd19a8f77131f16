"""The figures for Prometheus: who may read them, what they tell, and that nobody can make more of them.

Traces: a span for each request, query, write and check; and nothing of it where nobody wants any.
"""

import subprocess
import sys
import time
from contextvars import Context
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import Request
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from wgig.app import ROUTES, Service, create_app, make_service
from wgig.http import auth, telemetry
from wgig.http.access_log import NO_ROUTE, RouteTemplates
from wgig.http.auth import TokenStore
from wgig.http.fast_path import RawResponse
from wgig.http.telemetry import OTLP_ENDPOINT_VARIABLES, DurationTally, Metrics, Tracing
from wgig.settings import CHECKOUT_FOLDER, TOKENS_FILE, Settings
from wgig.sparql.service import QueryRecord
from wgig.sparql.workers.result import QueryResult, ignore_flow_control
from wgig.store.store import Store

from tests.fixtures.service import TOKEN, client_of, service_of, writer_of

TURTLE = {"Content-Type": "text/turtle"}
PAPER = "<urn:a> <urn:p> 1 ."


@pytest.fixture
def watched() -> httpx.Client:
    """A client with a token of a service over an empty store, which keeps its history in no folder."""
    return writer_of(Store.in_memory(), history="lost", write_profile="off")


def families(client: httpx.Client) -> dict[str, Metric]:
    """The figures as a real parser reads them."""
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )
    return {one.name: one for one in text_string_to_metric_families(answer.text)}


def figure(client: httpx.Client, name: str, **labels: str) -> float:
    """One figure, by its name and labels; 0 where it is not there."""
    found = [one for family in families(client).values() for one in family.samples if one.name == name]
    return next((one.value for one in found if one.labels == labels), 0)


def test_a_real_parser_reads_all_of_it(watched: httpx.Client) -> None:
    found = families(watched)
    assert {
        "wgig_build_info": "gauge",
        "wgig_requests": "counter",
        "wgig_request_seconds": "histogram",
        "wgig_queries": "counter",
        "wgig_query_seconds": "histogram",
        "wgig_writes": "counter",
        "wgig_checks": "counter",
        "wgig_cache_hits": "counter",
        "wgig_cache_misses": "counter",
        "wgig_cache_bytes": "gauge",
        "wgig_readers": "gauge",
        "wgig_queries_waiting": "gauge",
        "wgig_quads": "gauge",
        "wgig_graphs": "gauge",
        "wgig_data_version": "gauge",
        "wgig_write_failed": "gauge",
        "process_resident_memory_bytes": "gauge",
        "process_open_fds": "gauge",
        "python_info": "gauge",
    }.items() <= {name: one.type for name, one in found.items()}.items()
    assert all(one.documentation for one in found.values())


def test_requests_are_counted_by_route_method_and_status(watched: httpx.Client) -> None:
    for path in ("/graph/one", "/graph/two"):
        watched.get(path)
    watched.get("/health")
    labels = {"route": "/graph/{name:path}", "method": "GET", "status": "404"}
    assert figure(watched, "wgig_requests_total", **labels) == 2
    assert figure(watched, "wgig_request_seconds_count", route="/graph/{name:path}") == 2
    assert figure(watched, "wgig_request_seconds_bucket", route="/health", le="+Inf") == 1
    assert figure(watched, "wgig_request_seconds_sum", route="/health") > 0


def test_no_stranger_makes_more_of_them(watched: httpx.Client) -> None:
    def series() -> int:
        return sum(len(one.samples) for one in families(watched).values())

    watched.get("/nothing"), watched.request("FROB", "/sparql"), series()
    before = series()
    for number in range(20):
        watched.get(f"/nothing/{number}")
        watched.request(f"FROB{number}", "/sparql")
        watched.get(f"/sparql?x={number}", headers={"User-Agent": str(number)})
    watched.get("/sparql?x")
    assert (
        series() - before <= 2 + len(telemetry.DURATION_BUCKETS_SECONDS) + 3
    )  # those of one route and status


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/", "/"),
        ("/sparql", "/sparql"),
        ("/papers.csv", "/papers.{suffix}"),
        ("/graph/paper/one", "/graph/{name:path}"),
        ("/.well-known/void", "/.well-known/void"),
        ("/queries/running", "/queries/running"),
        ("/queries/x", "/queries/{name}"),
        ("/shapes/examples/x", "/shapes/examples/{name}"),
        ("/sparqlx", NO_ROUTE),
        ("/sparql/", NO_ROUTE),
        ("", NO_ROUTE),
    ],
)
def test_a_path_is_of_the_route_that_answers_it(path: str, template: str) -> None:
    assert RouteTemplates(path for path, *_ in ROUTES).template_of(path) == template


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("ASK {}", "answered"),
        ("ASK {", "syntax"),
        ("ASK { SERVICE <http://localhost/> {} }", "refused"),
        ("SELECT (<urn:f>(1) AS ?x) {}", "value"),
    ],
)
def test_queries_are_counted_by_what_came_of_them(watched: httpx.Client, query: str, outcome: str) -> None:
    watched.get("/sparql", params={"query": query})
    assert figure(watched, "wgig_queries_total", outcome=outcome) == 1
    assert figure(watched, "wgig_query_seconds_count") == 1


def test_writes_are_counted_by_what_came_of_them(watched: httpx.Client) -> None:
    assert watched.put("/graph/one", content=PAPER, headers=TURTLE).status_code == 201
    assert watched.put("/graph/one", content=PAPER, headers=TURTLE | {"If-Match": '"x"'}).status_code == 412
    watched.post("/update", data={"update": "INSERT DATA { <urn:s> <urn:p> 1 }"})
    assert figure(watched, "wgig_writes_total", outcome="written") == 2
    assert figure(watched, "wgig_writes_total", outcome="refused") == 1


@pytest.mark.parametrize(
    ("content", "outcome"), [("# no paper", "unread"), ("---\npaper: x\n---\n", "violates")]
)
def test_checks_are_counted_by_what_came_of_them(watched: httpx.Client, content: str, outcome: str) -> None:
    watched.post("/validate", content=content, headers={"Content-Type": "text/markdown"})
    assert figure(watched, "wgig_checks_total", outcome=outcome) == 1


def test_answers_from_memory_are_counted() -> None:
    client = service_of(Settings(metrics="open"), Store.in_memory())
    for _ in range(3):
        client.get("/sparql?query=ASK{}")
    assert figure(client, "wgig_cache_hits_total") == 2
    assert figure(client, "wgig_cache_bytes") > 0


def test_quads_and_graphs_are_counted_in_step_with_writes(watched: httpx.Client) -> None:
    counted = [(figure(watched, "wgig_quads"), figure(watched, "wgig_graphs"))]
    for update in (
        "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1, 2 } <urn:s> <urn:p> 1 }",
        "DELETE DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }",
        "DROP ALL",
    ):
        watched.post("/update", data={"update": update})
        counted.append((figure(watched, "wgig_quads"), figure(watched, "wgig_graphs")))
    assert counted == [(0, 0), (3, 1), (2, 1), (0, 0)]


def test_the_last_write_is_told(tmp_path: Path) -> None:
    settings = Settings(token=TOKEN, write_profile="off", metrics="open")
    client = service_of(settings, Store.open(tmp_path), Authorization=f"Bearer {TOKEN}")
    assert "wgig_last_write_timestamp_seconds" not in families(client)
    client.put("/graph/one", content=PAPER, headers=TURTLE)
    assert figure(client, "wgig_last_write_timestamp_seconds") > 1.7e9
    assert "wgig_last_backup_timestamp_seconds" not in families(client)


@pytest.mark.parametrize(
    ("scope", "status"), [("metrics", 200), ("admin", 200), ("graphs", 403), ("papers", 403)]
)
def test_who_has_a_token_for_them_may_read_them(tmp_path: Path, scope: str, status: int) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, [scope])
    client = client_of(
        create_app(
            make_service(
                Settings(store=tmp_path), Store.in_memory(), tokens=TokenStore(tmp_path / TOKENS_FILE)
            )
        )
    )
    assert client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == status
    assert client.get("/metrics").status_code == 401


def test_nobody_else_may_unless_a_setting_opens_them() -> None:
    assert service_of(Settings(), Store.in_memory()).get("/metrics").status_code == 403
    assert service_of(Settings(metrics="open"), Store.in_memory()).get("/metrics").status_code == 200


def test_they_are_never_kept(watched: httpx.Client) -> None:
    assert watched.get("/metrics").headers["cache-control"] == "no-store"


def test_an_unknown_method_is_of_no_series_of_its_own() -> None:
    counted = Metrics()
    for number in range(3):
        counted.get_tally("/", f"FROB{number}", 405).add(0.1)
    assert len(counted.tallies) == 1


def test_the_page_for_those_who_run_the_service_names_them_all(watched: httpx.Client) -> None:
    page = (CHECKOUT_FOLDER / "docs" / "how-to" / "operating.md").read_text(encoding="utf-8")
    outcomes = (*telemetry.QUERY_OUTCOMES, *telemetry.WRITE_OUTCOMES, *telemetry.CHECK_OUTCOMES)
    for one in (*families(watched), *outcomes):
        assert one.startswith(("process_", "python_")) or f"`{one}" in page, one


TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Traced(NamedTuple):
    """A client of a service, and the spans that it made."""

    service: Service
    client: httpx.Client
    exporter: InMemorySpanExporter

    def spans(self) -> dict[str, ReadableSpan]:
        """The spans by their names."""
        return {one.name: one for one in self.exporter.get_finished_spans()}


@pytest.fixture
def traced() -> Traced:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = Settings(token=TOKEN, history="lost", access_log="network")
    service = make_service(settings, Store.in_memory(), tracing=Tracing(provider))
    return Traced(service, client_of(create_app(service), Authorization=f"Bearer {TOKEN}"), exporter)


def said(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def is_within(inner: ReadableSpan, outer: ReadableSpan) -> bool:
    assert inner.parent
    assert outer.context
    assert inner.start_time
    assert outer.start_time
    close = 5_000_000  # nanoseconds between two clocks
    return inner.parent.span_id == outer.context.span_id and inner.start_time > outer.start_time - close


def test_a_request_has_a_span_by_its_route(traced: Traced) -> None:
    answer = traced.client.get("/graph/secret?x=secret")
    (span,) = traced.spans().values()
    assert (span.name, span.kind, span.parent) == ("GET /graph/{name:path}", SpanKind.SERVER, None)
    assert said(span) == {
        "http.request.method": "GET",
        "http.route": "/graph/{name:path}",
        "http.response.status_code": 400,
        "http.response.body.size": len(answer.content),
        "wgig.request.id": answer.headers["x-request-id"],
    }


def test_it_goes_on_with_a_trace_that_began_elsewhere(
    traced: Traced, caplog: pytest.LogCaptureFixture
) -> None:
    traced.client.get("/health", headers={"Traceparent": f"00-{TRACE}-{PARENT}-01"})
    (span,) = traced.spans().values()
    assert span.context
    assert span.parent
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    assert caplog.records[-1].__dict__["fields"]["trace"] == TRACE


def test_the_log_names_the_trace_that_begins_here(traced: Traced, caplog: pytest.LogCaptureFixture) -> None:
    traced.client.get("/health")
    (span,) = traced.spans().values()
    assert span.context
    assert caplog.records[-1].__dict__["fields"]["trace"] == f"{span.context.trace_id:032x}"


@pytest.mark.parametrize(("query", "outcome"), [("ASK {}", "answered"), ("ASK {", "syntax")])
def test_a_query_has_a_span_in_that_of_its_request(traced: Traced, query: str, outcome: str) -> None:
    traced.client.get("/sparql", params={"query": query})
    spans = traced.spans()
    assert is_within(spans["query"], spans["GET /sparql"])
    assert said(spans["query"])["wgig.outcome"] == outcome


def test_a_query_that_ends_later_is_still_in_its_request(traced: Traced) -> None:
    telemetry, result = traced.service.telemetry, QueryResult(ignore_flow_control, lambda _: None)
    assert telemetry.tracing
    with telemetry.tracing.request_span("GET", "/", []):
        request = Request({"type": "http", "headers": []})
        QueryRecord(request, telemetry, "ASK {}").record_result(result)
    Context().run(lambda: result.add(b"true", last=True))
    assert is_within(traced.spans()["query"], traced.spans()["GET /"])


def test_an_answer_from_memory_has_a_span_as_well(traced: Traced) -> None:
    known = RawResponse(b"", b"", DurationTally(), "/sparql", 200, 4, "")
    traced.service.request_recorder.record_raw_response(known, b"id", "", time.perf_counter())
    assert said(traced.spans()["GET /sparql"])["http.response.status_code"] == 200


def test_a_write_and_its_check_have_spans(traced: Traced) -> None:
    traced.client.put(
        "/graph/paper/one", content="<urn:a> <urn:p> 1 .", headers={"Content-Type": "text/turtle"}
    )
    spans = traced.spans()
    assert is_within(spans["write"], spans["PUT /graph/{name:path}"])
    assert is_within(spans["check"], spans["write"])


def test_a_check_has_a_span(traced: Traced) -> None:
    traced.client.post("/validate", content="# x", headers={"Content-Type": "text/markdown"})
    assert is_within(traced.spans()["check"], traced.spans()["POST /validate"])


def test_no_stranger_names_a_span(traced: Traced) -> None:
    traced.client.request("FROB", "/secret")
    assert [*traced.spans()] == ["other none"]


def test_nothing_is_traced_where_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for one in OTLP_ENDPOINT_VARIABLES:
        monkeypatch.delenv(one, raising=False)
    assert telemetry.make_tracing_from_environment() is None
    look = "import sys, wgig.cli.serve; print([one for one in sys.modules if 'opentelemetry.sdk' in one])"
    assert (
        subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_spans_are_sent_where_an_endpoint_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OTLP_ENDPOINT_VARIABLES[0], "http://127.0.0.1:9")
    begun = telemetry.make_tracing_from_environment()
    assert begun
    assert begun.provider.resource.attributes["service.name"] == "wgig"
    begun.provider.shutdown()


def test_who_wants_traces_without_the_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OTLP_ENDPOINT_VARIABLES[0], "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ValueError, match="wgig\\[otel\\]"):
        telemetry.make_tracing_from_environment()
