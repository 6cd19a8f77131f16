"""The read side of the store: queries over a dataset, graph contents, lookups of a few statements, snapshots.

A dataset is the default and named graphs of a query (SPARQL 1.1 Protocol, section 2.1.4). All methods may be
called from any thread. Further functions return the rows of a SELECT as terms, parse TSV results, and
serialize IRIs as a VALUES block.
"""

import io
import re
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any, Self

import pyoxigraph as ox

from ..rdf.formats import JSON_RESULTS
from ..rdf.serialization import check_output_readable, rdf_format, translate_serializer_errors
from .change import GraphName, iter_graph_quads
from .damage import watch_for_damage
from .errors import translate_disk_errors
from .files import ASIDE_FOLDER


@dataclass(frozen=True)
class QueryDataset:
    """The dataset of a query (SPARQL 1.1 Protocol, section 2.1.4).

    `default` and `named` are IRIs of graphs. If both are empty, it is the dataset of the service, whose
    default graph is the union of all graphs if `union` is true, else the unnamed graph.
    """

    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    union: bool = True


class StoreView:
    """Read access to the engine's quads. All methods may be called from any thread.

    Arguments named `graph` are the IRI of a graph; None is the unnamed graph.
    """

    def __init__(self, quads: ox.Store, folder: Path | None = None) -> None:
        """Take the engine's store, and its folder (None: in memory)."""
        self._quads = quads
        self._folder = folder

    @property
    def folder(self) -> Path | None:
        """The folder of the store; None if it is in memory."""
        return self._folder

    def write_lock(self) -> AbstractContextManager[object]:
        """The write lock: while it is held, no other thread of this process writes. A view has none."""
        return nullcontext()

    def snapshot(self, name: str, prepare: Callable[[], None] = lambda: None) -> "StoreSnapshot":
        """The store as it is now: `name` in the `aside` folder; a copy in memory of a store in memory.

        `prepare` is called under the write lock before the snapshot is taken. A folder of this name that a
        crash left is replaced. Raises StoreError.
        """
        with self.write_lock(), translate_disk_errors(self._folder):
            prepare()
            return StoreSnapshot(self._quads, self._folder, name)

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
        or RuntimeError when it cannot be evaluated, UnserializableError when the format cannot represent the
        result.
        """
        # By a view without the write lock, as a query that hangs may be that of the thread that holds it.
        with watch_for_damage(StoreView(self._quads, self._folder)):
            results = self._evaluate(text, dataset, base)
            try:
                with translate_serializer_errors(media_type):
                    if isinstance(results, ox.QueryTriples):
                        results.serialize(out, rdf_format(media_type))
                    else:
                        results.serialize(out, result_format(media_type))
            finally:
                del results  # must be freed on this thread, so that no traceback may refer to it

    def exceeds(self, max_rows: int, text: str, dataset: QueryDataset, base: str | None = None) -> bool:
        """Whether a query has more than `max_rows` rows or triples. Raises as `query` does."""
        results = self._evaluate(text, dataset, base)
        if isinstance(results, ox.QueryBoolean):
            return False
        return next(islice(results, max_rows, None), None) is not None

    def _evaluate(
        self, text: str, dataset: QueryDataset, base: str | None
    ) -> ox.QuerySolutions | ox.QueryTriples | ox.QueryBoolean:
        """The results of a query, evaluated lazily; to be used on the calling thread only."""
        has_dataset = bool(dataset.default or dataset.named)
        return self._quads.query(
            text,
            base_iri=base,
            use_default_graph_as_union=dataset.union and not has_dataset,
            default_graph=[ox.NamedNode(iri) for iri in dataset.default] if has_dataset else None,
            named_graphs=[ox.NamedNode(iri) for iri in dataset.named] if has_dataset else None,
        )

    def __bool__(self) -> bool:
        """Whether there is any quad."""
        return any(True for _ in self._quads)

    def size(self) -> tuple[int, int]:
        """The number of quads and the number of named graphs. Slow, as it counts all of them."""
        return len(self._quads), sum(1 for _ in self._quads.named_graphs())

    def has_graph(self, graph: str | None) -> bool:
        """Whether a named graph exists; the unnamed graph always does."""
        return graph is None or self._quads.contains_named_graph(to_graph_name(graph))

    def has_statement(
        self,
        subject: ox.NamedNode | None,
        predicate: ox.NamedNode | None,
        object_: ox.NamedNode | ox.Literal | None,
    ) -> bool:
        """Whether any graph has a triple of these terms; None matches any term."""
        return any(True for _ in self._quads.quads_for_pattern(subject, predicate, object_, None))

    def has_quad(self, quad: ox.Quad) -> bool:
        """Whether a quad exists."""
        return quad in self._quads

    def graphs(self) -> list[str]:
        """The IRIs of the named graphs, sorted."""
        return sorted(g.value for g in self._quads.named_graphs() if isinstance(g, ox.NamedNode))

    def graph_names(self) -> list[GraphName]:
        """The names of all graphs: the default graph, and all named graphs."""
        return [ox.DefaultGraph(), *self._quads.named_graphs()]

    def graph_quads(self, graph: GraphName) -> Iterator[ox.Quad]:
        """The quads of one graph, in the order of their subjects."""
        return iter_graph_quads(self._quads, graph)

    def triples(
        self,
        graph: str | None,
        subject: ox.NamedNode | None = None,
        predicate: ox.NamedNode | None = None,
    ) -> Generator[ox.Triple]:
        """The triples of one graph with this subject and predicate; None matches any term."""
        quads = self._quads.quads_for_pattern(subject, predicate, None, to_graph_name(graph))
        return (quad.triple for quad in quads)

    def match(
        self,
        subject: ox.NamedNode | ox.BlankNode | None = None,
        predicate: ox.NamedNode | None = None,
        object_: ox.NamedNode | ox.BlankNode | ox.Literal | None = None,
        graph: GraphName | None = None,
    ) -> Iterator[ox.Quad]:
        """The quads with these terms, in this or any graph.

        Read only a few: the engine holds the GIL meanwhile.
        """
        return self._quads.quads_for_pattern(subject, predicate, object_, graph)

    def serialize_graph(
        self, graph: str | None, media_type: str, prefixes: dict[str, str] | None = None
    ) -> bytes:
        """One graph in an RDF format. Raises UnserializableError if the format cannot represent it."""
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


class StoreSnapshot(StoreView):
    """A read-only view of a store at a point in time. As a context manager, it removes its files at the end.

    On disk it shares the files of the engine, which are never changed in place, by hard links.
    """

    def __init__(self, quads: ox.Store, store_folder: Path | None, name: str) -> None:
        """Copy the quads of the store, to which no thread may write meanwhile. Raises OSError."""
        self._folder = store_folder
        self.copy_folder = store_folder / ASIDE_FOLDER / name if store_folder else None
        if self.copy_folder:
            shutil.rmtree(self.copy_folder, ignore_errors=True)
            self.copy_folder.parent.mkdir(parents=True, exist_ok=True)
            quads.backup(str(self.copy_folder))
        else:
            self._quads = ox.Store()
            self._quads.extend(quads)
            for graph in quads.named_graphs():
                self._quads.add_graph(graph)

    @cached_property
    def _quads(self) -> ox.Store:  # type: ignore[override]
        """The quads, opened on first use, as many snapshots are only opened by other processes."""
        return ox.Store.read_only(str(self.copy_folder))

    @property
    def folder(self) -> Path | None:
        """The folder of the snapshot; None if it is in memory."""
        return self.copy_folder

    def open_quads(self) -> ox.Store:
        """The quads for writing, which does not change those of the store."""
        return ox.Store(self.copy_folder) if self.copy_folder else self._quads

    def __enter__(self) -> Self:
        """Return the snapshot."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove its files."""
        if self.copy_folder:
            shutil.rmtree(self.copy_folder, ignore_errors=True)


