"""Compact JSON-LD that reads like plain JSON, and framing of it (JSON-LD 1.1, JSON-LD 1.1 Framing).

The context is made from the ontology: prefixes, `id`, `type`, and each term under its local name with its
type coercion. A document refers to its context by URL, or embeds the part of it that it uses, so that nothing
has to be fetched. JSON-LD has no triple terms: such data raises UnserializableError.

A frame makes a tree: a resource at the top, and below it the nodes that it links to. Each node is written
once, at the first link to it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import pyoxigraph as ox
from wgig_client.namespaces import EXTERNAL_NAMESPACES, XSD_NAMESPACE

from ..problems import Problem
from .formats import JSON, JSON_LD
from .json_layout import serialize_json_body
from .namespaces import OWL_NAMESPACE, RDF_NAMESPACE, RDF_TYPE_IRI, build_prefixed_name, split_namespace
from .serialization import UnserializableError, sort_for_reading
from .vocabulary import VocabularyTerm

JsonLdContext = dict[str, Any]
JSONLD_KEYWORDS = ("@version", "@vocab", "id", "type")


def build_jsonld_context(terms: Iterable[VocabularyTerm], base: str) -> JsonLdContext:
    """The JSON-LD 1.1 context: prefixes, `id`, `type`, and each term of the ontology under its local name.

    Unknown names become terms of the ontology too (`@vocab`) instead of being ignored, so that validation
    finds typing errors. The values of object properties are IRIs, those of properties with a datatype are
    plain strings, and language-tagged values are a map from language to text.
    """
    namespace = f"{base}ontology#"
    terms_by_name = {
        term.iri.removeprefix(namespace): term for term in terms if term.iri.startswith(namespace)
    }
    definitions = {
        name: {"@id": f"wgig:{name}", **coercion_of_term(term)}
        for name, term in sorted(terms_by_name.items())
    }
    keywords = dict(zip(JSONLD_KEYWORDS, (1.1, namespace, "@id", "@type"), strict=True))
    return {**keywords, **EXTERNAL_NAMESPACES, "wgig": namespace, **definitions}


def serialize_compact_jsonld(
    triples: Iterable[ox.Triple], context: JsonLdContext, main_iri: str = ""
) -> bytes:
    """Triples in a stable order as JSON-LD with the part of the context that it uses.

    Those about `main_iri` are first. Raises UnserializableError.
    """
    document = compact_triples(sort_for_reading(triples, main_iri), context, "")
    return serialize_json_body(embed_used_context(document, context))


def coercion_of_term(term: VocabularyTerm) -> dict[str, str]:
    """The type coercion in the definition of a property; empty for a class or an untyped property."""
    if term.kind == f"{OWL_NAMESPACE}ObjectProperty":
        return {"@type": "@id"}
    range_ = next(iter(term.ranges), "")
    if range_ == f"{RDF_NAMESPACE}langString":
        return {"@container": "@language"}
    if range_.startswith(XSD_NAMESPACE) and range_ != f"{XSD_NAMESPACE}string":
        return {"@type": range_.replace(XSD_NAMESPACE, "xsd:")}
    return {}


class ContextNamespaces(dict[str, str]):
    """The namespaces of a context by prefix."""

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """The first prefix of each namespace."""
        return {iri: prefix for prefix, iri in reversed(self.items())}


def compact_triples(triples: Iterable[ox.Triple], context: JsonLdContext, context_url: str) -> dict[str, Any]:
    """The triples as a JSON-LD document with one object per subject and `context_url` as its context.

    Raises UnserializableError for a triple that JSON-LD cannot express.
    """
    namespaces = ContextNamespaces(
        (prefix, iri)
        for prefix, iri in context.items()
        if isinstance(iri, str) and not iri.startswith("@") and not prefix.startswith("@")
    )
    definitions_by_iri = {
        namespaces["wgig"] + key: (key, definition)
        for key, definition in context.items()
        if isinstance(definition, dict)
    }
    nodes: dict[str, dict[str, Any]] = defaultdict(dict)
    for triple in triples:
        add_jsonld_triple(
            nodes[identify_jsonld_node(triple.subject, namespaces)], triple, definitions_by_iri, namespaces
        )
    graph = [
        {"id": name, **{key: collapse_single_values(value) for key, value in node.items()}}
        for name, node in nodes.items()
    ]
    return {"@context": context_url, "@graph": graph}


def embed_used_context(document: dict[str, Any], context: JsonLdContext) -> dict[str, Any]:
    """The compact document with an embedded context, which has only the entries that the document uses."""
    terms = {key for node in document["@graph"] for key in node}
    terms |= {type_ for node in document["@graph"] for type_ in ensure_list(node.get("type", []))}
    definitions = {key: value for key, value in context.items() if key in terms and isinstance(value, dict)}
    names = [*terms, *(name for definition in definitions.values() for name in definition.values())]
    prefixes = {name.partition(":")[0] for name in names}
    used_prefixes = {key: value for key, value in context.items() if key in (*JSONLD_KEYWORDS, *prefixes)}
    return {**document, "@context": {**used_prefixes, **definitions}}


def add_jsonld_triple(
    node: dict[str, Any],
    triple: ox.Triple,
    definitions_by_iri: dict[str, tuple[str, JsonLdContext]],
    namespaces: ContextNamespaces,
) -> None:
    """Add a triple to the JSON object of its subject.

    `definitions_by_iri` has the key and definition of each term, `namespaces` the namespaces by prefix.
    """
    property_: str = triple.predicate.value
    value: Any = triple.object
    key, definition = definitions_by_iri.get(property_, ("", {}))
    if property_ == RDF_TYPE_IRI and isinstance(value, ox.NamedNode):
        node.setdefault("type", []).append(
            definitions_by_iri[value.value][0]
            if value.value in definitions_by_iri
            else compact_jsonld_iri(value.value, namespaces)
        )
    elif key and definition.get("@type") == "@id" and isinstance(value, ox.NamedNode):
        node.setdefault(key, []).append(require_unambiguous_iri(value.value, namespaces))
    elif key and definition.get("@container") == "@language" and is_language_text(value):
        node.setdefault(key, {}).setdefault(value.language, []).append(value.value)
    elif key and isinstance(value, ox.Literal) and fits_coercion(value, definition):
        node.setdefault(key, []).append(value.value)
    else:
        node.setdefault(compact_jsonld_iri(property_, namespaces), []).append(
            expand_jsonld_value(value, namespaces)
        )


def is_language_text(term: Any) -> bool:
    """Whether a term is a language-tagged text without a base direction."""
    return isinstance(term, ox.Literal) and bool(term.language) and not term.direction


def fits_coercion(literal: ox.Literal, definition: JsonLdContext) -> bool:
    """Whether a plain string under this definition is read back as this literal."""
    datatype = definition.get("@type", "xsd:string").replace("xsd:", XSD_NAMESPACE)
    return literal.datatype.value == datatype and not literal.language and "@container" not in definition


def expand_jsonld_value(term: Any, namespaces: ContextNamespaces) -> Any:
    """The object of a triple in expanded form: with its type or language, or as a node reference."""
    if isinstance(term, ox.Literal):
        if term.direction:
            raise UnserializableError("a text has a base direction", JSON_LD.media_type)
        if term.language:
            return {"@value": term.value, "@language": term.language}
        if term.datatype.value == f"{XSD_NAMESPACE}string":
            return term.value
        return {"@value": term.value, "@type": require_unambiguous_iri(term.datatype.value, namespaces)}
    return {"id": identify_jsonld_node(term, namespaces)}


def identify_jsonld_node(term: Any, namespaces: ContextNamespaces) -> str:
    """The `id` of a node. Raises UnserializableError for a triple term."""
    if isinstance(term, ox.Triple):
        raise UnserializableError("JSON-LD has no triple terms", JSON.media_type)
    return (
        f"_:{term.value}"
        if isinstance(term, ox.BlankNode)
        else require_unambiguous_iri(term.value, namespaces)
    )


def compact_jsonld_iri(iri: str, namespaces: ContextNamespaces) -> str:
    """The prefixed name of an IRI, or the IRI itself if no prefix fits."""
    namespace, local = split_namespace(iri)
    return build_prefixed_name(namespaces.prefixes.get(namespace, ""), local) or require_unambiguous_iri(
        iri, namespaces
    )


def require_unambiguous_iri(iri: str, namespaces: ContextNamespaces) -> str:
    """The IRI, unchanged. Raises UnserializableError if its scheme is also a prefix of the context."""
    scheme, _, path = iri.partition(":")
    if scheme in namespaces and not path.startswith("//"):
        raise UnserializableError(f"the scheme of an IRI is also the prefix {scheme}", JSON_LD.media_type)
    return iri


def ensure_list(value: Any) -> list[Any]:
    """The value if it is a list, else a list with the value as its only item."""
    return value if isinstance(value, list) else [value]


def collapse_single_values(value: Any) -> Any:
    """The only item of a list of one, also inside a language map; other values unchanged."""
    if isinstance(value, dict):
        return {language: collapse_single_values(texts) for language, texts in value.items()}
    return value[0] if len(value) == 1 else value


# Types of the resource at the top, by the name of the frame.
FRAME_TYPES = {
    "paper": ("IssuePaper", "AssessmentPaper"),
    "document": ("Document",),
    "issue": ("Issue",),
    "meeting": ("Meeting",),
}
FRAMES_BY_TYPE = {type_: frame for frame, types in FRAME_TYPES.items() for type_ in types}
MAX_FRAME_LEVELS = 40  # JSON parsers limit nesting


def frame_document(document: dict[str, Any], iri: str, frame: str, context: JsonLdContext) -> dict[str, Any]:
    """The compact document as a tree below the resource `iri`; each node is at the first link to it.

    Nodes without a path from the resource are left out. Raises Problem 406 if the frame is not for
    resources of this type, or the nodes are nested too deeply.
    """
    nodes = {node["id"]: node for node in document["@graph"]}
    root = nodes.get(iri, {})
    types = root.get("type", [])
    possible_frames = [
        name for name, frame_types in FRAME_TYPES.items() if not {*frame_types}.isdisjoint(ensure_list(types))
    ]
    if frame not in possible_frames:
        raise wrong_frame_problem(iri, frame, possible_frames)
    link_keys = {
        key
        for key, definition in context.items()
        if isinstance(definition, dict) and definition.get("@type") == "@id"
    }
    seen, level = {iri}, [root]
    for _ in range(MAX_FRAME_LEVELS):
        level = [child for node in level for child in embed_nodes(node, nodes, link_keys, seen)]
        if not level:
            return {"@context": document["@context"], **root}
    raise Problem(
        406, f"The nodes below <{iri}> are nested too deeply for a frame. Repeat the request without _frame."
    )


def embed_nodes(
    node: dict[str, Any], nodes: dict[str, dict[str, Any]], link_keys: set[str], seen: set[str]
) -> Iterator[dict[str, Any]]:
    """Replace references in `node` by the nodes that are not in `seen`, and yield these nodes.

    `link_keys` are the keys of object properties of the ontology. They come first, so that a node is embedded
    below such a property rather than below an inferred one.
    """
    for key in sorted(node.keys() - {"id", "type"}, key=lambda key: (key not in link_keys, key)):
        value = node[key]
        items = ensure_list(value)
        for index, item in enumerate(items):
            name = item["id"] if isinstance(item, dict) and "id" in item else item
            is_link = key in link_keys or name is not item  # an IRI, or an object with an `id`
            if is_link and isinstance(name, str) and name in nodes and name not in seen:
                seen.add(name)
                items[index] = nodes[name]
                yield nodes[name]
        node[key] = items if isinstance(value, list) else items[0]


def wrong_frame_problem(iri: str, frame: str, possible_frames: list[str]) -> Problem:
    """The Problem 406 for a resource whose type the frame does not support."""
    advice = (
        f"Use _frame={' or '.join(possible_frames)}."
        if possible_frames
        else "Repeat the request without _frame."
    )
    return Problem(406, f"The frame {frame} is not for <{iri}>. {advice}", frames=possible_frames)
