"""Traces: a span for each request, query, write and check; and nothing of it where nobody wants any."""

import subprocess
import sys
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI, Request
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from wgig import tracing
from wgig.app import create_app
from wgig.metrics import Tally
from wgig.noting import Notes
from wgig.queried import Queried
from wgig.readers.result import Result, unpaced
from wgig.settings import Settings
from wgig.shortcuts import Shortcut
from wgig.store import Store
from wgig.tracing import ENDPOINTS, Tracing

from tests.service.conftest import TOKEN

Client = Callable[..., httpx.Client]
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Traced(NamedTuple):
    """A client of a service, and the spans that it made."""

    app: FastAPI
    client: httpx.Client
    exporter: InMemorySpanExporter

    def spans(self) -> dict[str, ReadableSpan]:
        """The spans by their names."""
        return {one.name: one for one in self.exporter.get_finished_spans()}


@pytest.fixture
def traced(over: Client) -> Traced:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = Settings(token=TOKEN, history="lost", access_log="network")
    app = create_app(settings, Store.in_memory(), tracing=Tracing(provider))
    return Traced(app, over(app, Authorization=f"Bearer {TOKEN}"), exporter)


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
    state, result = traced.app.state, Result(unpaced, lambda _: None)
    with state.tracing.request("GET", "/", []):
        request = Request({"type": "http", "headers": [], "app": traced.app})
        Queried(request, "ASK {}").follow(result)
    Context().run(lambda: result.add(b"true", last=True))
    assert is_within(traced.spans()["query"], traced.spans()["GET /"])


def test_an_answer_from_memory_has_a_span_as_well(traced: Traced) -> None:
    notes: Notes = traced.app.state.notes
    known = Shortcut(b"", b"", Tally(), "/sparql", 200, 4, "")
    notes.given(known, b"id", "", time.perf_counter())
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
    for one in ENDPOINTS:
        monkeypatch.delenv(one, raising=False)
    assert tracing.begun() is None
    look = (
        "import sys, wgig.commands.serve; print([one for one in sys.modules if 'opentelemetry.sdk' in one])"
    )
    assert (
        subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_spans_are_sent_where_an_endpoint_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:9")
    begun = tracing.begun()
    assert begun
    assert begun.provider.resource.attributes["service.name"] == "wgig"
    begun.provider.shutdown()


def test_who_wants_traces_without_the_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ValueError, match="wgig\\[otel\\]"):
        tracing.begun()
