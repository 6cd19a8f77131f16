"""HTML page of a list: a table with few columns, the conditions that narrow it, and the ways on.

`COLUMNS` names the fields and numbers that the page of each list shows, `HEADS` what columns are called whose
properties have no label, or one that says too little. The page of `papers` is in `papers_page`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from ..http.language import gettext, language, ranges
from ..i18n import marked
from ..pages.names import name_of
from ..pages.rendering import href, words
from ..rdf.namespaces import namespaces, short
from ..rdf.values import is_thing
from ..resources.labels import labels
from ..resources.overview import Way, follow, full
from ..store.store import Store
from .counts import Cell
from .fields import TYPE, Field
from .papers_page import without
from .query import Asked
from .results import Found, nearest

SAYING = (
    "dcterms:title",
    "skos:definition",
    "dcterms:description",
    "skos:note",
)  # what a thing is, the best first
# The columns of each list: its fields, and numbers by their names in COUNTS.
COLUMNS = {
    "issues": ("category", "cluster", "papers"),
    "categories": ("skos:inScheme", "skos:broader", "skos:relatedMatch", "issues", "papers"),
    "principles": ("skos:broader", "texts", "measured"),
    "stakeholders": ("stakeholderGroup", "org:role", "country", "org:memberOf"),
    "meetings": ("schema:startDate", "schema:endDate", "actualKind", "openTo", "place"),
    "milestones": ("dcterms:type", "responsible", "due", "delivered", "timeliness"),
    "agreements": ("dcterms:type", "settledBy", "concerns", "outcome", "confidence"),
    "declaration": ("namesPrinciple", "bearsOn", "citing", "evidence"),
    "timeline": ("type", "when", "timeliness"),
    "conformance": ("earl:subject", "earl:result", "partsMet", "partsAsked"),
}
# What columns and conditions are called that are no properties, or of which the name says too little.
HEADS = {
    "skos:broader": marked("Part of"),
    "skos:inScheme": marked("Scheme"),
    "skos:relatedMatch": marked("Shares issues with"),
    "namesPrinciple": marked("Principles named"),
    "evidence": marked("Text seen"),
    "region": marked("Region"),
    "when": marked("When"),
    "q": marked("Words in their names"),
    "year": marked("Year"),
}
SIDES = {"issues": "issue", "categories": "category"}  # the sides of which the papers are counted, by list

Papers = Mapping[Cell, int] | None
Said = Mapping[str, Sequence[Any]]


class Ends(NamedTuple):
    """Things that are counted along a way, and the path of the page that has them all."""

    way: Way
    path: str


@dataclass(frozen=True)
class Count:
    """A number of things: those of the first way that leads to any; without one, papers."""

    title: str
    ends: tuple[Ends, ...] = ()


COUNTS = {
    "papers": Count(marked("Papers")),
    "issues": Count(
        marked("Issues"),
        (
            Ends(Way("^wgig:category", "issue:"), "/issues?category={id}"),
            Ends(Way("^wgig:cluster", "issue:"), "/issues?cluster={id}"),
        ),
    ),
    "measured": Count(
        marked("Issues measured by it"), (Ends(Way("^wgig:measuredAgainst"), "/issues?measuredAgainst={id}"),)
    ),
    "texts": Count(
        marked("Texts that name it"),
        (Ends(Way("^wgig:namesPrinciple"), "{page}?inverse=namesPrinciple&page=1"),),
    ),
    "citing": Count(marked("Cited by"), (Ends(Way("^cito:cites"), "{page}?inverse=cito:cites&page=1"),)),
}


class Column(NamedTuple):
    """A column: what it is called, what that says in a sentence of English, and whether it holds numbers."""

    head: ox.Literal
    says: str
    is_narrow: bool


class Number(NamedTuple):
    """How many there are, or at least; None: it is not known yet. `path` leads to them, where it can."""

    amount: int | None
    is_whole: bool
    path: str


@dataclass(frozen=True)
class Line:
    """A thing of a list: what it is, in a sentence, and its cells: the terms of a field, or a number."""

    iri: str
    says: ox.Literal | None
    cells: Mapping[str, Sequence[Any] | Number]


@dataclass(frozen=True)
class Condition:
    """What the list is narrowed by: the field and its value, and the address without it."""

    name: str
    value: ox.Literal
    path: str


@dataclass(frozen=True)
class Sheet:
    """A page of a list for people: its columns by their names, a line a thing, and the conditions."""

    columns: Mapping[str, Column]
    lines: Sequence[Line]
    conditions: Sequence[Condition]
    labels: Mapping[str, ox.Literal]


def for_people(asked: Asked) -> Asked:
    """What is asked of a list with the fields that its page needs, where the address names none."""
    if asked.of.name not in COLUMNS or has_fields(asked):
        return asked
    names = {"label", *COLUMNS[asked.of.name], *SAYING}
    return replace(asked, fields=tuple(one for one in asked.of.fields if one.name in names))


def has_fields(asked: Asked) -> bool:
    """Whether the address names the fields that it wants."""
    return "fields" in dict(asked.pairs)


def columns(asked: Asked) -> list[str]:
    """The names of the columns beside that of the thing."""
    if asked.of.name in COLUMNS and not has_fields(asked):
        return list(COLUMNS[asked.of.name])
    return [one.name for one in asked.fields if one.name != "label"]


def sheet(store: Store, asked: Asked, page: Found, base: str, papers: Papers) -> Sheet:
    """A page of a list; `papers` are those by the side of the list, None while they are being counted."""
    known, names = namespaces(base), columns(asked)
    properties = {one: property_of(one, known) for one in (*names, *asked.wanted)}
    values = dict(wanted(asked, known))
    types = (one for said in page.things.values() for one in said.get(TYPE.name, ()))
    classes = {one.value for one in types if isinstance(one, ox.NamedNode)}
    found = labels(store, {*page.things, *properties.values(), *values.values(), *classes}, ranges())
    called = {iri: nearest(texts, ranges()) for iri, texts in page.labels.items()} | found
    heads = {one: head(one, iri, found) for one, iri in properties.items()}
    shown = Shown(store, asked, base, papers)
    return Sheet(
        {one: column(heads[one], asked.of.by_name.get(one)) for one in names},
        [shown.line(iri, said) for iri, said in page.things.items()],
        list(conditions(asked, heads, values, called)),
        {one: ox.Literal(words(one)) for one in page.things} | called,
    )


@dataclass(frozen=True)
class Shown:
    """What the page shows of each thing."""

    store: Store
    asked: Asked
    base: str
    papers: Papers

    @cached_property
    def known(self) -> Mapping[str, str]:
        """The namespaces by their prefixes."""
        return namespaces(self.base)

    @cached_property
    def classes(self) -> set[ox.NamedNode]:
        """The classes of the list."""
        return {ox.NamedNode(property_of(one, self.known)) for one in self.asked.of.classes}

    def line(self, iri: str, said: Said) -> Line:
        """The line of a thing."""
        fields = self.asked.of.by_name
        cells = {
            name: self.terms(fields[name], said.get(name, ())) if name in fields else self.number(name, iri)
            for name in columns(self.asked)
        }
        return Line(iri, None if has_fields(self.asked) else sentence(said), cells)

    def terms(self, field: Field, terms: Sequence[Any]) -> Sequence[Any]:
        """The terms of a field: of texts the best one, of classes those of the list."""
        if field.type == "class":
            return [one for one in terms if one in self.classes]
        texts = [one for one in terms if isinstance(one, ox.Literal)] if field.type == "text" else []
        return [nearest(texts, ranges())] if texts else terms

    def number(self, name: str, iri: str) -> Number:
        """How many things of a kind there are about a thing."""
        id_ = quote(short(iri, self.base), safe=":")
        if name == "papers":
            amount = None if self.papers is None else self.papers.get((iri,), 0)
            return Number(amount, True, f"/papers?{SIDES[self.asked.of.name]}={id_}")
        for way, path in COUNTS[name].ends:
            ends, is_whole = follow(self.store, iri, way, self.known)
            if ends or not is_whole:
                has_page = iri.startswith(f"{self.base}id/")
                link = path.format(id=id_, page=href(iri, self.base)) if has_page else ""
                return Number(len(ends), is_whole, link)
        return Number(0, True, "")


def column(head: ox.Literal, field: Field | None) -> Column:
    """The column of a field, or of a number beside."""
    return Column(head, field.says if field else "", field is None or field.type == "integer")


def property_of(name: str, known: Mapping[str, str]) -> str:
    """The IRI of the property after which a field is called."""
    whole = {"type": "rdf:type", "label": "rdfs:label"}.get(name, name)
    return full(whole if ":" in whole else f"wgig:{whole}", known)


def head(name: str, iri: str, found: Mapping[str, ox.Literal]) -> ox.Literal:
    """What a column is called, with a capital."""
    title = COUNTS[name].title if name in COUNTS else HEADS.get(name)
    if title:
        return ox.Literal(gettext(title), language=language())
    text = found.get(iri) or name_of(iri)
    return ox.Literal(text.value[:1].upper() + text.value[1:], language=text.language)


def sentence(said: Said) -> ox.Literal | None:
    """What a thing is, where that is said."""
    texts = ([one for one in said.get(name, ()) if isinstance(one, ox.Literal)] for name in SAYING)
    return next((nearest(those, ranges()) for those in texts if those), None)


def wanted(asked: Asked, known: Mapping[str, str]) -> Iterator[tuple[tuple[str, int], str]]:
    """The IRIs that are wanted, by the parameter and the place of the value among its values."""
    for name, terms in asked.wanted.items():
        type_ = asked.of.by_name[name].type
        for place, one in enumerate(terms):
            if type_ == "class":
                yield (name, place), full(one, known)
            elif is_thing(type_):
                yield (name, place), one.value


def conditions(
    asked: Asked,
    heads: Mapping[str, ox.Literal],
    values: Mapping[tuple[str, int], str],
    called: Mapping[str, ox.Literal],
) -> Iterator[Condition]:
    """What the list is narrowed by, in the order of the address."""
    seen = dict[str, int]()
    for name, text in asked.pairs:
        if name in asked.wanted or name in ("q", "year"):
            place = seen[name] = seen.get(name, -1) + 1
            iri = values.get((name, place), "")
            value = called.get(iri) or ox.Literal(words(iri) if iri else text)
            title = heads[name] if name in heads else head(name, "", {})
            yield Condition(title.value, value, without(asked, name, place))
