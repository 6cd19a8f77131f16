"""A thing as plain JSON: what is said of it and where, its parts, what points to it, counted and paged."""

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pyoxigraph as ox

from .bodies import Pairs, values
from .formats import JSON
from .labels import by_language, labels
from .lookup import rows, writable
from .namespaces import OUTSIDE, namespaces, shorten
from .near import unknown
from .problems import Problem
from .profiles.subject import query, with_parameters
from .store import Store
from .things import PARTS, Description, Statement
from .unfit import UnfitError

XSD = OUTSIDE["xsd"]
LABELS = ("skos:prefLabel", "rdfs:label", "foaf:name")
ANY = re.compile(r".*", re.DOTALL)
READ: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    f"{XSD}integer": (re.compile(r"[+-]?[0-9]+"), int),
    f"{XSD}boolean": (re.compile(r"true|false"), "true".__eq__),
}
NUMBER = re.compile(r"[0-9]{1,8}")
SIZE = 50  # things that point here, on a page

Json = dict[str, Any]
Facts = dict[str, list[Json]]


class Inverse(NamedTuple):
    """A property by which things point to one, and how many do."""

    iri: str
    name: str
    total: int


def thing(store: Store, found: Description, path: str, pairs: Pairs, base: str) -> Json:
    """A thing as JSON.

    `facts` are by the name that the JSON-LD context has for the property, each with the graphs that hold it.
    `inverse` says how many things point here by each property, the first of them, and where the next are;
    `?inverse=name&page=2` has those alone. Raises Problem 400 for a property that there is not, and 404 for
    a page.
    """
    known = namespaces(base)
    towards = inverses(store, found.iri, known)
    if values(pairs, "inverse"):
        return one_inverse(store, found.iri, path, towards, pairs)
    if values(pairs, "page"):
        raise Problem(
            400, "A page of what? Name the property by which things point here, as ?inverse=issue&page=2."
        )
    said = facts(found.statements, found, known)
    return {
        "id": found.iri,
        "type": types(found, known),
        "label": label(found, known),
        "sources": [without_graphs(one) for one in said.pop("dcterms:source", [])],
        "facts": {name: those for name, those in said.items() if name not in ("rdf:type", *LABELS)},
        "parts": {iri: facts(those, found, known) for iri, those in found.parts.items()},
        "inverse": {one.name: page(store, found.iri, path, one, 1) for one in towards},
        **({"note": f"Only the first {PARTS} parts are shown."} if len(found.parts) >= PARTS else {}),
    }


def types(found: Description, known: dict[str, str]) -> list[str]:
    """The classes of a thing, as the JSON-LD context calls them."""
    named = [one.object for one in found.statements if one.predicate.value == f"{OUTSIDE['rdf']}type"]
    return [name(one.value, known) for one in named if isinstance(one, ox.NamedNode)]


def label(found: Description, known: dict[str, str]) -> dict[str, list[str]]:
    """What a thing is called, by language."""
    texts = [one.object for one in found.statements if name(one.predicate.value, known) in LABELS]
    return by_language(list(dict.fromkeys(texts)))


def name(iri: str, known: dict[str, str]) -> str:
    """What the JSON-LD context calls a term."""
    return shorten(iri, known).removeprefix("wgig:")


def facts(
    statements: Iterable[Statement], found: Description, known: dict[str, str]
) -> dict[str, list[Json]]:
    """Statements about one node, by the names of their properties."""
    by_name: Facts = {}
    for one in statements:
        fact = {**value(one.object, found.labels), "graphs": list(one.graphs)}
        by_name.setdefault(name(one.predicate.value, known), []).append(fact)
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


def inverses(store: Store, iri: str, known: dict[str, str]) -> list[Inverse]:
    """The properties by which things with IRIs point to one, by name."""
    if not writable(iri):
        return []
    count = "SELECT ?by (COUNT(DISTINCT ?thing) AS ?total)"
    found = rows(store, f"{count} {{ ?thing ?by <{iri}> FILTER isIRI(?thing) }} GROUP BY ?by")
    counted = [(row["by"].value, int(row["total"].value)) for row in found]
    return sorted((Inverse(by, name(by, known), total) for by, total in counted), key=lambda one: one.name)


def one_inverse(store: Store, iri: str, path: str, towards: list[Inverse], pairs: Pairs) -> Json:
    """A page of what points here by the property that is asked for. Raises Problem 400, 404."""
    by_name = {one.name: one for one in towards}
    asked, number = values(pairs, "inverse")[0], (values(pairs, "page") or ["1"])[0]
    if asked not in by_name:
        raise unknown(f"Nothing points to <{iri}> by", asked, by_name)
    last = -(-by_name[asked].total // SIZE)
    if not NUMBER.fullmatch(number) or int(number) < 1:
        raise Problem(400, f"page is {number!r}. Give a whole number from 1 to {last}.")
    if int(number) > last:
        raise Problem(404, f"There is no page {number}. The last one is {last}.")
    return {"id": iri, "inverse": {asked: page(store, iri, path, by_name[asked], int(number))}}


def page(store: Store, iri: str, path: str, by: Inverse, number: int) -> Json:
    """The things that point to one by a property: how many, those of a page, and where the next are."""
    found = rows(
        store,
        f"SELECT DISTINCT ?thing {{ ?thing <{by.iri}> <{iri}> FILTER isIRI(?thing) }} "
        f"ORDER BY ?thing LIMIT {SIZE} OFFSET {(number - 1) * SIZE}",
    )
    iris = [row["thing"].value for row in found]
    named = labels(store, iris)
    around = {"prev": number - 1, "next": number + 1}
    links = {
        rel: with_parameters(f"{path}.json", query([("inverse", by.name), ("page", str(one))]))
        for rel, one in around.items()
        if 1 <= one <= -(-by.total // SIZE)
    }
    return {"total": by.total, "items": [reference(one, named) for one in iris], "links": links}
