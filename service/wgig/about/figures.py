"""How much there is of what in the union of the graphs: counted anew, or followed from change to change.

A triple that stands in several graphs counts once. A figure belongs to a part of the data, which is named by
what it is about: a property, a class, a property of a class, the class or the datatype of the values of that.
The figure `stated` is 1 where there is such a part at all.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, TypeGuard

import pyoxigraph as ox

from ..rdf import term
from ..writes.changes import Change
from .moved import TYPE, Classes, Moved, classes_in

Part = tuple[str, ...]
Figures = Counter[tuple[Part, str]]
Pattern = tuple[Any, Any, Any]  # a triple in which None stands for any term
Kind = str | Classes  # of a value: its datatype, or its classes
Shape = tuple[Classes, str, Kind]  # of a triple: classes of its subject, property, kind of its value

WHOLE: Part = ()
LICENSE = term("dcterms:license")
HOST = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]+", re.IGNORECASE)
REMEMBERED = 100_000  # nodes whose classes are at hand while all is counted

SUBJECTS = "SELECT DISTINCT ?s { ?s ?p ?o }"
OBJECTS = "SELECT (COUNT(DISTINCT ?o) AS ?count) { ?s ?p ?o }"
OBJECTS_OF = "SELECT ?p (COUNT(DISTINCT ?o) AS ?count) { ?s ?p ?o } GROUP BY ?p"
LICENSES = f"SELECT DISTINCT ?o {{ ?s {LICENSE} ?o FILTER(isIRI(?o)) }}"


def difference(quads: ox.Store, change: Change, base: str, apart: frozenset[ox.NamedNode]) -> Figures:
    """By how much a change alters the figures. What that costs depends on the change and what it touches.

    `base` begins the IRIs that count as ours, the graphs `apart` do not count.
    """
    moved = Moved(quads, change, apart)
    figures = of_graphs(change, apart)
    before, after = moved.before - moved.after, moved.after - moved.before
    for sign, those in ((-1, before), (1, after)):
        for one in those:
            add(figures, of_link(one, base), sign)
    fewer, more = patterns(moved.before), patterns(moved.after)
    for pattern in fewer ^ more:
        if not moved.is_beside(*pattern):
            add(figures, of_pattern(pattern, base), 1 if pattern in more else -1)
    add_shapes(figures, moved_shapes(moved))
    for was, is_ in moved.reclassed().values():
        add(figures, ((("class", one), "entities") for one in was - is_), -1)
        add(figures, ((("class", one), "entities") for one in is_ - was), 1)
    return figures


def count(quads: ox.Store, base: str, apart: frozenset[ox.NamedNode]) -> Figures:
    """The figures, counted from all quads: one look at each subject, and two queries."""
    graphs = [*(one for one in quads.named_graphs() if one not in apart), ox.DefaultGraph()]
    figures, shapes = Figures(), Counter[Shape]()
    add(figures, ((("graph", one.value), "stated") for one in graphs if is_iri(one)))

    @lru_cache(REMEMBERED)
    def classes(node: Any) -> Classes:
        found = quads.quads_for_pattern(node, TYPE, None, None)
        return classes_in(one.triple for one in found if one.graph_name not in apart)

    for row in rows(quads, SUBJECTS, graphs):
        subject = row["s"]
        about = quads.quads_for_pattern(subject, None, None, None)
        found = [one for one in about if one.graph_name not in apart]
        homes = (one.graph_name for one in found if is_iri(one.graph_name))
        add(figures, of_pattern((subject, None, None), base))
        add(figures, ((("graph", one.value), "triples") for one in homes))
        add(figures, ((("class", one), "entities") for one in classes(subject)))
        triples = {one.triple for one in found}
        for property_ in {one.predicate for one in triples}:
            add(figures, of_pattern((subject, property_, None), base))
        for one in triples:
            add(figures, of_link(one, base))
            shapes[classes(subject), one.predicate.value, kind_of(one.object, classes)] += 1
    add_shapes(figures, shapes)
    for row in rows(quads, OBJECTS_OF, graphs):
        figures[("property", row["p"].value), "distinctObjects"] = int(row["count"].value)
    for row in rows(quads, OBJECTS, graphs):
        figures[WHOLE, "distinctObjects"] = int(row["count"].value)
    add(figures, ((("license", row["o"].value), "stated") for row in rows(quads, LICENSES, graphs)))
    return figures


def rows(quads: ox.Store, text: str, graphs: list[Any]) -> Any:
    """The solutions of a query over the union of these graphs."""
    return quads.query(text, default_graph=graphs)


def add(figures: Figures, names: Iterator[tuple[Part, str]], count: int = 1) -> None:
    """Let there be so many more of each of these."""
    for one in names:
        figures[one] += count


def of_graphs(change: Change, apart: frozenset[ox.NamedNode]) -> Figures:
    """By how much the triples of each named graph change."""
    figures = Figures()
    for sign, those in ((-1, change.removed), (1, change.added)):
        homes = Counter(one.graph_name for one in those)
        for home, number in homes.items():
            if is_iri(home) and home not in apart:
                figures[("graph", home.value), "triples"] += sign * number
    return figures


def of_link(triple: ox.Triple, base: str) -> Iterator[tuple[Part, str]]:
    """The figure for which a triple counts that leads from a thing of ours to another host."""
    subject, property_, object_ = triple
    if is_iri(subject) and is_iri(object_) and property_ != TYPE and subject.value.startswith(base):
        host = HOST.match(object_.value)
        if host and not object_.value.startswith(base):
            yield ("linkset", f"{host[0]}/", property_.value), "triples"


def patterns(triples: set[ox.Triple]) -> set[Pattern]:
    """What is counted once, however many triples fit it."""
    each = (
        ((subject, None, None), (subject, property_, None), (None, property_, value), (None, None, value))
        for subject, property_, value in triples
    )
    return set(chain.from_iterable(each))


def of_pattern(pattern: Pattern, base: str) -> Iterator[tuple[Part, str]]:
    """The figures for which it counts that any triple fits the pattern."""
    subject, property_, object_ = pattern
    part = ("property", property_.value) if property_ else WHOLE
    yield part, "distinctSubjects" if subject else "distinctObjects"
    if not property_ and is_iri(subject) and subject.value.startswith(base):
        yield WHOLE, "entities"
    if property_ == LICENSE and is_iri(object_):
        yield ("license", object_.value), "stated"


def moved_shapes(moved: Moved) -> Counter[Shape]:
    """How many more or fewer triples there are of each shape."""
    shapes = Counter[Shape]()
    near = {
        triple
        for node in moved.reclassed()
        for triple in chain(moved.beside(node, None, None), moved.beside(None, None, node))
    }
    for when, sign, those in ((0, -1, moved.before), (1, 1, moved.after)):
        for subject, property_, object_ in chain(those, near):
            kind = kind_of(object_, lambda node: moved.classes(node)[when])  # noqa: B023  called at once
            shapes[moved.classes(subject)[when], property_.value, kind] += sign
    return shapes


def kind_of(value: Any, classes: Any) -> Kind:
    """The datatype of a literal, the classes of a node."""
    if isinstance(value, ox.Literal):
        return value.datatype.value
    return classes(value) if isinstance(value, ox.NamedNode | ox.BlankNode) else frozenset()


def add_shapes(figures: Figures, shapes: Counter[Shape]) -> None:
    """Let there be so many more triples of each shape."""
    for (classes, property_, kind), number in shapes.items():
        figures[WHOLE, "triples"] += number
        figures[("property", property_), "triples"] += number
        values = [("datatype", kind)] if isinstance(kind, str) else [("class", one) for one in kind]
        for one in classes:
            part = ("class", one, "property", property_)
            figures[part, "triples"] += number
            for value in values:
                figures[(*part, *value), "triples"] += number


def is_iri(term_: Any) -> TypeGuard[ox.NamedNode]:
    """Whether a term is an IRI."""
    return isinstance(term_, ox.NamedNode)
