"""What is asked of a list as one query: how many things fit, which are on the page, what is said of them.

Values come in as terms that the engine writes itself, each in a VALUES clause of its own.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..namespaces import namespaces
from ..typed import is_thing
from .asked import Asked
from .table import NAMED, TYPE, Field, List

PREFIX = re.compile(r"(?<![\w-])([a-z][\w-]*):")
# How fields of a type are sorted: numbers by size, dates by their digits, texts without regard to case.
KEYS = {"integer": "{0}", "boolean": "{0}", "text": "LCASE(STR({0}))", "name": "LCASE(STR({0}))"}
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
    value = KEYS.get(field.type, "STR({0})").format(found) if field else "STR(?id)"
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
