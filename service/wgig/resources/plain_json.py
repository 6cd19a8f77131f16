"""A thing as plain JSON: what is said of it and where, its parts, what points to it, counted and paged."""

import re
from collections.abc import Iterable
from typing import Any

import pyoxigraph as ox

from ..http.bodies import Pairs, parameter_values
from ..http.parameters import add_url_parameters
from ..problems import Problem, unknown_name_problem
from ..rdf.formats import JSON
from ..rdf.literals import literal_value
from ..rdf.namespaces import XSD_NAMESPACE, shorten_iri
from ..rdf.serialization import UnserializableError
from ..store.store import Store
from .description import (
    MAX_DESCRIBED_PARTS,
    PARTS_CUT_MESSAGE,
    ResourceDescription,
    Statement,
    has_named_subject,
)
from .labels import build_language_map, find_labels

LABEL_CURIES = ("skos:prefLabel", "rdfs:label", "foaf:name")
RDF_TYPE_CURIE = "rdf:type"
JSON_DATATYPES = (f"{XSD_NAMESPACE}integer", f"{XSD_NAMESPACE}boolean")  # of which JSON has the values
PAGE_NUMBER_PATTERN = re.compile(r"[0-9]{1,8}")
INVERSE_PAGE_THINGS = 50  # things that point here, on a page

JsonObject = dict[str, Any]
FactsByProperty = dict[str, list[JsonObject]]
# Things that point to one, in their order, by the name of the property.
IncomingByProperty = dict[str, list[str]]


def build_resource_json(
    store: Store, found: ResourceDescription, path: str, pairs: Pairs, base: str
) -> JsonObject:
    """A thing as JSON.

    `facts` are by the name that the JSON-LD context has for the property, each with the graphs that hold it.
    `inverse` says how many things point here by each property, the first of them, and where the next are;
    `?inverse=name&page=2` has those alone. Raises Problem 400 for a property that there is not, and 404 for
    a page.
    """
    towards = group_incoming_links(store, found, base)
    if parameter_values(pairs, "inverse"):
        return inverse_page_json(store, found.iri, path, towards, pairs)
    if parameter_values(pairs, "page"):
        raise Problem(
            400, "A page of what? Name the property by which things point here, as ?inverse=issue&page=2."
        )
    said = group_facts(found.statements, found, base)
    return {
        "id": found.iri,
        "type": context_class_names(found, base),
        "label": labels_by_language(found, base),
        "sources": [drop_fact_graphs(one) for one in said.pop("dcterms:source", [])],
        "facts": {name: those for name, those in said.items() if name not in (RDF_TYPE_CURIE, *LABEL_CURIES)},
        "parts": {iri: group_facts(those, found, base) for iri, those in found.parts.items()},
        "inverse": {by: build_inverse_page(store, path, by, those, 1) for by, those in towards.items()},
        **(
            {"note": PARTS_CUT_MESSAGE % {"number": MAX_DESCRIBED_PARTS}}
            if len(found.parts) >= MAX_DESCRIBED_PARTS
            else {}
        ),
    }


def context_class_names(found: ResourceDescription, base: str) -> list[str]:
    """The classes of a thing, as the JSON-LD context calls them."""
    named = [
        one.object
        for one in found.statements
        if context_term_name(one.predicate.value, base) == RDF_TYPE_CURIE
    ]
    return [context_term_name(one.value, base) for one in named if isinstance(one, ox.NamedNode)]


def labels_by_language(found: ResourceDescription, base: str) -> dict[str, list[str]]:
    """What a thing is called, by language."""
    texts = [
        one.object for one in found.statements if context_term_name(one.predicate.value, base) in LABEL_CURIES
    ]
    return build_language_map(list(dict.fromkeys(texts)))


def context_term_name(iri: str, base: str) -> str:
    """What the JSON-LD context calls a term."""
    return shorten_iri(iri, base).removeprefix("wgig:")


