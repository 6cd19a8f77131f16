"""The query of a list request: filters, sort order, fields and pages, as one SPARQL query.

A page has 50 items by default and at most 500; a list given whole has at most 5000. Up to 5 sort keys; the
IRI breaks ties. Numbers sort by value, dates by their digits, text without regard to case. A date filter
matches by prefix, such as a month or year. Values are terms that the engine serializes, each in its own
VALUES clause (no injection); rare filters come first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..http.bodies import Pairs, parameter_values
from ..http.parameters import check_parameter_pairs
from ..problems import Problem, unknown_name_problem
from ..rdf.namespaces import namespaces_by_prefix
from ..rdf.values import is_resource_type, parse_parameter_term
from .fields import NAME_PATH, TYPE_FIELD, ListDefinition, ListField

DEFAULT_LIST_PAGE_SIZE, MAX_LIST_PAGE_SIZE = 50, 500  # things on a page, if nothing is said, and at most
MAX_WHOLE_LIST_ITEMS = 5_000  # things of a list that is given whole
MAX_LIST_PAGES = 1_000_000  # pages
MAX_SORT_KEYS = 5  # fields to sort by
POSITIVE_NUMBER_PATTERN = re.compile(r"[0-9]{1,9}")
FILTER_VALUE_TYPES = {"name": "text", "date": "moment"}  # the types of what is written for those of fields
SINGLE_LIST_PARAMETERS = ("q", "sort", "fields", "page", "size", "_mediatype", "_profile")


@dataclass(frozen=True)
class ListRequest:
    """What is asked of a list: terms by the field that has one of them, and the rest by name of parameter.

    `sort` pairs a field, or None for the IRI, with whether it falls.
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

        Who asked for a page is led to the first one by its number, too: without it a table is the whole list.
        """
        kept = [pair for pair in self.pairs if pair[0] not in ("_mediatype", "_profile", "page")]
        return [*kept, ("page", str(page))] if page > 1 or "page" in dict(self.pairs) else kept

    @property
    def is_paged(self) -> bool:
        """Whether a page or its size is asked for."""
        return not {"page", "size"}.isdisjoint(dict(self.pairs))

    def as_single_page(self) -> "ListRequest":
        """The same list on one page, which holds up to MAX_WHOLE_LIST_ITEMS things."""
        return replace(self, size=MAX_WHOLE_LIST_ITEMS)


def parse_list_request(one: ListDefinition, pairs: Pairs, base: str) -> ListRequest:
    """What the pairs of a query string ask of a list. Raises Problem 400 for what it does not have."""
    filters = filterable_fields(one)
    check_parameter_pairs(
        pairs, (*SINGLE_LIST_PARAMETERS, *(["year"] if one.date_fields else [])), tuple(filters)
    )
    wanted = {
        name: parse_filter_terms(one, filters[name], parameter_values(pairs, name), base) for name in filters
    }
    return ListRequest(
        one,
        {name: terms for name, terms in wanted.items() if terms},
        q=parse_single_term(pairs, "q", "text", base),
        year=parse_single_term(pairs, "year", "year", base),
        sort=parse_sort_order(one, split_field_names(parameter_values(pairs, "sort")) or one.sort),
        fields=parse_chosen_fields(one, parameter_values(pairs, "fields")),
        page=parse_positive_number(pairs, "page", 1, MAX_LIST_PAGES),
        size=parse_positive_number(pairs, "size", DEFAULT_LIST_PAGE_SIZE, MAX_LIST_PAGE_SIZE),
        pairs=tuple(pairs),
    )


def filterable_fields(one: ListDefinition) -> dict[str, ListField]:
    """The fields that things can be chosen by: all but free text."""
    return {field.name: field for field in one.fields if field.type not in ("text", "string")}


def parse_filter_terms(
    one: ListDefinition, field: ListField, texts: Sequence[str], base: str
) -> tuple[Any, ...]:
    """The terms that the values of a filter stand for."""
    if field.type == "class":
        return tuple(parse_list_class(one, text) for text in texts)
    type_ = FILTER_VALUE_TYPES.get(field.type, field.type)
    return tuple(parse_parameter_term(field.name, type_, text, base) for text in texts)


def parse_list_class(one: ListDefinition, text: str) -> str:
    """The class of a list, with prefix, that a text names."""
    known = {name.rpartition(":")[2]: name if ":" in name else f"wgig:{name}" for name in one.classes}
    if text not in (*known, *known.values()):
        raise unknown_name_problem(f"/{one.name} has no type", text, known)
    return known.get(text, text)


def parse_single_term(pairs: Pairs, key: str, type_: str, base: str) -> Any:
    """The term of a parameter; None where it is not given."""
    texts = parameter_values(pairs, key)
    return parse_parameter_term(key, type_, texts[0], base) if texts else None


def split_field_names(texts: Sequence[str]) -> tuple[str, ...]:
    """The names in values that hold several, with commas between."""
    return tuple(name for text in texts for name in text.split(","))


def parse_sort_order(one: ListDefinition, names: Sequence[str]) -> tuple[tuple[ListField | None, bool], ...]:
    """The fields to sort by, and whether each falls; the IRI decides between equals."""
    found = []
    if len(names) > MAX_SORT_KEYS:
        raise Problem(400, f"sort names {len(names)} fields. Name {MAX_SORT_KEYS} at most.")
    for name in names:
        bare = name.removeprefix("-")
        if bare not in ("id", *one.by_name):
            raise unknown_name_problem(f"/{one.name} cannot be sorted by", bare, ("id", *one.by_name))
        found.append((one.by_name.get(bare), name.startswith("-")))
    return tuple(found)


def parse_chosen_fields(one: ListDefinition, texts: Sequence[str]) -> tuple[ListField, ...]:
    """The fields that are asked for, in the order of the list; all, if nothing is said."""
    names = split_field_names(texts)
    for name in names:
        if name not in ("id", *one.by_name):
            raise unknown_name_problem(f"/{one.name} has no field", name, ("id", *one.by_name))
    return tuple(field for field in one.fields if not names or field.name in names)


def parse_positive_number(pairs: Pairs, key: str, default: int, most: int) -> int:
    """A number from 1 on."""
    texts = parameter_values(pairs, key)
    if not texts:
        return default
    if not POSITIVE_NUMBER_PATTERN.fullmatch(texts[0]) or not 1 <= int(texts[0]) <= most:
        raise Problem(400, f"{key} is {texts[0]!r}. Give a whole number from 1 to {most}.")
    return int(texts[0])


def list_filter_iris(one: ListRequest) -> list[tuple[ListField, str]]:
    """The IRIs that things are chosen by, each with its field."""
    return [
        (one.definition.by_name[name], found.value)
        for name, terms in one.filters.items()
        if is_resource_type(one.definition.by_name[name].type)
        for found in terms
    ]


USED_PREFIX_PATTERN = re.compile(r"(?<![\w-])([a-z][\w-]*):")
# How fields of a type are sorted: numbers by size, dates by their digits, texts without regard to case.
SORT_KEY_EXPRESSIONS = {
    "integer": "{0}",
    "boolean": "{0}",
    "text": "LCASE(STR({0}))",
    "name": "LCASE(STR({0}))",
}
# When a value fits one that is asked for: a day is of the month and the year that it begins with.
EQUAL_VALUE_FILTER, VALUE_FILTERS = "STR({0}) = STR({1})", {"date": "STRSTARTS(STR({0}), {1})"}
MAX_FIELD_VALUES = 1_000


def build_list_query(asked: ListRequest, base: str) -> str:
    """The query. A row holds the `total`, or for a thing `id` a `field`, a `value` and a `label` of that."""
    fitting = " ".join(iter_filter_patterns(asked))
    keys = [build_sort_key(number, *one) for number, one in enumerate(asked.sort)]
    order = " ".join([*(one.order for one in keys), "?id"])
    branches = " UNION ".join(
        f"{{ {build_field_pattern(one)} }}" for one in dict.fromkeys((TYPE_FIELD, *asked.fields))
    )
    return add_query_prefixes(
        f"""SELECT ?total ?id ?field ?value ?label WHERE {{
  {{ SELECT (COUNT(DISTINCT ?id) AS ?total) WHERE {{ {fitting} }} }}
  UNION {{
    {{
      SELECT ?id {" ".join(one.projection for one in keys)}
      WHERE {{ {fitting} {" ".join(one.pattern for one in keys)} }}
      GROUP BY ?id ORDER BY {order} LIMIT {asked.size} OFFSET {(asked.page - 1) * asked.size}
    }}
    {branches}
  }}
}} ORDER BY {order}""",
        base,
    )


def build_matching_iris_query(asked: ListRequest, base: str) -> str:
    """The query for all things that fit, in their order. A row holds the thing `id`."""
    keys = [build_sort_key(number, *one) for number, one in enumerate(asked.sort)]
    return add_query_prefixes(
        f"""SELECT ?id WHERE {{
  SELECT ?id {" ".join(one.projection for one in keys)}
  WHERE {{ {" ".join(iter_filter_patterns(asked))} {" ".join(one.pattern for one in keys)} }}
  GROUP BY ?id ORDER BY {" ".join([*(one.order for one in keys), "?id"])}
}}""",
        base,
    )


class SortKey(NamedTuple):
    """What things are sorted by: the pattern that finds it, what is chosen of what it finds, the order."""

    pattern: str
    projection: str
    order: str


def build_sort_key(number: int, field: ListField | None, falls: bool) -> SortKey:
    """The key of a field, by default the IRI: the lowest value, or the highest where the order falls."""
    found, name = f"?sorted{number}", f"?key{number}"
    value = SORT_KEY_EXPRESSIONS.get(field.type, "STR({0})").format(found) if field else "STR(?id)"
    return SortKey(
        f"OPTIONAL {{ {field.value_pattern(found)} }}" if field else "",
        f"({'MAX' if falls else 'MIN'}({value}) AS {name})",
        f"DESC({name})" if falls else name,
    )


def iter_filter_patterns(asked: ListRequest) -> Iterator[str]:
    """The patterns that the things of a list fit, those that are rare first."""
    for number, (name, terms) in enumerate(asked.filters.items()):
        field = asked.definition.by_name[name]
        if field.type == "class":
            continue
        values, wanted = " ".join(map(str, terms)), f"?wanted{number}"
        yield f"VALUES {wanted} {{ {values} }}"
        if is_resource_type(field.type):
            yield field.value_pattern(wanted)
        else:
            found = f"?found{number}"
            condition = VALUE_FILTERS.get(field.type, EQUAL_VALUE_FILTER).format(found, wanted)
            yield f"{field.value_pattern(found)} FILTER ({condition})"
    yield build_member_pattern(asked.definition, asked.filters.get("type", ()))
    if asked.q:
        yield f"VALUES ?words {{ {asked.q} }} ?id {NAME_PATH} ?name ."
        yield "FILTER (CONTAINS(LCASE(STR(?name)), LCASE(?words)))"
    if asked.year:
        dates = [asked.definition.by_name[name] for name in asked.definition.date_fields]
        paths = "|".join(one.path or one.property for one in dates)
        yield f"VALUES ?year {{ {asked.year} }} ?id {paths} ?date . FILTER (STRSTARTS(STR(?date), ?year))"


def build_member_pattern(one: ListDefinition, classes: tuple[str, ...] = ()) -> str:
    """The pattern of a thing of the list, of these classes, by default of all of them.

    Where they fit a pattern, the class is looked up for each: the engine would begin with all of a class.
    """
    names = classes or tuple(name if ":" in name else f"wgig:{name}" for name in one.classes)
    of_class = (
        f"?id a {names[0]} ." if len(names) == 1 else f"VALUES ?class {{ {' '.join(names)} }} ?id a ?class ."
    )
    among = f"{one.required_pattern} FILTER EXISTS {{ {of_class} }}" if one.required_pattern else of_class
    without = f"MINUS {{ {one.excluded_pattern} }}" if one.excluded_pattern else ""
    return f"{among} FILTER (isIRI(?id)) {without}"


def build_field_pattern(field: ListField) -> str:
    """The pattern of what a field says of a thing, of a form that the engine looks up thing by thing."""
    labels = f"OPTIONAL {{ ?value {NAME_PATH} ?label }}" if is_resource_type(field.type) else ""
    return f'{field.value_pattern("?value")} {labels} BIND ("{field.name}" AS ?field)'


def build_field_values_query(one: ListDefinition, field: ListField, base: str) -> str:
    """The query for the values that a field has in a list, up to MAX_FIELD_VALUES."""
    pattern = f"{build_member_pattern(one)} {field.value_pattern('?value')}"
    return add_query_prefixes(f"SELECT DISTINCT ?value WHERE {{ {pattern} }} LIMIT {MAX_FIELD_VALUES}", base)


def add_query_prefixes(query: str, base: str) -> str:
    """The query with the prefixes that it uses."""
    known, used = namespaces_by_prefix(base), set(USED_PREFIX_PATTERN.findall(query))
    return "".join(f"PREFIX {one}: <{known[one]}>\n" for one in sorted(used & known.keys())) + query
