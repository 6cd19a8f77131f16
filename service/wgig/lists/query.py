"""Parse a list request, and build one SPARQL query for its filters, sort order, fields and page.

A page has 50 items by default and at most 500; an unpaged list has at most 5000. There are up to 5 sort keys;
the IRI breaks ties. Numbers sort by value, dates by their digits, text case-insensitively. A date filter
matches a prefix, such as a month or year. Filter values are serialized RDF terms in VALUES clauses, which
prevents injection.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..http.bodies import Pairs, parameter_values
from ..problems import Problem, unknown_name_problem
from ..rdf.namespaces import namespaces_by_prefix
from ..rdf.values import is_resource_type, parse_parameter_term
from .fields import NAME_PATH, TYPE_FIELD, ListDefinition, ListField
from .parameters import (
    DEFAULT_LIST_PAGE_SIZE,
    FILTER_VALUE_TYPES,
    MAX_LIST_PAGE_SIZE,
    MAX_SORT_KEYS,
    filterable_fields,
)

MAX_WHOLE_LIST_ITEMS = 5_000  # items of an unpaged list
MAX_LIST_PAGES = 1_000_000
POSITIVE_NUMBER_PATTERN = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class ListRequest:
    """A request for a list: the terms of filters by field name, and the other parameters.

    `q` (a part of the name) and `year` are literals, or None if not given. `sort` has the sort keys: a field,
    or None for the IRI, and whether the order is descending. `pairs` are the parameters of the query string.
    """

    definition: ListDefinition
    filters: dict[str, tuple[Any, ...]]
    q: Any
    year: Any
    sort: tuple[tuple[ListField | None, bool], ...]
    fields: tuple[ListField, ...]
    page: int
    size: int
    pairs: tuple[tuple[str, str], ...]

    def page_parameters(self, page: int) -> list[tuple[str, str]]:
        """The parameters of a page of the same list.

        If the request has `page`, the first page has it, too: without it, CSV would be the whole list.
        """
        parameters = [pair for pair in self.pairs if pair[0] not in ("_mediatype", "_profile", "page")]
        return [*parameters, ("page", str(page))] if page > 1 or "page" in dict(self.pairs) else parameters

    @property
    def is_paged(self) -> bool:
        """Whether the request has the parameter `page` or `size`."""
        return not {"page", "size"}.isdisjoint(dict(self.pairs))

    def as_single_page(self) -> "ListRequest":
        """The same list on one page of up to MAX_WHOLE_LIST_ITEMS items."""
        return replace(self, size=MAX_WHOLE_LIST_ITEMS)


def parse_list_request(definition: ListDefinition, pairs: Pairs, base: str) -> ListRequest:
    """The list request of a query string whose parameters fit the model of the list.

    Raises Problem 400 for an invalid value or an unknown field.
    """
    terms_by_field = {
        name: parse_filter_terms(definition, field, parameter_values(pairs, name), base)
        for name, field in filterable_fields(definition).items()
    }
    return ListRequest(
        definition,
        {name: terms for name, terms in terms_by_field.items() if terms},
        q=parse_single_term(pairs, "q", "text", base),
        year=parse_single_term(pairs, "year", "year", base),
        sort=parse_sort_order(
            definition, split_field_names(parameter_values(pairs, "sort")) or definition.sort
        ),
        fields=parse_chosen_fields(definition, parameter_values(pairs, "fields")),
        page=parse_positive_number(pairs, "page", 1, MAX_LIST_PAGES),
        size=parse_positive_number(pairs, "size", DEFAULT_LIST_PAGE_SIZE, MAX_LIST_PAGE_SIZE),
        pairs=tuple(pairs),
    )


def parse_filter_terms(
    definition: ListDefinition, field: ListField, texts: Sequence[str], base: str
) -> tuple[Any, ...]:
    """The terms of the values of a filter. Raises Problem 400 for an invalid value."""
    if field.type == "class":
        return tuple(parse_list_class(definition, text) for text in texts)
    type_ = FILTER_VALUE_TYPES.get(field.type, field.type)
    return tuple(parse_parameter_term(field.name, type_, text, base) for text in texts)


def parse_list_class(definition: ListDefinition, text: str) -> str:
    """The prefixed name of a class, from its local or prefixed name. Raises Problem 400 for other names."""
    classes_by_name = {
        name.rpartition(":")[2]: name if ":" in name else f"wgig:{name}" for name in definition.classes
    }
    if text not in (*classes_by_name, *classes_by_name.values()):
        raise unknown_name_problem(f"/{definition.name} has no type", text, classes_by_name)
    return classes_by_name.get(text, text)


def parse_single_term(pairs: Pairs, key: str, type_: str, base: str) -> Any:
    """The term of a parameter; None if it is missing. Raises Problem 400 for an invalid value."""
    texts = parameter_values(pairs, key)
    return parse_parameter_term(key, type_, texts[0], base) if texts else None


def split_field_names(texts: Sequence[str]) -> tuple[str, ...]:
    """The names in comma-separated values."""
    return tuple(name for text in texts for name in text.split(","))


def parse_sort_order(
    definition: ListDefinition, names: Sequence[str]
) -> tuple[tuple[ListField | None, bool], ...]:
    """The sort keys of `ListRequest`. Raises Problem 400 for unknown or too many fields."""
    sort_keys = []
    if len(names) > MAX_SORT_KEYS:
        raise Problem(400, f"sort names {len(names)} fields. Name {MAX_SORT_KEYS} at most.")
    for name in names:
        field_name = name.removeprefix("-")
        if field_name not in ("id", *definition.by_name):
            raise unknown_name_problem(
                f"/{definition.name} cannot be sorted by", field_name, ("id", *definition.by_name)
            )
        sort_keys.append((definition.by_name.get(field_name), name.startswith("-")))
    return tuple(sort_keys)


def parse_chosen_fields(definition: ListDefinition, texts: Sequence[str]) -> tuple[ListField, ...]:
    """The requested fields, in the order of the definition; by default all. Raises Problem 400 if unknown."""
    names = split_field_names(texts)
    for name in names:
        if name not in ("id", *definition.by_name):
            raise unknown_name_problem(f"/{definition.name} has no field", name, ("id", *definition.by_name))
    return tuple(field for field in definition.fields if not names or field.name in names)


def parse_positive_number(pairs: Pairs, key: str, default: int, limit: int) -> int:
    """The whole number in a parameter, or the default. Raises Problem 400 if it is not from 1 to `limit`."""
    texts = parameter_values(pairs, key)
    if not texts:
        return default
    if not POSITIVE_NUMBER_PATTERN.fullmatch(texts[0]) or not 1 <= int(texts[0]) <= limit:
        raise Problem(400, f"{key} is {texts[0]!r}. Give a whole number from 1 to {limit}.")
    return int(texts[0])


def list_filter_iris(list_request: ListRequest) -> list[tuple[ListField, str]]:
    """The fields that are filtered by resources, each with the IRI of such a resource."""
    return [
        (list_request.definition.by_name[name], term.value)
        for name, terms in list_request.filters.items()
        if is_resource_type(list_request.definition.by_name[name].type)
        for term in terms
    ]


USED_PREFIX_PATTERN = re.compile(r"(?<![\w-])([a-z][\w-]*):")
# SPARQL sort expressions by field type: numbers by value, even if the graph has them as strings, text
# case-insensitively, others as strings.
SORT_KEY_EXPRESSIONS = {
    "integer": "xsd:integer(STR({0}))",
    "boolean": "{0}",
    "text": "LCASE(STR({0}))",
    "name": "LCASE(STR({0}))",
}
# SPARQL conditions on a value {0} and a filter {1}; the filter of a date may be a month or year.
EQUAL_VALUE_FILTER, VALUE_FILTERS = "STR({0}) = STR({1})", {"date": "STRSTARTS(STR({0}), {1})"}
MAX_FIELD_VALUES = 1_000


def build_list_query(list_request: ListRequest, base: str) -> str:
    """The query for a page of a list.

    One result row has `total`; the others have a resource `id`, a `field`, a `value`, and its `label`.
    """
    filters = " ".join(iter_filter_patterns(list_request))
    keys = [build_sort_key(number, *sort_field) for number, sort_field in enumerate(list_request.sort)]
    order = " ".join([*(key.order for key in keys), "?id"])
    offset = (list_request.page - 1) * list_request.size
    branches = " UNION ".join(
        f"{{ {build_field_pattern(field)} }}" for field in dict.fromkeys((TYPE_FIELD, *list_request.fields))
    )
    return add_query_prefixes(
        f"""SELECT ?total ?id ?field ?value ?label WHERE {{
  {{ SELECT (COUNT(DISTINCT ?id) AS ?total) WHERE {{ {filters} }} }}
  UNION {{
    {{
      SELECT ?id {" ".join(key.projection for key in keys)}
      WHERE {{ {filters} {" ".join(key.pattern for key in keys)} }}
      GROUP BY ?id ORDER BY {order} LIMIT {list_request.size} OFFSET {offset}
    }}
    {branches}
  }}
}} ORDER BY {order}""",
        base,
    )


def build_matching_iris_query(list_request: ListRequest, base: str) -> str:
    """The query for all matching resources, sorted. A result row has the resource `id`."""
    keys = [build_sort_key(number, *sort_field) for number, sort_field in enumerate(list_request.sort)]
    return add_query_prefixes(
        f"""SELECT ?id WHERE {{
  SELECT ?id {" ".join(key.projection for key in keys)}
  WHERE {{ {" ".join(iter_filter_patterns(list_request))} {" ".join(key.pattern for key in keys)} }}
  GROUP BY ?id ORDER BY {" ".join([*(key.order for key in keys), "?id"])}
}}""",
        base,
    )


class SortKey(NamedTuple):
    """A sort key in SPARQL: the pattern that binds it, its SELECT projection, and its ORDER BY condition."""

    pattern: str
    projection: str
    order: str


def build_sort_key(number: int, field: ListField | None, is_descending: bool) -> SortKey:
    """The key for a field, or for the IRI: the lowest value, or the highest for a descending order."""
    variable, key_variable = f"?sorted{number}", f"?key{number}"
    value = SORT_KEY_EXPRESSIONS.get(field.type, "STR({0})").format(variable) if field else "STR(?id)"
    return SortKey(
        f"OPTIONAL {{ {field.value_pattern(variable)} }}" if field else "",
        f"({'MAX' if is_descending else 'MIN'}({value}) AS {key_variable})",
        f"DESC({key_variable})" if is_descending else key_variable,
    )


def iter_filter_patterns(list_request: ListRequest) -> Iterator[str]:
    """The SPARQL patterns of the filters: first by values, as most selective, then class, `q` and `year`."""
    for number, (name, terms) in enumerate(list_request.filters.items()):
        field = list_request.definition.by_name[name]
        if field.type == "class":
            continue  # build_member_pattern has the classes
        values, filter_variable = " ".join(map(str, terms)), f"?filter{number}"
        yield f"VALUES {filter_variable} {{ {values} }}"
        if is_resource_type(field.type):
            yield field.value_pattern(filter_variable)
        else:
            value_variable = f"?value{number}"
            condition = VALUE_FILTERS.get(field.type, EQUAL_VALUE_FILTER).format(
                value_variable, filter_variable
            )
            yield f"{field.value_pattern(value_variable)} FILTER ({condition})"
    yield build_member_pattern(list_request.definition, list_request.filters.get("type", ()))
    if list_request.q:
        yield f"VALUES ?words {{ {list_request.q} }} ?id {NAME_PATH} ?name ."
        yield "FILTER (CONTAINS(LCASE(STR(?name)), LCASE(?words)))"
    if list_request.year:
        dates = [list_request.definition.by_name[name] for name in list_request.definition.date_fields]
        paths = "|".join(field.path or field.property for field in dates)
        yield f"VALUES ?year {{ {list_request.year} }} ?id {paths} ?date ."
        yield "FILTER (STRSTARTS(STR(?date), ?year))"


def build_member_pattern(definition: ListDefinition, classes: tuple[str, ...] = ()) -> str:
    """The pattern of a resource of the list, of these classes or by default of all its classes.

    If the list has a required pattern, FILTER EXISTS makes the engine start from its matches, not from all
    resources of the class.
    """
    names = classes or tuple(name if ":" in name else f"wgig:{name}" for name in definition.classes)
    class_pattern = (
        f"?id a {names[0]} ." if len(names) == 1 else f"VALUES ?class {{ {' '.join(names)} }} ?id a ?class ."
    )
    members = (
        f"{definition.required_pattern} FILTER EXISTS {{ {class_pattern} }}"
        if definition.required_pattern
        else class_pattern
    )
    exclusion = f"MINUS {{ {definition.excluded_pattern} }}" if definition.excluded_pattern else ""
    return f"{members} FILTER (isIRI(?id)) {exclusion}"


def build_field_pattern(field: ListField) -> str:
    """The pattern that binds ?value, ?label and ?field for ?id.

    It has no FILTER, as the engine would evaluate a group with a FILTER before the join with ?id.
    """
    labels = f"OPTIONAL {{ ?value {NAME_PATH} ?label }}" if is_resource_type(field.type) else ""
    return f'{field.value_pattern("?value")} {labels} BIND ("{field.name}" AS ?field)'


def build_field_values_query(definition: ListDefinition, field: ListField, base: str) -> str:
    """The query for the values of a field in a list, up to MAX_FIELD_VALUES."""
    pattern = f"{build_member_pattern(definition)} {field.value_pattern('?value')}"
    return add_query_prefixes(f"SELECT DISTINCT ?value WHERE {{ {pattern} }} LIMIT {MAX_FIELD_VALUES}", base)


def add_query_prefixes(query: str, base: str) -> str:
    """The query with declarations of the prefixes that it uses."""
    namespaces, used_prefixes = namespaces_by_prefix(base), set(USED_PREFIX_PATTERN.findall(query))
    return (
        "".join(
            f"PREFIX {prefix}: <{namespaces[prefix]}>\n"
            for prefix in sorted(used_prefixes & namespaces.keys())
        )
        + query
    )
