"""The forms of a report: how the outcomes of a check look to people and programs."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

from ...rdf.formats import CSV, GRAPH_FORMATS, HTML, JSON, Format

# Called with a sequence of outcomes and a language; a form may take options by name (`color` of text).
ReportWriter = Callable[..., bytes]

TEXT_REPORT_FORMAT = Format("text/plain", "text", "Text")
SARIF_FORMAT = Format("application/sarif+json", "sarif", "SARIF")
JUNIT_FORMAT = Format("application/junit+xml", "junit", "JUnit XML", "", ("application/xml", "text/xml"))
GITHUB_ANNOTATIONS_FORMAT = Format("text/x-github-annotations", "github", "GitHub annotations")


def make_lazy_writer(name: str) -> ReportWriter:
    """The function `write_NAME_report` of the module NAME here; it is loaded when it is first needed."""

    def write(*outcomes_and_language: object, **options: object) -> bytes:
        found: ReportWriter = getattr(import_module(f".{name}", __name__), f"write_{name}_report")
        return found(*outcomes_and_language, **options)

    return write


# The first is what a client gets that does not care. HTML is a file that stands alone: the service shows its
# own page instead (papers.validate), since a page of it may hold no styles.
REPORT_WRITERS: Mapping[Format, ReportWriter] = {
    JSON: make_lazy_writer("json"),
    HTML: make_lazy_writer("html"),
    TEXT_REPORT_FORMAT: make_lazy_writer("text"),
    **{one: partial(make_lazy_writer("rdf"), format_=one) for one in GRAPH_FORMATS},
    SARIF_FORMAT: make_lazy_writer("sarif"),
    JUNIT_FORMAT: make_lazy_writer("junit"),
    CSV: make_lazy_writer("csv"),
    GITHUB_ANNOTATIONS_FORMAT: make_lazy_writer("github"),
}
