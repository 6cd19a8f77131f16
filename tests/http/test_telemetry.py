"""Prometheus metrics and their access, and OpenTelemetry traces."""

import subprocess
import sys
import time
from contextvars import Context
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
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
from wgig.sparql.workers import protocol
from wgig.sparql.workers.result import QueryResult, ignore_flow_control
from wgig.store.store import Store

from tests.fixtures.service import TOKEN, make_client, make_service_client, make_writer_client

TURTLE_HEADERS = {"Content-Type": "text/turtle"}
TURTLE_TRIPLE = "<urn:a> <urn:p> 1 ."


@pytest.fixture
def writer_client() -> httpx2.Client:
    """A client with a token of a service with an empty store, without history and checks."""
    return make_writer_client(Store.in_memory(), history="lost", write_profile="off")


def read_metric_families(client: httpx2.Client) -> dict[str, Metric]:
    """The metric families of `/metrics`, by name, as the Prometheus client library parses them."""
    response = client.get("/metrics")
    assert (response.status_code, response.headers["content-type"]) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def read_sample(client: httpx2.Client, name: str, **labels: str) -> float:
    """The value of the sample with this name and these labels; 0 if there is none."""
    samples = [
        sample
        for family in read_metric_families(client).values()
        for sample in family.samples
        if sample.name == name
    ]
    return next((sample.value for sample in samples if sample.labels == labels), 0)


def test_all_metrics_are_parsed(writer_client: httpx2.Client) -> None:
    metric_families = read_metric_families(writer_client)
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
    }.items() <= {name: family.type for name, family in metric_families.items()}.items()
    assert all(family.documentation for family in metric_families.values())


def test_requests_are_counted_by_route_method_and_status(writer_client: httpx2.Client) -> None:
    for path in ("/graph/one", "/graph/two"):
        writer_client.get(path)
    writer_client.get("/health")
    labels = {"route": "/graph/{name:path}", "method": "GET", "status": "404"}
    assert read_sample(writer_client, "wgig_requests_total", **labels) == 2
    assert read_sample(writer_client, "wgig_request_seconds_count", route="/graph/{name:path}") == 2
    assert read_sample(writer_client, "wgig_request_seconds_bucket", route="/health", le="+Inf") == 1
    assert read_sample(writer_client, "wgig_request_seconds_sum", route="/health") > 0


def test_all_faults_of_queries_are_outcomes() -> None:
    faults = {value for name, value in vars(protocol).items() if name.endswith("_FAULT")}
    assert faults - {protocol.OUTDATED_FAULT} <= {*telemetry.QUERY_OUTCOMES}  # its query begins again


def test_clients_cannot_add_series(writer_client: httpx2.Client) -> None:
    def count_samples() -> int:
        return sum(len(family.samples) for family in read_metric_families(writer_client).values())

    # The first request of each kind creates its series.
    writer_client.get("/nothing")
    writer_client.request("FROB", "/sparql")
    count_samples()
    count_before = count_samples()
    for number in range(20):
        writer_client.get(f"/nothing/{number}")
        writer_client.request(f"FROB{number}", "/sparql")
        writer_client.get(f"/sparql?x={number}", headers={"User-Agent": str(number)})
    writer_client.get("/sparql?x")
    # At most the series of one more route: two counters, a histogram with its buckets, and 3 other samples.
    assert count_samples() - count_before <= 2 + len(telemetry.DURATION_BUCKETS_SECONDS) + 3


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
def test_path_has_template_of_its_route(path: str, template: str) -> None:
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
def test_queries_are_counted_by_outcome(writer_client: httpx2.Client, query: str, outcome: str) -> None:
    writer_client.get("/sparql", params={"query": query})
    assert read_sample(writer_client, "wgig_queries_total", outcome=outcome) == 1
    assert read_sample(writer_client, "wgig_query_seconds_count") == 1


def test_writes_are_counted_by_outcome(writer_client: httpx2.Client) -> None:
    responses = [
        writer_client.put("/graph/one", content=TURTLE_TRIPLE, headers=TURTLE_HEADERS | condition)
        for condition in ({}, {"If-Match": '"x"'})
    ]
    assert [response.status_code for response in responses] == [201, 412]
    writer_client.post("/update", data={"update": "INSERT DATA { <urn:s> <urn:p> 1 }"})
    assert read_sample(writer_client, "wgig_writes_total", outcome="written") == 2
    assert read_sample(writer_client, "wgig_writes_total", outcome="refused") == 1


@pytest.mark.parametrize(
    ("content", "outcome"), [("# no paper", "unread"), ("---\npaper: x\n---\n", "violates")]
)
def test_checks_are_counted_by_outcome(writer_client: httpx2.Client, content: str, outcome: str) -> None:
    writer_client.post("/validate", content=content, headers={"Content-Type": "text/markdown"})
    assert read_sample(writer_client, "wgig_checks_total", outcome=outcome) == 1


