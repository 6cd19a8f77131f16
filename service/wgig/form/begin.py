"""What the form is opened with: an issue, a paper of the graph, a file."""

from collections.abc import Iterable, Sequence
from itertools import islice

import pyoxigraph as ox

from .. import markdown
from ..board import PAPER, TYPE
from ..documents import read
from ..gate import HOME
from ..known import TITLE
from ..namespaces import LOCAL
from ..problems import Problem
from ..settings import Settings
from ..skeleton import skeleton
from ..store import Store
from ..uploads import File
from .changing import begun
from .choices import Choice
from .page import Page
from .saving import graph_of, version_of
from .source import PAPERS, Source
from .stating import Stating
from .work import rest, written

MOST = 200  # papers in a list to choose from


def of_issue(issue: str) -> Page:
    """The form of a new paper on an issue, with what is known of that. Raises Problem 404."""
    return of_triples(markdown.read(skeleton(issue))[0])


def of_graph(store: Store, name: str, settings: Settings) -> Page:
    """The form of a paper of the graph. Raises Problem 404, 422 for another kind, 413 for a huge one."""
    graph = graph_of(name, settings)
    if not LOCAL.fullmatch(name) or not store.has(graph):
        raise Problem(404, f"No paper in the graph has the name {name!r}. The papers are at /papers.")
    version = version_of(store, graph)
    found = of_triples(store.triples(graph))
    if found.filled.name != name:
        raise Problem(422, f"The graph of {name} is about another paper, {found.filled.name}.")
    found.version = version
    return found


def of_file(file: File, settings: Settings) -> Page:
    """The form of the paper in a file. Raises Problem 400 with line and column, 413, 415, 422."""
    if file.format is None:
        raise Problem(
            415, f"Nothing tells the format of {file.name!r}. Name it with an ending such as .md or .ttl."
        )
    return of_triples(read(file.name, file.data, file.format, settings.paper_triples).triples)


def of_triples(triples: Iterable[ox.Triple]) -> Page:
    """The form of the paper that statements describe. Raises Problem 422 and 413."""
    source = Source(sorted(set(triples), key=str))
    lines = written(source.triples)
    others = rest(Stating(source, source.filled))
    return Page(begun(source), lines.decode(), rest=others)


def known(store: Store) -> Sequence[Choice]:
    """The issue papers of the graph to choose from; none where they are more than a list can hold."""
    found = [*islice(store.match(None, TYPE, PAPER), MOST + 1)]
    if len(found) > MOST:
        return []
    there = {
        one.subject.value.removeprefix(PAPERS): one.graph_name.value
        for one in found
        if isinstance(one.subject, ox.NamedNode) and isinstance(one.graph_name, ox.NamedNode)
        if HOME in one.graph_name.value
    }
    titles = {name: title(store, graph, name) for name, graph in there.items()}
    return sorted(
        (Choice(name, f"{said} ({name})") for name, said in titles.items()), key=lambda one: one.label
    )


def title(store: Store, graph: str, name: str) -> str:
    """The title of the paper of a graph, or its name."""
    found = store.triples(graph, ox.NamedNode(PAPERS + name), TITLE)
    return next((one.object.value for one in found if isinstance(one.object, ox.Literal)), name)
