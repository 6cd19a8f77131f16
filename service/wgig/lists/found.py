"""What a list holds, as it was found: things with the terms that are said of them, and the names of those."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pyoxigraph as ox

from .. import languages
from ..labels import natural, preference
from ..lookup import cells, terms


@dataclass(frozen=True)
class Found:
    """A page of a list: how many things there are in all, those of the page with their terms by field.

    `labels` holds what other things are called, by IRI, in all languages.
    """

    total: int
    things: dict[str, dict[str, list[Any]]]
    labels: dict[str, list[ox.Literal]]


def found(body: bytes) -> Found:
    """The page in the TSV results of its query: total, thing, field, value, and a label of the value."""
    total = ""
    things: dict[str, dict[str, dict[str, None]]] = {}
    labels: dict[str, dict[str, None]] = {}
    for count, thing, name, value, label in cells(body):
        if count:
            total = count
            continue
        things.setdefault(thing, {}).setdefault(name, {})[value] = None
        if label:
            labels.setdefault(value, {})[label] = None
    said = [values for fields in things.values() for values in fields.values()]
    names = {name for fields in things.values() for name in fields}
    read = terms(chain([total], things, names, *said, *labels.values()))
    return Found(
        int(read[total].value),
        {
            read[thing].value: {
                read[name].value: in_order([read[one] for one in values]) for name, values in fields.items()
            }
            for thing, fields in things.items()
        },
        {
            read[thing].value: sorted((read[one] for one in texts), key=best)
            for thing, texts in labels.items()
        },
    )


def in_order(values: list[Any]) -> list[Any]:
    """The values of a field, as people expect them to follow one another."""
    return sorted(values, key=lambda one: natural(str(one))) if len(values) > 1 else values


def best(text: ox.Literal) -> tuple[int, int, str]:
    """How far a text is from what a reader of English wants."""
    return preference(text, 0)


def nearest(texts: Iterable[ox.Literal], ranges: Sequence[str]) -> ox.Literal:
    """The text that is best for a reader of these languages, after which English comes."""
    return min(texts, key=lambda one: (languages.place(one.language or "", ranges), best(one)))
