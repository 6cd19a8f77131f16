"""Descriptions of resources in RDF formats, by a query worker for a front process, which has no store.

A worker with a copy in memory reads the quads in a tenth of the time that the store on disk takes. The bytes
are those that `resources.routes` writes. Its limits are those of a complete description; the writer describes
all other resources.
"""

import json
import struct
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple, Self

import pyoxigraph as ox

from ...rdf.formats import JSON_LD, N_TRIPLES, RDF_XML, TURTLE, Format
from ...rdf.jsonld import JsonLdContext, build_jsonld_context, serialize_compact_jsonld
from ...rdf.namespaces import DCTERMS_LICENSE, LICENSE_IRI, RDF_TYPE, RDFS_LABEL, expand_curie
from ...rdf.serialization import UnserializableError, serialize_triples
from ...rdf.vocabulary import list_vocabulary_terms
from ...store.change import Change
from ...store.errors import StoreError, is_engine_damage
from ...store.labels import read_label
from ...store.view import QueryDataset, StoreView
from ..language.parser import ParsedSparqlText
from .protocol import (
    DESCRIPTION_MEDIA_TYPE,
    DISK_FAULT,
    ROWS_FAULT,
    UNFIT_FAULT,
    VALUE_FAULT,
    QueryFault,
    QueryJob,
)

WORKER_FORMATS = (TURTLE, N_TRIPLES, RDF_XML, JSON_LD)
MAX_INCOMING_STATEMENTS, MAX_DESCRIBED_PARTS = 500, 250
MAX_KEPT_LABELS = 20_000
HEAD_LENGTH_STRUCT = struct.Struct("!I")


def make_description_job(iri: str, format_: Format, language_ranges: tuple[str, ...], base: str) -> QueryJob:
    """The job of a worker to describe a resource, with labels in the preferred languages."""
    text = ParsedSparqlText(json.dumps([iri, WORKER_FORMATS.index(format_), *language_ranges]))
    return QueryJob(text, DESCRIPTION_MEDIA_TYPE, QueryDataset(), base, max_bytes=0, max_rows=0)


