"""HTML page of a list: a table with few columns, the filters in effect, and links to other pages.

`LIST_COLUMNS` has the columns of each list. `COLUMN_TITLES` has titles for columns whose property has no
label or an unclear one. The page of the list `papers` is in `papers_page`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

import pyoxigraph as ox
from wgig_client.literals import term_text

from ..http.language import current_language, gettext, label_languages
from ..i18n import RTL_LANGUAGES, gettext_noop
from ..pages.names import foreign_property_label
from ..pages.rendering import SortLink, find_href
from ..rdf.labels import best_text, words_of_iri
from ..rdf.namespaces import expand_curie, shorten_iri
from ..resources.overview import OverviewRecord, build_records
from ..resources.overview_paths import build_side_paths
from ..resources.text_links import FULL_TEXT_EVIDENCE
from ..store.labels import find_labels
from ..store.store import Store
from ..text import natural_sort_key
from .count_fields import PAPERS_FIELD
from .facets import (
    Facet,
    FacetValue,
    find_filter_key,
    find_key_label,
    find_value_words,
    has_iri_keys,
    list_facet_fields,
)
from .fields import COUNT_TYPE, LABEL_FIELD, TYPE_FIELD, ListField
from .filters import NO_VALUE_TEXT, ZERO_RANGE
from .paths import path_with_sort, path_without_value
from .query import CountsByField, ListRequest
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
# The documents whose parts are the rows of a list. Their labels begin with the title of the document.
PART_LISTS = {"declaration": "declaration", "background-report": "background-report"}
KIND_FIELD = "dcterms:type"
RIGHT_TO_LEFT_MARK = "\u200f"  # before a number with Latin letters
HEADING_KINDS = ("section", "subsection")
LABEL_SEPARATOR_PATTERN = re.compile("[,،，] ?")  # after the title of the document, in any language
# The columns of each list: names of its fields.
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
# A note that only says where an issue is listed, and nothing about the issue.
SOURCE_NOTE_PATTERN = re.compile(r"(cluster from the )?Background Report, section [^;:]*")
# The fields to sort the page of papers by. The label begins with the type.
PAPER_SORT_FIELDS = ("label", "dcterms:title", "issue", "posted", "partsMet")
MISSING_PAPER_COLUMNS = ("cluster", "judgments")  # of the list of issues without a paper, after the reason
# Titles of columns and filters that are not properties, or whose property has an unclear label.
COLUMN_TITLES = {
    "skos:broader": gettext_noop("Part of"),
    "partOf": gettext_noop("Part of"),
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
    "papers": gettext_noop("Papers"),
    "issues": gettext_noop("Issues"),
    "measured": gettext_noop("Issues assessed"),
    "texts": gettext_noop("Texts that name it"),
    "citing": gettext_noop("Known citations"),
    "bearsOn": gettext_noop("Relevant to (our reading)"),
    "drafter": gettext_noop("Author"),
    "judgments": gettext_noop("Judgments"),
    "recommendations": gettext_noop("Recommendations"),
    "label": gettext_noop("Name"),
    "conformance": gettext_noop("Template"),
    "q": gettext_noop("Name contains"),
    "year": gettext_noop("Year"),
}
# Notes below the titles of columns.
COLUMN_NOTES = {"cluster": gettext_noop("the grouping for the second round of papers")}
# Titles of columns and filters of the parts of a document.
PART_TITLES = {
    "label": gettext_noop("Part, in text order"),
    "partOf": gettext_noop("Section"),
}
# By list and count field: the URL template of the page that lists what is counted. In it, `{id}` is the name
# of the resource of the row in query strings, `{page}` the path of its page.
COUNT_PATHS = {
    ("issues", "papers"): "/papers?issue={id}",
    ("issues", "judgments"): "/judgments?issue={id}",
    ("categories", "papers"): "/papers?category={id}",
    ("categories", "issues"): "/issues?category={id}",
    ("principles", "texts"): "{page}?inverse=namesPrinciple&page=1",
    ("principles", "measured"): "/issues?measuredAgainst={id}",
    ("principles", "judgments"): "/judgments?criterion={id}",
    ("declaration", "citing"): "{page}?inverse=cito:cites&page=1",
    ("background-report", "judgments"): "/judgments?paragraph={id}",
    ("background-report", "recommendations"): "/recommendations?paragraph={id}",
    ("disputes", "judgments"): "/judgments?dispute={id}",
    ("mechanisms", "judgments"): "/judgments?judges={id}",
}
CLUSTER_COUNT_PATH = "/issues?cluster={id}"  # of the issues of a category that is a cluster

FieldTerms = Mapping[str, Sequence[Any]]  # RDF terms by field name


class ListColumn(NamedTuple):
    """A column: title, note below it and description in English, and what its cells say for no value.

    `is_number` is whether it has numbers, `sort` a link to sort by it.
    """

    title: ox.Literal
    note: str
    description: str
    missing_text: str
    is_number: bool
    sort: SortLink


class ResourceCount(NamedTuple):
    """A number of resources; `amount` is None while they are being counted.

    `path` is the path of the list of these resources; empty if there is none.
    """

    amount: int | None
    path: str


@dataclass(frozen=True)
class ListRow:
    """A resource of the list: its name, and its summary and quotation if it has them.

    `topics` has the terms of each of its TOPIC_FIELDS, and `parts` its parts. `cells` has, by column name,
    its terms or the number of linked resources. `notes` are notes on it. `is_heading` is whether it is a
    section of a document, `is_fully_seen` is false for a paragraph of which we have not seen the full text.
    """

    iri: str
    name: ox.Literal
    summary: ox.Literal | None
    quotation: ox.Literal | None
    topics: Sequence[Sequence[Any]]
    parts: Sequence[OverviewRecord]
    cells: Mapping[str, Sequence[Any] | ResourceCount]
    notes: Sequence[ox.Literal] = ()
    is_heading: bool = False
    is_fully_seen: bool = True

    @property
    def has_values(self) -> bool:
        """Whether a cell has a value."""
        return any(cell.amount if isinstance(cell, ResourceCount) else cell for cell in self.cells.values())


@dataclass(frozen=True)
class ListCondition:
    """A filter in effect: its title (`name`), its value, and the path of the list without this filter."""

    name: str
    value: ox.Literal
    path: str


@dataclass(frozen=True)
class ListView:
    """The content of the page of a list: columns by name, rows, filters, and labels by IRI.

    `name_sort` is the link to sort by name. `lacks_papers` is whether this is the list of the issues without
    a paper, whose rows tell what is known of the reason.
    """

    name_sort: SortLink
    lacks_papers: bool
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
    names |= {KIND_FIELD} if name in PART_LISTS else set()
    names |= {SUBSTITUTE_FIELDS[name] for name in names & SUBSTITUTE_FIELDS.keys()}
    return replace(
        list_request, fields=tuple(field for field in list_request.definition.fields if field.name in names)
    )


def has_explicit_fields(list_request: ListRequest) -> bool:
    """Whether the request has the parameter `fields`."""
    return "fields" in dict(list_request.pairs)


def list_column_names(list_request: ListRequest) -> list[str]:
    """The names of the columns after the label."""
    if is_narrowed_to_missing_papers(list_request):
        return list(MISSING_PAPER_COLUMNS)
    if list_request.definition.name in LIST_COLUMNS and not has_explicit_fields(list_request):
        return list(LIST_COLUMNS[list_request.definition.name])
    return [field.name for field in list_request.fields if field.name != "label"]


def build_list_view(
    store: Store, list_request: ListRequest, page: ListPage, base: str, counts: CountsByField
) -> ListView:
    """The content of the page of a list; `counts` has the counts of its columns, without missing ones."""
    names, by_name = list_column_names(list_request), list_request.definition.by_name
    titles = find_field_titles(store, list_request, base)
    filter_keys = {
        find_filter_key(by_name[name], value, base)
        for name, values in list_request.filters.items()
        if has_iri_keys(by_name[name])
        for value in values
        if not value.is_missing
    }
    types = (
        term for terms_by_field in page.resources.values() for term in terms_by_field.get(TYPE_FIELD.name, ())
    )
    classes = {term.value for term in types if isinstance(term, ox.NamedNode)}
    parts = {iri: list_parts(store, list_request, iri, base) for iri in page.resources}
    part_iris = {iri for records in parts.values() for record in records for iri in record.iris}
    best_labels = find_labels(
        store, {*page.resources, *classes, *part_iris}, label_languages()
    ) | find_value_labels(store, list_request, filter_keys, base)
    labels = {iri: best_text(texts, label_languages()) for iri, texts in page.labels.items()} | best_labels
    builder = ListRowBuilder(store, list_request, base, counts)
    return ListView(
        build_sort_link(
            list_request, by_name["order"] if list_request.definition.name in PART_LISTS else LABEL_FIELD
        ),
        is_narrowed_to_missing_papers(list_request),
        {
            name: ListColumn(
                titles[name],
                COLUMN_NOTES.get(name, ""),
                by_name[name].description,
                by_name[name].missing_text,
                by_name[name].type in ("integer", COUNT_TYPE),
                build_sort_link(list_request, by_name[name]),
            )
            for name in names
        },
        [
            builder.build_row(
                iri, labels.get(iri) or ox.Literal(words_of_iri(iri)), terms_by_field, parts[iri]
            )
            for iri, terms_by_field in page.resources.items()
        ],
        list(iter_list_conditions(list_request, titles, labels, base)),
        labels,
    )


def find_field_titles(store: Store, list_request: ListRequest, base: str) -> dict[str, ox.Literal]:
    """The titles of columns, facets and filters of the page, by field name."""
    names = [*list_column_names(list_request), *list_request.filters, "label", "q", "year"]
    names += [field.name for field in list_facet_fields(list_request)]
    names += PAPER_SORT_FIELDS if list_request.definition.name == "papers" else ()
    iris = {name: column_property(name, base).value for name in names}
    labels = find_labels(store, iris.values(), label_languages())
    titles = {name: column_title(name, iri, labels) for name, iri in iris.items()}
    if list_request.definition.name in PART_LISTS:
        titles |= {
            name: ox.Literal(gettext(title), language=current_language())
            for name, title in PART_TITLES.items()
        }
    if list_request.definition.description_properties:
        titles["q"] = ox.Literal(gettext("Name or description contains"), language=current_language())
    return titles


def build_sort_link(list_request: ListRequest, field: ListField) -> SortLink:
    """The link to sort a list by a field; counts are first sorted in descending order."""
    first_key, is_descending = list_request.sort[0]
    if first_key == field:
        direction = "descending" if is_descending else "ascending"
        return SortLink(path_with_sort(list_request, field.name, not is_descending), direction)
    return SortLink(path_with_sort(list_request, field.name, field.type == COUNT_TYPE), "")


def is_narrowed_to_missing_papers(list_request: ListRequest) -> bool:
    """Whether this is the list of the issues without a paper."""
    values = list_request.filters.get(PAPERS_FIELD, ())
    return (
        list_request.definition.name == "issues"
        and not has_explicit_fields(list_request)
        and [value.range for value in values] == [ZERO_RANGE]
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
    counts: CountsByField

    @cached_property
    def class_nodes(self) -> set[ox.NamedNode]:
        """The classes of the list."""
        return {column_property(name, self.base) for name in self.list_request.definition.classes}

    @cached_property
    def heading_kinds(self) -> set[str]:
        """The IRIs of the kinds of parts that are headings."""
        return {expand_curie(f"part-kind:{name}", self.base).value for name in HEADING_KINDS}

    def build_row(
        self, iri: str, label: ox.Literal, terms_by_field: FieldTerms, parts: Sequence[OverviewRecord]
    ) -> ListRow:
        """The row of a resource with this label, these terms by field, and these parts.

        If the label begins with the summary, the summary is the name: the rest of the label is in columns.
        """
        cells = {
            name: self.find_count(name, iri, terms_by_field)
            if self.list_request.definition.by_name[name].type == COUNT_TYPE
            else self.select_cell_terms(name, terms_by_field)
            for name in list_column_names(self.list_request)
        }
        if has_explicit_fields(self.list_request):
            return ListRow(iri, label, None, None, (), (), cells)
        summary = find_best_text(SUMMARY_FIELDS, terms_by_field)
        is_part = self.list_request.definition.name in PART_LISTS
        kinds = {term.value for term in terms_by_field.get(KIND_FIELD, ())} if is_part else set()
        is_heading = not kinds.isdisjoint(self.heading_kinds)
        if is_heading:
            label = find_part_name(self.store, iri, self.base)
            summary = find_best_text(["dcterms:description"], terms_by_field)
        elif is_part:
            label = shorten_part_label(label)
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
            [
                note
                for note in terms_by_field.get("skos:note", ())
                if isinstance(note, ox.Literal) and not SOURCE_NOTE_PATTERN.fullmatch(note.value)
            ],
            is_heading,
            all(term_text(term) == FULL_TEXT_EVIDENCE for term in terms_by_field.get("evidence", ())),
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
        if words := find_value_words(field):
            return [localize_value(term, words) for term in terms]
        texts = [term for term in terms if isinstance(term, ox.Literal)] if field.type == "text" else []
        return [best_text(texts, label_languages())] if texts else terms

    def find_count(self, name: str, iri: str, terms_by_field: FieldTerms) -> ResourceCount:
        """The number in the column of a count field for a resource."""
        list_name = self.list_request.definition.name
        amount = self.counts[name].get(iri, 0) if name in self.counts else None
        path = COUNT_PATHS.get((list_name, name), "")
        schemes = {term.value for term in terms_by_field.get("skos:inScheme", ())}
        if name == "issues" and expand_curie("scheme:clusters-2005", self.base).value in schemes:
            path = CLUSTER_COUNT_PATH
        if not iri.startswith(f"{self.base}id/"):  # it has no page, and cannot be the value of a filter
            path = ""
        encoded_name = quote(shorten_iri(iri, self.base), safe=":")
        return ResourceCount(amount, path.format(id=encoded_name, page=find_href(iri, self.base)))


def shorten_part_label(label: ox.Literal) -> ox.Literal:
    """The label of a part of a document without the title of the document, such as "Paragraph 48"."""
    text = LABEL_SEPARATOR_PATTERN.split(label.value, maxsplit=1)[-1]
    return ox.Literal(text[:1].upper() + text[1:], language=label.language)


def find_part_name(store: Store, iri: str, base: str) -> ox.Literal:
    """The name of a part of a document: number and title, or else its label without that of the document."""
    node = ox.NamedNode(iri)
    number, title = (
        best_text((quad.object for quad in store.match(node, expand_curie(name, base))), label_languages())
        for name in ("wgig:number", "dcterms:title")
    )
    if title.value and number.value.isascii():  # other characters could reorder the title
        mark = RIGHT_TO_LEFT_MARK if title.language in RTL_LANGUAGES else ""
        return ox.Literal(f"{mark}{number.value} {title.value}".strip(), language=title.language)
    label = find_labels(store, [iri], label_languages()).get(iri)
    return shorten_part_label(label or ox.Literal(words_of_iri(iri)))


def find_value_labels(
    store: Store, list_request: ListRequest, iris: Collection[str], base: str
) -> dict[str, ox.Literal]:
    """The labels of values of filters and facets by IRI; those of parts of a document have their number."""
    parts = [iri for iri in iris if iri.startswith(f"{base}id/document/")]
    return find_labels(store, iris, label_languages()) | {
        iri: find_part_name(store, iri, base) for iri in parts if list_request.definition.name in PART_LISTS
    }


def arrange_part_facets(list_request: ListRequest, facets: Sequence[Facet]) -> list[Facet]:
    """The facets of a list of parts of a document, with its sections in their order.

    They do not offer parts without a value: these are headings, and paragraphs whose text was not seen.
    """

    def is_offered(facet: Facet, value: FacetValue) -> bool:
        is_count = list_request.definition.by_name[facet.name].type == COUNT_TYPE
        return value.text != NO_VALUE_TEXT or value.is_selected or is_count

    return [
        replace(
            facet,
            values=sorted(facet.values, key=lambda value: natural_sort_key(value.text))
            if facet.name == "partOf"
            else [value for value in facet.values if is_offered(facet, value)],
        )
        for facet in facets
    ]


def localize_value(term: Any, words: Mapping[str, str]) -> Any:
    """What pages say for a value, in their language; a term without such words is unchanged."""
    text = words.get(term_text(term))
    return ox.Literal(gettext(text), language=current_language()) if text else term


def column_property(name: str, base: str) -> ox.NamedNode:
    """The property whose label is the title of a column."""
    curie = {"type": "rdf:type", "label": "rdfs:label"}.get(name, name)
    return expand_curie(curie if ":" in curie else f"wgig:{curie}", base)


def column_title(name: str, iri: str, labels: Mapping[str, ox.Literal]) -> ox.Literal:
    """The title of a column, capitalized; `labels` are labels of properties by IRI."""
    if title := COLUMN_TITLES.get(name):
        return ox.Literal(gettext(title), language=current_language())
    text = labels.get(iri) or foreign_property_label(iri)
    return ox.Literal(text.value[:1].upper() + text.value[1:], language=text.language)


def find_best_text(names: Iterable[str], terms_by_field: FieldTerms) -> ox.Literal | None:
    """The text of the first field that a resource has, in the best language; None if it has none of them."""
    texts = (
        [term for term in terms_by_field.get(name, ()) if isinstance(term, ox.Literal)] for name in names
    )
    return next((best_text(literals, label_languages()) for literals in texts if literals), None)


def iter_list_conditions(
    list_request: ListRequest, titles: Mapping[str, ox.Literal], labels: Mapping[str, ox.Literal], base: str
) -> Iterator[ListCondition]:
    """The filters in effect, in the order of the query string.

    `titles` are by column name, `labels` by IRI.
    """
    last_index = dict[str, int]()  # by parameter, of its values so far
    for name, text in list_request.pairs:
        if name in list_request.filters or name in ("q", "year"):
            index = last_index[name] = last_index.get(name, -1) + 1
            value = ox.Literal(text)
            if name in list_request.filters:
                field = list_request.definition.by_name[name]
                key = find_filter_key(field, list_request.filters[name][index], base)
                value = find_key_label(field, key, labels)
            yield ListCondition(titles[name].value, value, path_without_value(list_request, name, index))
