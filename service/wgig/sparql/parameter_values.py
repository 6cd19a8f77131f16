"""The values that a parameter of an example query can have: their names in addresses, and their labels."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import pyoxigraph as ox
from wgig_client.namespaces import namespaces_by_prefix

from ..problems import Problem
from ..rdf.labels import label_or_words
from ..rdf.namespaces import shorten_iri
from ..rdf.values import SECOND_TYPES, is_resource_type, parse_parameter_term
from ..text import find_near_name, natural_sort_key
from .examples import ExampleParameter

# Of resources of a second type (`rdf.values.SECOND_TYPES`), only those of this class are values.
SECOND_TYPE_CLASSES = {"mechanism": "wgig:GovernanceMechanism"}


class ParameterValue(NamedTuple):
    """A value of a parameter: the name that stands for it in addresses, its IRI and its label."""

    name: str
    iri: str
    label: ox.Literal


def build_parameter_values(
    parameter: ExampleParameter, iris: Iterable[str], labels: Mapping[str, ox.Literal], base: str
) -> list[ParameterValue]:
    """The values with these IRIs, sorted by label. IRIs without a label are named by their last words."""
    values = [
        ParameterValue(name_parameter_value(parameter, iri, base), iri, label_or_words(labels, iri))
        for iri in dict.fromkeys(iris)
    ]
    return sorted(values, key=lambda value: (natural_sort_key(value.label.value), value.iri))


def name_parameter_value(parameter: ExampleParameter, iri: str, base: str) -> str:
    """The shortest text that the parameter accepts for the IRI."""
    namespaces = namespaces_by_prefix(base)
    prefixes = (parameter.type, SECOND_TYPES.get(parameter.type, ""))
    folders = (*(namespaces[prefix] for prefix in prefixes if prefix in namespaces), f"{base}id/")
    names = [iri.removeprefix(folder) for folder in folders if iri.startswith(folder)]
    for name in (*names, shorten_iri(iri, base)):
        with suppress(Problem):
            if parse_parameter_term(parameter.name, parameter.type, name, base) == ox.NamedNode(iri):
                return name
    return iri


def list_stated_iris(parameter: ExampleParameter, base: str) -> list[str]:
    """The IRIs of the values that the example query names; empty if it names a column, or nothing."""
    if parameter.column or not is_resource_type(parameter.type):
        return []
    return [
        parse_parameter_term(parameter.name, parameter.type, name, base).value for name in parameter.values
    ]


def match_parameter_value(text: str, values: Iterable[ParameterValue]) -> ParameterValue | None:
    """The value with this name or label, in upper or lower case; None if there is none, or more than one."""
    wanted = text.strip().casefold()
    matches = [value for value in values if wanted in (value.name.casefold(), value.label.value.casefold())]
    return next((value for value in matches if value.name == text), matches[0] if len(matches) == 1 else None)


def suggest_parameter_value(text: str, values: Sequence[ParameterValue]) -> ParameterValue | None:
    """The value whose name or label is most similar; None if none is similar."""
    values_by_text = {value.name: value for value in values} | {value.label.value: value for value in values}
    near = find_near_name(text, list(values_by_text))
    return values_by_text[near] if near else None
