"""HTML page of a list: a table with few columns, the filters in effect, and links to other pages.

`LIST_COLUMNS` has the columns of each list. `COLUMN_TITLES` has titles for columns whose property has no
label or an unclear one. The page of the list `papers` is in `papers_page`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from ..rdf.literals import term_text
from ..rdf.namespaces import expand_curie, shorten_iri
from ..rdf.values import is_resource_type
from ..resources.overview import OverviewRecord, build_records
from ..resources.overview_paths import build_side_paths
from ..resources.property_path import PropertyPath, follow_property_path
from ..store.labels import find_labels
from ..store.store import Store
from .counts import CellKey
from .fields import TYPE_FIELD, ListField
from .papers_page import path_without_value
from .query import ListRequest
from .results import ListPage

# Fields that summarize a resource, the best first.
SUMMARY_FIELDS = ("dcterms:title", "skos:definition", "dcterms:description", "mechanismRole", "skos:note")
QUOTATION_FIELD = "quotation"
# The topics of a resource, on one line below its name.
TOPIC_FIELDS = {
    "judgments": ("issue", "cluster", "criterion"),
    "recommendations": ("issue", "namesPrinciple"),
}
# The parts of a resource, such as the sides of a dispute, each on a line below its name.
PART_PATHS = {"disputes": build_side_paths("^wgig:dispute")}
# For a field without a value, the field that a cell shows instead.
SUBSTITUTE_FIELDS = {"judges": "judgedAsNamed"}
# The columns of each list: names of its fields and of COUNT_COLUMNS.
LIST_COLUMNS = {
    "issues": ("category", "cluster", "papers", "judgments"),
    "categories": ("skos:inScheme", "skos:broader", "skos:relatedMatch", "issues", "papers"),
    "principles": ("skos:broader", "texts", "measured", "judgments"),
    "stakeholders": ("stakeholderGroup", "org:role", "country", "org:memberOf"),
    "meetings": ("schema:startDate", "schema:endDate", "actualKind", "openTo", "place"),
    "milestones": ("dcterms:type", "responsible", "due", "delivered", "timeliness"),
    "agreements": ("dcterms:type", "settledBy", "concerns", "outcome", "confidence"),
    "declaration": ("namesPrinciple", "bearsOn", "citing", "evidence"),
    "background-report": ("namesPrinciple", "bearsOn", "judgments", "recommendations"),
    "judgments": ("verdict", "viewHolder", "judges", "paragraph", "dispute"),
    "disputes": ("issue", "paragraph", "judgments"),
    "mechanisms": ("dcterms:type", "governs", "dcterms:isReferencedBy", "judgments"),
    "recommendations": ("dcterms:type", "viewHolder", "paragraph"),
    "definitions": (
        "dcterms:creator",
        "authorType",
        "dcterms:date",
        "namesActors",
        "namesScope",
        "byMember",
    ),
    "timeline": ("type", "when", "timeliness"),
    "conformance": ("earl:subject", "earl:result", "partsMet", "partsAsked"),
}
# Titles of columns and filters that are not properties, or whose property has an unclear label.
COLUMN_TITLES = {
    "skos:broader": gettext_noop("Part of"),
    "skos:inScheme": gettext_noop("Scheme"),
    "skos:relatedMatch": gettext_noop("Shares issues with"),
    "namesPrinciple": gettext_noop("Principles named"),
    "evidence": gettext_noop("Text seen"),
    "region": gettext_noop("Region"),
    "viewHolder": gettext_noop("Whose view"),
    "judges": gettext_noop("Judged"),
    "paragraph": gettext_noop("Paragraph"),
    "dcterms:isReferencedBy": gettext_noop("Named in"),
    "dcterms:creator": gettext_noop("Author"),
    "when": gettext_noop("When"),
    "q": gettext_noop("Name contains"),
    "year": gettext_noop("Year"),
}
BOOLEAN_WORDS = {"true": gettext_noop("yes"), "false": gettext_noop("no")}
# The dimension of the counts of papers (`counts.DIMENSION_PATHS`), by the name of the list.
COUNT_DIMENSIONS = {"issues": "issue", "categories": "category"}

CellCounts = Mapping[CellKey, int] | None  # the counts of papers; None while they are being counted
FieldTerms = Mapping[str, Sequence[Any]]  # RDF terms by field name


class CountSource(NamedTuple):
    """A property path to the resources to count, and the URL template of the page that lists them.

    In the template, `{id}` is the prefixed name of the resource of the row, `{page}` the path of its page.
    """

    property_path: PropertyPath
    list_path: str


@dataclass(frozen=True)
class CountColumn:
    """A column with the number of resources in the first source that has any; without sources, of papers.

    `title` is the English title of the column.
    """

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
    "judgments": CountColumn(
        gettext_noop("Judgments"),
        tuple(
            CountSource(PropertyPath(f"^{property_}", "judgment:"), f"/judgments?{parameter}={{id}}")
            for property_, parameter in (
                ("wgig:issue", "issue"),
                ("wgig:criterion", "criterion"),
                ("wgig:judges", "judges"),
                ("wgig:dispute", "dispute"),
                ("dcterms:source", "paragraph"),
            )
        ),
    ),
    "recommendations": CountColumn(
        gettext_noop("Recommendations"),
        (CountSource(PropertyPath("^dcterms:source", "recommendation:"), "/recommendations?paragraph={id}"),),
    ),
}


class ListColumn(NamedTuple):
    """A column: its title, its description in English, and whether it is narrow, as it contains numbers."""

    title: ox.Literal
    description: str
    is_narrow: bool


class ResourceCount(NamedTuple):
    """A number of resources; `amount` is None while they are being counted, and a minimum unless `is_exact`.

    `path` is the path of the list of these resources; empty if there is none.
    """

    amount: int | None
    is_exact: bool
    path: str


@dataclass(frozen=True)
class ListRow:
    """A resource of the list: its name, and its summary and quotation if it has them.

    `topics` has the terms of each of its TOPIC_FIELDS, and `parts` its parts. `cells` has, by column name,
    its terms or the number of linked resources.
    """

    iri: str
    name: ox.Literal
    summary: ox.Literal | None
    quotation: ox.Literal | None
    topics: Sequence[Sequence[Any]]
    parts: Sequence[OverviewRecord]
    cells: Mapping[str, Sequence[Any] | ResourceCount]


@dataclass(frozen=True)
class ListCondition:
    """A filter in effect: its title (`name`), its value, and the path of the list without this filter."""

    name: str
    value: ox.Literal
    path: str


@dataclass(frozen=True)
class ListView:
    """The content of the page of a list: columns by name, rows, filters, and labels by IRI."""

    columns: Mapping[str, ListColumn]
    rows: Sequence[ListRow]
    conditions: Sequence[ListCondition]
    labels: Mapping[str, ox.Literal]


def select_page_fields(list_request: ListRequest) -> ListRequest:
    """The request with the fields for the columns of its page; unchanged if it has the parameter `fields`."""
    if list_request.definition.name not in LIST_COLUMNS or has_explicit_fields(list_request):
        return list_request
    name = list_request.definition.name
    names = {"label", *LIST_COLUMNS[name], *SUMMARY_FIELDS, QUOTATION_FIELD}
    names |= {*TOPIC_FIELDS.get(name, ())}
    names |= {SUBSTITUTE_FIELDS[name] for name in names & SUBSTITUTE_FIELDS.keys()}
    return replace(
        list_request, fields=tuple(field for field in list_request.definition.fields if field.name in names)
    )


def has_explicit_fields(list_request: ListRequest) -> bool:
    """Whether the request has the parameter `fields`."""
    return "fields" in dict(list_request.pairs)


def list_column_names(list_request: ListRequest) -> list[str]:
    """The names of the columns after the label."""
    if list_request.definition.name in LIST_COLUMNS and not has_explicit_fields(list_request):
        return list(LIST_COLUMNS[list_request.definition.name])
    return [field.name for field in list_request.fields if field.name != "label"]


def build_list_view(
    store: Store, list_request: ListRequest, page: ListPage, base: str, paper_counts: CellCounts
) -> ListView:
    """The content of the page of a list.

    `paper_counts` are numbers of papers by resource, None while they are being counted.
    """
    names = list_column_names(list_request)
    property_iris = {name: column_property(name, base).value for name in (*names, *list_request.filters)}
    filter_iris = dict(iter_filter_iris(list_request, base))
    types = (
        term for terms_by_field in page.resources.values() for term in terms_by_field.get(TYPE_FIELD.name, ())
    )
    classes = {term.value for term in types if isinstance(term, ox.NamedNode)}
    parts = {iri: list_parts(store, list_request, iri, base) for iri in page.resources}
    part_iris = {iri for records in parts.values() for record in records for iri in record.iris}
    best_labels = find_labels(
        store,
        {*page.resources, *property_iris.values(), *filter_iris.values(), *classes, *part_iris},
        label_languages(),
    )
    labels = {iri: best_text(texts, label_languages()) for iri, texts in page.labels.items()} | best_labels
    titles = {name: column_title(name, iri, best_labels) for name, iri in property_iris.items()}
    builder = ListRowBuilder(store, list_request, base, paper_counts)
    return ListView(
        {name: build_list_column(titles[name], list_request.definition.by_name.get(name)) for name in names},
        [
            builder.build_row(
                iri, labels.get(iri) or ox.Literal(words_of_iri(iri)), terms_by_field, parts[iri]
            )
            for iri, terms_by_field in page.resources.items()
        ],
        list(iter_list_conditions(list_request, titles, filter_iris, labels)),
        labels,
    )


def list_parts(store: Store, list_request: ListRequest, iri: str, base: str) -> list[OverviewRecord]:
    """The parts of a resource to show below its name."""
    paths = PART_PATHS.get(list_request.definition.name)
    if paths is None or has_explicit_fields(list_request):
        return []
    return build_records(store, iri, paths, base)[0]


@dataclass(frozen=True)
class ListRowBuilder:
    """Builds the rows of the page."""

    store: Store
    list_request: ListRequest
    base: str
    paper_counts: CellCounts

    @cached_property
    def class_nodes(self) -> set[ox.NamedNode]:
        """The classes of the list."""
        return {column_property(name, self.base) for name in self.list_request.definition.classes}

    def build_row(
        self, iri: str, label: ox.Literal, terms_by_field: FieldTerms, parts: Sequence[OverviewRecord]
    ) -> ListRow:
        """The row of a resource with this label, these terms by field, and these parts.

        If the label begins with the summary, the summary is the name: the rest of the label is in columns.
        """
        cells = {
            name: self.select_cell_terms(name, terms_by_field)
            if name in self.list_request.definition.by_name
            else self.count_resources_for_column(name, iri)
            for name in list_column_names(self.list_request)
        }
        if has_explicit_fields(self.list_request):
            return ListRow(iri, label, None, None, (), (), cells)
        summary = find_best_text(SUMMARY_FIELDS, terms_by_field)
        has_long_label = summary is not None and label.value.startswith(summary.value)
        list_name = self.list_request.definition.name
        topics = (terms_by_field.get(name, ()) for name in TOPIC_FIELDS.get(list_name, ()))
        return ListRow(
            iri,
            summary if summary and has_long_label else label,
            None if has_long_label else summary,
            find_best_text([QUOTATION_FIELD], terms_by_field),
            [terms for terms in topics if terms],
            parts,
            cells,
        )

    def select_cell_terms(self, name: str, terms_by_field: FieldTerms) -> Sequence[Any]:
        """The terms to show in the column of a field, or those of its substitute if it has no value."""
        if not terms_by_field.get(name):
            name = SUBSTITUTE_FIELDS.get(name, name)
        return self.select_terms(self.list_request.definition.by_name[name], terms_by_field.get(name, ()))

    def select_terms(self, field: ListField, terms: Sequence[Any]) -> Sequence[Any]:
        """The terms of a field to show: the text in the best language, yes or no, the classes of the list."""
        if field.type == "class":
            return [term for term in terms if term in self.class_nodes]
        if field.type == "boolean":
            return [localize_boolean(term) for term in terms]
        texts = [term for term in terms if isinstance(term, ox.Literal)] if field.type == "text" else []
        return [best_text(texts, label_languages())] if texts else terms

    def count_resources_for_column(self, name: str, iri: str) -> ResourceCount:
        """The number in the column `name` of COUNT_COLUMNS for a resource."""
        encoded_name = quote(shorten_iri(iri, self.base), safe=":")
        if name == "papers":
            amount = None if self.paper_counts is None else self.paper_counts.get((iri,), 0)
            return ResourceCount(
                amount, True, f"/papers?{COUNT_DIMENSIONS[self.list_request.definition.name]}={encoded_name}"
            )
        for property_path, list_path in COUNT_COLUMNS[name].sources:
            resources, is_exact = follow_property_path(self.store, iri, property_path, self.base)
            if resources or not is_exact:
                has_page = iri.startswith(f"{self.base}id/")
                path = list_path.format(id=encoded_name, page=find_href(iri, self.base)) if has_page else ""
                return ResourceCount(len(resources), is_exact, path)
        return ResourceCount(0, True, "")


def localize_boolean(term: Any) -> Any:
    """`yes` or `no` in the language of the page for an xsd:boolean; any other term unchanged."""
    word = BOOLEAN_WORDS.get(term_text(term))
    return ox.Literal(gettext(word), language=current_language()) if word else term


def build_list_column(title: ox.Literal, field: ListField | None) -> ListColumn:
    """The column of a field, or a column of numbers if there is no field."""
    return ListColumn(title, field.description if field else "", field is None or field.type == "integer")


def column_property(name: str, base: str) -> ox.NamedNode:
    """The property whose label is the title of a column."""
    curie = {"type": "rdf:type", "label": "rdfs:label"}.get(name, name)
    return expand_curie(curie if ":" in curie else f"wgig:{curie}", base)


def column_title(name: str, iri: str, labels: Mapping[str, ox.Literal]) -> ox.Literal:
    """The title of a column, capitalized; `labels` are labels of properties by IRI."""
    title = COUNT_COLUMNS[name].title if name in COUNT_COLUMNS else COLUMN_TITLES.get(name)
    if title:
        return ox.Literal(gettext(title), language=current_language())
    text = labels.get(iri) or foreign_property_label(iri)
    return ox.Literal(text.value[:1].upper() + text.value[1:], language=text.language)


def find_best_text(names: Iterable[str], terms_by_field: FieldTerms) -> ox.Literal | None:
    """The text of the first field that a resource has, in the best language; None if it has none of them."""
    texts = (
        [term for term in terms_by_field.get(name, ()) if isinstance(term, ox.Literal)] for name in names
    )
    return next((best_text(literals, label_languages()) for literals in texts if literals), None)


def iter_filter_iris(list_request: ListRequest, base: str) -> Iterator[tuple[tuple[str, int], str]]:
    """The IRIs in the filters, each by (parameter, index of the value among the values of the parameter)."""
    for name, terms in list_request.filters.items():
        type_ = list_request.definition.by_name[name].type
        for index, term in enumerate(terms):
            if type_ == "class":
                yield (name, index), expand_curie(term, base).value
            elif is_resource_type(type_):
                yield (name, index), term.value


def iter_list_conditions(
    list_request: ListRequest,
    titles: Mapping[str, ox.Literal],
    filter_iris: Mapping[tuple[str, int], str],
    labels: Mapping[str, ox.Literal],
) -> Iterator[ListCondition]:
    """The filters in effect, in the order of the query string.

    `titles` are by column name, `filter_iris` as from `iter_filter_iris`, `labels` by IRI.
    """
    last_index = dict[str, int]()  # by parameter, of its values so far
    for name, text in list_request.pairs:
        if name in list_request.filters or name in ("q", "year"):
            index = last_index[name] = last_index.get(name, -1) + 1
            iri = filter_iris.get((name, index), "")
            value = labels.get(iri) or ox.Literal(words_of_iri(iri) if iri else text)
            title = titles[name] if name in titles else column_title(name, "", {})
            yield ListCondition(title.value, value, path_without_value(list_request, name, index))
