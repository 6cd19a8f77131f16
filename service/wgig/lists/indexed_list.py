"""A list in memory: the values of all fields of its items, for filters, facets, orders and deep pages.

An item has a number, which is its position in each column. A column stores each distinct combination of
values once, and for each item the number of its combination, the code. A filter is then evaluated once for
each combination, and a facet counts codes: both take a few milliseconds for 100,000 items. Flags are bytes
that are 1 for the items that match, by number.
"""

from array import array
from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, total_ordering
from itertools import compress, islice
from sys import intern
from typing import Any

from ..rdf.values import is_resource_type
from .fields import ListDefinition, ListField

# The values of an item for a field, sorted: IRIs, texts of literals, and for fields of the type `text`, sort
# keys of `make_text_key`. A value of a resource that is no IRI begins with NO_IRI_MARK.
Values = tuple[str, ...]
ListOrder = tuple[tuple[str, bool], ...]  # names of fields or `id`, and whether descending
FindNames = Callable[[str], Values]  # the sort keys of the names of a resource, by its IRI

NO_VALUES: Values = ()
NO_IRI_MARK = '"'
MAX_KEPT_ORDERS = 16
MAX_MOVED_ITEMS = 1_000  # changed items that are moved in a kept order; for more, all are sorted again
SORT_NAME_LANGUAGES = frozenset({None, "en"})  # of the texts to sort by, if an item has such texts
# Beginnings of the keys of texts to sort by, and of other texts: characters that occur in no text.
FIRST_KEY, LAST_KEY = "\0", "\1"
MISSING_NUMBER = float("-inf")  # the sort key of an item without a number


def make_text_key(text: str, language: str | None) -> str:
    """The sort key of a text, without regard to case; texts to sort by come first."""
    return (FIRST_KEY if language in SORT_NAME_LANGUAGES else LAST_KEY) + text.lower()


def choose_sort_key(
    field: ListField, values: Values, find_names: FindNames, *, is_descending: bool
) -> str | float:
    """The lowest key of the values of a field, or the highest for a descending order."""
    choose = max if is_descending else min
    if field.type == "integer":
        are_valid = all(map(is_integer, values))  # with any other text, SPARQL has no lowest value
        return choose(map(int, values), default=MISSING_NUMBER) if are_valid else MISSING_NUMBER
    keys: Iterable[str] = values
    if field.type == "name":
        keys = (value.lower() for value in values)
    elif field.type == "text":
        keys = (turn_text_key(key) for key in values) if is_descending else values
    elif is_resource_type(field.type):
        keys = iter_resource_keys(values, find_names, is_descending=is_descending)
    return choose(keys, default="")


def is_integer(text: str) -> bool:
    """Whether a text is an integer."""
    return text.removeprefix("-").removeprefix("+").isdecimal()


def turn_text_key(key: str) -> str:
    """The key of a text for a descending order, in which the texts to sort by come first, too."""
    return (LAST_KEY if key.startswith(FIRST_KEY) else FIRST_KEY) + key[1:]


def iter_resource_keys(values: Values, find_names: FindNames, *, is_descending: bool) -> Iterator[str]:
    """The sort keys of resources: those of their names, or else their IRIs."""
    for value in values:
        names = find_names(value)
        yield from map(turn_text_key, names) if is_descending else names
        if not names:
            yield value.removeprefix(NO_IRI_MARK)


