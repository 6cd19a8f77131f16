"""schema.org as JSON-LD: one object for the thing, with what it names inside."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pyoxigraph as ox

from .. import __version__
from ..formats import Format
from ..namespaces import OUTSIDE
from .subject import LICENSE

SCHEMA = OUTSIDE["schema"]
TYPE = f"{OUTSIDE['rdf']}type"
STRING, BOOLEAN = f"{OUTSIDE['xsd']}string", f"{OUTSIDE['xsd']}boolean"
CONTEXT = {"@vocab": SCHEMA}

ABOUT = (
    "What is known of the Working Group on Internet Governance of the United Nations (2004-2005): issues, "
    "papers, principles, meetings, agreements, deadlines and texts as linked data, each with its sources."
)

Nodes = Mapping[ox.NamedNode | ox.BlankNode | ox.Triple, list[ox.Triple]]


def document(triples: Iterable[ox.Triple], iri: str) -> dict[str, Any]:
    """The triples as JSON-LD that means just them, as far as they are about `iri` and what it leads to."""
    return {"@context": CONTEXT, **things(triples, [iri])[0]}


def things(triples: Iterable[ox.Triple], iris: Iterable[str]) -> list[dict[str, Any]]:
    """An object for each of the IRIs, with what the triples say of it and of what it leads to."""
    nodes: dict[Any, list[ox.Triple]] = defaultdict(list)
    for one in sorted(triples, key=str):
        nodes[one.subject].append(one)
    return [thing(ox.NamedNode(iri), nodes, set()) for iri in iris]


def plain(triples: Iterable[ox.Triple]) -> list[ox.Triple]:
    """The triples with texts and values as mere strings, which is how search engines read them."""
    return [ox.Triple(one.subject, one.predicate, as_text(one.object)) for one in triples]


def as_text(term: Any) -> Any:
    """A term, or where it is a value but a truth value, that as a string."""
    is_value = isinstance(term, ox.Literal) and term.datatype.value != BOOLEAN
    return ox.Literal(term.value) if is_value else term


def thing(node: Any, nodes: Nodes, seen: set[Any]) -> dict[str, Any]:
    """An object for a node; what is said of it stands where it comes first."""
    found: dict[str, Any] = {"@id": name(node)}
    if node in seen:
        return found
    seen.add(node)
    for one in nodes.get(node, ()):
        if one.predicate.value == TYPE and isinstance(one.object, ox.NamedNode):
            add(found, "@type", one.object.value.removeprefix(SCHEMA))
        else:
            add(found, one.predicate.value.removeprefix(SCHEMA), value(one.object, nodes, seen))
    return found


def add(found: dict[str, Any], key: str, value: Any) -> None:
    """Add a value of a key, which stands alone while it is the only one."""
    if key not in found:
        found[key] = value
    elif isinstance(found[key], list):
        found[key].append(value)
    else:
        found[key] = [found[key], value]


def value(term: Any, nodes: Nodes, seen: set[Any]) -> Any:
    """What stands for a term."""
    if not isinstance(term, ox.Literal):
        return thing(term, nodes, seen)
    if term.language:
        return {"@value": term.value, "@language": term.language}
    if term.datatype.value == STRING:
        return term.value
    if term.datatype.value == BOOLEAN:
        return term.value == "true"
    return {"@value": term.value, "@type": term.datatype.value}


def name(node: Any) -> str:
    """What JSON-LD calls a node."""
    return f"_:{node.value}" if isinstance(node, ox.BlankNode) else str(node.value)


def listed(title: str, items: Iterable[Any], total: int, first: int = 1) -> dict[str, Any]:
    """A list with this title: items, the `first` of which has that place, and how many there are in all."""
    return {
        "@context": CONTEXT,
        "@type": "ItemList",
        "name": title,
        "numberOfItems": total,
        "itemListElement": [
            {"@type": "ListItem", "position": place, "item": item} for place, item in enumerate(items, first)
        ],
    }


def dataset(iri: str, page: str, title: str, description: str, files: Iterable[Format]) -> dict[str, Any]:
    """A part of the graph, read at `page`, and by its suffix in each of the formats."""
    return {
        "@context": CONTEXT,
        "@type": "Dataset",
        "@id": iri,
        "name": title,
        "description": description,
        "url": {"@id": page},
        "license": {"@id": LICENSE},
        "isAccessibleForFree": True,
        "distribution": [
            {
                "@type": "DataDownload",
                "encodingFormat": one.media_type,
                "contentUrl": {"@id": f"{page}.{one.suffix}"},
            }
            for one in files
        ],
    }


def catalog(base: str, host: str, kinds: Iterable[str]) -> dict[str, Any]:
    """The whole graph, which holds things of these kinds, as a dataset in a catalog; read at `host`."""
    dumps = [
        {"@type": "DataDownload", "encodingFormat": media_type, "contentUrl": {"@id": f"{host}dump.{suffix}"}}
        for suffix, media_type in (("trig", "application/trig"), ("nq", "application/n-quads"))
    ]
    dataset = {
        "@type": "Dataset",
        "@id": f"{base}#dataset",
        "name": "The Working Group on Internet Governance as a knowledge graph",
        "description": ABOUT,
        "url": {"@id": host},
        "license": {"@id": LICENSE},
        "version": __version__,
        "isAccessibleForFree": True,
        "keywords": list(kinds),
        "distribution": dumps,
    }
    return {
        "@context": CONTEXT,
        "@type": "DataCatalog",
        "@id": f"{base}#catalog",
        "name": "WGIG knowledge graph",
        "url": {"@id": host},
        "license": {"@id": LICENSE},
        "dataset": dataset,
    }
