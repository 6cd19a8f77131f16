"""The parameters of example queries for `wgig query`: their values, which may be given by name or by label.

The values are read by SPARQL, so that they are those of the store or endpoint that the query runs on.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyoxigraph as ox
from wgig_client.namespaces import namespaces_by_prefix

from ..problems import Problem, unknown_name_problem
from ..rdf.labels import LABEL_PROPERTIES
from ..rdf.namespaces import expand_curie
from ..rdf.values import CRITERION_TYPE, OTHER_CRITERIA, SECOND_TYPES, is_resource_type, parse_parameter_term
from ..sparql.examples import NO_DEFAULT, ExampleParameter, ExampleQuery, bind_query_parameters
from ..sparql.parameter_values import (
    SECOND_TYPE_CLASSES,
    ParameterValue,
    build_parameter_values,
    list_stated_iris,
    match_parameter_value,
)

RowSelector = Callable[[str], list[dict[str, Any]]]  # returns the solutions of a SELECT
MAX_LISTED_VALUES = 1_000  # of one type


def bind_parameter_arguments(
    example: ExampleQuery, arguments: Sequence[str], select_rows: RowSelector, base: str
) -> str:
    """The text of an example query with the values of `--param`, each as NAME=VALUE.

    A value is a name as in addresses, or a label. Raises Problem 400 for an argument without `=`, an unknown
    parameter, or a value that is invalid or unknown.
    """
    parameters = {parameter.name: parameter for parameter in example.parameters}
    terms = {}
    for argument in arguments:
        name, separator, text = argument.partition("=")
        if not separator:
            raise Problem(400, f"--param {argument} has no value. Write it as NAME=VALUE.")
        if name not in parameters:
            raise unknown_name_problem(f"The query {example.name} has no parameter", name, parameters)
        terms[name] = find_argument_term(example, parameters[name], text, select_rows, base)
    return bind_query_parameters(example.source, terms)


def find_argument_term(
    example: ExampleQuery, parameter: ExampleParameter, text: str, select_rows: RowSelector, base: str
) -> Any:
    """The term of a value. Raises Problem 400 if it is invalid, or an unknown resource."""
    error: Problem | None = None
    try:
        term = parse_parameter_term(parameter.name, parameter.type, text, base)
        if not is_resource_type(parameter.type) or is_stated_iri(term, select_rows):
            return term
    except Problem as problem:
        error = problem
    values = list_argument_values(example, parameter, select_rows, base) if text else []
    if match := match_parameter_value(text, values):
        return ox.NamedNode(match.iri)
    if error:
        raise error
    raise unknown_name_problem(f"{parameter.name} cannot be", text, [value.name for value in values])


def is_stated_iri(iri: ox.NamedNode, select_rows: RowSelector) -> bool:
    """Whether a statement has the IRI as its subject or object."""
    query = f"SELECT ?p WHERE {{ {{ {iri} ?p ?o }} UNION {{ ?s ?p {iri} }} }} LIMIT 1"
    return bool(select_rows(query))


def list_argument_values(
    example: ExampleQuery, parameter: ExampleParameter, select_rows: RowSelector, base: str
) -> list[ParameterValue]:
    """The values of a parameter for which the query has a result, or else all values of its type."""
    from ..sparql.result_table import split_cell_iris  # noqa: PLC0415  costs 60 ms, and is rarely needed

    iris = list_stated_iris(parameter, base)
    if parameter.column:
        cells = (row.get(parameter.column) for row in select_rows(example.text))
        iris = list(dict.fromkeys(iri for cell in cells for iri in split_cell_iris(cell)))
    iris = iris or list_iris_by_type(parameter.type, select_rows, base)
    return build_parameter_values(parameter, iris, find_labels_by_query(iris, select_rows), base)


def list_iris_by_type(type_: str, select_rows: RowSelector, base: str) -> list[str]:
    """The IRIs of up to MAX_LISTED_VALUES resources of a type, and of its second type."""
    namespaces, second_type = namespaces_by_prefix(base), SECOND_TYPES.get(type_, "")
    stated = [namespaces[type_] + name for name in OTHER_CRITERIA] if type_ == CRITERION_TYPE else []
    class_ = expand_curie(SECOND_TYPE_CLASSES[type_], base) if type_ in SECOND_TYPE_CLASSES else "?class"
    patterns = [(namespaces.get(type_, ""), "?class"), (namespaces.get(second_type, ""), class_)]
    iris = [
        row["value"].value
        for namespace, class_term in patterns
        if namespace
        for row in select_rows(
            f"SELECT DISTINCT ?value WHERE {{ ?value a {class_term} "
            f'FILTER (STRSTARTS(STR(?value), "{namespace}")'
            f' && !CONTAINS(STRAFTER(STR(?value), "{namespace}"), "/")) }} LIMIT {MAX_LISTED_VALUES}'
        )
    ]
    return list(dict.fromkeys([*stated, *iris]))


def find_labels_by_query(iris: Iterable[str], select_rows: RowSelector) -> dict[str, ox.Literal]:
    """The best label of each IRI that has one."""
    from ..store.labels import best_label  # noqa: PLC0415  loads the store, which is rarely needed
    from ..store.view import serialize_values_block  # noqa: PLC0415

    properties = " ".join(f"<{iri}>" for iri in LABEL_PROPERTIES)
    rows = select_rows(
        f"SELECT ?value ?property ?label WHERE {{ VALUES ?value {{ {serialize_values_block(iris)} }} "
        f"VALUES ?property {{ {properties} }} ?value ?property ?label }}"
    )
    candidates: dict[str, list[tuple[ox.NamedNode, Any]]] = {}
    for row in rows:
        candidates.setdefault(row["value"].value, []).append((row["property"], row["label"]))
    labels = {iri: best_label(pairs, ()) for iri, pairs in candidates.items()}
    return {iri: label for iri, label in labels.items() if label is not None}


def describe_parameters(example: ExampleQuery, select_rows: RowSelector, base: str) -> list[list[str]]:
    """A row for each value of each parameter: the parameter, the value, its label.

    The first row of a parameter has its description, and its default if it has one.
    """
    rows = []
    for parameter in example.parameters:
        default = "" if parameter.default == NO_DEFAULT else f" Default: {parameter.default}."
        rows.append([parameter.name, "", f"{parameter.description}{default}"])
        if is_resource_type(parameter.type):
            values = list_argument_values(example, parameter, select_rows, base)
            rows += [[parameter.name, value.name, value.label.value] for value in values]
    return rows
