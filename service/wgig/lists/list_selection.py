"""The answer to a list request from the index: the items of the page, and the numbers of the facets."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from wgig_client.literals import term_text

from .facets import Tallies, find_filter_key, list_class_iris, list_facet_fields, tally_facet_keys
from .fields import DESCRIPTION_FIELDS, LABEL_FIELD, ListField
from .filters import FilterValue, is_filter_match
from .indexed_list import FIRST_KEY, LAST_KEY, IndexedList, ListOrder, Values, intersect_flags
from .query import ListRequest


@dataclass(frozen=True)
class IndexedItem:
    """An item of a page: its IRI, and its values by field."""

    iri: str
    values: Mapping[str, Values]

    def facet_values(self, name: str) -> Values:
        """The values of a field."""
        return self.values[name]


@dataclass(frozen=True)
class ListSelection:
    """The number of matching items, the items on the requested page, and the numbers of the facets."""

    total: int
    items: Sequence[IndexedItem]
    tallies: Tallies


def select_list_items(
    lists: Mapping[str, IndexedList],
    list_request: ListRequest,
    base: str,
    value_fields: Sequence[str] = (),
    *,
    has_facets: bool = False,
) -> ListSelection:
    """The items of the requested page with the values of some fields, and the facets if they are wanted."""
    items = lists[list_request.definition.name]
    text_flags = list(iter_text_flags(items, list_request))
    flags_by_field = {
        name: flag_filter_matches(items, list_request.definition.by_name[name], values, base)
        for name, values in list_request.filters.items()
    }
    flags = intersect_with_all(items, [*text_flags, *flags_by_field.values()])
    numbers = items.list_page(
        list_order(list_request), flags, (list_request.page - 1) * list_request.size, list_request.size
    )
    tallies = {}
    for field in list_facet_fields(list_request) if has_facets else ():
        other_flags = [field_flags for name, field_flags in flags_by_field.items() if name != field.name]
        tallies[field.name] = tally_field(
            items,
            field,
            intersect_with_all(items, [*text_flags, *other_flags]),
            list_request.filters.get(field.name, ()),
            base,
        )
    classes = list_class_iris(list_request.definition, base)
    return ListSelection(
        len(items) if flags is None else sum(flags),
        [
            IndexedItem(
                items.iris[number],
                {
                    name: select_shown_values(
                        list_request.definition.by_name[name], items.values_of(number, name), classes
                    )
                    for name in value_fields
                },
            )
            for number in numbers
        ],
        tallies,
    )


def list_order(list_request: ListRequest) -> ListOrder:
    """The order of a list."""
    return tuple((field.name if field else "id", is_descending) for field, is_descending in list_request.sort)


def intersect_with_all(items: IndexedList, flags: Sequence[bytes]) -> bytes | None:
    """The flags of the items that have all of these flags; None if there are none, for all items."""
    return intersect_flags([items.flag_all(), *flags]) if flags else None


def iter_text_flags(items: IndexedList, list_request: ListRequest) -> Iterator[bytes]:
    """The flags of the items that match the parameters `q` and `year`."""
    definition = list_request.definition
    if list_request.q:
        names = [LABEL_FIELD.name, *(name for name in DESCRIPTION_FIELDS if name in definition.by_name)]
        is_match = make_text_matcher([list_request.q.value])
        yield unite_flags([items.columns[name].flag_matches(is_match) for name in names])
    if list_request.year:
        year = list_request.year.value
        yield unite_flags(
            [
                items.columns[name].flag_matches(lambda days: any(day.startswith(year) for day in days))
                for name in definition.date_fields
            ]
        )


def unite_flags(flags: Sequence[bytes]) -> bytes:
    """The flags of the items that have any of these flags."""
    union = 0
    for some in flags:
        union |= int.from_bytes(some)
    return union.to_bytes(len(flags[0]))


def flag_filter_matches(
    items: IndexedList, field: ListField, values: Sequence[FilterValue], base: str
) -> bytes:
    """The flags of the items that match the filter by a field."""
    return items.columns[field.name].flag_matches(make_filter_matcher(field, values, base))


def make_filter_matcher(
    field: ListField, filter_values: Sequence[FilterValue], base: str
) -> Callable[[Values], bool]:
    """The function that tells whether the values of a field match a filter, faster than `is_filter_match`."""
    given = [value for value in filter_values if not value.is_missing]
    if field.type == "date" or any(value.range for value in given):
        return lambda values: is_filter_match(field, filter_values, values, base)
    if field.type == "text":
        is_match = make_text_matcher([term_text(value.term) for value in given])
    else:
        is_match = make_key_matcher({find_filter_key(field, value, base) for value in given})
    return is_match if len(given) == len(filter_values) else lambda values: not values or is_match(values)


def make_key_matcher(keys: Set[str]) -> Callable[[Values], bool]:
    """The function that tells whether any of the values is one of the keys."""
    return lambda values: not keys.isdisjoint(values)


def make_text_matcher(texts: Sequence[str]) -> Callable[[Values], bool]:
    """The function that tells whether one of the texts is a part of a text with one of the sort keys."""
    words = [text.lower() for text in texts if not {FIRST_KEY, LAST_KEY}.intersection(text)]
    return lambda keys: any(word in "".join(keys) for word in words)


def tally_field(
    items: IndexedList, field: ListField, flags: bytes | None, selected: Sequence[FilterValue], base: str
) -> Mapping[str, int]:
    """The number of items with flags, or of all, by key of a value of a facet."""
    classes = list_class_iris(items.definition, base)
    counts = Counter[Values]()
    for values, count in items.count_values(field.name, flags):
        counts[select_shown_values(field, values, classes)] += count
    return tally_facet_keys(field, counts, selected, base)


def select_shown_values(field: ListField, values: Values, classes: set[str]) -> Values:
    """The values of an item that a facet or row shows: of its classes, those of the list."""
    return tuple(value for value in values if value in classes) if field.type == "class" else values


def list_known_texts(lists: Mapping[str, IndexedList], name: str, field: str) -> list[str]:
    """The values of a field in a list."""
    return sorted({text for values, _ in lists[name].count_values(field, None) for text in values})
