"""The read side of the store: queries over a dataset, graph contents, and lookups of a few statements.

A dataset is the default and named graphs of a query (SPARQL 1.1 Protocol, section 2.1.4). All methods may be
called from any thread. Lookups return the rows of a SELECT as terms, parse TSV results, and write IRIs into a
VALUES block, leaving out those that SPARQL cannot write.
"""

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyoxigraph as ox

from ..rdf.formats import JSON_RESULTS
from ..rdf.serialization import check_output_readable, rdf_format, translate_serializer_errors


@dataclass(frozen=True)
class QueryDataset:
    """What a query runs over (SPARQL 1.1 Protocol 2.1.4).

    `default` and `named` are IRIs of graphs; both empty: the dataset of the service, whose default graph is
    the union of all graphs where `union` is true.
    """

    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    union: bool = True


class StoreView:
    """The quads of the engine, to read. All methods may be called from any thread.

    A graph is given by its IRI, None is the unnamed graph.
    """

    def __init__(self, quads: ox.Store, folder: Path | None = None) -> None:
        """Take the engine's store, and the folder that it is in (None: in memory)."""
        self._quads = quads
        self._folder = folder

    @property
    def folder(self) -> Path | None:
        """The folder that it is in, None where it is in memory."""
        return self._folder

    def query(
        self,
        text: str,
        media_type: str,
        out: IO[bytes],
        dataset: QueryDataset = QueryDataset(),
        base: str | None = None,
    ) -> None:
        """Evaluate a query and write its result to `out` in the format of `media_type`.

        Relative IRIs are resolved against `base`. Raises SyntaxError when the text does not parse, ValueError
        or RuntimeError when it cannot be evaluated, UnserializableError when the format cannot hold the
        result.
        """
        results = self._evaluate(text, dataset, base)
        try:
            with translate_serializer_errors(media_type):
                if isinstance(results, ox.QueryTriples):
                    results.serialize(out, rdf_format(media_type))
                else:
                    results.serialize(out, result_format(media_type))
        finally:
            del results  # it must not leave this thread, not even in a traceback

    def exceeds(self, most: int, text: str, dataset: QueryDataset, base: str | None = None) -> bool:
        """Whether a query has more than so many rows, or triples. Raises as `query` does."""
        results = self._evaluate(text, dataset, base)
        if isinstance(results, ox.QueryBoolean):
            return False
        return next(islice(results, most, None), None) is not None

    def _evaluate(
        self, text: str, dataset: QueryDataset, base: str | None
    ) -> ox.QuerySolutions | ox.QueryTriples | ox.QueryBoolean:
        """The results of a query as the engine gives them, one by one; for the thread that asks alone."""
        given = bool(dataset.default or dataset.named)
        return self._quads.query(
            text,
            base_iri=base,
            use_default_graph_as_union=dataset.union and not given,
            default_graph=[ox.NamedNode(iri) for iri in dataset.default] if given else None,
            named_graphs=[ox.NamedNode(iri) for iri in dataset.named] if given else None,
        )

    def __bool__(self) -> bool:
        """Whether there is any quad."""
        return any(True for _ in self._quads)

    def size(self) -> tuple[int, int]:
        """The number of quads, and that of named graphs. All of them are counted."""
        return len(self._quads), sum(1 for _ in self._quads.named_graphs())

    def has_graph(self, graph: str | None) -> bool:
        """Whether a named graph is there; the unnamed graph always is."""
        return graph is None or self._quads.contains_named_graph(to_graph_name(graph))

    def has_statement(
        self,
        subject: ox.NamedNode | None,
        predicate: ox.NamedNode | None,
        object_: ox.NamedNode | ox.Literal | None,
    ) -> bool:
        """Whether any graph has a statement of these terms; None is any term."""
        return any(True for _ in self._quads.quads_for_pattern(subject, predicate, object_, None))

    def graphs(self) -> list[str]:
        """IRIs of the named graphs, sorted."""
        return sorted(g.value for g in self._quads.named_graphs() if isinstance(g, ox.NamedNode))

    def triples(
        self,
        graph: str | None,
        subject: ox.NamedNode | None = None,
        predicate: ox.NamedNode | None = None,
    ) -> Iterator[ox.Triple]:
        """The triples of one graph, all or those with this subject and predicate."""
        found = self._quads.quads_for_pattern(subject, predicate, None, to_graph_name(graph))
        return (one.triple for one in found)

    def match(
        self,
        subject: ox.NamedNode | ox.BlankNode | None = None,
        predicate: ox.NamedNode | None = None,
        object_: ox.NamedNode | None = None,
    ) -> Iterator[ox.Quad]:
        """The quads with these terms, in whatever graph. Take few: nothing else runs meanwhile."""
        return self._quads.quads_for_pattern(subject, predicate, object_)

    def serialize_graph(
        self, graph: str | None, media_type: str, prefixes: dict[str, str] | None = None
    ) -> bytes:
        """One graph in an RDF format. Raises UnserializableError where that cannot hold it."""
        with translate_serializer_errors(media_type):
            data = self._quads.dump(
                format=rdf_format(media_type), from_graph=to_graph_name(graph), prefixes=prefixes
            )
        assert data is not None
        check_output_readable(data, media_type)
        return data

    def dump(self, out: IO[bytes], media_type: str, prefixes: dict[str, str] | None = None) -> None:
        """Write all graphs to `out` in a dataset format."""
        self._quads.dump(out, rdf_format(media_type), prefixes=prefixes)