def test_cache_hits_are_counted() -> None:
    client = make_service_client(Settings(metrics="open"), Store.in_memory())
    for _ in range(3):
        client.get("/sparql?query=ASK{}")
    assert read_sample(client, "wgig_cache_hits_total") == 2
    assert read_sample(client, "wgig_cache_bytes") > 0


def test_quads_and_graphs_are_counted_after_each_write(writer_client: httpx2.Client) -> None:
    quad_and_graph_counts = [
        (read_sample(writer_client, "wgig_quads"), read_sample(writer_client, "wgig_graphs"))
    ]
    for update in (
        "INSERT DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1, 2 } <urn:s> <urn:p> 1 }",
        "DELETE DATA { GRAPH <urn:g> { <urn:s> <urn:p> 1 } }",
        "DROP ALL",
    ):
        writer_client.post("/update", data={"update": update})
        quad_and_graph_counts.append(
            (read_sample(writer_client, "wgig_quads"), read_sample(writer_client, "wgig_graphs"))
        )
    assert quad_and_graph_counts == [(0, 0), (3, 1), (2, 1), (0, 0)]


def test_time_of_last_write_is_a_metric(tmp_path: Path) -> None:
    settings = Settings(token=TOKEN, write_profile="off", metrics="open")
    client = make_service_client(settings, Store.open(tmp_path), Authorization=f"Bearer {TOKEN}")
    assert "wgig_last_write_timestamp_seconds" not in read_metric_families(client)
    client.put("/graph/one", content=TURTLE_TRIPLE, headers=TURTLE_HEADERS)
    assert read_sample(client, "wgig_last_write_timestamp_seconds") > 1.7e9  # in 2023
    assert "wgig_last_backup_timestamp_seconds" not in read_metric_families(client)  # no backup was made


@pytest.mark.parametrize(
    ("scope", "status"), [("metrics", 200), ("admin", 200), ("graphs", 403), ("papers", 403)]
)
def test_metrics_need_token_with_scope(tmp_path: Path, scope: str, status: int) -> None:
    secret, _ = auth.create_access_token(tmp_path / TOKENS_FILE, [scope])
    client = make_client(
        create_app(
            make_service(
                Settings(store=tmp_path), Store.in_memory(), tokens=TokenStore(tmp_path / TOKENS_FILE)
            )
        )
    )
    assert client.get("/metrics", headers={"Authorization": f"Bearer {secret}"}).status_code == status
    assert client.get("/metrics").status_code == 401


def test_metrics_are_closed_unless_setting_opens_them() -> None:
    assert make_service_client(Settings(), Store.in_memory()).get("/metrics").status_code == 403
    assert make_service_client(Settings(metrics="open"), Store.in_memory()).get("/metrics").status_code == 200


def test_metrics_are_not_cached(writer_client: httpx2.Client) -> None:
    assert writer_client.get("/metrics").headers["cache-control"] == "no-store"


def test_unknown_methods_share_one_series() -> None:
    metrics = Metrics()
    for number in range(3):
        metrics.get_tally("/", f"FROB{number}", 405).add(0.1)
    assert len(metrics.tallies) == 1


def test_operating_guide_documents_all_metrics_and_outcomes(writer_client: httpx2.Client) -> None:
    page = (CHECKOUT_FOLDER / "docs" / "how-to" / "operating.md").read_text(encoding="utf-8")
    outcomes = (*telemetry.QUERY_OUTCOMES, *telemetry.WRITE_OUTCOMES, *telemetry.CHECK_OUTCOMES)
    for name in (*read_metric_families(writer_client), *outcomes):
        assert name.startswith(("process_", "python_")) or f"`{name}" in page, name


# Of the client, in its Traceparent header.
TRACE_ID, PARENT_SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class TracedService(NamedTuple):
    """A service, a client of it, and the exporter of its spans."""

    service: Service
    client: httpx2.Client
    exporter: InMemorySpanExporter

    def spans(self) -> dict[str, ReadableSpan]:
        """The finished spans, by name."""
        return {span.name: span for span in self.exporter.get_finished_spans()}


@pytest.fixture
def traced_service() -> TracedService:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = Settings(token=TOKEN, history="lost", access_log="network")
    service = make_service(settings, Store.in_memory(), tracing=Tracing(provider))
    return TracedService(service, make_client(create_app(service), Authorization=f"Bearer {TOKEN}"), exporter)


def span_attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def is_child_span(child: ReadableSpan, parent: ReadableSpan) -> bool:
    assert child.parent
    assert parent.context
    assert child.start_time
    assert parent.start_time
    tolerance_ns = 5_000_000  # nanoseconds between two clocks
    return (
        child.parent.span_id == parent.context.span_id and child.start_time > parent.start_time - tolerance_ns
    )


