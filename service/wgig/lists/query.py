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

from ..http.bodies import Pairs, values
from ..http.parameters import checked
from ..problems import Problem, unknown
from ..rdf.namespaces import namespaces
from ..rdf.values import is_thing, term
from .fields import NAMED, TYPE, Field, List

SIZE, LARGEST = 50, 500  # things on a page, if nothing is said, and at most
WHOLE = 5_000  # things of a list that is given whole
FARTHEST = 1_000_000  # pages
MAX_SORT_KEYS = 5  # fields to sort by
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
    if len(names) > MAX_SORT_KEYS:
        raise Problem(400, f"sort names {len(names)} fields. Name {MAX_SORT_KEYS} at most.")
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


PREFIX = re.compile(r"(?<![\w-])([a-z][\w-]*):")
# How fields of a type are sorted: numbers by size, dates by their digits, texts without regard to case.
SORT_KEYS = {"integer": "{0}", "boolean": "{0}", "text": "LCASE(STR({0}))", "name": "LCASE(STR({0}))"}
# When a value fits one that is asked for: a day is of the month and the year that it begins with.
SAME, FITS = "STR({0}) = STR({1})", {"date": "STRSTARTS(STR({0}), {1})"}
MOST_VALUES = 1_000


def selection(asked: Asked, base: str) -> str:
    """The query. A row holds the `total`, or for a thing `id` a `field`, a `value` and a `label` of that."""
    fitting = " ".join(fits(asked))
    keys = [key(number, *one) for number, one in enumerate(asked.sort)]
    order = " ".join([*(one.order for one in keys), "?id"])
    branches = " UNION ".join(f"{{ {said(one)} }}" for one in dict.fromkeys((TYPE, *asked.fields)))
    return prefixed(
        f"""SELECT ?total ?id ?field ?value ?label WHERE {{
  {{ SELECT (COUNT(DISTINCT ?id) AS ?total) WHERE {{ {fitting} }} }}
  UNION {{
    {{
      SELECT ?id {" ".join(one.chosen for one in keys)}
      WHERE {{ {fitting} {" ".join(one.pattern for one in keys)} }}
      GROUP BY ?id ORDER BY {order} LIMIT {asked.size} OFFSET {(asked.page - 1) * asked.size}
    }}
    {branches}
  }}
}} ORDER BY {order}""",
        base,
    )


def every(asked: Asked, base: str) -> str:
    """The query for all things that fit, in their order. A row holds the thing `id`."""
    keys = [key(number, *one) for number, one in enumerate(asked.sort)]
    return prefixed(
        f"""SELECT ?id WHERE {{
  SELECT ?id {" ".join(one.chosen for one in keys)}
  WHERE {{ {" ".join(fits(asked))} {" ".join(one.pattern for one in keys)} }}
  GROUP BY ?id ORDER BY {" ".join([*(one.order for one in keys), "?id"])}
}}""",
        base,
    )


class Key(NamedTuple):
    """What things are sorted by: the pattern that finds it, what is chosen of what it finds, the order."""

    pattern: str
    chosen: str
    order: str


def key(number: int, field: Field | None, falls: bool) -> Key:
    """The key of a field, by default the IRI: the lowest value, or the highest where the order falls."""
    found, name = f"?sorted{number}", f"?key{number}"
    value = SORT_KEYS.get(field.type, "STR({0})").format(found) if field else "STR(?id)"
    return Key(
        f"OPTIONAL {{ {field.leads_to(found)} }}" if field else "",
        f"({'MAX' if falls else 'MIN'}({value}) AS {name})",
        f"DESC({name})" if falls else name,
    )


def fits(asked: Asked) -> Iterator[str]:
    """The patterns that the things of a list fit, those that are rare first."""
    for number, (name, terms) in enumerate(asked.wanted.items()):
        field = asked.of.by_name[name]
        if field.type == "class":
            continue
        values, wanted = " ".join(map(str, terms)), f"?wanted{number}"
        yield f"VALUES {wanted} {{ {values} }}"
        if is_thing(field.type):
            yield field.leads_to(wanted)
        else:
            found = f"?found{number}"
            yield f"{field.leads_to(found)} FILTER ({FITS.get(field.type, SAME).format(found, wanted)})"
    yield members(asked.of, asked.wanted.get("type", ()))
    if asked.q:
        yield f"VALUES ?words {{ {asked.q} }} ?id {NAMED} ?name ."
        yield "FILTER (CONTAINS(LCASE(STR(?name)), LCASE(?words)))"
    if asked.year:
        dates = [asked.of.by_name[name] for name in asked.of.when]
        paths = "|".join(one.path or one.property for one in dates)
        yield f"VALUES ?year {{ {asked.year} }} ?id {paths} ?date . FILTER (STRSTARTS(STR(?date), ?year))"


def members(one: List, classes: tuple[str, ...] = ()) -> str:
    """The pattern of a thing of the list, of these classes, by default of all of them.

    Where they fit a pattern, the class is looked up for each: the engine would begin with all of a class.
    """
    names = classes or tuple(name if ":" in name else f"wgig:{name}" for name in one.classes)
    of_class = (
        f"?id a {names[0]} ." if len(names) == 1 else f"VALUES ?class {{ {' '.join(names)} }} ?id a ?class ."
    )
    among = f"{one.only} FILTER EXISTS {{ {of_class} }}" if one.only else of_class
    without = f"MINUS {{ {one.without} }}" if one.without else ""
    return f"{among} FILTER (isIRI(?id)) {without}"


def said(field: Field) -> str:
    """The pattern of what a field says of a thing, of a form that the engine looks up thing by thing."""
    labels = f"OPTIONAL {{ ?value {NAMED} ?label }}" if is_thing(field.type) else ""
    return f'{field.leads_to("?value")} {labels} BIND ("{field.name}" AS ?field)'


def values_of(one: List, field: Field, base: str) -> str:
    """The query for the values that a field has in a list, up to MOST_VALUES."""
    pattern = f"{members(one)} {field.leads_to('?value')}"
    return prefixed(f"SELECT DISTINCT ?value WHERE {{ {pattern} }} LIMIT {MOST_VALUES}", base)


def prefixed(query: str, base: str) -> str:
    """The query with the prefixes that it uses."""
    known, used = namespaces(base), set(PREFIX.findall(query))
    return "".join(f"PREFIX {one}: <{known[one]}>\n" for one in sorted(used & known.keys())) + query
