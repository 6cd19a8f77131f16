"""A thing as plain JSON: what is said of it and where, its parts, what points to it, counted and paged."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import pyoxigraph as ox

from ..http.bodies import Pairs, values
from ..http.parameters import query, with_parameters
from ..problems import Problem, unknown
from ..rdf.formats import JSON
from ..rdf.namespaces import OUTSIDE, short
from ..rdf.serialization import UnfitError
from ..store.store import Store
from .description import PARTS, PARTS_CUT, Description, Statement, is_named
from .labels import by_language, labels

XSD = OUTSIDE["xsd"]
LABELS = ("skos:prefLabel", "rdfs:label", "foaf:name")
TYPE = "rdf:type"
ANY = re.compile(r".*", re.DOTALL)
READ: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    f"{XSD}integer": (re.compile(r"[+-]?[0-9]+"), int),
    f"{XSD}boolean": (re.compile(r"true|false"), "true".__eq__),
}
NUMBER = re.compile(r"[0-9]{1,8}")
SIZE = 50  # things that point here, on a page

Json = dict[str, Any]
Facts = dict[str, list[Json]]
Towards = dict[str, list[str]]  # things that point to one, in their order, by the name of the property


def thing(store: Store, found: Description, path: str, pairs: Pairs, base: str) -> Json:
    """A thing as JSON.

    `facts` are by the name that the JSON-LD context has for the property, each with the graphs that hold it.
    `inverse` says how many things point here by each property, the first of them, and where the next are;
    `?inverse=name&page=2` has those alone. Raises Problem 400 for a property that there is not, and 404 for
    a page.
    """
    towards = inverses(store, found, base)
    if values(pairs, "inverse"):
        return one_inverse(store, found.iri, path, towards, pairs)
    if values(pairs, "page"):
        raise Problem(
            400, "A page of what? Name the property by which things point here, as ?inverse=issue&page=2."
        )
    said = facts(found.statements, found, base)
    return {
        "id": found.iri,
        "type": types(found, base),
        "label": label(found, base),
        "sources": [without_graphs(one) for one in said.pop("dcterms:source", [])],
        "facts": {name: those for name, those in said.items() if name not in (TYPE, *LABELS)},
        "parts": {iri: facts(those, found, base) for iri, those in found.parts.items()},
        "inverse": {by: page(store, path, by, those, 1) for by, those in towards.items()},
        **({"note": PARTS_CUT % {"number": PARTS}} if len(found.parts) >= PARTS else {}),
    }


def types(found: Description, base: str) -> list[str]:
    """The classes of a thing, as the JSON-LD context calls them."""
    named = [one.object for one in found.statements if name(one.predicate.value, base) == TYPE]
    return [name(one.value, base) for one in named if isinstance(one, ox.NamedNode)]


def label(found: Description, base: str) -> dict[str, list[str]]:
    """What a thing is called, by language."""
    texts = [one.object for one in found.statements if name(one.predicate.value, base) in LABELS]
    return by_language(list(dict.fromkeys(texts)))


def name(iri: str, base: str) -> str:
    """What the JSON-LD context calls a term."""
    return short(iri, base).removeprefix("wgig:")


def facts(statements: Iterable[Statement], found: Description, base: str) -> dict[str, list[Json]]:
    """Statements about one node, by the names of their properties."""
    by_name: Facts = {}
    for one in statements:
        fact = {**value(one.object, found.labels), "graphs": list(one.graphs)}
        by_name.setdefault(name(one.predicate.value, base), []).append(fact)
    return by_name


def value(term: Any, named: dict[str, ox.Literal]) -> Json:
    """The object of a statement: a thing with its label, or a value with its language or datatype.

    Raises UnfitError for a triple term, and for a text with a direction.
    """
    if isinstance(term, ox.NamedNode):
        return reference(term.value, named)
    if isinstance(term, ox.BlankNode):
        return {"id": str(term)}
    if not isinstance(term, ox.Literal):
        raise UnfitError("plain JSON has no triple terms", JSON.media_type)
    if term.direction:
        raise UnfitError("a text has a direction", JSON.media_type)
    datatype = term.datatype.value
    fits, read = READ.get(datatype, (ANY, str))
    fact: Json = {"value": read(term.value) if fits.fullmatch(term.value) else term.value}
    if term.language:
        fact["language"] = term.language
    elif datatype not in (*READ, f"{XSD}string"):
        fact["datatype"] = datatype.replace(XSD, "xsd:")
    return fact


def reference(iri: str, named: dict[str, ox.Literal]) -> Json:
    """A thing by its IRI, with what it is called."""
    return {"id": iri, **({"label": by_language([named[iri]])} if iri in named else {})}


def without_graphs(fact: Json) -> Json:
    """A fact without where it stands."""
    return {key: one for key, one in fact.items() if key != "graphs"}


def inverses(store: Store, found: Description, base: str) -> Towards:
    """The properties by which things with IRIs point to one, by name, with all those things."""
    if len(found.incoming) == sum(found.towards.values()):
        links = {(one.predicate.value, one.subject.value) for one in found.incoming}
    else:
        quads = filter(is_named, store.match(object_=ox.NamedNode(found.iri)))
        links = {(one.predicate.value, str(one.subject)[1:-1]) for one in quads}
    by_name: Towards = {}
    for by, thing in sorted(links):
        by_name.setdefault(name(by, base), []).append(thing)
    return dict(sorted(by_name.items()))


def one_inverse(store: Store, iri: str, path: str, towards: Towards, pairs: Pairs) -> Json:
    """A page of what points here by the property that is asked for. Raises Problem 400, 404."""
    asked, number = values(pairs, "inverse")[0], (values(pairs, "page") or ["1"])[0]
    if asked not in towards:
        raise unknown(f"Nothing points to <{iri}> by", asked, towards)
    last = -(-len(towards[asked]) // SIZE)
    if not NUMBER.fullmatch(number) or int(number) < 1:
        raise Problem(400, f"page is {number!r}. Give a whole number from 1 to {last}.")
    if int(number) > last:
        raise Problem(404, f"There is no page {number}. The last one is {last}.")
    return {"id": iri, "inverse": {asked: page(store, path, asked, towards[asked], int(number))}}


def page(store: Store, path: str, by: str, things: list[str], number: int) -> Json:
    """The things that point to one by a property: how many, those of a page, and where the next are."""
    iris = things[(number - 1) * SIZE : number * SIZE]
    named = labels(store, iris)
    around = {"prev": number - 1, "next": number + 1}
    links = {
        rel: with_parameters(f"{path}.json", query([("inverse", by), ("page", str(one))]))
        for rel, one in around.items()
        if 1 <= one <= -(-len(things) // SIZE)
    }
    return {"total": len(things), "items": [reference(one, named) for one in iris], "links": links}
