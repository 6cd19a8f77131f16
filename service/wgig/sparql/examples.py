"""The example queries: one file each, with title, question, keywords and parameters in header comments.

The texts are in English; pages translate them by gettext. Parameter values replace the UNDEF of `VALUES ?name
{ UNDEF }`. The engine serializes each term, so that a value from a client stays one term whatever it contains
(no injection).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlencode

from ..problems import Problem
from ..rdf.sparql_lexer import Token, tokens
from ..settings import SHIPPED

FOLDER = SHIPPED / "data" / "queries"
HEADER = re.compile(r"^# (title|question|keywords|date): (.+)$", re.MULTILINE)
NOTE = re.compile(r"^# (?!(?:title|question|keywords|date|param): )(.+)$", re.MULTILINE)
PARAMETER = re.compile(r"^# param: (\w+) ([\w-]+) (\S+) (.+)$", re.MULTILINE)
NONE = "-"  # the default of a parameter without one


class Parameter(NamedTuple):
    """A parameter of a query: a variable, the type of its values, its default or NONE, what it does.

    A line `# param: name type default description` declares it, and `VALUES ?name { … }` is its place.
    """

    name: str
    type: str
    default: str
    says: str


@dataclass(frozen=True)
class Example:
    """An example query: its name (the file's), title, question in words, keywords, SPARQL text, parameters.

    `date` is the variable by which its rows stand in a feed; empty where they have no date. `note` tells how
    to read the answer.
    """

    name: str
    title: str
    question: str
    keywords: tuple[str, ...]
    text: str
    parameters: tuple[Parameter, ...] = ()
    date: str = ""
    note: str = ""


def examples() -> list[Example]:
    """All example queries, by name."""
    return list(of(FOLDER))


@cache
def of(folder: Path) -> tuple[Example, ...]:
    """The example queries in a folder, by name."""
    return tuple(read(path) for path in sorted(folder.glob("*.rq")))


def by_keyword(keyword: str) -> list[Example]:
    """The example queries with this keyword."""
    return [one for one in examples() if keyword.lower() in map(str.lower, one.keywords)]


def of_thing(short: str) -> list[tuple[Example, str]]:
    """The example queries that can be asked of one thing alone, by its IRI in short, and where that is done.

    A question that is put about another thing where nobody names one is not among them.
    """
    kind, _, end = short.partition(":")
    return [
        (one, f"/queries/{one.name}?{urlencode({parameter.name: end})}")
        for one in examples()
        for parameter in one.parameters
        if parameter.type == kind and parameter.default in (NONE, end)
    ]


def recognized(text: str) -> Example | None:
    """The example query that a text is, with whatever values for its parameters; None for any other query."""
    return next((one for one in examples() if fixed(text, one) == fixed(one.text, one)), None)


def fixed(text: str, one: Example) -> list[str]:
    """The lines of a text without those that hold the values of a query's parameters."""
    begins = tuple(f"VALUES ?{parameter.name} {{ " for parameter in one.parameters)
    lines = map(str.strip, text.strip().splitlines())
    return [line for line in lines if not (line.startswith(begins) and line.endswith(" }"))]


def example(name: str, listed: str = "wgig queries") -> Example:
    """The example query of this name. Raises Problem 404, which says where they are `listed`."""
    path = FOLDER / f"{name}.rq"
    names = [one.stem for one in FOLDER.glob("*.rq")]
    if name not in names:
        near = get_close_matches(name, names, 1)
        mend = f"Did you mean {near[0]}?" if near else f"See: {listed}"
        raise Problem(404, f"There is no example query {name}. {mend}")
    return read(path)


def read(path: Path) -> Example:
    """The example query in a file. Raises ValueError where it lacks a header line."""
    return of_text(path.stem, path.read_text("utf-8"))


def of_text(name: str, text: str) -> Example:
    """The example query of a name. Raises ValueError where its text lacks a header line."""
    header = dict(HEADER.findall(text))
    missing = {"title", "question", "keywords"} - header.keys()
    if missing:
        raise ValueError(f"{name}.rq lacks the comment line '# {min(missing)}: …' at its top.")
    parameters = tuple(Parameter(*found) for found in PARAMETER.findall(text))
    keywords, date = tuple(header["keywords"].split(", ")), header.get("date", "")
    note = " ".join(NOTE.findall(text))
    return Example(name, header["title"], header["question"], keywords, text, parameters, date, note)


def texts(file: BinaryIO, *_: object, **__: object) -> Iterator[tuple[int, None, str, list[str]]]:
    """What pages say of the query in a file, as Babel extracts it for the catalogues."""
    one = of_text("", file.read().decode())
    says = (parameter.says for parameter in one.parameters)
    return ((1, None, text, []) for text in (one.title, one.question, *says, one.note) if text)


def bind(text: str, terms: Mapping[str, Any]) -> str:
    """The query with these terms by name of variable. Raises KeyError where it keeps no place for one."""
    kept = places(text)
    found = sorted(((token, name) for name in terms for token in kept[name]), key=lambda pair: -pair[0].start)
    for token, name in found:
        text = f"{text[: token.start]}{terms[name]}{text[token.start + len(token.text) :]}"
    return text


def places(text: str) -> dict[str, list[Token]]:
    """The one token inside of each `VALUES ?name { … }` of a query, by name of variable."""
    found: dict[str, list[Token]] = {}
    all_ = list(tokens(text))
    for word, variable, opening, token, closing in zip(*(all_[shift:] for shift in range(5)), strict=False):
        if (word.word, variable.kind, opening.text, closing.text) == ("VALUES", "variable", "{", "}"):
            found.setdefault(variable.text[1:], []).append(token)
    return found
