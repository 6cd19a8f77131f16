"""Traces by OpenTelemetry, where an endpoint for them is set. Otherwise nothing is imported and nothing paid.

Spans name routes, outcomes and sizes; nothing of what was asked or by whom is in them.
"""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from . import __version__

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PATIENCE = 2  # seconds at the stop
CARRIED = (b"traceparent", b"tracestate")  # the fields by which one trace goes through many services


class Tracing:
    """The spans of one service."""

    def __init__(self, provider: "TracerProvider") -> None:
        """Take who makes spans."""
        from opentelemetry import context, trace  # noqa: PLC0415  paid where there are traces
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        self.provider, self.tracer = provider, provider.get_tracer("wgig", __version__)
        self.server, self.propagator = trace.SpanKind.SERVER, TraceContextTextMapPropagator()
        self.current = context.get_current

    @contextmanager
    def request(self, method: str, route: str, headers: list[tuple[bytes, bytes]]) -> Iterator[Any]:
        """Around a request, which may be part of a trace that began elsewhere: its span."""
        carried = {name.decode(): value.decode("latin-1") for name, value in headers if name in CARRIED}
        with self.tracer.start_as_current_span(
            f"{method} {route}",
            self.propagator.extract(carried),
            self.server,
            {"http.request.method": method, "http.route": route},
            record_exception=False,
        ) as span:
            yield span

    def around(self, name: str) -> AbstractContextManager[Any]:
        """Around a part of a request."""
        return self.tracer.start_as_current_span(name, record_exception=False)

    def past(
        self, name: str, began: float, within: "Context | None" = None, attributes: Mapping[str, Any] = {}
    ) -> None:
        """Tell of something that is over, and began at a time of the performance counter."""
        end = time.time_ns()
        start = end - int(1e9 * (time.perf_counter() - began))
        self.tracer.start_span(name, within, attributes=attributes, start_time=start).end(end)

    def end(self) -> None:
        """Send what is not sent yet, as far as that takes no longer than a stop may."""
        sending = threading.Thread(target=self.provider.shutdown, daemon=True)
        sending.start()
        sending.join(PATIENCE)


def trace_of(span: Any) -> str:
    """The id of the trace of a span."""
    return f"{span.get_span_context().trace_id:032x}"


def around(tracing: Tracing | None, name: str) -> AbstractContextManager[Any]:
    """Around a part of a request, where there are traces."""
    return tracing.around(name) if tracing else nullcontext()


def begun() -> Tracing | None:
    """Traces that go to the endpoint of the environment; None where there is none.

    Raises ValueError where the library for them is missing.
    """
    if not any(os.environ.get(one) for one in ENDPOINTS):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise ValueError(
            f"{ENDPOINTS[0]} is set, and the library for traces is missing. Install it (pip install "
            "'wgig[otel]'), or take the variable out."
        ) from error
    name = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "wgig"}
    provider = TracerProvider(resource=Resource.create({**name, "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)
