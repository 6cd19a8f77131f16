"""Filters of lists: the values of a query parameter that filters by a field, and what they match.

A value is a term, the beginning of a date, or a part of a text; a range such as `2..5`, `2..` or `..2005-02`,
with both ends included, of numbers and dates; or `none`, which matches a resource without a value.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from wgig_client.literals import term_text

from ..problems import Problem, unknown_name_problem
from ..rdf.namespaces import expand_curie
from ..rdf.values import is_resource_type, parse_parameter_term
from .fields import COUNT_TYPE, ListDefinition, ListField

NO_VALUE_TEXT, RANGE_SEPARATOR = "none", ".."
RANGE_TYPES = frozenset({"integer", "date", COUNT_TYPE})
# Types of filter values (`rdf.values`) that differ from the type of the field, by type of the field.
FILTER_VALUE_TYPES = {"name": "text", "string": "text", "date": "moment", COUNT_TYPE: "integer"}


class ValueRange(NamedTuple):
    """The first and last value of a range, as texts; an empty one leaves that end open."""

    first: str
    last: str


ZERO_RANGE = ValueRange("0", "0")


class FilterValue(NamedTuple):
    """A value of a filter: its text in the query string, and the term or range that it stands for.

    The term of a class is its prefixed name. Without term and range, it matches a resource without a value.
    """

    text: str
    term: Any = None
    range: ValueRange | None = None

    @property
    def is_missing(self) -> bool:
        """Whether it matches resources without a value."""
        return self.term is None and self.range is None


FieldFilters = dict[str, tuple[FilterValue, ...]]  # by the name of the field


def parse_filter_value(definition: ListDefinition, field: ListField, text: str, base: str) -> FilterValue:
    """A value of the filter by a field. Raises Problem 400 for an invalid one."""
    type_ = FILTER_VALUE_TYPES.get(field.type, field.type)
    if field.type == "class":
        return FilterValue(text, parse_list_class(definition, text))
    if text == NO_VALUE_TEXT:
        return FilterValue(text, range=ZERO_RANGE if field.type == COUNT_TYPE else None)
    if field.type in RANGE_TYPES and RANGE_SEPARATOR in text:
        first, _, last = text.partition(RANGE_SEPARATOR)
        ends = [parse_parameter_term(field.name, type_, end, base) for end in (first, last) if end]
        if not ends:
            raise Problem(400, f"{field.name} is {text!r}. Give a first value, a last one, or both.")
        return FilterValue(text, range=ValueRange(first, last))
    term = parse_parameter_term(field.name, type_, text, base, NO_VALUE_TEXT)
    if field.type == COUNT_TYPE and text.startswith("-"):
        raise Problem(400, f"{field.name} is {text!r}. A number of resources is not negative.")
    return (
        FilterValue(text, range=ValueRange(text, text))
        if field.type == COUNT_TYPE
        else FilterValue(text, term)
    )


def parse_list_class(definition: ListDefinition, text: str) -> str:
    """The prefixed name of a class, from its local or prefixed name. Raises Problem 400 for other names."""
    classes_by_name = {
        name.rpartition(":")[2]: name if ":" in name else f"wgig:{name}" for name in definition.classes
    }
    if text not in (*classes_by_name, *classes_by_name.values()):
        raise unknown_name_problem(f"/{definition.name} has no type", text, classes_by_name)
    return classes_by_name.get(text, text)


def is_filter_match(
    field: ListField, filter_values: Sequence[FilterValue], texts: Sequence[str], base: str
) -> bool:
    """Whether a resource with these texts of a field matches one of the values of the filter by it."""
    return any(
        not texts if value.is_missing else any(is_value_match(field, value, text, base) for text in texts)
        for value in filter_values
    )


def is_value_match(field: ListField, value: FilterValue, text: str, base: str) -> bool:
    """Whether the text of a term of a field matches the term or range of a value of the filter by it."""
    if value.range:
        return is_in_range(field, value.range, text)
    if field.type == "class":
        return text == expand_curie(value.term, base).value
    wanted_text = term_text(value.term)
    if field.type == "date":
        return text.startswith(wanted_text)
    if field.type == "text":
        return wanted_text.lower() in text.lower()
    return text == wanted_text


def is_in_range(field: ListField, range_: ValueRange, text: str) -> bool:
    """Whether the text of a number or date is in a range; all days of a last month or year are."""
    if field.type == "date":
        return text >= range_.first and (not range_.last or text[: len(range_.last)] <= range_.last)
    try:
        number = int(text)
    except ValueError:
        return False
    return is_number_in_range(range_, number)


def is_number_in_range(range_: ValueRange, number: int) -> bool:
    """Whether a number is in a range."""
    return (not range_.first or int(range_.first) <= number) and (
        not range_.last or number <= int(range_.last)
    )


def filter_terms(filter_values: Sequence[FilterValue]) -> list[Any]:
    """The terms among the values of a filter."""
    return [value.term for value in filter_values if value.term is not None]


def filtered_resources(definition: ListDefinition, filters: FieldFilters) -> list[tuple[ListField, str]]:
    """The fields that are filtered by resources, each with the IRI of such a resource."""
    return [
        (definition.by_name[name], term.value)
        for name, values in filters.items()
        if is_resource_type(definition.by_name[name].type)
        for term in filter_terms(values)
    ]
