"""/build: a form that makes a SPARQL query of choices, and shows its answer. Its state is in the address."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

import pyoxigraph as ox
from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.language import label_languages, translate_message
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, Texts, describe_parameter
from ..http.responses import respond_with_body
from ..i18n import gettext_noop
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.names import foreign_property_label
from ..pages.rendering import build_query_path
from ..problems import Problem, build_sentence, unknown_name_problem
from ..rdf.formats import FORMATS_BY_FORM, HTML
from ..rdf.labels import label_or_words
from ..rdf.namespaces import DCTERMS_SOURCE, expand_curie, shorten_iri
from ..rdf.values import ANY_RESOURCE, parse_parameter_term
from ..resources.representation import render_site_page
from ..sparql.dependencies import QueriesDep
from ..sparql.request import build_internal_query
from ..sparql.result_page import PageResult, build_result_view, has_summaries
from ..sparql.result_table import TableOptions, build_result_table
from ..sparql.service import QueryService, read_page_result, select_internal_rows
from ..store.labels import find_label, find_labels
from ..store.store import Store
from ..text import natural_sort_key
from .query_builder import (
    FILTER_MATCHES,
    MATCH_ANY,
    MATCH_NAMES,
    MATCH_NEW,
    MATCH_NONE,
    MAX_BUILDER_COLUMNS,
    MAX_BUILDER_FILTERS,
    MAX_BUILDER_VALUE_CHARACTERS,
    RESOURCE_VALUES,
    BuilderClass,
    BuilderFilter,
    BuilderProperty,
    BuilderRequest,
    build_chosen_query,
    build_classes_query,
    build_properties_query,
    build_values_query,
    find_value_error,
    is_common_property,
    list_builder_classes,
    list_builder_properties,
    name_variables,
)
from .query_builder_kinds import BUILDER_KINDS, COLUMN_NAMES, OTHER_KINDS, REPEATED_KINDS

ROW_LIMITS = (10, 50, 100, 500, 1000)
DEFAULT_ROW_LIMIT = 100
NAME_TITLE = gettext_noop("Name")  # of the first column
MAX_VALUE_OPTIONS = 200  # of a filter; a property with more values has a field for text instead
BUILDER_OPERATION = Operation(formats=(HTML,))


class BuilderParameters(ParameterModel):
    """Query parameters of /build. `filter`, `match` and `value` have an entry for each filter."""

    kind: Text = describe_parameter("The class of the resources.", examples=["wgig:Issue"])
    column: Texts = describe_parameter(
        f"A property that is a column, at most {MAX_BUILDER_COLUMNS}.", examples=[["wgig:category"]]
    )
    filter: Texts = describe_parameter(
        f"The property of a filter, at most {MAX_BUILDER_FILTERS}.", examples=[["wgig:category"]]
    )
    match: Texts = describe_parameter(
        f"The condition of a filter: {', '.join(MATCH_NAMES)}; `new` or empty for none.", examples=[["any"]]
    )
    value: Texts = describe_parameter("The value of a filter.", examples=[[""]])
    remove: Text = describe_parameter("The number of a filter to leave out, from 1.", examples=["1"])
    sort: Text = describe_parameter("The column to sort by.", examples=["wgig:category"])
    order: Text = describe_parameter(
        "The direction of sorting.", json_schema_extra={"enum": ["asc", "desc"], "examples": ["asc"]}
    )
    limit: Text = describe_parameter(
        "The maximum number of rows.",
        json_schema_extra={"enum": [*map(str, ROW_LIMITS)], "examples": [str(DEFAULT_ROW_LIMIT)]},
    )


Rows = Sequence[Sequence[Any]]
NamedT = TypeVar("NamedT", BuilderClass, BuilderProperty)


class NamedOption(NamedTuple):
    """An option of a field: its value, its label, and how often it occurs."""

    value: str
    label: ox.Literal
    uses: int


class FilterRow(NamedTuple):
    """A filter on the page: its name in the form, label, matches and options (empty: a field for text)."""

    name: str
    label: ox.Literal
    match: str
    matches: Sequence[str]
    value: str
    options: Sequence[NamedOption]
    error: str


async def get_builder(
    context: ContextDep, queries: QueriesDep, parameters: Annotated[BuilderParameters, Query()]
) -> Response:
    """The form in which a query is built, with its answer. Raises Problem 400 for an unknown name."""
    request, base = context.request, context.base
    choose_response_format(request, (HTML,))
    classes = list_builder_classes(await select_internal_rows(request, queries, build_classes_query(base)))
    builder_request, properties, rows, result, text = None, [], [], None, ""
    if parameters.kind:
        class_ = find_named(parameters.kind, classes, "The data has no kind of resource", base)
        property_rows = await select_internal_rows(request, queries, build_properties_query(class_.iri, base))
        properties = list_builder_properties(property_rows, class_)
        builder_request = parse_builder_request(parameters, class_, properties, base)
        rows = await list_filter_rows(request, queries, builder_request)
        text = build_chosen_query(builder_request, base)
        result = await read_page_result(request, queries, build_internal_query(text))
    elif any(value for name, value in parameters if name != "kind"):
        raise Problem(
            400, [build_sentence(gettext_noop("Choose a kind of resource first, with the parameter kind."))]
        )
    page = await run_in_threadpool(
        render_builder_page, context, BuilderPage(classes, properties, builder_request, rows, text, result)
    )
    status = 400 if builder_request and builder_request.has_errors else 200
    return respond_with_body(request, page, HTML, status=status)


class BuilderPage(NamedTuple):
    """What the page shows; without a chosen class, only the classes."""

    classes: Sequence[BuilderClass]
    properties: Sequence[BuilderProperty]
    builder_request: BuilderRequest | None
    rows: Sequence[FilterRow]
    text: str
    result: PageResult | None


def find_named(name: str, known: Sequence[NamedT], message: str, base: str) -> NamedT:
    """The class or property with this prefixed name or IRI. Raises Problem 400 if there is none."""
    by_name = {shorten_iri(item.iri, base): item for item in known} | {item.iri: item for item in known}
    if name not in by_name:
        raise unknown_name_problem(message, name, [shorten_iri(item.iri, base) for item in known])
    return by_name[name]


def parse_builder_request(
    parameters: BuilderParameters, class_: BuilderClass, properties: Sequence[BuilderProperty], base: str
) -> BuilderRequest:
    """What the parameters choose of a class with these properties. Raises Problem 400 for an unknown name."""

    def find_property(name: str) -> BuilderProperty:
        return find_named(name, properties, "These resources have no property", base)

    columns = list(dict.fromkeys(find_property(name) for name in parameters.column or () if name))
    if not columns and not parameters.limit:  # a class was just chosen: the form below always has a limit
        columns = [item for item in properties if item.iri == DCTERMS_SOURCE.value]
    if len(columns) > MAX_BUILDER_COLUMNS:
        message = gettext_noop("Choose at most %(number)s columns.")
        raise Problem(400, [build_sentence(message, number=MAX_BUILDER_COLUMNS)])
    sort = find_property(parameters.sort) if parameters.sort else None
    limit = parse_choice("limit", parameters.limit, [*map(str, ROW_LIMITS)])
    order = parse_choice("order", parameters.order, ["asc", "desc"])
    entries = [parameters.filter or [], parameters.match or [], parameters.value or []]
    if len({len(entry) for entry in entries}) > 1:
        message = gettext_noop("Give the parameters filter, match and value once for each filter.")
        raise Problem(400, [build_sentence(message)])
    filters = [
        parse_filter(find_property(name), match, value, base)
        for number, (name, match, value) in enumerate(zip(*entries, strict=True), 1)
        if name and match and str(number) != parameters.remove
    ]
    if len(filters) > MAX_BUILDER_FILTERS:
        message = gettext_noop("Choose at most %(number)s filters.")
        raise Problem(400, [build_sentence(message, number=MAX_BUILDER_FILTERS)])
    return BuilderRequest(
        class_,
        columns,
        filters,
        sort if sort in columns else None,
        order == "desc",
        int(limit or DEFAULT_ROW_LIMIT),
    )


def parse_choice(name: str, value: str | None, known: Sequence[str]) -> str:
    """The value of a parameter, or empty. Raises Problem 400 for another value than the known ones."""
    if value and value not in known:
        raise unknown_name_problem(f"{name} cannot be", value, known)
    return value or ""


def parse_filter(property_: BuilderProperty, match: str, value: str, base: str) -> BuilderFilter:
    """A filter with the IRI of a resource as its value, or with an error. Raises Problem 400."""
    parse_choice("match", match, [MATCH_NEW, *FILTER_MATCHES[property_.values]])
    if len(value) > MAX_BUILDER_VALUE_CHARACTERS:
        message = gettext_noop("The value of a filter is longer than %(number)s characters. Shorten it.")
        raise Problem(400, [build_sentence(message, number=MAX_BUILDER_VALUE_CHARACTERS)])
    error = find_value_error(property_, match, value)
    if match == "is" and property_.values == RESOURCE_VALUES and not error:
        value = parse_parameter_term("value", ANY_RESOURCE, value, base).value
    return BuilderFilter(property_, match, value, error)


async def list_filter_rows(
    request: Request, queries: QueryService, builder_request: BuilderRequest
) -> list[FilterRow]:
    """The filters as the page shows them; if there are few values, they can be chosen."""
    base = queries.settings.base
    rows = []
    for filter_ in builder_request.filters:
        values: Rows = []
        if filter_.property.values == RESOURCE_VALUES:
            query = build_values_query(builder_request.class_, filter_.property, base, MAX_VALUE_OPTIONS + 1)
            values = await select_internal_rows(request, queries, query)
        rows.append(await run_in_threadpool(build_filter_row, queries.store, filter_, values, base))
    return rows


def build_filter_row(store: Store, filter_: BuilderFilter, values: Rows, base: str) -> FilterRow:
    """The row of a filter; `values` are the result rows of `build_values_query`."""
    counts = {value.value: int(things.value) for value, things in values if isinstance(value, ox.NamedNode)}
    has_options = 0 < len(values) <= MAX_VALUE_OPTIONS
    if has_options and filter_.match == "is" and filter_.value:
        counts.setdefault(filter_.value, 0)
    iri = filter_.property.iri
    matches = [
        match
        for match in FILTER_MATCHES[filter_.property.values]
        if filter_.property.values != RESOURCE_VALUES or match != ("contains" if has_options else "is")
    ]
    return FilterRow(
        shorten_iri(iri, base),
        label_properties(store, [iri], base)[iri],
        filter_.match,
        matches,
        shorten_iri(filter_.value, base) if has_options else filter_.value,
        name_options(store, counts, base) if has_options else [],
        filter_.error,
    )


def label_properties(store: Store, iris: Sequence[str], base: str) -> dict[str, ox.Literal]:
    """The labels of properties; those of external vocabularies are made of their names."""
    labels = find_labels(store, iris, label_languages())
    return {
        iri: translate_name(COLUMN_NAMES.get(shorten_iri(iri, base)))
        or labels.get(iri)
        or foreign_property_label(iri)
        for iri in iris
    }


def translate_name(message: str | None) -> ox.Literal | None:
    """A name in the language of the page, or in English."""
    if message is None:
        return None
    text, text_language = translate_message(message)
    return ox.Literal(text, language=text_language)


def label_class(store: Store, iri: str, base: str) -> ox.Literal:
    """The name of a class in the plural, or else its label."""
    kinds = {name: title for group in BUILDER_KINDS.values() for name, title in group.items()}
    return (
        translate_name(kinds.get(shorten_iri(iri, base)))
        or find_label(store, iri)
        or foreign_property_label(iri)
    )


def group_classes(
    store: Store, classes: Sequence[BuilderClass], chosen: str, base: str
) -> dict[str, list[NamedOption]]:
    """The classes as options, by group; classes that are not known here come with the other ones."""
    groups: dict[str, list[NamedOption]] = {title: [] for title in BUILDER_KINDS}
    groups_by_name = {name: title for title, group in BUILDER_KINDS.items() for name in group}
    order = {name: position for position, name in enumerate(groups_by_name)}
    for class_ in sorted(classes, key=lambda item: order.get(shorten_iri(item.iri, base), len(order))):
        name = shorten_iri(class_.iri, base)
        if name not in REPEATED_KINDS or name == chosen:
            option = NamedOption(name, label_class(store, class_.iri, base), class_.instances)
            groups[groups_by_name.get(name, OTHER_KINDS)].append(option)
    return {title: options for title, options in groups.items() if options}


def find_class_meaning(store: Store, iri: str) -> ox.Literal | None:
    """The definition of a class in English."""
    texts = (quad.object for quad in store.match(ox.NamedNode(iri), expand_curie("skos:definition")))
    return next((text for text in texts if isinstance(text, ox.Literal) and text.language == "en"), None)


def name_options(store: Store, counts: Mapping[str, int], base: str) -> list[NamedOption]:
    """Resources as options, by label."""
    labels = find_labels(store, counts, label_languages())
    options = [
        NamedOption(shorten_iri(iri, base), label_or_words(labels, iri), count)
        for iri, count in counts.items()
    ]
    return sorted(options, key=lambda option: natural_sort_key(option.label.value))


def name_properties(store: Store, counts: Mapping[str, int], base: str) -> list[NamedOption]:
    """Properties as options, in their order."""
    labels = label_properties(store, [*counts], base)
    return [NamedOption(shorten_iri(iri, base), labels[iri], count) for iri, count in counts.items()]


def title_columns(store: Store, chosen: BuilderRequest, base: str) -> dict[str, str]:
    """The titles of the columns of the answer by variable: labels of the properties."""
    iris = [column.iri for column in chosen.columns]
    labels = label_properties(store, iris, base)
    thing, *names = name_variables(chosen)
    texts = [NAME_TITLE, *(labels[iri].value for iri in iris)]
    return {name: text[:1].upper() + text[1:] for name, text in zip((thing, *names), texts, strict=True)}


def render_builder_page(context: RequestContext, page: BuilderPage) -> bytes:
    """The page with the form, and with the answer if a class is chosen."""
    store, base, chosen = context.store, context.base, page.builder_request
    kind = shorten_iri(chosen.class_.iri, base) if chosen else ""
    properties = {property_.iri: property_.uses for property_ in page.properties}
    solutions = build_result_view(page.result)["solutions"] if page.result else None
    query = build_internal_query(page.text).source if page.text else None
    return render_site_page(
        context,
        "build.html",
        groups=group_classes(store, page.classes, kind, base),
        kind=kind,
        kind_label=label_class(store, chosen.class_.iri, base) if chosen else None,
        meaning=find_class_meaning(store, chosen.class_.iri) if chosen else None,
        column_titles=title_columns(store, chosen, base) if chosen else {},
        has_summaries=has_summaries(page.text),
        instances=chosen.class_.instances if chosen else 0,
        properties=name_properties(store, properties, base),
        common={shorten_iri(iri, base) for iri in properties if is_common_property(iri, base)},
        columns=[shorten_iri(column.iri, base) for column in chosen.columns] if chosen else [],
        rows=page.rows,
        match_names=MATCH_NAMES,
        matches_without_value=(MATCH_ANY, MATCH_NONE),
        new_match=MATCH_NEW,
        sort=shorten_iri(chosen.sort.iri, base) if chosen and chosen.sort else "",
        is_descending=bool(chosen and chosen.is_descending),
        limit=chosen.limit if chosen else DEFAULT_ROW_LIMIT,
        limits=ROW_LIMITS,
        text=page.text,
        table=build_result_table(solutions, query, store, TableOptions(max(ROW_LIMITS)))
        if solutions and query
        else None,
        max_columns=MAX_BUILDER_COLUMNS,
        max_value_characters=MAX_BUILDER_VALUE_CHARACTERS,
        other_formats=[
            (format_.title, build_query_path([("query", page.text), ("_mediatype", format_.media_type)]))
            for format_ in FORMATS_BY_FORM["SELECT"]
        ],
    )