def test_request_span_is_named_by_route(traced_service: TracedService) -> None:
    response = traced_service.client.get("/graph/secret?x=secret")
    (span,) = traced_service.spans().values()
    assert (span.name, span.kind, span.parent) == ("GET /graph/{name:path}", SpanKind.SERVER, None)
    assert span_attributes(span) == {
        "http.request.method": "GET",
        "http.route": "/graph/{name:path}",
        "http.response.status_code": 400,
        "http.response.body.size": len(response.content),
        "wgig.request.id": response.headers["x-request-id"],
    }


def test_trace_of_client_is_continued(
    traced_service: TracedService, caplog: pytest.LogCaptureFixture
) -> None:
    traced_service.client.get("/health", headers={"Traceparent": f"00-{TRACE_ID}-{PARENT_SPAN_ID}-01"})
    (span,) = traced_service.spans().values()
    assert span.context
    assert span.parent
    assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE_ID, PARENT_SPAN_ID)
    assert caplog.records[-1].__dict__["fields"]["trace"] == TRACE_ID


def test_new_trace_is_logged(traced_service: TracedService, caplog: pytest.LogCaptureFixture) -> None:
    traced_service.client.get("/health")
    (span,) = traced_service.spans().values()
    assert span.context
    assert caplog.records[-1].__dict__["fields"]["trace"] == f"{span.context.trace_id:032x}"


@pytest.mark.parametrize(("query", "outcome"), [("ASK {}", "answered"), ("ASK {", "syntax")])
def test_query_span_is_child_of_request_span(traced_service: TracedService, query: str, outcome: str) -> None:
    traced_service.client.get("/sparql", params={"query": query})
    spans = traced_service.spans()
    assert is_child_span(spans["query"], spans["GET /sparql"])
    assert span_attributes(spans["query"])["wgig.outcome"] == outcome


def test_late_query_span_is_child_of_request_span(traced_service: TracedService) -> None:
    service_telemetry = traced_service.service.telemetry
    result = QueryResult(ignore_flow_control, lambda _: None)
    assert service_telemetry.tracing
    with service_telemetry.tracing.request_span("GET", "/", []):
        request = Request({"type": "http", "headers": []})
        QueryRecord(request, service_telemetry, "ASK {}").record_result(result)
    # The result ends outside the context of the request.
    Context().run(lambda: result.add(b"true", last=True))
    assert is_child_span(traced_service.spans()["query"], traced_service.spans()["GET /"])


def test_response_from_raw_cache_has_span(traced_service: TracedService) -> None:
    raw_response = RawResponse(
        b"", b"", DurationTally(), route="/sparql", status=200, size=4, client="127.0.0.1"
    )
    traced_service.service.request_recorder.record_raw_response(
        raw_response, id_=b"id", client="127.0.0.1", started_at=time.perf_counter(), is_cached=True
    )
    assert span_attributes(traced_service.spans()["GET /sparql"])["http.response.status_code"] == 200


def test_write_and_check_have_spans(traced_service: TracedService) -> None:
    traced_service.client.put("/graph/one", content=TURTLE_TRIPLE, headers=TURTLE_HEADERS)
    spans = traced_service.spans()
    assert is_child_span(spans["write"], spans["PUT /graph/{name:path}"])
    # The graph of a paper is checked before it is written; this one is refused.
    traced_service.client.put("/graph/paper/one", content=TURTLE_TRIPLE, headers=TURTLE_HEADERS)
    spans = traced_service.spans()
    assert is_child_span(spans["check"], spans["PUT /graph/{name:path}"])


def test_check_has_span(traced_service: TracedService) -> None:
    traced_service.client.post("/validate", content="# x", headers={"Content-Type": "text/markdown"})
    assert is_child_span(traced_service.spans()["check"], traced_service.spans()["POST /validate"])


def test_span_name_has_no_client_text(traced_service: TracedService) -> None:
    traced_service.client.request("FROB", "/secret")
    assert [*traced_service.spans()] == ["other none"]  # an unknown method, and no route


def test_tracing_is_off_without_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in OTLP_ENDPOINT_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert telemetry.make_tracing_from_environment() is None
    # The command that serves does not import the OpenTelemetry SDK.
    code = "import sys, wgig.cli.serve; print([name for name in sys.modules if 'opentelemetry.sdk' in name])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_endpoint_variable_enables_tracing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OTLP_ENDPOINT_VARIABLES[0], "http://127.0.0.1:9")
    tracing = telemetry.make_tracing_from_environment()
    assert tracing
    assert tracing.provider.resource.attributes["service.name"] == "wgig"
    tracing.provider.shutdown()


def test_missing_tracing_library_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OTLP_ENDPOINT_VARIABLES[0], "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ValueError, match="wgig\\[otel\\]"):
        telemetry.make_tracing_from_environment()
