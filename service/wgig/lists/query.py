"""Parse a list request, and build one SPARQL query for its filters, sort order, fields and page.

A page has 50 items by default and at most 500; an unpaged list has at most 5000. There are up to 5 sort keys;
the IRI breaks ties. Numbers sort by value, dates by their digits, texts and resources by their English text
or name, case-insensitively. Filter values are serialized RDF terms, which prevents injection.
Counts come from projections (`count_fields`): the query gets them as VALUES.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.namespaces import namespaces_by_prefix

from ..http.bodies import Pairs, parameter_values
from ..problems import Problem, unknown_name_problem
from ..rdf.values import is_resource_type, parse_parameter_term
from .fields import COUNT_TYPE, NAME_PATH, TYPE_FIELD, ListDefinition, ListField
from .filters import (
    FieldFilters,
    FilterValue,
    filter_terms,
    is_number_in_range,
    parse_filter_value,
)
from .parameters import (
    DEFAULT_LIST_PAGE_SIZE,
    MAX_LIST_PAGE_SIZE,
    MAX_SORT_KEYS,
    filterable_fields,
)

MAX_WHOLE_LIST_ITEMS = 5_000  # items of an unpaged list
MAX_LIST_PAGES = 1_000_000
MAX_COUNT_VALUES = 10_000  # numbers that a query to sort or filter by a count may contain
POSITIVE_NUMBER_PATTERN = re.compile(r"[0-9]{1,9}")


CountsByField = Mapping[str, Mapping[str, int]]  # the counts that are not 0, by field name and IRI


@dataclass(frozen=True)
class ListRequest:
    """A request for a list: the values of filters by field name, and the other parameters.

    `q` (a part of the name) and `year` are literals, or None if not given. `sort` has the sort keys: a field,
    or None for the IRI, and whether the order is descending. `pairs` are the parameters of the query string.
    `counts` has the counts that the list is sorted or filtered by, once they are counted.
    """

    definition: ListDefinition
    filters: FieldFilters
    q: Any
    year: Any
    sort: tuple[tuple[ListField | None, bool], ...]
    fields: tuple[ListField, ...]
    page: int
    size: int
    pairs: tuple[tuple[str, str], ...]
    counts: CountsByField

    @property
    def selecting_count_fields(self) -> list[ListField]:
        """The count fields that the list is sorted or filtered by."""
        filtered_fields = [self.definition.by_name[name] for name in self.filters]
        fields = [*filtered_fields, *(key_field for key_field, _ in self.sort if key_field)]
        return [list_field for list_field in dict.fromkeys(fields) if list_field.type == COUNT_TYPE]

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
    filters = {
        name: tuple(
            parse_filter_value(definition, list_field, text, base) for text in parameter_values(pairs, name)
        )
        for name, list_field in filterable_fields(definition).items()
    }
    return ListRequest(
        definition,
        {name: values for name, values in filters.items() if values},
        q=parse_single_term(pairs, "q", "text", base),
        year=parse_single_term(pairs, "year", "year", base),
        sort=parse_sort_order(
            definition, split_field_names(parameter_values(pairs, "sort")) or definition.sort
        ),
        fields=parse_chosen_fields(definition, parameter_values(pairs, "fields")),
        page=parse_positive_number(pairs, "page", 1, MAX_LIST_PAGES),
        size=parse_positive_number(pairs, "size", DEFAULT_LIST_PAGE_SIZE, MAX_LIST_PAGE_SIZE),
        pairs=tuple(pairs),
        counts={},
    )


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
        raise Problem(400, f"sort names {len(names)} fields. Name at most {MAX_SORT_KEYS}.")
    for name in names:
        field_name = name.removeprefix("-")
        if field_name not in ("id", *definition.by_name):
            raise unknown_name_problem(
                f"{definition.title} cannot be sorted by", field_name, ("id", *definition.by_name)
            )
        sort_keys.append((definition.by_name.get(field_name), name.startswith("-")))
    return tuple(sort_keys)


def parse_chosen_fields(definition: ListDefinition, texts: Sequence[str]) -> tuple[ListField, ...]:
    """The requested fields, in the order of the definition; by default all but counts.

    Counts may take long, for many papers, after the start of the service. Raises Problem 400 if unknown.
    """
    names = split_field_names(texts)
    for name in names:
        if name not in ("id", *definition.by_name):
            raise unknown_name_problem(f"/{definition.name} has no field", name, ("id", *definition.by_name))
    return tuple(
        list_field
        for list_field in definition.fields
        if (list_field.name in names if names else list_field.type != COUNT_TYPE)
    )


def parse_positive_number(pairs: Pairs, key: str, default: int, limit: int) -> int:
    """The whole number in a parameter, or the default. Raises Problem 400 if it is not from 1 to `limit`."""
    texts = parameter_values(pairs, key)
    if not texts:
        return default
    if not POSITIVE_NUMBER_PATTERN.fullmatch(texts[0]) or not 1 <= int(texts[0]) <= limit:
        raise Problem(400, f"{key} is {texts[0]!r}. Give a whole number from 1 to {limit}.")
    return int(texts[0])


USED_PREFIX_PATTERN = re.compile(r"(?<![\w-])([a-z][\w-]*):")
# SPARQL sort expressions by field type: numbers by value, even if the graph has them as strings, others as
# strings. `TEXT_SORT_KEY` and `RESOURCE_SORT_KEY` are those of texts and of the names of resources.
SORT_KEY_EXPRESSIONS = {
    "integer": "xsd:integer(STR({0}))",
    "boolean": "{0}",
    COUNT_TYPE: "{0}",
    "name": "LCASE(STR({0}))",
}
# Texts in English or without a language come first: of the texts of a resource, one of them is the key. {1}
# and {2} are prefixes of their keys and of those of other languages.
TEXT_SORT_KEY = 'CONCAT(IF(LANG({0}) IN ("en", ""), "{1}", "{2}"), LCASE(STR({0})))'
# SPARQL conditions on a value {0} and a filter {1}; the filter of a date may be a month or year.
EQUAL_VALUE_FILTER = "STR({0}) = STR({1})"
VALUE_FILTERS = {
    "date": "STRSTARTS(STR({0}), {1})",
    "text": "CONTAINS(LCASE(STR({0})), LCASE({1}))",
}
MAX_FIELD_VALUES = 1_000


def build_list_query(list_request: ListRequest, base: str) -> str:
    """The query for a page of a list.

    One result row has `total`; the others have a resource `id`, a `field`, a `value`, and its `label`.
    """
    filters = " ".join(iter_filter_patterns(list_request))
    keys = list_sort_keys(list_request)
    order = " ".join([*(key.order for key in keys), "?id"])
    offset = (list_request.page - 1) * list_request.size
    return add_query_prefixes(
        f"""SELECT ?total ?id ?field ?value ?label WHERE {{
  {{ SELECT (COUNT(DISTINCT ?id) AS ?total) WHERE {{ {filters} }} }}
  UNION {{
    {{
      SELECT ?id {" ".join(key.projection for key in keys)}
      WHERE {{ {filters} {" ".join(key.pattern for key in keys)} }}
      GROUP BY ?id ORDER BY {order} LIMIT {list_request.size} OFFSET {offset}
    }}
    {build_field_branches(list_request)}
  }}
}} ORDER BY {order}""",
        base,
    )


def build_items_query(list_request: ListRequest, total: int, iris: Sequence[str], base: str) -> str:
    """The query for the page of a list that has these items, with the result rows of `build_list_query`.

    The labels of values are in rows of their own, without an item, as many items have the same values.
    """
    items = " ".join(f"({position} {ox.NamedNode(iri)})" for position, iri in enumerate(iris))
    ids = f"VALUES ?id {{ {' '.join(str(ox.NamedNode(iri)) for iri in iris)} }}"
    fields = select_read_fields(list_request)
    branches = " UNION ".join(
        # The FILTER of a field with a language is evaluated before the join.
        f"{{ {ids if field.language else ''} {build_named_value_pattern(field)} }}"
        for field in fields
    )
    labeled = [field.value_pattern("?value") for field in fields if is_resource_type(field.type)]
    # OPTIONAL, so that the engine looks up the labels of each value, instead of reading all labels.
    labels = (
        f"UNION {{ {{ SELECT DISTINCT ?value WHERE {{ {ids} {{ {' } UNION { '.join(labeled)} }} }} }} "
        f"OPTIONAL {{ ?value {NAME_PATH} ?label }} }}"
    )
    return add_query_prefixes(
        f"""SELECT ?total ?id ?field ?value ?label WHERE {{
  {{ VALUES ?total {{ {total} }} }}
  UNION {{ VALUES (?position ?id) {{ {items} }} {branches} }}
  {labels if labeled else ""}
}} ORDER BY ?position""",
        base,
    )


def select_read_fields(list_request: ListRequest) -> list[ListField]:
    """The fields that a query reads: those of the request, without counts, and the classes."""
    fields = dict.fromkeys((TYPE_FIELD, *list_request.fields))
    return [list_field for list_field in fields if list_field.type != COUNT_TYPE]


def build_field_branches(list_request: ListRequest) -> str:
    """The pattern for the fields of ?id."""
    fields = select_read_fields(list_request)
    return " UNION ".join(f"{{ {build_field_pattern(list_field)} }}" for list_field in fields)


class SortKey(NamedTuple):
    """A sort key in SPARQL: the pattern that binds it, its SELECT projection, and its ORDER BY condition."""

    pattern: str
    projection: str
    order: str


def list_sort_keys(list_request: ListRequest) -> list[SortKey]:
    """The sort keys of a request."""
    return [
        build_sort_key(number, sort_field, is_descending, list_request.counts)
        for number, (sort_field, is_descending) in enumerate(list_request.sort)
    ]


def build_sort_key(
    number: int, sort_field: ListField | None, is_descending: bool, counts: CountsByField
) -> SortKey:
    """The key for a field, or for the IRI: the lowest value, or the highest for a descending order."""
    variable, name_variable, key_variable = f"?sorted{number}", f"?sortedName{number}", f"?key{number}"
    choice, prefixes = ("MAX", ("1", "0")) if is_descending else ("MIN", ("0", "1"))
    if sort_field is None:
        pattern, value = "", "STR(?id)"
    elif sort_field.type == COUNT_TYPE:
        pattern, value = build_count_values(counts[sort_field.name], variable), variable
    elif is_resource_type(sort_field.type):
        pattern = (
            f"{sort_field.value_pattern(variable)} OPTIONAL {{ {variable} {NAME_PATH} {name_variable} }}"
        )
        value = f"COALESCE({TEXT_SORT_KEY.format(name_variable, *prefixes)}, STR({variable}))"
    else:
        pattern = sort_field.value_pattern(variable)
        expression = SORT_KEY_EXPRESSIONS.get(
            sort_field.type, TEXT_SORT_KEY if sort_field.type == "text" else "STR({0})"
        )
        value = expression.format(variable, *prefixes)
    return SortKey(
        f"OPTIONAL {{ {pattern} }}" if pattern else "",
        f"({choice}({value}) AS {key_variable})",
        f"DESC({key_variable})" if is_descending else key_variable,
    )


def build_count_values(counts: Mapping[str, int], variable: str) -> str:
    """The VALUES clause that binds `variable` to the count of ?id.

    Raises Problem 413 for more than MAX_COUNT_VALUES counts.
    """
    check_count_values(counts)
    rows = " ".join(f"({ox.NamedNode(iri)} {count})" for iri, count in counts.items())
    return f"VALUES (?id {variable}) {{ {rows} }}"


def check_count_values(counts: Mapping[str, int]) -> None:
    """Raise Problem 413 if there are too many counts for a query."""
    if len(counts) > MAX_COUNT_VALUES:
        raise Problem(
            413,
            f"{len(counts)} resources have such a count, but a list can be sorted or filtered by "
            f"at most {MAX_COUNT_VALUES}. Sort and filter by other fields.",
        )


def iter_filter_patterns(list_request: ListRequest) -> Iterator[str]:
    """The SPARQL patterns of the filters.

    Filters by values come first, as most selective, then the class, then the others: they need a bound ?id.
    """
    later_patterns = list[str]()
    for number, (name, values) in enumerate(list_request.filters.items()):
        list_field = list_request.definition.by_name[name]
        if list_field.type == "class":
            continue  # build_member_pattern has the classes
        if list_field.type == COUNT_TYPE:
            later_patterns.append(build_count_filter(values, list_request.counts[name]))
        elif len(filter_terms(values)) == len(values):
            yield build_value_filter(number, list_field, filter_terms(values))
        else:
            later_patterns.append(build_optional_filter(number, list_field, values))
    classes = filter_terms(list_request.filters.get("type", ()))
    yield build_member_pattern(list_request.definition, tuple(classes))
    yield from later_patterns
    if list_request.q:
        text_path = "|".join((NAME_PATH, *list_request.definition.description_properties))
        yield f"VALUES ?words {{ {list_request.q} }} ?id {text_path} ?text ."
        yield "FILTER (CONTAINS(LCASE(STR(?text)), LCASE(?words)))"
    if list_request.year:
        dates = [list_request.definition.by_name[name] for name in list_request.definition.date_fields]
        paths = "|".join(date_field.path or date_field.property for date_field in dates)
        yield f"VALUES ?year {{ {list_request.year} }} ?id {paths} ?date ."
        yield "FILTER (STRSTARTS(STR(?date), ?year))"


def build_value_filter(number: int, list_field: ListField, terms: Sequence[Any]) -> str:
    """The pattern of a filter that matches one of the terms."""
    filter_variable, value_variable = f"?filter{number}", f"?value{number}"
    values_clause = f"VALUES {filter_variable} {{ {' '.join(map(str, terms))} }}"
    if is_resource_type(list_field.type):
        return f"{values_clause} {list_field.value_pattern(filter_variable)}"
    condition = VALUE_FILTERS.get(list_field.type, EQUAL_VALUE_FILTER).format(value_variable, filter_variable)
    return f"{values_clause} {list_field.value_pattern(value_variable)} FILTER ({condition})"


def build_optional_filter(number: int, list_field: ListField, values: Sequence[FilterValue]) -> str:
    """The pattern of a filter with ranges, or that matches a resource without a value."""
    variable = f"?value{number}"
    conditions = [build_value_condition(list_field, variable, value) for value in values]
    pattern = list_field.value_pattern(variable)
    if any(value.is_missing for value in values):
        pattern = f"OPTIONAL {{ {pattern} }}"
    return f"{pattern} FILTER ({' || '.join(conditions)})"


def build_value_condition(list_field: ListField, variable: str, value: FilterValue) -> str:
    """The SPARQL condition that a variable, which may be unbound, matches a value of a filter."""
    if value.is_missing:
        return f"!BOUND({variable})"
    if not value.range:
        return VALUE_FILTERS.get(list_field.type, EQUAL_VALUE_FILTER).format(variable, value.term)
    first, last = value.range
    conditions = []
    if list_field.type == "integer":
        number = f"xsd:integer(STR({variable}))"
        conditions += [f"{number} >= {int(first)}"] if first else []
        conditions += [f"{number} <= {int(last)}"] if last else []
    else:
        text = f"STR({variable})"
        conditions += [f"{text} >= {ox.Literal(first)}"] if first else []
        conditions += [f"SUBSTR({text}, 1, {len(last)}) <= {ox.Literal(last)}"] if last else []
    return " && ".join(conditions)


def build_count_filter(values: Sequence[FilterValue], counts: Mapping[str, int]) -> str:
    """The pattern of a filter by a count. Raises Problem 413 for more than MAX_COUNT_VALUES counts."""
    check_count_values(counts)
    ranges = [value.range for value in values if value.range]

    def is_match(count: int) -> bool:
        return any(is_number_in_range(range_, count) for range_ in ranges)

    # A resource without a count has 0, and is not in the counts.
    matches_zero = is_match(0)
    iris = " ".join(
        str(ox.NamedNode(iri)) for iri, count in counts.items() if is_match(count) != matches_zero
    )
    return f"MINUS {{ VALUES ?id {{ {iris} }} }}" if matches_zero else f"VALUES ?id {{ {iris} }}"


def build_member_pattern(definition: ListDefinition, classes: tuple[str, ...] = ()) -> str:
    """The pattern of a resource of the list, of these classes or by default of all its classes.

    If the list has a required pattern, FILTER EXISTS makes the engine start from its matches, not from all
    resources of the class.
    """
    class_pattern = build_class_pattern(classes or definition.class_names)
    members = (
        f"{definition.member_pattern} FILTER EXISTS {{ {class_pattern} }}"
        if definition.member_pattern
        else class_pattern
    )
    exclusion = f"MINUS {{ {definition.excluded_pattern} }}" if definition.excluded_pattern else ""
    return f"{members} FILTER (isIRI(?id)) {exclusion}"


def build_class_pattern(names: Sequence[str]) -> str:
    """The pattern of a resource of one of the classes with these prefixed names."""
    if len(names) == 1:
        return f"?id a {names[0]} ."
    return f"VALUES ?class {{ {' '.join(names)} }} ?id a ?class ."


def build_field_pattern(field: ListField) -> str:
    """The pattern that binds ?value, ?label and ?field for ?id.

    It has no FILTER, as the engine would evaluate a group with a FILTER before the join with ?id.
    """
    labels = f"OPTIONAL {{ ?value {NAME_PATH} ?label }}" if is_resource_type(field.type) else ""
    return f"{build_named_value_pattern(field)} {labels}"


def build_named_value_pattern(field: ListField) -> str:
    """The pattern that binds ?value and ?field for ?id."""
    return f'{field.value_pattern("?value")} BIND ("{field.name}" AS ?field)'


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
