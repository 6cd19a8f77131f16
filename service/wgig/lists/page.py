"""HTML page of a list: a table with few columns, the conditions that narrow it, and the ways on.

`LIST_COLUMNS` names the fields and numbers that the page of each list shows, `COLUMN_TITLES` what columns are
called whose properties have no label, or one that says too little. The page of `papers` is in `papers_page`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

import pyoxigraph as ox

from ..http.language import current_language, gettext, label_languages
from ..i18n import gettext_noop
from ..pages.names import foreign_property_label
from ..pages.rendering import find_href
from ..rdf.labels import best_text, words_of_iri
from ..rdf.namespaces import expand_curie, shorten_iri
from ..rdf.values import is_resource_type
from ..resources.labels import find_labels
from ..resources.overview import PropertyPath, follow_property_path
from ..store.store import Store
from .counts import CellKey
from .fields import TYPE_FIELD, ListField
from .papers_page import address_without_value
from .query import ListRequest
from .results import ListPage

# What a thing is, the best first.
SUMMARY_FIELDS = ("dcterms:title", "skos:definition", "dcterms:description", "skos:note")
# The columns of each list: its fields, and numbers by their names in COUNT_COLUMNS.
LIST_COLUMNS = {
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
COLUMN_TITLES = {
    "skos:broader": gettext_noop("Part of"),
    "skos:inScheme": gettext_noop("Scheme"),
    "skos:relatedMatch": gettext_noop("Shares issues with"),
    "namesPrinciple": gettext_noop("Principles named"),
    "evidence": gettext_noop("Text seen"),
    "region": gettext_noop("Region"),
    "when": gettext_noop("When"),
    "q": gettext_noop("Words in their names"),
    "year": gettext_noop("Year"),
}
# The sides of which the papers are counted, by list.
COUNT_DIMENSIONS = {"issues": "issue", "categories": "category"}

CellCounts = Mapping[CellKey, int] | None
FieldTerms = Mapping[str, Sequence[Any]]


class CountSource(NamedTuple):
    """Things that are counted along a way, and the path of the page that has them all."""

    property_path: PropertyPath
    path: str


@dataclass(frozen=True)
class CountColumn:
    """A number of things: those of the first way that leads to any; without one, papers."""

    title: str
    sources: tuple[CountSource, ...] = ()


COUNT_COLUMNS = {
    "papers": CountColumn(gettext_noop("Papers")),
    "issues": CountColumn(
        gettext_noop("Issues"),
        (
            CountSource(PropertyPath("^wgig:category", "issue:"), "/issues?category={id}"),
            CountSource(PropertyPath("^wgig:cluster", "issue:"), "/issues?cluster={id}"),
        ),
    ),
    "measured": CountColumn(
        gettext_noop("Issues measured by it"),
        (CountSource(PropertyPath("^wgig:measuredAgainst"), "/issues?measuredAgainst={id}"),),
    ),
    "texts": CountColumn(
        gettext_noop("Texts that name it"),
        (CountSource(PropertyPath("^wgig:namesPrinciple"), "{page}?inverse=namesPrinciple&page=1"),),
    ),
    "citing": CountColumn(
        gettext_noop("Cited by"),
        (CountSource(PropertyPath("^cito:cites"), "{page}?inverse=cito:cites&page=1"),),
    ),
}


class ListColumn(NamedTuple):
    """A column: what it is called, what that says in a sentence of English, and whether it holds numbers."""

    head: ox.Literal
    description: str
    is_narrow: bool


class ThingCount(NamedTuple):
    """How many there are, or at least; None: it is not known yet. `path` leads to them, where it can."""

    amount: int | None
    is_exact: bool
    path: str


@dataclass(frozen=True)
class ListRow:
    """A thing of a list: what it is, in a sentence, and its cells: the terms of a field, or a number."""

    iri: str
    summary: ox.Literal | None
    cells: Mapping[str, Sequence[Any] | ThingCount]


@dataclass(frozen=True)
class ListCondition:
    """What the list is narrowed by: the field and its value, and the address without it."""

    name: str
    value: ox.Literal
    path: str


@dataclass(frozen=True)
class ListView:
    """A page of a list for people: its columns by their names, a line a thing, and the conditions."""

    columns: Mapping[str, ListColumn]
    rows: Sequence[ListRow]
    conditions: Sequence[ListCondition]
    labels: Mapping[str, ox.Literal]


def select_page_fields(asked: ListRequest) -> ListRequest:
    """What is asked of a list with the fields that its page needs, where the address names none."""
    if asked.definition.name not in LIST_COLUMNS or has_explicit_fields(asked):
        return asked
    names = {"label", *LIST_COLUMNS[asked.definition.name], *SUMMARY_FIELDS}
    return replace(asked, fields=tuple(one for one in asked.definition.fields if one.name in names))


def has_explicit_fields(asked: ListRequest) -> bool:
    """Whether the address names the fields that it wants."""
    return "fields" in dict(asked.pairs)


def list_column_names(asked: ListRequest) -> list[str]:
    """The names of the columns beside that of the thing."""
    if asked.definition.name in LIST_COLUMNS and not has_explicit_fields(asked):
        return list(LIST_COLUMNS[asked.definition.name])
    return [one.name for one in asked.fields if one.name != "label"]


def build_list_view(
    store: Store, asked: ListRequest, page: ListPage, base: str, papers: CellCounts
) -> ListView:
    """A page of a list; `papers` are those by the side of the list, None while they are being counted."""
    names = list_column_names(asked)
    properties = {one: column_property(one, base).value for one in (*names, *asked.filters)}
    values = dict(iter_wanted_iris(asked, base))
    types = (one for said in page.things.values() for one in said.get(TYPE_FIELD.name, ()))
    classes = {one.value for one in types if isinstance(one, ox.NamedNode)}
    found = find_labels(
        store, {*page.things, *properties.values(), *values.values(), *classes}, label_languages()
    )
    called = {iri: best_text(texts, label_languages()) for iri, texts in page.labels.items()} | found
    heads = {one: column_title(one, iri, found) for one, iri in properties.items()}
    shown = ListRowBuilder(store, asked, base, papers)
    return ListView(
        {one: build_list_column(heads[one], asked.definition.by_name.get(one)) for one in names},
        [shown.build_row(iri, said) for iri, said in page.things.items()],
        list(iter_list_conditions(asked, heads, values, called)),
        {one: ox.Literal(words_of_iri(one)) for one in page.things} | called,
    )


@dataclass(frozen=True)
class ListRowBuilder:
    """What the page shows of each thing."""

    store: Store
    list_request: ListRequest
    base: str
    paper_counts: CellCounts

    @cached_property
    def class_nodes(self) -> set[ox.NamedNode]:
        """The classes of the list."""
        return {column_property(one, self.base) for one in self.list_request.definition.classes}

    def build_row(self, iri: str, said: FieldTerms) -> ListRow:
        """The line of a thing."""
        fields = self.list_request.definition.by_name
        cells = {
            name: self.select_terms(fields[name], said.get(name, ()))
            if name in fields
            else self.count_things(name, iri)
            for name in list_column_names(self.list_request)
        }
        return ListRow(iri, None if has_explicit_fields(self.list_request) else best_summary(said), cells)

    def select_terms(self, field: ListField, terms: Sequence[Any]) -> Sequence[Any]:
        """The terms of a field: of texts the best one, of classes those of the list."""
        if field.type == "class":
            return [one for one in terms if one in self.class_nodes]
        texts = [one for one in terms if isinstance(one, ox.Literal)] if field.type == "text" else []
        return [best_text(texts, label_languages())] if texts else terms

    def count_things(self, name: str, iri: str) -> ThingCount:
        """How many things of a kind there are about a thing."""
        id_ = quote(shorten_iri(iri, self.base), safe=":")
        if name == "papers":
            amount = None if self.paper_counts is None else self.paper_counts.get((iri,), 0)
            return ThingCount(
                amount, True, f"/papers?{COUNT_DIMENSIONS[self.list_request.definition.name]}={id_}"
            )
        for way, path in COUNT_COLUMNS[name].sources:
            ends, is_whole = follow_property_path(self.store, iri, way, self.base)
            if ends or not is_whole:
                has_page = iri.startswith(f"{self.base}id/")
                link = path.format(id=id_, page=find_href(iri, self.base)) if has_page else ""
                return ThingCount(len(ends), is_whole, link)
        return ThingCount(0, True, "")


def build_list_column(head: ox.Literal, field: ListField | None) -> ListColumn:
    """The column of a field, or of a number beside."""
    return ListColumn(head, field.description if field else "", field is None or field.type == "integer")


def column_property(name: str, base: str) -> ox.NamedNode:
    """The property after which a field is called."""
    whole = {"type": "rdf:type", "label": "rdfs:label"}.get(name, name)
    return expand_curie(whole if ":" in whole else f"wgig:{whole}", base)


def column_title(name: str, iri: str, found: Mapping[str, ox.Literal]) -> ox.Literal:
    """What a column is called, with a capital."""
    title = COUNT_COLUMNS[name].title if name in COUNT_COLUMNS else COLUMN_TITLES.get(name)
    if title:
        return ox.Literal(gettext(title), language=current_language())
    text = found.get(iri) or foreign_property_label(iri)
    return ox.Literal(text.value[:1].upper() + text.value[1:], language=text.language)


def best_summary(said: FieldTerms) -> ox.Literal | None:
    """What a thing is, where that is said."""
    texts = ([one for one in said.get(name, ()) if isinstance(one, ox.Literal)] for name in SUMMARY_FIELDS)
    return next((best_text(those, label_languages()) for those in texts if those), None)


def iter_wanted_iris(asked: ListRequest, base: str) -> Iterator[tuple[tuple[str, int], str]]:
    """The IRIs that are wanted, by the parameter and the place of the value among its values."""
    for name, terms in asked.filters.items():
        type_ = asked.definition.by_name[name].type
        for place, one in enumerate(terms):
            if type_ == "class":
                yield (name, place), expand_curie(one, base).value
            elif is_resource_type(type_):
                yield (name, place), one.value


def iter_list_conditions(
    asked: ListRequest,
    heads: Mapping[str, ox.Literal],
    values: Mapping[tuple[str, int], str],
    called: Mapping[str, ox.Literal],
) -> Iterator[ListCondition]:
    """What the list is narrowed by, in the order of the address."""
    seen = dict[str, int]()
    for name, text in asked.pairs:
        if name in asked.filters or name in ("q", "year"):
            place = seen[name] = seen.get(name, -1) + 1
            iri = values.get((name, place), "")
            value = called.get(iri) or ox.Literal(words_of_iri(iri) if iri else text)
            title = heads[name] if name in heads else column_title(name, "", {})
            yield ListCondition(title.value, value, address_without_value(asked, name, place))