def group_facts(
    statements: Iterable[Statement], found: ResourceDescription, base: str
) -> dict[str, list[JsonObject]]:
    """Statements about one node, by the names of their properties."""
    by_name: FactsByProperty = {}
    for one in statements:
        fact = {**build_fact_value(one.object, found.labels), "graphs": list(one.graphs)}
        by_name.setdefault(context_term_name(one.predicate.value, base), []).append(fact)
    return by_name


def build_fact_value(term: Any, named: dict[str, ox.Literal]) -> JsonObject:
    """The object of a statement: a thing with its label, or a value with its language or datatype.

    Raises UnserializableError for a triple term, and for a text with a direction.
    """
    if isinstance(term, ox.NamedNode):
        return resource_reference(term.value, named)
    if isinstance(term, ox.BlankNode):
        return {"id": str(term)}
    if not isinstance(term, ox.Literal):
        raise UnserializableError("plain JSON has no triple terms", JSON.media_type)
    if term.direction:
        raise UnserializableError("a text has a direction", JSON.media_type)
    datatype = term.datatype.value
    fact: JsonObject = {"value": literal_value(term) if datatype in JSON_DATATYPES else term.value}
    if term.language:
        fact["language"] = term.language
    elif datatype not in (*JSON_DATATYPES, f"{XSD_NAMESPACE}string"):
        fact["datatype"] = datatype.replace(XSD_NAMESPACE, "xsd:")
    return fact


def resource_reference(iri: str, named: dict[str, ox.Literal]) -> JsonObject:
    """A thing by its IRI, with what it is called."""
    return {"id": iri, **({"label": build_language_map([named[iri]])} if iri in named else {})}


def drop_fact_graphs(fact: JsonObject) -> JsonObject:
    """A fact without where it stands."""
    return {key: one for key, one in fact.items() if key != "graphs"}


def group_incoming_links(store: Store, found: ResourceDescription, base: str) -> IncomingByProperty:
    """The properties by which things with IRIs point to one, by name, with all those things."""
    if len(found.incoming) == sum(found.incoming_counts.values()):
        links = {(one.predicate.value, one.subject.value) for one in found.incoming}
    else:
        quads = filter(has_named_subject, store.match(object_=ox.NamedNode(found.iri)))
        links = {(one.predicate.value, str(one.subject)[1:-1]) for one in quads}
    by_name: IncomingByProperty = {}
    for by, thing in sorted(links):
        by_name.setdefault(context_term_name(by, base), []).append(thing)
    return dict(sorted(by_name.items()))


def inverse_page_json(
    store: Store, iri: str, path: str, towards: IncomingByProperty, pairs: Pairs
) -> JsonObject:
    """A page of what points here by the property that is asked for. Raises Problem 400, 404."""
    asked, number = parameter_values(pairs, "inverse")[0], (parameter_values(pairs, "page") or ["1"])[0]
    if asked not in towards:
        raise unknown_name_problem(f"Nothing points to <{iri}> by", asked, towards)
    last = -(-len(towards[asked]) // INVERSE_PAGE_THINGS)
    if not PAGE_NUMBER_PATTERN.fullmatch(number) or int(number) < 1:
        raise Problem(400, f"page is {number!r}. Give a whole number from 1 to {last}.")
    if int(number) > last:
        raise Problem(404, f"There is no page {number}. The last one is {last}.")
    return {
        "id": iri,
        "inverse": {asked: build_inverse_page(store, path, asked, towards[asked], int(number))},
    }


def build_inverse_page(store: Store, path: str, by: str, things: list[str], number: int) -> JsonObject:
    """The things that point to one by a property: how many, those of a page, and where the next are."""
    iris = things[(number - 1) * INVERSE_PAGE_THINGS : number * INVERSE_PAGE_THINGS]
    named = find_labels(store, iris)
    around = {"prev": number - 1, "next": number + 1}
    links = {
        rel: add_url_parameters(f"{path}.json", [("inverse", by), ("page", str(one))])
        for rel, one in around.items()
        if 1 <= one <= -(-len(things) // INVERSE_PAGE_THINGS)
    }
    return {"total": len(things), "items": [resource_reference(one, named) for one in iris], "links": links}
