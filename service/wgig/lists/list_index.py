"""The in-memory index of the lists that grow with the papers, with the values of all fields of their items.

It is built on first use, which takes a minute for 100,000 papers, or read from the file of the last stop;
meanwhile, queries answer instead.
Afterwards, only the values that a commit affects are read again.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from itertools import chain
from sys import intern
from typing import IO, Any, Concatenate, ParamSpec, TypeVar, cast

import pyoxigraph as ox
from wgig_client.literals import term_text

from ..http.work_queue import WorkQueue
from ..problems import Problem
from ..rdf.formats import TSV
from ..rdf.namespaces import RDF_TYPE, expand_curie
from ..rdf.values import is_resource_type
from ..store.change import QuadMatcher
from ..store.projection import PROJECTION_ERRORS, RebuildNeededError
from ..store.projection_runner import CommittedChange
from ..store.saved_projection import SavedProjection
from ..store.store import Store
from ..store.view import StoreView, parse_tsv_terms
from .definitions import LIST_DEFINITIONS
from .fields import ILLUSTRATIVE_PATTERN, LABEL_FIELD, ListDefinition, ListField
from .indexed_list import NO_IRI_MARK, IndexedColumn, IndexedList, Values, make_text_key
from .property_paths import (
    PathSteps,
    build_join_pattern,
    find_objects,
    follow_back,
    follow_path,
    parse_alternative_paths,
)
from .query import add_query_prefixes, build_class_pattern

MAX_WAITING_LIST_REQUESTS, LIST_INDEX_TIMEOUT_SECONDS = 256, 20
MAX_CHANGED_QUADS = 10_000  # changed statements; after more, all values are read again
MAX_READ_VALUES = 50_000  # values of items that a change may affect; if it affects more, all are read again
LISTS_FORMAT = 1  # of the saved lists; change it when values are written otherwise
INDEXED_LISTS = tuple(name for name, definition in LIST_DEFINITIONS.items() if definition.is_indexed)

Params = ParamSpec("Params")
Result = TypeVar("Result")


class ListReader:
    """Reads the items of a list and their values: all of them by queries, or some by look-ups."""

    def __init__(self, definition: ListDefinition, base: str) -> None:
        """Take the definition of the list, and the base IRI of the graph."""
        assert definition.excluded_pattern == ILLUSTRATIVE_PATTERN
        assert not definition.required_pattern
        self.definition, self.base = definition, base
        self.classes = {expand_curie(name, base) for name in definition.class_names}
        self.class_pattern = f"{{ SELECT ?id {{ {build_class_pattern(definition.class_names)} }} }}"
        self.illustrative = expand_curie("wgig:illustrative", base)
        self.paths: dict[str, Sequence[PathSteps]] = {
            field.name: parse_alternative_paths(field.property_path, base) for field in definition.fields
        }
        # By property: the fields with the paths that contain it.
        self.paths_by_predicate: dict[ox.NamedNode, list[tuple[str, PathSteps]]] = {}
        for name, paths in self.paths.items():
            for path in paths:
                for predicate in {step.predicate for step in path}:
                    self.paths_by_predicate.setdefault(predicate, []).append((name, path))
        self.predicates = {RDF_TYPE, self.illustrative, *self.paths_by_predicate}

    def read_all(self, view: StoreView, items: IndexedList) -> None:
        """Add all items with their values."""

        def add_item(row: bytes) -> None:
            if row.startswith(b"<"):  # a test in the query would read the text of each once more
                items.add_item(intern(row[1:-1].decode()))

        required = self.paths.get(self.definition.required_field, ())
        members = f"{self.class_pattern} {build_join_pattern(required, '?id', '?required')}"
        self.read_rows(
            view, f"SELECT DISTINCT ?id {{ {members} MINUS {{ {ILLUSTRATIVE_PATTERN} }} }}", add_item
        )
        numbers = {f"<{iri}>".encode(): number for iri, number in items.number_by_iri.items()}
        for column in items.columns.values():
            self.read_column(view, column, numbers)

    def read_column(self, view: StoreView, column: IndexedColumn, numbers: Mapping[bytes, int]) -> None:
        """Set the values of a field of all items, whose numbers are given by their cell in TSV.

        Each step of a path is read in one scan: to look it up for each item takes 5 to 10 times as long.
        """
        field, cells_by_item = column.field, dict[int, list[bytes]]()

        def add_cell(row: bytes) -> None:
            item, _, cell = row.partition(b"\t")
            if (number := numbers.get(item)) is not None:
                cells_by_item.setdefault(number, []).append(cell)

        paths = self.paths[field.name]
        values = build_join_pattern(paths, "?id", "?value")
        distinct = "DISTINCT " if any(len(path) > 1 for path in paths) else ""  # else few are repeated
        self.read_rows(view, f"SELECT {distinct}?id ?value {{ {self.class_pattern} {values} }}", add_cell)
        terms = parse_tsv_terms(cell.decode() for cell in set(chain.from_iterable(cells_by_item.values())))
        encode = cache(lambda cells: encode_values(field, [terms[cell.decode()] for cell in cells]))
        for number, cells in cells_by_item.items():
            column.set_values(number, encode(tuple(sorted(set(cells)))))

    def read_rows(self, view: StoreView, query: str, use_row: Callable[[bytes], None]) -> None:
        """Call a function with each row of a query in TSV."""
        reader = RowReader(use_row)
        view.query(add_query_prefixes(query, self.base), TSV.media_type, cast(IO[bytes], reader))

    def find_affected(self, match: QuadMatcher, quad: ox.Quad) -> dict[Any, set[str]]:
        """The items that a changed statement may affect, each with the names of the fields.

        An item without fields may be in the list or not.
        """
        affected: dict[Any, set[str]] = {}
        if quad.predicate in (self.illustrative, RDF_TYPE):
            affected[quad.subject] = set()
        for name, path in self.paths_by_predicate.get(quad.predicate, ()):
            for item in follow_back(match, quad, path):
                affected.setdefault(item, set()).add(name)
        return affected

    def is_member(self, match: QuadMatcher, node: Any) -> bool:
        """Whether a resource is in the list."""
        required = self.definition.required_field
        return (
            isinstance(node, ox.NamedNode)
            and not self.classes.isdisjoint(find_objects(match, node, RDF_TYPE))
            and ox.Literal(True) not in find_objects(match, node, self.illustrative)
            and (not required or bool(self.read_values(match, node, required)))
        )

    def read_values(self, match: QuadMatcher, node: Any, name: str) -> Values:
        """The values of a field of a resource."""
        terms = {term for path in self.paths[name] for term in follow_path(match, {node}, path)}
        return encode_values(self.definition.by_name[name], terms)


class RowReader:
    """What the engine writes the result of a query to, in TSV. The text of all papers is never in memory."""

    def __init__(self, use_row: Callable[[bytes], None]) -> None:
        """Take the function that is called with each row."""
        self.use_row = use_row
        self.rest, self.is_begun = b"", False

    def write(self, data: bytes) -> int:
        """Take a part of the result."""
        *rows, self.rest = (self.rest + data).split(b"\n")
        if rows and not self.is_begun:
            self.is_begun = True
            del rows[0]  # the names of the variables
        for row in rows:
            self.use_row(row)
        return len(data)

    def flush(self) -> None:
        """Do nothing, as each row is used at once."""


def encode_values(field: ListField, terms: Iterable[Any]) -> Values:
    """The values of a field for its terms."""
    if field.language:
        terms = [term for term in terms if getattr(term, "language", None) == field.language]
    if field.type == "text":
        values = {make_text_key(term_text(term), getattr(term, "language", "")) for term in terms}
    elif is_resource_type(field.type) or field.type == "class":
        values = {
            intern(term.value) if isinstance(term, ox.NamedNode) else NO_IRI_MARK + term_text(term)
            for term in terms
        }
    else:
        values = {intern(term_text(term)) for term in terms}
    return tuple(sorted(values))


class ListIndex(SavedProjection[dict[str, IndexedList]]):
    """The projection with the items of INDEXED_LISTS."""

    name, saved_name = "the index of lists", "lists"

    def __init__(self, store: Store, base: str) -> None:
        """Set up an index of the store that is not built yet; `base` is the base IRI of the graph."""
        super().__init__(store)
        self.queue = WorkQueue(
            max_running=1,
            max_waiting=MAX_WAITING_LIST_REQUESTS,
            timeout_seconds=LIST_INDEX_TIMEOUT_SECONDS,
        )
        self.readers = {name: ListReader(LIST_DEFINITIONS[name], base) for name in INDEXED_LISTS}
        self.name_paths = parse_alternative_paths(LABEL_FIELD.property_path, base)
        self.name_predicates = {path[0].predicate for path in self.name_paths}
        self.predicates = self.name_predicates.union(*(reader.predicates for reader in self.readers.values()))
        self.lists = self.make_lists()
        self.names: dict[str, Values] = {}  # sort keys of the names of resources by which lists were sorted
        self.changed_quads: set[ox.Quad] | None = set()  # to be read again on next use; None: too many
        self.change_lock = threading.Lock()
        self.lists_lock = threading.RLock()  # a build replaces the lists while they are not in use

    def make_lists(self) -> dict[str, IndexedList]:
        """Lists without items."""
        return {name: IndexedList(LIST_DEFINITIONS[name], self.find_names) for name in INDEXED_LISTS}

    async def query(
        self,
        function: Callable[Concatenate[Mapping[str, IndexedList], Params], Result],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Result:
        """Call a function with the current lists. Raises Problem 503 if updating the index takes long."""
        return await self.queue.run(partial(self.query_sync, function, *args, **kwargs))

    async def query_within(
        self,
        seconds: float,
        function: Callable[Concatenate[Mapping[str, IndexedList], Params], Result],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Result | None:
        """As `query`, but None if the index is not built within `seconds`; the build continues."""
        if not self.follows_commits and (self.is_build_due or not self.is_broken):
            with suppress(Problem, *PROJECTION_ERRORS):
                await self.wait_until_current(seconds)
        if not self.follows_commits:
            return None
        return await self.query(function, *args, **kwargs)

    def query_sync(
        self,
        function: Callable[Concatenate[Mapping[str, IndexedList], Params], Result],
        *args: Params.args,
        **kwargs: Params.kwargs,
    ) -> Result:
        """Call a function with the current lists. Call it on one thread at a time, as `query` does."""
        self.ensure_current()
        with self.lists_lock:
            self.refresh()
            return function(self.lists, *args, **kwargs)

    def apply(self, commit: CommittedChange) -> None:
        """Record the changed statements: the values that they affect are read again on next use."""
        quads = {
            quad
            for quad in chain(commit.full.removed, commit.full.added)
            if quad.predicate in self.predicates
        }
        with self.change_lock:
            if self.changed_quads is not None:
                self.changed_quads |= quads
                if len(self.changed_quads) > MAX_CHANGED_QUADS:
                    self.changed_quads = None
        self.included_version = commit.version

    def apply_many(self, commits: Sequence[CommittedChange]) -> None:
        """Record the changes of commits, also if they cancel each other out.

        A build reads the store while it changes, so it may have read an item between two such commits.
        """
        for commit in commits:
            self.apply(commit)

    def rebuild(self, view: StoreView, version: int) -> None:
        """Read all items."""
        self.read_lists(view)
        self.included_version = version

    def read_lists(self, view: StoreView) -> None:
        """Read all items."""
        lists = self.make_lists()
        for name, items in lists.items():
            self.readers[name].read_all(view, items)
            items.sort_by_default()
        self.use_content(lists)

    def use_content(self, content: dict[str, IndexedList]) -> None:
        """Use other lists."""
        with self.lists_lock:
            self.lists, self.names = content, {}

    @property
    def saved_format(self) -> Any:
        """What the lists have: their classes, and the names and paths of their fields."""
        return [
            LISTS_FORMAT,
            *(
                [str(sorted(map(str, reader.classes))), str(reader.paths), reader.definition.required_field]
                for reader in self.readers.values()
            ),
        ]

    def dump_parts(self) -> Iterator[Any]:
        """The parts of each list, after the values that the last commits affect were read again.

        Raises RebuildNeededError if these are all values.
        """
        with self.lists_lock:
            if self.changed_quads is None:
                raise RebuildNeededError("The last commits affect too many values.")
            self.refresh()
            for items in self.lists.values():
                yield from items.dump_parts()

    def parse_parts(self, parts: Iterator[Any]) -> dict[str, IndexedList]:
        """The lists from their parts."""
        lists = self.make_lists()
        for items in lists.values():
            items.load_parts(parts)
            items.sort_by_default()
        if next(parts, None) is not None:
            raise ValueError("there are too many parts")
        return lists

    @contextmanager
    def open_build_view(self) -> Iterator[StoreView]:
        """Yield the store itself, unlocked: values that commits affect meanwhile are read again later."""
        with self.store.write_lock():
            self.begin_build()
            self.take_changes()
        yield self.store

    def take_changes(self) -> set[ox.Quad] | None:
        """The changed statements that were recorded, which are then forgotten."""
        with self.change_lock:
            quads, self.changed_quads = self.changed_quads, set()
        return quads

    def refresh(self) -> None:
        """Read the affected values again, or all if there are too many."""
        quads = self.take_changes()
        try:
            if quads is None or (quads and not self.read_changes(quads)):
                self.read_lists(self.store)
        except BaseException:
            self.invalidate()
            raise

    def read_changes(self, quads: set[ox.Quad]) -> bool:
        """Read the values again that changed statements affect. Returns False if there are too many.

        Of a path from an item that a change creates or breaks, the first changed statement leads back to the
        item: what is before it is in the store now.
        """
        match = cache(lambda *pattern: tuple(self.store.match(*pattern)))
        affected: dict[str, dict[Any, set[str]]] = {}  # fields by list and item
        for name, reader in self.readers.items():
            fields_by_item = affected[name] = {}
            for quad in quads:
                if quad.predicate in reader.predicates:
                    for item, fields in reader.find_affected(match, quad).items():
                        fields_by_item.setdefault(item, set()).update(fields)
        if sum(len(fields) for items in affected.values() for fields in items.values()) > MAX_READ_VALUES:
            return False
        named = {
            quad.subject.value
            for quad in quads
            if quad.predicate in self.name_predicates and isinstance(quad.subject, ox.NamedNode)
        }
        names_before = {iri: self.find_known_names(iri) for iri in named}
        for name, fields_by_item in affected.items():
            for item, fields in fields_by_item.items():
                self.read_item(match, name, item, fields)
        for iri in named:
            self.names.pop(iri, None)
        if any(names is not None and names != self.find_names(iri) for iri, names in names_before.items()):
            for indexed_list in self.lists.values():
                indexed_list.forget_name_orders()
        return True

    def read_item(self, match: QuadMatcher, name: str, item: Any, fields: Iterable[str]) -> None:
        """Read fields of an item of a list again; all of them if it is new there."""
        if not isinstance(item, ox.NamedNode):
            return
        reader, items = self.readers[name], self.lists[name]
        if not reader.is_member(match, item):
            items.remove_item(item.value)
            return
        if item.value not in items.number_by_iri:
            fields = reader.paths
        number = items.add_item(intern(item.value))
        items.set_item_values(number, {field: reader.read_values(match, item, field) for field in fields})

    def find_names(self, iri: str) -> Values:
        """The sort keys of the names of a resource, which are kept."""
        names = self.find_known_names(iri)
        if names is None:
            names = self.names[iri] = self.read_names(iri)
        return names

    def find_known_names(self, iri: str) -> Values | None:
        """The sort keys of the names of a resource that is in a list, or whose names are kept; else None."""
        for items in self.lists.values():
            if iri in items.number_by_iri:
                return items.values_of(items.number_by_iri[iri], LABEL_FIELD.name)
        return self.names.get(iri)

    def read_names(self, iri: str) -> Values:
        """The sort keys of the names of a resource."""
        if iri.startswith(NO_IRI_MARK):
            return ()
        node = ox.NamedNode(iri)
        names = {name for path in self.name_paths for name in follow_path(self.store.match, {node}, path)}
        return encode_values(LABEL_FIELD, names)
