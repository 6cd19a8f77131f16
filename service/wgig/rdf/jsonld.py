"""Compact JSON-LD that reads like plain JSON, and framing of it (JSON-LD 1.1, JSON-LD 1.1 Framing).

The context is made from the ontology: prefixes, `id`, `type`, and each term under its local name with the
coercion of its values. A document names its context by address, or embeds as much of it as it uses, so that
nothing has to be fetched. JSON-LD cannot name a triple term: such data gets UnserializableError.

A frame puts a resource at the top and nests the nodes to which it leads; each node is written once, where it
is reached first.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pyoxigraph as ox

from ..problems import Problem
from .formats import JSON, JSON_LD
from .namespaces import (
    EXTERNAL_NAMESPACES,
    OWL_NAMESPACE,
    RDF_NAMESPACE,
    RDF_TYPE_IRI,
    XSD_NAMESPACE,
    build_prefixed_name,
    split_namespace,
)
from .serialization import UnserializableError
from .vocabulary import VocabularyTerm

JsonLdContext = dict[str, Any]
JSONLD_KEYWORDS = ("@version", "@vocab", "id", "type")


def build_jsonld_context(terms: Iterable[VocabularyTerm], base: str) -> JsonLdContext:
    """The JSON-LD 1.1 context: prefixes, `id`, `type`, and each of our terms under its local name.

    A name that is none of them counts as a term of ours, too, rather than as nothing: so a slip can be found.
    Properties that lead to things take IRIs, those with a datatype take plain strings of it, and those whose
    values have languages take a map from language to text.
    """
    namespace = f"{base}ontology#"
    names = {one.iri.removeprefix(namespace): one for one in terms if one.iri.startswith(namespace)}
    ours = {name: {"@id": f"wgig:{name}", **coercion_of_term(one)} for name, one in sorted(names.items())}
    keywords = dict(zip(JSONLD_KEYWORDS, (1.1, namespace, "@id", "@type"), strict=True))
    return {**keywords, **EXTERNAL_NAMESPACES, "wgig": namespace, **ours}


def coercion_of_term(term: VocabularyTerm) -> dict[str, str]:
    """How a plain value of a property is read; nothing for a class."""
    if term.kind == f"{OWL_NAMESPACE}ObjectProperty":
        return {"@type": "@id"}
    range_ = next(iter(term.ranges), "")
    if range_ == f"{RDF_NAMESPACE}langString":
        return {"@container": "@language"}
    if range_.startswith(XSD_NAMESPACE) and range_ != f"{XSD_NAMESPACE}string":
        return {"@type": range_.replace(XSD_NAMESPACE, "xsd:")}
    return {}


def compact_triples(triples: Iterable[ox.Triple], context: JsonLdContext, address: str) -> dict[str, Any]:
    """The triples as one JSON-LD document that names its context by `address`; one object a subject.

    Raises UnserializableError where a triple has no form in JSON-LD.
    """
    names = {
        prefix: iri
        for prefix, iri in context.items()
        if isinstance(iri, str) and not iri.startswith("@") and not prefix.startswith("@")
    }
    keys = {
        names["wgig"] + key: (key, definition)
        for key, definition in context.items()
        if isinstance(definition, dict)
    }
    nodes: dict[str, dict[str, Any]] = defaultdict(dict)
    for triple in triples:
        add_jsonld_triple(nodes[identify_jsonld_node(triple.subject, names)], triple, keys, names)
    graph = [
        {"id": name, **{key: collapse_single_values(value) for key, value in node.items()}}
        for name, node in nodes.items()
    ]
    return {"@context": address, "@graph": graph}


def embed_used_context(document: dict[str, Any], context: JsonLdContext) -> dict[str, Any]:
    """A compact document with as much of its context inside as it uses, so that nothing has to be fetched."""
    terms = {key for node in document["@graph"] for key in node}
    terms |= {one for node in document["@graph"] for one in ensure_list(node.get("type", []))}
    own = {key: one for key, one in context.items() if key in terms and isinstance(one, dict)}
    names = [*terms, *(one for definition in own.values() for one in definition.values())]
    prefixes = {name.partition(":")[0] for name in names}
    kept = {key: one for key, one in context.items() if key in (*JSONLD_KEYWORDS, *prefixes)}
    return {**document, "@context": {**kept, **own}}


def add_jsonld_triple(
    node: dict[str, Any], triple: ox.Triple, keys: dict[str, tuple[str, JsonLdContext]], names: dict[str, str]
) -> None:
    """Write one triple into the object of its subject."""
    property_: str = triple.predicate.value
    end: Any = triple.object
    key, definition = keys.get(property_, ("", {}))
    if property_ == RDF_TYPE_IRI and isinstance(end, ox.NamedNode):
        node.setdefault("type", []).append(
            keys[end.value][0] if end.value in keys else compact_jsonld_iri(end.value, names)
        )
    elif key and definition.get("@type") == "@id" and isinstance(end, ox.NamedNode):
        node.setdefault(key, []).append(check_unambiguous_iri(end.value, names))
    elif key and definition.get("@container") == "@language" and is_language_text(end):
        node.setdefault(key, {}).setdefault(end.language, []).append(end.value)
    elif key and isinstance(end, ox.Literal) and fits_coercion(end, definition):
        node.setdefault(key, []).append(end.value)
    else:
        node.setdefault(compact_jsonld_iri(property_, names), []).append(expand_jsonld_value(end, names))


def is_language_text(term: Any) -> bool:
    """Whether a term is a text in a language, and in that alone."""
    return isinstance(term, ox.Literal) and bool(term.language) and not term.direction


def fits_coercion(literal: ox.Literal, definition: JsonLdContext) -> bool:
    """Whether a plain string under this definition means just this literal."""
    meant = definition.get("@type", "xsd:string").replace("xsd:", XSD_NAMESPACE)
    return literal.datatype.value == meant and not literal.language and "@container" not in definition


def expand_jsonld_value(term: Any, names: dict[str, str]) -> Any:
    """A term that says itself what it is."""
    if isinstance(term, ox.Literal):
        if term.direction:
            raise UnserializableError("a text has a direction", JSON_LD.media_type)
        if term.language:
            return {"@value": term.value, "@language": term.language}
        if term.datatype.value == f"{XSD_NAMESPACE}string":
            return term.value
        return {"@value": term.value, "@type": check_unambiguous_iri(term.datatype.value, names)}
    return {"id": identify_jsonld_node(term, names)}


def identify_jsonld_node(term: Any, names: dict[str, str]) -> str:
    """What JSON-LD calls a node. Raises UnserializableError for a triple term, which JSON-LD cannot name."""
    if isinstance(term, ox.Triple):
        raise UnserializableError("JSON-LD has no triple terms", JSON.media_type)
    return f"_:{term.value}" if isinstance(term, ox.BlankNode) else check_unambiguous_iri(term.value, names)


def compact_jsonld_iri(iri: str, names: dict[str, str]) -> str:
    """An IRI with a prefix, where there is one for it."""
    namespace, local = split_namespace(iri)
    found = next((prefix for prefix, one in names.items() if one == namespace), "")
    return build_prefixed_name(found, local) or check_unambiguous_iri(iri, names)


def check_unambiguous_iri(iri: str, names: dict[str, str]) -> str:
    """An IRI as it is. Raises UnserializableError for one that would be read as a prefix and a name."""
    scheme, _, rest = iri.partition(":")
    if scheme in names and not rest.startswith("//"):
        raise UnserializableError(f"an IRI begins like the prefix {scheme}", JSON_LD.media_type)
    return iri


def ensure_list(value: Any) -> list[Any]:
    """A value that may stand alone, as a list."""
    return value if isinstance(value, list) else [value]


def collapse_single_values(value: Any) -> Any:
    """A list of one as its one value, also inside a map from languages."""
    if isinstance(value, dict):
        return {language: collapse_single_values(texts) for language, texts in value.items()}
    return value[0] if len(value) == 1 else value


# The types of the things at the top, by the name of the frame.
FRAME_TYPES = {
    "paper": ("IssuePaper", "AssessmentPaper"),
    "document": ("Document",),
    "issue": ("Issue",),
    "meeting": ("Meeting",),
}
MAX_FRAME_LEVELS = 40  # levels; readers of JSON give up somewhere


def frame_document(document: dict[str, Any], iri: str, frame: str, context: JsonLdContext) -> dict[str, Any]:
    """What a compact document says of the thing `iri`, each node once, where it is reached first.

    What is reached by no property from the thing is left out. Raises Problem 406 where the frame is not for
    things of this type, or the nodes stand too deep.
    """
    nodes = {one["id"]: one for one in document["@graph"]}
    root = nodes.get(iri, {})
    types = root.get("type", [])
    fitting = [name for name, kinds in FRAME_TYPES.items() if not {*kinds}.isdisjoint(ensure_list(types))]
    if frame not in fitting:
        raise wrong_frame_problem(iri, frame, fitting)
    links = {key for key, one in context.items() if isinstance(one, dict) and one.get("@type") == "@id"}
    seen, level = {iri}, [root]
    for _ in range(MAX_FRAME_LEVELS):
        level = [one for node in level for one in embed_nodes(node, nodes, links, seen)]
        if not level:
            return {"@context": document["@context"], **root}
    raise Problem(406, f"What <{iri}> leads to stands too deep to be framed. Ask without _frame.")


def embed_nodes(
    node: dict[str, Any], nodes: dict[str, dict[str, Any]], links: set[str], seen: set[str]
) -> Iterator[dict[str, Any]]:
    """Put the nodes that a node names into it, but for those that were seen before; what was put.

    They stand below the properties of the ontology rather than below those that follow from them.
    """
    for key in sorted(node.keys() - {"id", "type"}, key=lambda key: (key not in links, key)):
        value = node[key]
        ends = ensure_list(value)
        for place, end in enumerate(ends):
            name = end["id"] if isinstance(end, dict) and "id" in end else end
            is_link = key in links or name is not end
            if is_link and isinstance(name, str) and name in nodes and name not in seen:
                seen.add(name)
                ends[place] = nodes[name]
                yield nodes[name]
        node[key] = ends if isinstance(value, list) else ends[0]


def wrong_frame_problem(iri: str, frame: str, fitting: list[str]) -> Problem:
    """The 406 for a thing that is of another type than the frame is for."""
    mend = f"Ask for _frame={' or '.join(fitting)}." if fitting else "Ask without _frame."
    return Problem(406, f"The frame {frame} is not for <{iri}>. {mend}", frames=fitting)
