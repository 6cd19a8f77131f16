"""The pages of the event stream as TREE has them (https://w3id.org/tree/specification), in N-Quads.

The root leads to shelves, a shelf to pages, each by the times between which their members are.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..namespaces import OUTSIDE
from ..profiles.subject import LICENSE
from .log import Log
from .members import ACTIVITY, CHANGED, DATE_TIME, GONE, NEW, RDF_TYPE, TREE

SHELF = 250  # pages
LDES = "https://w3id.org/ldes#"
DCTERMS = OUTSIDE["dcterms"]
TITLE = '"All versions of the things of the graph, from when the stream began"@en'


class Span(NamedTuple):
    """The name of a node, the times of its first and its last member, and whether it is closed."""

    name: str
    first: str
    last: str
    closed: bool


class Node(NamedTuple):
    """A node in N-Quads, and whether it is closed, so that it never changes."""

    text: str
    closed: bool


def root(log: Log, home: str) -> Node:
    """The root at the address `home`, with what there is to know of the stream."""
    stream = f"<{log.base}changes>"
    shelves = [shelf_span(log, number) for number in range(1, (log.open_page - 1) // SHELF + 2)]
    spans = [one for one in shelves if one]
    lines = [
        f"{stream} <{RDF_TYPE}> <{LDES}EventStream> .",
        f"{stream} <{DCTERMS}title> {TITLE} .",
        f"{stream} <{DCTERMS}license> <{LICENSE}> .",
        f"{stream} <{LDES}timestampPath> <{ACTIVITY}published> .",
        f"{stream} <{LDES}versionOfPath> <{ACTIVITY}object> .",
        *(
            f"{stream} <{LDES}version{what}{end}> <{value}> ."
            for what, name in (("Create", NEW), ("Update", CHANGED), ("Delete", GONE))
            for end, value in (("Path", RDF_TYPE), ("Object", ACTIVITY + name))
        ),
        f"<{home}> <{RDF_TYPE}> <{LDES}EventSource> .",
        *(retention(home, spans[0].first) if spans else []),
    ]
    return Node("".join(f"{one}\n" for one in [*lines, *node(log, home, home, spans, closed=False)]), False)


def shelf(log: Log, home: str, number: int) -> Node | None:
    """A shelf, which leads to its pages; None where there is none of this number."""
    span = shelf_span(log, number)
    if span is None:
        return None
    lines = node(log, home, f"{home}/{span.name}", page_spans(log, number), closed=span.closed)
    return Node("".join(f"{one}\n" for one in lines), span.closed)


def page(log: Log, home: str, number: int) -> Node | None:
    """A page with its members; None where there is none of this number."""
    if not 1 <= number <= log.open_page or not log.last:
        return None
    text, closed = log.page(number)
    lines = node(log, home, f"{home}/{log.name}/{number}", [], closed=closed)
    return Node("".join(f"{one}\n" for one in lines) + text, closed)


def node(log: Log, home: str, here: str, spans: Iterable[Span], *, closed: bool) -> Iterator[str]:
    """What a node says of itself, and where it leads."""
    yield f"<{log.base}changes> <{TREE}view> <{home}> ."
    yield f"<{here}> <{RDF_TYPE}> <{TREE}Node> ."
    if closed:
        yield f'<{here}> <{LDES}immutable> "true"^^<{OUTSIDE["xsd"]}boolean> .'
    for span in spans:
        yield from relation(here, f"{home}/{span.name}", "GreaterThanOrEqualTo", span.first)
        if span.closed:
            yield from relation(here, f"{home}/{span.name}", "LessThanOrEqualTo", span.last)


def relation(here: str, there: str, kind: str, value: str) -> Iterator[str]:
    """The relation between two nodes: how the times of the members there compare with a time."""
    iri = f"<{here}#{there.rpartition('/')[2]}-{kind}>"
    yield f"<{here}> <{TREE}relation> {iri} ."
    yield f"{iri} <{RDF_TYPE}> <{TREE}{kind}Relation> ."
    yield f"{iri} <{TREE}node> <{there}> ."
    yield f"{iri} <{TREE}path> <{ACTIVITY}published> ."
    yield f'{iri} <{TREE}value> "{value}"^^<{DATE_TIME}> .'


def retention(home: str, first: str) -> Iterator[str]:
    """That all versions are kept since the first one."""
    policy = f"<{home}#retention>"
    yield f"<{home}> <{LDES}retentionPolicy> {policy} ."
    yield f"{policy} <{RDF_TYPE}> <{LDES}RetentionPolicy> ."
    yield f'{policy} <{LDES}startingFrom> "{first}"^^<{DATE_TIME}> .'


def page_spans(log: Log, number: int) -> list[Span]:
    """The pages of a shelf."""
    first = (number - 1) * SHELF + 1
    return [
        Span(f"{log.name}/{page}", begin, end, page < log.open_page)
        for page, begin, end in log.spans(first, first + SHELF - 1)
    ]


def shelf_span(log: Log, number: int) -> Span | None:
    """A shelf; None where there is none of this number."""
    pages = page_spans(log, number)
    if not pages:
        return None
    closed = len(pages) == SHELF and pages[-1].closed
    return Span(f"{log.name}/shelf-{number}", pages[0].first, pages[-1].last, closed)
