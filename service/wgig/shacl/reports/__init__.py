"""The formats of a check report, for people and for programs."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

from ...rdf.formats import CSV, GRAPH_FORMATS, HTML, JSON, Format

# Called with a sequence of outcomes and a language. The text writer also accepts the keyword `color`.
ReportWriter = Callable[..., bytes]

TEXT_REPORT_FORMAT = Format("text/plain", "text", "Text")
SARIF_FORMAT = Format("application/sarif+json", "sarif", "SARIF")
JUNIT_FORMAT = Format("application/junit+xml", "junit", "JUnit XML", "", ("application/xml", "text/xml"))
GITHUB_ANNOTATIONS_FORMAT = Format("text/x-github-annotations", "github", "GitHub annotations")


def make_lazy_writer(name: str) -> ReportWriter:
    """The function `write_<name>_report` of the module `<name>` in this package, imported on first use."""

    def write_lazily(*outcomes_and_language: object, **options: object) -> bytes:
        writer: ReportWriter = getattr(import_module(f".{name}", __name__), f"write_{name}_report")
        return writer(*outcomes_and_language, **options)

    return write_lazily


# JSON, the first, is the default. The HTML report is a standalone file with inline styles, which the
# Content-Security-Policy of the service forbids: /validate shows a page instead (papers.validate).
REPORT_WRITERS: Mapping[Format, ReportWriter] = {
    JSON: make_lazy_writer("json"),
    HTML: make_lazy_writer("html"),
    TEXT_REPORT_FORMAT: make_lazy_writer("text"),
    **{
        graph_format: partial(make_lazy_writer("rdf"), format_=graph_format) for graph_format in GRAPH_FORMATS
    },
    SARIF_FORMAT: make_lazy_writer("sarif"),
    JUNIT_FORMAT: make_lazy_writer("junit"),
    CSV: make_lazy_writer("csv"),
    GITHUB_ANNOTATIONS_FORMAT: make_lazy_writer("github"),
}