class SerializedDescription(NamedTuple):
    """A description in a format, with the classes of the resource, and the languages of the texts."""

    types: list[str]
    languages: list[str]
    body: bytes

    def pack(self) -> bytes:
        """The description as bytes."""
        head = json.dumps([self.types, self.languages]).encode()
        return HEAD_LENGTH_STRUCT.pack(len(head)) + head + self.body

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The description from its bytes."""
        start = HEAD_LENGTH_STRUCT.size
        end = start + HEAD_LENGTH_STRUCT.unpack_from(packed)[0]
        types, languages = json.loads(packed[start:end])
        return cls(types, languages, packed[end:])


class ResourceDescriber:
    """Describes resources from the quads of a worker, and keeps labels and the JSON-LD context."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.labels: dict[tuple[str, ...], dict[str, ox.Literal | None]] = {}  # by language ranges and IRI
        self.label_count = 0
        self.jsonld_contexts: dict[str, JsonLdContext] = {}  # by the IRI of the graph

    def forget(self, change: Change | None = None) -> None:
        """Drop what may be outdated after a change; everything if it is not known."""
        self.forget_labels()
        for graph in [*self.jsonld_contexts]:
            if change is None or graph in change.graphs:
                del self.jsonld_contexts[graph]

    def forget_labels(self) -> None:
        """Drop all labels."""
        self.labels.clear()
        self.label_count = 0

    def describe(self, view: StoreView, job: QueryJob) -> bytes:
        """The packed SerializedDescription; empty if no statement is about the resource or points to it.

        Raises QueryFault, also if the description would not be complete.
        """
        iri, format_number, *language_ranges = json.loads(job.query.text)
        try:
            return self.serialize(view, iri, WORKER_FORMATS[format_number], tuple(language_ranges), job.base)
        except UnserializableError as error:
            raise QueryFault(UNFIT_FAULT, error.reason) from error
        except (OSError, StoreError) as error:
            raise QueryFault(DISK_FAULT, str(error)) from error
        except (ValueError, RuntimeError) as error:
            raise QueryFault(DISK_FAULT if is_engine_damage(error) else VALUE_FAULT, str(error)) from error

    def serialize(
        self, view: StoreView, iri: str, format_: Format, language_ranges: tuple[str, ...], base: str
    ) -> bytes:
        """The same as `describe`."""
        quads, nodes = read_described_quads(view, iri)
        if not quads:
            return b""
        labels = self.find_labels(view, iris_in_quads(quads) - nodes, language_ranges)
        types = (quad.object for quad in view.match(ox.NamedNode(iri), RDF_TYPE))
        texts = chain((quad.object for quad in quads), labels.values())
        languages = {tag for text in texts if isinstance(text, ox.Literal) and (tag := text.language)}
        triples = [
            *(quad.triple for quad in quads),
            *(ox.Triple(ox.NamedNode(labeled), RDFS_LABEL, label) for labeled, label in labels.items()),
            *iter_document_triples(iri, base),
        ]
        if format_ is JSON_LD:
            body = serialize_compact_jsonld(triples, self.find_jsonld_context(view, base), iri)
        else:
            body = serialize_triples(triples, format_, base, "" if format_ is N_TRIPLES else iri)
        type_iris = {type_.value for type_ in types if isinstance(type_, ox.NamedNode)}
        return SerializedDescription(sorted(type_iris), sorted(languages), body).pack()

    def find_labels(
        self, view: StoreView, iris: Collection[str], language_ranges: tuple[str, ...]
    ) -> dict[str, ox.Literal]:
        """The best label of each IRI that has one."""
        if self.label_count > MAX_KEPT_LABELS:
            self.forget_labels()
        labels = self.labels.setdefault(language_ranges, {})
        new_labels = {iri: read_label(view, iri, language_ranges) for iri in iris if iri not in labels}
        labels |= new_labels
        self.label_count += len(new_labels) + 1
        return {iri: label for iri in iris if (label := labels[iri])}

    def find_jsonld_context(self, view: StoreView, base: str) -> JsonLdContext:
        """The JSON-LD context of the ontology."""
        graph = f"{base}graph/ontology"
        if graph not in self.jsonld_contexts:
            self.jsonld_contexts[graph] = build_jsonld_context(
                list_vocabulary_terms(view.triples(graph)), base
            )
        return self.jsonld_contexts[graph]


def read_described_quads(view: StoreView, iri: str) -> tuple[list[ox.Quad], set[str]]:
    """The quads of a resource and its parts, and those that point to it; the IRIs of the resource and parts.

    Parts are nodes below the IRI to which these quads lead. All subjects are IRIs. Raises QueryFault if there
    are too many.
    """
    node, prefix = ox.NamedNode(iri), f"{iri}/"
    incoming = list(islice(view.match(object_=node), MAX_INCOMING_STATEMENTS + 1))
    if len(incoming) > MAX_INCOMING_STATEMENTS:
        raise QueryFault(ROWS_FAULT)
    found = [*view.match(node), *(quad for quad in incoming if isinstance(quad.subject, ox.NamedNode))]
    quads, nodes = found.copy(), {iri}
    while found:
        terms = {
            term.value for quad in found for term in (quad[0], quad[2]) if isinstance(term, ox.NamedNode)
        }
        parts = {term for term in terms if term.startswith(prefix)} - nodes
        nodes |= parts
        if len(nodes) > MAX_DESCRIBED_PARTS:
            raise QueryFault(ROWS_FAULT)
        found = [quad for part in parts for quad in view.match(ox.NamedNode(part))]
        quads += found
    return quads, nodes


def iris_in_quads(quads: Iterable[ox.Quad]) -> set[str]:
    """All IRIs in the quads."""
    return {term.value for quad in quads for term in quad if isinstance(term, ox.NamedNode)}


def iter_document_triples(iri: str, base: str) -> Iterator[ox.Triple]:
    """The triples about the document that describes a resource."""
    document = ox.NamedNode(find_document_iri(iri, base))
    yield ox.Triple(document, expand_curie("foaf:primaryTopic"), ox.NamedNode(iri))
    yield ox.Triple(document, DCTERMS_LICENSE, ox.NamedNode(LICENSE_IRI))


def find_document_iri(iri: str, base: str) -> str:
    """The IRI of the document that describes a resource."""
    return iri.replace(f"{base}id/", f"{base}doc/", 1)