class IndexedColumn:
    """The values of a field. `counts` has the number of items by code; code 0 is that of no values."""

    def __init__(self, field: ListField) -> None:
        """Start without items."""
        self.field = field
        self.codes = array("I")  # by number of the item
        self.values: list[Values] = [NO_VALUES]  # by code
        self.code_by_values: dict[Values, int] = {NO_VALUES: 0}
        self.counts = [0]
        self.unused_codes: list[int] = []

    def add_item(self) -> None:
        """Add an item without values."""
        self.codes.append(0)
        self.counts[0] += 1

    def set_values(self, number: int, values: Values) -> bool:
        """Set the values of an item. Returns whether they are others than before."""
        old_code, code = self.codes[number], self.code_by_values.get(values)
        if code is None:
            code = self.take_code(values)
        if code == old_code:
            return False
        self.codes[number] = code
        self.counts[code] += 1
        self.counts[old_code] -= 1
        if old_code and not self.counts[old_code]:
            del self.code_by_values[self.values[old_code]]
            self.values[old_code] = NO_VALUES
            self.unused_codes.append(old_code)
        return True

    def take_code(self, values: Values) -> int:
        """A code for values that no item has."""
        if self.unused_codes:
            code = self.unused_codes.pop()
            self.values[code] = values
        else:
            code = len(self.values)
            self.values.append(values)
            self.counts.append(0)
        self.code_by_values[values] = code
        return code

    def values_of(self, number: int) -> Values:
        """The values of an item."""
        return self.values[self.codes[number]]

    def dump_parts(self) -> Iterator[list[Any]]:
        """The values by code, and the codes by number."""
        yield list(map(list, self.values))
        yield self.codes.tolist()

    def load_parts(self, parts: Iterator[Any]) -> None:
        """Take what `dump_parts` returned. Raises DAMAGE_ERRORS of `saved_projection`."""
        intern_all = tuple if self.field.type == "text" else partial(map, intern)  # most texts are unique
        self.values = [tuple(intern_all(values)) for values in next(parts)]
        self.codes = array("I", next(parts))
        self.counts = [0] * len(self.values)
        for code, count in Counter(self.codes).items():
            self.counts[code] = count
        self.unused_codes = [code for code, count in enumerate(self.counts) if code and not count]
        self.code_by_values = {values: code for code, values in enumerate(self.values)}
        self.code_by_values |= {NO_VALUES: 0}  # also of unused codes

    def flag_matches(self, is_match: Callable[[Values], bool]) -> bytes:
        """The flags of the items whose values match."""
        by_code = bytes(map(is_match, self.values))
        return bytes(map(by_code.__getitem__, self.codes))

    def make_sort_keys(self, find_names: FindNames, *, is_descending: bool) -> list[str | float]:
        """The sort key of each item, by number."""
        by_code = [
            choose_sort_key(self.field, values, find_names, is_descending=is_descending)
            for values in self.values
        ]
        return list(map(by_code.__getitem__, self.codes))


@dataclass
class KeptOrder:
    """The numbers of all items in an order, but for those that have changed since, which must be moved."""

    numbers: list[int]
    changed: set[int]