def to_graph_name(graph: str | None) -> ox.NamedNode | ox.DefaultGraph:
    """The engine's name of a graph."""
    return ox.DefaultGraph() if graph is None else ox.NamedNode(graph)


def result_format(media_type: str) -> ox.QueryResultsFormat:
    """The engine's result format of a media type."""
    found = ox.QueryResultsFormat.from_media_type(media_type)
    if found is None:
        raise ValueError(f"no result format is called {media_type}")
    return found


ResultTerm = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
# The query says what each of its variables is, so a row does not.
ResultRow = dict[str, Any]

FORBIDDEN_IRI_CHARACTERS = re.compile(r'[\x00-\x20<>"{}|^`\\]')


def select_solutions(store: StoreView, query: str, *, union: bool = True) -> list[ResultRow]:
    """The solutions of a SELECT, unbound variables left out.

    The default graph is the union of all graphs, or with `union=False` the unnamed graph alone.
    """
    out = io.BytesIO()
    store.query(query, JSON_RESULTS.media_type, out, QueryDataset(union=union))
    solutions = ox.parse_query_results(out.getvalue(), format=ox.QueryResultsFormat.JSON)
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    return [
        {name: term for name, term in zip(names, solution, strict=True) if term is not None}
        for solution in solutions
    ]


def parse_tsv_rows(body: bytes) -> list[tuple[Any, ...]]:
    """The rows in the TSV results of a SELECT, None for what is unbound."""
    found = split_tsv_cells(body)
    read = parse_tsv_terms(cell for line in found for cell in line)
    return [tuple(map(read.get, line)) for line in found]


def parse_tsv_solutions(body: bytes) -> list[ResultRow]:
    """The solutions in the TSV results of a SELECT, unbound variables left out."""
    names = [one.removeprefix("?") for one in body.partition(b"\n")[0].decode().split("\t")]
    return [
        {name: term for name, term in zip(names, row, strict=True) if term is not None}
        for row in parse_tsv_rows(body)
    ]


def split_tsv_cells(body: bytes) -> list[list[str]]:
    """The cells in the TSV results of a SELECT as they are written, empty for what is unbound."""
    return [line.split("\t") for line in body.decode().split("\n")[1:-1]]


def parse_tsv_terms(written: Iterable[str]) -> dict[str, Any]:
    """The terms that cells stand for. One that repeats is read once."""
    distinct = list(set(written) - {""})
    column = "\n".join(["?cell", *distinct, ""])
    read = ox.parse_query_results(column.encode(), format=ox.QueryResultsFormat.TSV)
    assert isinstance(read, ox.QuerySolutions)
    return {cell: row[0] for cell, row in zip(distinct, read, strict=True)}


def is_writable_iri(iri: str) -> bool:
    """Whether the IRI can stand between angle brackets."""
    return not FORBIDDEN_IRI_CHARACTERS.search(iri)


def serialize_values_block(iris: Iterable[str]) -> str:
    """The IRIs as the inside of a VALUES block; one that cannot be written in SPARQL is left out."""
    return " ".join(f"<{iri}>" for iri in iris if is_writable_iri(iri))
