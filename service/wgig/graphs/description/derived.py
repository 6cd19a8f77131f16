"""The graphs that describe the store: void, dcat and queries, updated after writes.

They are left out of what they describe. Example queries are in RDF by the SIB conventions, with the prefixes
that they may use (SHACL, section 5.2.1).
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain
from pathlib import Path

import pyoxigraph as ox

from ..._version import __version__
from ...rdf.namespaces import graphs, namespaces
from ...rdf.serialization import as_stored, quad, term
from ...rdf.sparql_lexer import form
from ...sparql.examples import FOLDER, examples
from ...store.change import Change, content, there
from ...store.commit import update_of
from .dcat import Catalog
from .statistics import Figures, count, difference
from .statistics_worker import counted
from .void import Triples, Void

TYPE = term("rdf:type")


def queries(base: str) -> Iterator[ox.Triple]:
    """Each example query: what it asks in words, its text, and where to send it."""
    for one in examples():
        node = ox.NamedNode(f"{base}queries/{one.name}")
        asks = form(one.text).lower()
        for type_ in ("SPARQLExecutable", f"SPARQL{asks.capitalize()}Executable"):
            yield ox.Triple(node, TYPE, term(f"sh:{type_}"))
        yield ox.Triple(node, term(f"sh:{asks}"), ox.Literal(one.text))
        yield ox.Triple(node, term("sh:prefixes"), ontology(base))
        yield ox.Triple(node, term("rdfs:label"), ox.Literal(one.title, language="en"))
        yield ox.Triple(node, term("rdfs:comment"), ox.Literal(one.question, language="en"))
        yield ox.Triple(node, term("schema:target"), ox.NamedNode(f"{base}sparql"))
        for keyword in one.keywords:
            yield ox.Triple(node, term("schema:keywords"), ox.Literal(keyword, language="en"))


def prefixes(base: str) -> Iterator[ox.Triple]:
    """Each prefix that the graph uses, declared by the ontology (SHACL, section 5.2.1)."""
    for prefix, namespace in namespaces(base).items():
        node = ox.NamedNode(f"{base}.well-known/sparql-examples#{prefix}")
        yield ox.Triple(ontology(base), term("sh:declare"), node)
        yield ox.Triple(node, TYPE, term("sh:PrefixDeclaration"))
        yield ox.Triple(node, term("sh:prefix"), ox.Literal(prefix))
        yield ox.Triple(node, term("sh:namespace"), ox.Literal(namespace, datatype=term("xsd:anyURI")))


def ontology(base: str) -> ox.NamedNode:
    """The IRI of the ontology."""
    return ox.NamedNode(f"{base}ontology")


MODIFIED, ENDED, DATE_TIME = (term(one) for one in ("dcterms:modified", "prov:endedAtTime", "xsd:dateTime"))
LONG_AGO, TICK = datetime.min.replace(tzinfo=UTC), timedelta(microseconds=1)
FEW = 2000  # quads


class Portrait:
    """Describes all graphs of a store in three of their own, which are left out of what they describe."""

    def __init__(self, base: str) -> None:
        """Take the base of the IRIs."""
        self.base, self.void, self.catalog = base, Void(base), Catalog(base)
        self.queries = ox.NamedNode(f"{base}graph/queries")
        self.records = [
            (ox.NamedNode(f"{base}graph/{name}"), property_)
            for name, property_ in (("history", ENDED), ("catalog", MODIFIED))
        ]
        self.last = ""  # the state of which the figures are at hand
        self.graphs = graphs(base)

    @cached_property
    def digest(self) -> str:
        """The digest of what is described beside the figures."""
        files = [path.read_bytes() for path in sorted(FOLDER.glob("*.rq"))]
        offered = sorted(str(one).encode() for one in self.catalog.whole(set()))
        return hashlib.sha256(b"\n".join([__version__.encode(), *offered, *files])).hexdigest()

    def describe(self, quads: ox.Store, change: Change | None, prepared: Figures | None = None) -> Change:
        """Say how it is after a change; None: it may be anything, and all is counted. What that changed.

        The figures may be `prepared`.
        """
        if change is not None and not change:
            return change
        if change is None or not self.can_prepare(quads, change):
            return self.anew(quads)
        if prepared is None:
            prepared = difference(quads, change, self.base, self.graphs)
        return self.step(quads, change, Figures(prepared))

    def prepare(self, copy: Path, change: Change) -> Figures:
        """By how much a change altered the figures, by a copy of the quads.

        Raises OSError or subprocess.SubprocessError.
        """
        return counted(copy, change, self.base)

    def can_prepare(self, quads: ox.Store, change: Change) -> bool:
        """Whether the change can be described without looking at all quads, and that is faster."""
        ours = {one.value for one in self.graphs}
        return bool(self.state(quads) and not change.graphs & ours and not self.is_most(quads, change))

    def step(self, quads: ox.Store, change: Change, figures: Figures) -> Change:
        """Say what is other than before, where the figures changed by so much; what that changed."""
        if self.state(quads) != self.last:
            self.void.at_hand.clear()
        dropped, made = self.turned(quads, change.graphs)
        for sign, names in ((-1, dropped), (1, made)):
            figures.update(dict.fromkeys(((("graph", one), "stated") for one in names), sign))
        gone, come = self.void.turned(quads, figures)
        gone |= self.said(quads)
        modified = self.modified(quads, change.added)
        come.add(modified)
        followed = Change(
            (*placed(gone, self.void.graph), *placed(self.listed(dropped), self.catalog.graph)),
            (*placed(come, self.void.graph), *placed(self.listed(made), self.catalog.graph)),
        )
        self.last = ""  # until all is there
        quads.update(update_of(quads, followed, set()))
        self.last = modified.object.value  # type: ignore[union-attr]
        return followed

    def is_most(self, quads: ox.Store, change: Change) -> bool:
        """Whether more changed than there was, so that it is faster to count anew."""
        return len(change) > self.void.size(quads)

    def turned(self, quads: ox.Store, names: Iterable[str]) -> tuple[set[str], set[str]]:
        """Those of these graphs that are told of and not there, and those that are there and not told of."""
        graphs = [ox.NamedNode(one) for one in names]
        told = {one.value for one in graphs if self.void.tells_of(quads, one)}
        are = there(quads, graphs)
        return told - are, are - told

    def said(self, quads: ox.Store) -> Triples:
        """What is said of the last change."""
        found = quads.quads_for_pattern(self.void.dataset, MODIFIED, None, self.void.graph)
        return {one.triple for one in found}

    def state(self, quads: ox.Store) -> str:
        """When the dataset changed last, as it is described."""
        return "".join(one.object.value for one in self.said(quads))  # type: ignore[union-attr]

    def anew(self, quads: ox.Store) -> Change:
        """Say all, from what is there; of nothing, nothing. What that changed."""
        if all(one.graph_name in self.graphs for one in quads):
            return self.silence(quads)
        names = {one.value for one in quads.named_graphs() if isinstance(one, ox.NamedNode)}
        names -= {one.value for one in self.graphs}
        self.last = ""
        self.void.at_hand.clear()
        _, figures = self.void.turned(ox.Store(), count(quads, self.base, self.graphs))
        modified = self.modified(quads, self.on_record(quads))
        now = {
            *placed({*figures, *self.void.always(), modified}, self.void.graph),
            *placed(self.catalog.whole(names), self.catalog.graph),
            *placed(queries(self.base), self.queries),
            *placed(prefixes(self.base), self.queries),
        }
        before = {one for graph in self.graphs for one in content(quads, graph)}
        was = there(quads, self.graphs)
        come = now - before
        (quads.extend if len(come) < FEW else quads.bulk_extend)(come)
        for one in before - now:
            quads.remove(one)
        self.last = modified.object.value  # type: ignore[union-attr]
        return Change(tuple(before - now), tuple(come), (), tuple(there(quads, self.graphs) - was))

    def silence(self, quads: ox.Store) -> Change:
        """Say nothing any more; what that changed."""
        said = [one for graph in self.graphs for one in content(quads, graph)]
        dropped = there(quads, self.graphs)
        for graph in self.graphs:
            quads.remove_graph(graph)
        return Change(tuple(said), (), tuple(dropped))

    def listed(self, graphs: Iterable[str]) -> Triples:
        """What the catalog says of these graphs."""
        return {triple for one in graphs for triple in self.catalog.of_graph(one)}

    def modified(self, quads: ox.Store, new: Iterable[ox.Quad]) -> ox.Triple:
        """Since when the dataset is as it is: the last write, if what is new has a record of it, else now.

        So an old version that is built anew has the time that it had.
        """
        times = (one.object for one in new if (one.graph_name, one.predicate) in self.records)
        last = max((moment(one.value) for one in times if isinstance(one, ox.Literal)), default=LONG_AGO)
        before = moment(self.state(quads))
        if last <= before:
            last = max(datetime.now(UTC), before + TICK)
        since = ox.Literal(last.isoformat(), datatype=DATE_TIME)
        return next(as_stored([ox.Triple(self.void.dataset, MODIFIED, since)]))

    def on_record(self, quads: ox.Store) -> Iterator[ox.Quad]:
        """What tells when something was written or shipped."""
        found = (quads.quads_for_pattern(None, property_, None, graph) for graph, property_ in self.records)
        return chain.from_iterable(found)


def moment(text: str) -> datetime:
    """The moment that a text tells, the begin of time where it tells none."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return LONG_AGO


def placed(triples: Iterable[ox.Triple], graph: ox.NamedNode) -> set[ox.Quad]:
    """The triples in a graph."""
    return {quad(one, graph) for one in triples}
