"""The fields for the parameters of an example query: what can be chosen, what was chosen or typed, errors.

The values of a field are those for which the query has a result: they come from the result without
parameters, if the query names a column (`sparql.examples.ExampleParameter`). Other fields offer all resources
of the type.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import anyio
import pyoxigraph as ox
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from markupsafe import Markup, escape
from wgig_client.namespaces import namespaces_by_prefix

from ..http.bodies import Pairs
from ..http.language import gettext, label_languages
from ..i18n import gettext_noop
from ..problems import Problem
from ..rdf.labels import words_of_iri
from ..rdf.namespaces import RDF_TYPE, expand_curie
from ..rdf.values import CRITERION_TYPE, OTHER_CRITERIA, SECOND_TYPES, check_value_length
from ..resources.existence import list_folder, parse_known_term
from ..sparql.examples import NO_DEFAULT, ExampleParameter, ExampleQuery
from ..sparql.parameter_values import (
    SECOND_TYPE_CLASSES,
    ParameterValue,
    build_parameter_values,
    list_stated_iris,
    match_parameter_value,
    suggest_parameter_value,
)
from ..sparql.result_table import Solutions, split_cell_iris
from ..sparql.service import QueryService, select_internal_tsv
from ..store.labels import find_labels
from ..store.resource_versions.database import ResourceVersions
from ..store.resource_versions.projection import ResourceVersionsProjection
from ..store.store import Store
from ..store.view import parse_tsv_terms, split_tsv_cells

MAX_SELECT_OPTIONS = 60  # a field with more values is a text field with suggestions
MAX_OFFERED_VALUES = 1_000  # a field with more values has no suggestions
MAX_VALUES_SECONDS = 2.0  # for the result without parameters, from which the values are taken
ISOLATED_VALUE_MARKUP = Markup("<bdi>%s</bdi>")  # of a value in a message
# The titles of fields, by the type of the parameter, or by its name.
FIELD_TITLES = {
    "agreement": gettext_noop("Agreement"),
    "author-type": gettext_noop("Type of author"),
    "category": gettext_noop("Category"),
    "criterion": gettext_noop("Criterion"),
    "declaration": gettext_noop("Paragraph"),
    "disagreement": gettext_noop("Disagreement"),
    "dispute": gettext_noop("Dispute"),
    "graph": gettext_noop("Graph"),
    "group": gettext_noop("Stakeholder group"),
    "issue": gettext_noop("Issue"),
    "mechanism": gettext_noop("Mechanism"),
    "mechanism-kind": gettext_noop("Kind"),
    "meeting": gettext_noop("Meeting"),
    "outcome-kind": gettext_noop("Kind of outcome"),
    "paper": gettext_noop("Paper"),
    "principle": gettext_noop("Principle"),
    "recommendation-kind": gettext_noop("Kind"),
    "role": gettext_noop("Role"),
    "session-kind": gettext_noop("Kind of session"),
    "the_cluster": gettext_noop("Cluster"),
    "the_criterion": gettext_noop("Criterion"),
    "text": gettext_noop("Paper"),
    "timeliness": gettext_noop("Timeliness"),
    "verdict": gettext_noop("Verdict"),
    "view-holder": gettext_noop("Whose view"),
}


@dataclass(frozen=True)
class ParameterField:
    """A field: its parameter, possible values, the text in it, the chosen value, and an error message."""

    parameter: ExampleParameter
    options: Sequence[ParameterValue]
    text: str
    chosen: ParameterValue | None
    error: Markup

    @property
    def title(self) -> str:
        """The title of the field, in English."""
        return title_parameter_field(self.parameter)

    @property
    def is_select(self) -> bool:
        """Whether the field is a list to choose from."""
        return bool(self.options) and len(self.options) <= MAX_SELECT_OPTIONS

    @property
    def is_optional(self) -> bool:
        """Whether the field may be empty, for all values."""
        return self.parameter.default == NO_DEFAULT

    @property
    def is_offered(self) -> bool:
        """Whether there is something to choose, or a choice to undo."""
        is_single = len(self.options) == 1 and not self.error
        return not is_single or (self.is_optional and self.chosen is not None)

    @property
    def hint(self) -> str:
        """The description of the parameter, unless it says no more than the title; in English."""
        description = self.parameter.description
        return "" if description.lower().startswith(f"only this {self.title.lower()}") else description


def title_parameter_field(parameter: ExampleParameter) -> str:
    """The title of the field for a parameter, in English: by its name, or else by its type."""
    words = words_of_iri(parameter.name)
    titles = (FIELD_TITLES.get(key) for key in (parameter.name, parameter.type))
    return next(filter(None, titles), words[:1].upper() + words[1:])


class ParameterForm(NamedTuple):
    """The fields of an example query, and the terms of the values in them."""

    fields: list[ParameterField]
    terms: dict[str, Any]

    @property
    def has_errors(self) -> bool:
        """Whether a value is wrong."""
        return any(field.error for field in self.fields)

    @property
    def filters(self) -> list[ParameterField]:
        """The fields with a value other than the default."""
        return [
            field
            for field in self.fields
            if field.text and not field.error and field.text != field.parameter.default
        ]


async def read_parameter_form(  # noqa: PLR0913, PLR0917  all of these determine the fields
    request: Request,
    queries: QueryService,
    resource_versions: ResourceVersionsProjection,
    example: ExampleQuery,
    pairs: Pairs,
    solutions: Solutions | None = None,
) -> ParameterForm:
    """The form with the values in `pairs`.

    `solutions` are those without parameters, if they are known. Raises Problem 400 for a text
    that is too long to stay in its field, as the page repeats it in each of its links.
    """
    texts = dict(pairs)
    for parameter in example.parameters:
        check_value_length(parameter.name, texts.get(parameter.name, ""))
    options = await list_parameter_options(request, queries, resource_versions, example, solutions)
    fields, terms = [], {}
    for parameter in example.parameters:
        text, values = texts.get(parameter.name, ""), options[parameter.name]
        term = await find_value_term(request, queries, parameter, text) if text else None
        chosen = (
            find_chosen_value(queries, parameter, term, values)
            if term is not None
            else match_parameter_value(text or parameter.default, values)
        )
        if text and chosen:
            term = ox.NamedNode(chosen.iri)
        if term is not None:
            terms[parameter.name] = term
        error = describe_value_error(text, values) if text and term is None else Markup()
        choices = [*values, chosen] if values and chosen and chosen not in values else values
        fields.append(ParameterField(parameter, choices, chosen.name if chosen else text, chosen, error))
    return ParameterForm(fields, terms)


async def find_value_term(
    request: Request, queries: QueryService, parameter: ExampleParameter, text: str
) -> Any:
    """The term of a value as in addresses; None if it is malformed, or an unknown resource."""
    try:
        return await parse_known_term(request, queries, parameter, text)
    except Problem:
        return None


def find_chosen_value(
    queries: QueryService, parameter: ExampleParameter, term: Any, values: Sequence[ParameterValue]
) -> ParameterValue | None:
    """The value of a term, also one for which the query has no result; None for a literal."""
    if not isinstance(term, ox.NamedNode):
        return None
    labels = find_labels(queries.store, [term.value], label_languages())
    (described,) = build_parameter_values(parameter, [term.value], labels, queries.settings.base)
    return next((value for value in values if value.iri == term.value), described)


def describe_value_error(text: str, values: Sequence[ParameterValue]) -> Markup:
    """The message about a value that is not possible, with the most similar one that is."""
    value = ISOLATED_VALUE_MARKUP % text
    message = escape(gettext("“%(value)s” is not one of the choices.")) % {"value": value}
    near = suggest_parameter_value(text, values)
    if near:
        label = ISOLATED_VALUE_MARKUP % near.label.value
        return Markup("%s %s") % (message, escape(gettext("Did you mean “%(label)s”?")) % {"label": label})
    return Markup("%s %s") % (message, gettext("Choose one from the list.")) if values else message


async def list_parameter_options(
    request: Request,
    queries: QueryService,
    resource_versions: ResourceVersionsProjection,
    example: ExampleQuery,
    solutions: Solutions | None,
) -> dict[str, list[ParameterValue]]:
    """The values to choose from, by parameter name; none if there are more than MAX_OFFERED_VALUES."""
    columns = {parameter.column for parameter in example.parameters if parameter.column}
    iris_by_column: Mapping[str, Collection[str]] = {}
    if columns and solutions:  # if they are not whole, reading them all would take long
        iris_by_column = collect_column_iris(solutions, columns) if solutions.is_whole else {}
    elif columns:
        # Kept until the next write, also if there are none, as they take long to find.
        iris_by_column = await queries.kept_results.get_or_compute(
            ("columns", example.text), partial(read_column_iris, request, queries, example, columns)
        )
    versions = None
    with suppress(Problem):  # while the versions of a large store are built, fields have no values by type
        versions = await resource_versions.get_versions(MAX_VALUES_SECONDS)
    return await run_in_threadpool(
        build_parameter_options, queries, versions, example.parameters, iris_by_column
    )


async def read_column_iris(
    request: Request, queries: QueryService, example: ExampleQuery, columns: Collection[str]
) -> Mapping[str, Collection[str]]:
    """The IRIs in some columns of the result of the query without parameters, if it is not too large."""
    tsv = await select_whole_result(request, queries, example)
    return await run_in_threadpool(collect_tsv_column_iris, tsv, columns)


async def select_whole_result(request: Request, queries: QueryService, example: ExampleQuery) -> bytes:
    """The result of the query without parameters as TSV; empty if it is too large or takes too long."""
    with anyio.move_on_after(MAX_VALUES_SECONDS):
        try:
            return await select_internal_tsv(request, queries, example.text)
        except Problem:
            return b""
    return b""


def collect_tsv_column_iris(tsv: bytes, columns: Collection[str]) -> dict[str, Collection[str]]:
    """The IRIs in some columns of a result in TSV, in its order."""
    if not tsv:
        return {}
    names = [variable.removeprefix("?") for variable in tsv.partition(b"\n")[0].decode().split("\t")]
    indexes = [index for index, name in enumerate(names) if name in columns]
    rows = [[row[index] for index in indexes] for row in split_tsv_cells(tsv)]
    terms = parse_tsv_terms(cell for row in rows for cell in row)
    solutions = Solutions(
        [names[index] for index in indexes], [[terms.get(cell) for cell in row] for row in rows]
    )
    return collect_column_iris(solutions, columns)


def collect_column_iris(solutions: Solutions, columns: Collection[str]) -> dict[str, Collection[str]]:
    """The IRIs in some columns of a result, in its order."""
    return {
        name: dict.fromkeys(iri for row in solutions.rows for iri in split_cell_iris(row[index]))
        for index, name in enumerate(solutions.names)
        if name in columns
    }


def build_parameter_options(
    queries: QueryService,
    versions: ResourceVersions | None,
    parameters: Sequence[ExampleParameter],
    iris_by_column: Mapping[str, Collection[str]],
) -> dict[str, list[ParameterValue]]:
    """The values of each parameter (see `list_parameter_options`), from the columns or by type."""
    store, base = queries.store, queries.settings.base
    options = {}
    for parameter in parameters:
        iris = (
            iris_by_column.get(parameter.column)
            or list_stated_iris(parameter, base)
            or (list_type_iris(versions, store, parameter.type, base) if versions else ())
        )
        iris = iris if len(iris) <= MAX_OFFERED_VALUES else ()
        labels = find_labels(store, iris, label_languages())
        options[parameter.name] = build_parameter_values(parameter, iris, labels, base)
    return options


def list_type_iris(versions: ResourceVersions, store: Store, type_: str, base: str) -> list[str]:
    """The IRIs of the resources of a type; none if it has no namespace of its own, or too many resources."""
    namespaces = namespaces_by_prefix(base)
    if type_ == CRITERION_TYPE:
        iris = [namespaces[type_] + name for name in OTHER_CRITERIA]
    else:
        iris = list_namespace_iris(versions, store, namespaces.get(type_, ""))
    second_iris = list_namespace_iris(versions, store, namespaces.get(SECOND_TYPES.get(type_, ""), ""))
    if type_ in SECOND_TYPE_CLASSES:
        class_ = expand_curie(SECOND_TYPE_CLASSES[type_], base)
        second_iris = [iri for iri in second_iris if store.has_statement(ox.NamedNode(iri), RDF_TYPE, class_)]
    return iris + second_iris


def list_namespace_iris(versions: ResourceVersions, store: Store, namespace: str) -> list[str]:
    """The IRIs of the resources directly in a namespace; none if there are too many."""
    listing = list_folder(versions, store, namespace.rstrip("/")) if namespace else None
    return [*listing.resources] if listing and not listing.after else []


def list_canonical_pairs(form: ParameterForm, pairs: Pairs) -> Pairs:
    """The pairs of the address of a result: without empty values, and with the name of each value."""
    texts = {field.parameter.name: field.text for field in form.fields}
    return [(key, texts.get(key, value)) for key, value in pairs if value]
