"""The state of a resource: its stated quads without their subject, as sorted lines of N-Quads.

A resource is any subject. Quads in derived graphs, such as inferred ones, are left out: they follow from the
stated quads, and would make new versions of resources of which nothing was said. A blank node is skolemized
to an IRI (RDF 1.1 Concepts, section 3.5), as its label is valid only in one document.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import pyoxigraph as ox

from ... import zstd
from ...rdf.namespaces import get_description_graphs
from ...rdf.serialization import serialize_n_quads

SKOLEM_IRI_PATH = ".well-known/genid/"
NO_DIGEST = b""


class ResourceState(NamedTuple):
    """A state of a resource: `content` has its lines, compressed; empty if the resource does not exist.

    If the time is not known, `changed_at` is the time of the scan that found the change.
    """

    iri: str
    changed_at: str
    is_time_known: bool
    digest: bytes
    content: bytes


def get_derived_graphs(base: str) -> frozenset[ox.NamedNode]:
    """The graphs that are functions of the stated quads, so that the change log leaves them out."""
    computed_graphs = {ox.NamedNode(f"{base}graph/{name}") for name in ("inferred", "conformance")}
    return get_description_graphs(base) | computed_graphs


class StateReader:
    """Reads the lines of states from quads; Skolem IRIs are below the base IRI."""

    def __init__(self, base: str) -> None:
        """Take the base IRI."""
        self.base = base
        self.derived_endings = tuple(f" {graph} ." for graph in get_derived_graphs(base))

    def group_lines(self, quads: Collection[ox.Quad]) -> dict[str, list[str]]:
        """The lines of the stated quads by the IRI of their subject, in their order.

        Quads about triple terms are left out; RDF 1.2 does not allow them.
        """
        text = serialize_n_quads(quads).decode()
        if "_:" in text:  # perhaps only in a literal
            text = serialize_n_quads(skolemize_quad(quad, self.base) for quad in quads).decode()
        lines_by_iri = defaultdict[str, list[str]](list)
        subject, subject_lines = " ", list[str]()
        for line in text.split("\n"):
            if not line.startswith(subject):  # most lines have the same subject as the line before
                subject = f"{line.partition(' ')[0]} "
                is_resource = subject[:1] == "<" and subject[:2] != "<<"
                subject_lines = lines_by_iri[subject[1:-2]] if is_resource else []
            if not self.is_derived(line, 3):
                subject_lines.append(line[len(subject) :])
        return {iri: lines for iri, lines in lines_by_iri.items() if lines}

    def is_derived(self, line: str, spaces_without_graph: int = 2) -> bool:
        """Whether a line of a state is in a derived graph.

        `spaces_without_graph` is the number of spaces in a line without a graph, if the object is an IRI.
        """
        return line.endswith(self.derived_endings) and line.count(" ") > spaces_without_graph

    def split_lines(self, text: str) -> set[str]:
        """The lines of a state, without those of derived graphs, which older versions of wgig wrote."""
        return {line for line in text.split("\n") if line and not self.is_derived(line)}


class StatePacker:
    """Compresses states, and reads them; for one thread at a time.

    A compressor that is used again takes a third less time for a state than a new one.
    """

    def __init__(self) -> None:
        """Make the compressor."""
        self.compressor = zstd.ZstdCompressor()

    def pack(self, lines: Iterable[str]) -> tuple[bytes, bytes]:
        """The digest and the compressed content of a state; both are empty without lines."""
        text = "\n".join(sorted(lines)).encode()
        return (
            (hash_state(text), self.compressor.compress(text, zstd.ZstdCompressor.FLUSH_FRAME))
            if text
            else (NO_DIGEST, b"")
        )

    def unpack(self, content: bytes) -> str:
        """The text of a state: its lines, sorted. Raises ZstdError if it is damaged."""
        return zstd.decompress(content).decode() if content else ""


def hash_state(text: bytes) -> bytes:
    """The 16 byte BLAKE2b digest of the text of a state."""
    return hashlib.blake2b(text, digest_size=16).digest()


def skolemize_quad(quad: ox.Quad, base: str) -> ox.Quad:
    """The quad with blank nodes replaced by Skolem IRIs, also within triple terms."""
    return ox.Quad(*(skolemize_term(term, base) for term in quad))


def skolemize_term(term: Any, base: str) -> Any:
    """The term with blank nodes replaced by Skolem IRIs."""
    if isinstance(term, ox.BlankNode):
        return ox.NamedNode(f"{base}{SKOLEM_IRI_PATH}{term.value}")
    if isinstance(term, ox.Triple):
        return ox.Triple(*(skolemize_term(part, base) for part in term))
    return term