class IndexedList:
    """The items of a list. `find_names` has the sort keys of the names of other resources."""

    def __init__(self, definition: ListDefinition, find_names: FindNames = lambda _: NO_VALUES) -> None:
        """Start without items."""
        self.definition, self.find_names = definition, find_names
        self.columns = {field.name: IndexedColumn(field) for field in definition.fields}
        self.iris: list[str] = []  # by number; empty for a number that no item has
        self.number_by_iri: dict[str, int] = {}
        self.unused_numbers: list[int] = []
        self.orders: dict[ListOrder, KeptOrder] = {}

    def __len__(self) -> int:
        """The number of items."""
        return len(self.number_by_iri)

    def add_item(self, iri: str) -> int:
        """The number of an item, which is added if it is not in the list."""
        if iri in self.number_by_iri:
            return self.number_by_iri[iri]
        if self.unused_numbers:
            number = self.unused_numbers.pop()
            self.iris[number] = iri
        else:
            number = len(self.iris)
            self.iris.append(iri)
            for column in self.columns.values():
                column.add_item()
        self.number_by_iri[iri] = number
        self.mark_changed(number)
        return number

    def remove_item(self, iri: str) -> None:
        """Remove an item, if it is in the list."""
        if iri in self.number_by_iri:
            number = self.number_by_iri.pop(iri)
            for column in self.columns.values():
                column.set_values(number, NO_VALUES)
            self.iris[number] = ""
            self.unused_numbers.append(number)
            self.mark_changed(number)

    def dump_parts(self) -> Iterator[list[Any]]:
        """The IRIs by number, then the parts of each column."""
        yield self.iris
        for column in self.columns.values():
            yield from column.dump_parts()

    def load_parts(self, parts: Iterator[Any]) -> None:
        """Take what `dump_parts` returned. Raises DAMAGE_ERRORS of `saved_projection`."""
        self.iris = list(map(intern, next(parts)))
        self.number_by_iri = {iri: number for number, iri in enumerate(self.iris) if iri}
        self.unused_numbers = [number for number, iri in enumerate(self.iris) if not iri]
        for column in self.columns.values():
            column.load_parts(parts)
            if len(column.codes) != len(self.iris):
                raise ValueError("a column has another number of items")

    def set_item_values(self, number: int, values_by_field: Mapping[str, Values]) -> None:
        """Set the values of an item for some fields."""
        are_changed = [
            self.columns[name].set_values(number, values) for name, values in values_by_field.items()
        ]
        if any(are_changed):
            self.mark_changed(number)

    def mark_changed(self, number: int) -> None:
        """Take note that an item must be moved in the kept orders."""
        for order in self.orders.values():
            order.changed.add(number)

    def forget_name_orders(self) -> None:
        """Forget the orders by the names of other resources, as such a name has changed."""
        fields = self.definition.by_name
        self.orders = {
            order: kept
            for order, kept in self.orders.items()
            if not any(name in fields and is_resource_type(fields[name].type) for name, _ in order)
        }

    def values_of(self, number: int, name: str) -> Values:
        """The values of an item for a field."""
        return self.columns[name].values_of(number)

    def flag_all(self) -> bytes:
        """The flags of all items."""
        return bytes(map(bool, self.iris)) if self.unused_numbers else b"\1" * len(self.iris)

    def count_values(self, name: str, flags: bytes | None) -> Iterator[tuple[Values, int]]:
        """The number of items by values of a field, among those with flags; without flags, among all."""
        column = self.columns[name]
        if flags is None:
            counts: Mapping[int, int] = dict(enumerate(column.counts))
            counts = {**counts, 0: column.counts[0] - len(self.unused_numbers)}
        else:
            counts = Counter(compress(column.codes, flags))
        return ((column.values[code], count) for code, count in counts.items() if count)

    def list_page(self, order: ListOrder, flags: bytes | None, start: int, size: int) -> list[int]:
        """The numbers of the items with flags, or of all if there are none, on a page in an order."""
        numbers: Sequence[int] = self.sort_numbers(order)
        if flags is None:
            return list(numbers[start : start + size])
        return list(islice(compress(numbers, map(flags.__getitem__, numbers)), start, start + size))

    def sort_by_default(self) -> None:
        """Sort all items in the default order of the list, which is kept."""
        self.sort_numbers(tuple((name, False) for name in self.definition.sort))

    def sort_numbers(self, order: ListOrder) -> Sequence[int]:
        """The numbers of all items in an order, then by IRI."""
        kept = self.orders.get(order)
        if kept and len(kept.changed) <= MAX_MOVED_ITEMS:
            self.move_changed(order, kept)
            return kept.numbers
        if order:
            (name, is_descending), *rest = order
            numbers = list(self.sort_numbers(tuple(rest)))
            numbers.sort(key=self.make_sort_keys(name, is_descending).__getitem__, reverse=is_descending)
        else:
            numbers = sorted(self.number_by_iri.values(), key=self.iris.__getitem__)
        self.orders.pop(order, None)
        while len(self.orders) >= MAX_KEPT_ORDERS:
            del self.orders[next(iter(self.orders))]
        self.orders[order] = KeptOrder(numbers, set())
        return numbers

    def move_changed(self, order: ListOrder, kept: KeptOrder) -> None:
        """Move the changed items to their places in an order."""
        if kept.changed:
            kept.numbers = [number for number in kept.numbers if number not in kept.changed]
            for number in kept.changed:
                if self.iris[number]:
                    insort(kept.numbers, number, key=partial(self.make_order_key, order))
            kept.changed = set()

    def make_sort_keys(self, name: str, is_descending: bool) -> Sequence[str | float]:
        """The sort key of each item for a field, or its IRI, by number."""
        if name == "id":
            return self.iris
        return self.columns[name].make_sort_keys(self.find_names, is_descending=is_descending)

    def make_order_key(self, order: ListOrder, number: int) -> tuple[Any, ...]:
        """The key by which items are in an order."""
        keys = []
        for name, is_descending in order:
            if name == "id":
                key: str | float = self.iris[number]
            else:
                column = self.columns[name]
                values = column.values_of(number)
                key = choose_sort_key(column.field, values, self.find_names, is_descending=is_descending)
            keys.append(ReversedKey(key) if is_descending else key)
        return (*keys, self.iris[number])


@total_ordering
@dataclass(frozen=True, slots=True)
class ReversedKey:
    """A key in a descending order."""

    key: Any

    def __lt__(self, other: "ReversedKey") -> bool:
        """Whether this key comes before the other one."""
        return bool(self.key > other.key)


def intersect_flags(flags: Iterable[bytes]) -> bytes | None:
    """The flags of the items that have all of these flags; None without any."""
    all_flags = list(flags)
    if len(all_flags) < 2:
        return all_flags[0] if all_flags else None
    common = int.from_bytes(all_flags[0])
    for other in all_flags[1:]:
        common &= int.from_bytes(other)
    return common.to_bytes(len(all_flags[0]))
