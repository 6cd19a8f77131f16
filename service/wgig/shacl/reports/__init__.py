"""The forms of a report: how the outcomes of a check look to people and programs."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module

from ...rdf.formats import CSV, GRAPHS, HTML, JSON, Format

# Called with a sequence of outcomes and a language; a form may take options by name (`color` of text).
Writer = Callable[..., bytes]

TEXT = Format("text/plain", "text", "Text")
SARIF = Format("application/sarif+json", "sarif", "SARIF")
JUNIT = Format("application/junit+xml", "junit", "JUnit XML", "", ("application/xml", "text/xml"))
GITHUB = Format("text/x-github-annotations", "github", "GitHub annotations")


def late(module: str) -> Writer:
    """The function `write` of a module of this package; the module is loaded when it is first needed."""

    def write(*outcomes_and_language: object, **options: object) -> bytes:
        found: Writer = import_module(f".{module}", __name__).write
        return found(*outcomes_and_language, **options)

    return write


# The first is what a client gets that does not care. HTML is a file that stands alone: the service shows its
# own page instead (papers.validate), since a page of it may hold no styles.
WRITERS: Mapping[Format, Writer] = {
    JSON: late("json"),
    HTML: late("html"),
    TEXT: late("text"),
    **{one: partial(late("rdf"), format_=one) for one in GRAPHS},
    SARIF: late("sarif"),
    JUNIT: late("junit"),
    CSV: late("csv"),
    GITHUB: late("github"),
}
