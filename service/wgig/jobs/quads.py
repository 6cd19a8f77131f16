"""The quads of a file, as a store gives them back."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import pyoxigraph as ox

from ..documents import BASE, Document, decoded, format_of
from ..files import Candidate, content, mistake, opened, shown, size_of
from ..formats import DATASETS, Format
from ..rdf import quad, rdf_format
from ..report import Unread
from ..workers import Task


def stated(file: Candidate) -> Iterator[ox.Quad]:
    """The quads of a file that parses where its format has named graphs; else none."""
    format_ = format_of(file.path)
    if format_ in DATASETS:
        data = content(file.path, size_of(file)) if file.data is None else file.data
        yield from parsed(decoded(data), format_)


def quads(file: Candidate, task: Task) -> list[ox.Quad] | Unread:
    """The quads of a file, its blank nodes being its own; none of one that is passed over. Or why not."""
    try:
        document = opened(file, task.most_bytes, task.most_triples)
        if isinstance(document, Unread):
            return document
        store = ox.Store()  # which writes a number in one way only
        store.extend(apart(whole(document) if document else (), file.path))
        return list(store)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of an engine is no Exception
        return Unread(shown(file.path), mistake(error))


def whole(document: Document) -> Iterable[ox.Quad]:
    """The quads of a document."""
    if document.format in DATASETS:
        return parsed(document.text, document.format)
    return (quad(one, ox.DefaultGraph()) for one in document.triples)


def parsed(text: str, format_: Format) -> Iterable[ox.Quad]:
    """The quads of a text that is known to parse."""
    return ox.parse(text, rdf_format(format_.media_type), base_iri=BASE)


def apart(found: Iterable[ox.Quad], path: str) -> Iterator[ox.Quad]:
    """The quads, with names of blank nodes that no other file has, and that are the same at each reading."""
    file = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    names: dict[str, ox.BlankNode] = {}

    def own(node: Any) -> Any:
        if not isinstance(node, ox.BlankNode):
            return node
        return names.setdefault(node.value, ox.BlankNode(f"b{file}n{len(names)}"))

    return (ox.Quad(own(one.subject), one.predicate, own(one.object), own(one.graph_name)) for one in found)