def remove_snapshots(folder: Path, prefix: str) -> None:
    """Remove the snapshots of a store whose names begin with `prefix`, such as those that a crash left."""
    for copy_folder in (folder / ASIDE_FOLDER).glob(f"{prefix}*"):
        shutil.rmtree(copy_folder, ignore_errors=True)


def to_graph_name(graph: str | None) -> ox.NamedNode | ox.DefaultGraph:
    """The engine's graph name of an IRI; None is the default graph."""
    return ox.DefaultGraph() if graph is None else ox.NamedNode(graph)


def result_format(media_type: str) -> ox.QueryResultsFormat:
    """The engine's result format of a media type. Raises ValueError for an unknown media type."""
    format_ = ox.QueryResultsFormat.from_media_type(media_type)
    if format_ is None:
        raise ValueError(f"{media_type} is not a result format")
    return format_


ResultTerm = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
# The types of the terms depend on the query, so they are not declared.
ResultRow = dict[str, Any]

FORBIDDEN_IRI_CHARACTERS = re.compile(r'[\x00-\x20<>"{}|^`\\]')


def select_solutions(store: StoreView, query: str, *, union: bool = True) -> list[ResultRow]:
    """The solutions of a SELECT, without unbound variables.

    The default graph is the union of all graphs if `union` is true, else the unnamed graph.
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
    """The rows in the TSV results of a SELECT, None for unbound variables."""
    rows = split_tsv_cells(body)
    terms = parse_tsv_terms(cell for row in rows for cell in row)
    return [tuple(map(terms.get, row)) for row in rows]


def parse_tsv_solutions(body: bytes) -> list[ResultRow]:
    """The solutions in the TSV results of a SELECT, without unbound variables."""
    names = [variable.removeprefix("?") for variable in body.partition(b"\n")[0].decode().split("\t")]
    return [
        {name: term for name, term in zip(names, row, strict=True) if term is not None}
        for row in parse_tsv_rows(body)
    ]


def split_tsv_cells(body: bytes) -> list[list[str]]:
    """The rows in the TSV results of a SELECT as raw cells, empty for unbound variables."""
    return [line.split("\t") for line in body.decode().split("\n")[1:-1]]


def parse_tsv_terms(cells: Iterable[str]) -> dict[str, Any]:
    """The term of each non-empty TSV cell. Repeated cells are parsed once."""
    distinct = list(set(cells) - {""})
    column = "\n".join(["?cell", *distinct, ""])
    solutions = ox.parse_query_results(column.encode(), format=ox.QueryResultsFormat.TSV)
    assert isinstance(solutions, ox.QuerySolutions)
    return {cell: row[0] for cell, row in zip(distinct, solutions, strict=True)}


def is_writable_iri(iri: str) -> bool:
    """Whether SPARQL can write the IRI between angle brackets."""
    return not FORBIDDEN_IRI_CHARACTERS.search(iri)


def serialize_values_block(iris: Iterable[str]) -> str:
    """The IRIs as the content of a VALUES block, without those that SPARQL cannot write."""
    return " ".join(f"<{iri}>" for iri in iris if is_writable_iri(iri))
