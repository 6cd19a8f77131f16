"""What a request asks of a list: which things, in what order, which fields, which page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..bodies import Pairs, values
from ..near import unknown
from ..parameters import checked
from ..problems import Problem
from ..typed import is_thing, term
from .table import Field, List

SIZE, LARGEST = 50, 500  # things on a page, if nothing is said, and at most
WHOLE = 5_000  # things of a list that is given whole
FARTHEST = 1_000_000  # pages
KEYS = 5  # fields to sort by
DIGITS = re.compile(r"[0-9]{1,9}")
ASKED_AS = {"name": "text", "date": "moment"}  # the types of what is written for those of fields
ONCE = ("q", "sort", "fields", "page", "size", "_mediatype", "_profile")


@dataclass(frozen=True)
class Asked:
    """What is asked of a list: terms by the field that has one of them, and the rest by name of parameter.

    `sort` pairs a field, or None for the IRI, with whether it falls.
    """

    of: List
    wanted: dict[str, tuple[Any, ...]]
    q: Any
    year: Any
    sort: tuple[tuple[Field | None, bool], ...]
    fields: tuple[Field, ...]
    page: int
    size: int
    pairs: tuple[tuple[str, str], ...]

    def on(self, page: int) -> list[tuple[str, str]]:
        """The parameters of a page of the same list.

        Who asked for a page is led to the first one by its number, too: without it a table is the whole list.
        """
        kept = [pair for pair in self.pairs if pair[0] not in ("_mediatype", "_profile", "page")]
        return [*kept, ("page", str(page))] if page > 1 or "page" in dict(self.pairs) else kept

    @property
    def is_paged(self) -> bool:
        """Whether a page or its size is asked for."""
        return not {"page", "size"}.isdisjoint(dict(self.pairs))

    def whole(self) -> "Asked":
        """The same list on one page, which holds up to `WHOLE` things."""
        return replace(self, size=WHOLE)


def asked(one: List, pairs: Pairs, base: str) -> Asked:
    """What the pairs of a query string ask of a list. Raises Problem 400 for what it does not have."""
    filters = filterable(one)
    checked(pairs, (*ONCE, *(["year"] if one.when else [])), tuple(filters))
    wanted = {name: given(one, filters[name], values(pairs, name), base) for name in filters}
    return Asked(
        one,
        {name: terms for name, terms in wanted.items() if terms},
        q=single(pairs, "q", "text", base),
        year=single(pairs, "year", "year", base),
        sort=order(one, listed(values(pairs, "sort")) or one.sort),
        fields=chosen(one, values(pairs, "fields")),
        page=number(pairs, "page", 1, FARTHEST),
        size=number(pairs, "size", SIZE, LARGEST),
        pairs=tuple(pairs),
    )


def filterable(one: List) -> dict[str, Field]:
    """The fields that things can be chosen by: all but free text."""
    return {field.name: field for field in one.fields if field.type not in ("text", "string")}


def given(one: List, field: Field, texts: Sequence[str], base: str) -> tuple[Any, ...]:
    """The terms that the values of a filter stand for."""
    if field.type == "class":
        return tuple(class_named(one, text) for text in texts)
    type_ = ASKED_AS.get(field.type, field.type)
    return tuple(term(field.name, type_, text, base) for text in texts)


def class_named(one: List, text: str) -> str:
    """The class of a list, with prefix, that a text names."""
    known = {name.rpartition(":")[2]: name if ":" in name else f"wgig:{name}" for name in one.classes}
    if text not in (*known, *known.values()):
        raise unknown(f"/{one.name} has no type", text, known)
    return known.get(text, text)


def single(pairs: Pairs, key: str, type_: str, base: str) -> Any:
    """The term of a parameter; None where it is not given."""
    texts = values(pairs, key)
    return term(key, type_, texts[0], base) if texts else None


def listed(texts: Sequence[str]) -> tuple[str, ...]:
    """The names in values that hold several, with commas between."""
    return tuple(name for text in texts for name in text.split(","))


def order(one: List, names: Sequence[str]) -> tuple[tuple[Field | None, bool], ...]:
    """The fields to sort by, and whether each falls; the IRI decides between equals."""
    found = []
    if len(names) > KEYS:
        raise Problem(400, f"sort names {len(names)} fields. Name {KEYS} at most.")
    for name in names:
        bare = name.removeprefix("-")
        if bare not in ("id", *one.by_name):
            raise unknown(f"/{one.name} cannot be sorted by", bare, ("id", *one.by_name))
        found.append((one.by_name.get(bare), name.startswith("-")))
    return tuple(found)


def chosen(one: List, texts: Sequence[str]) -> tuple[Field, ...]:
    """The fields that are asked for, in the order of the list; all, if nothing is said."""
    names = listed(texts)
    for name in names:
        if name not in ("id", *one.by_name):
            raise unknown(f"/{one.name} has no field", name, ("id", *one.by_name))
    return tuple(field for field in one.fields if not names or field.name in names)


def number(pairs: Pairs, key: str, default: int, most: int) -> int:
    """A number from 1 on."""
    texts = values(pairs, key)
    if not texts:
        return default
    if not DIGITS.fullmatch(texts[0]) or not 1 <= int(texts[0]) <= most:
        raise Problem(400, f"{key} is {texts[0]!r}. Give a whole number from 1 to {most}.")
    return int(texts[0])


def things(one: Asked) -> list[tuple[Field, str]]:
    """The IRIs that things are chosen by, each with its field."""
    return [
        (one.of.by_name[name], found.value)
        for name, terms in one.wanted.items()
        if is_thing(one.of.by_name[name].type)
        for found in terms
    ]
