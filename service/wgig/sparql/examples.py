"""The example queries: one file each, with title, question, keywords and parameters in header comments.

The texts are in English; pages translate them by gettext. Parameter values replace the UNDEF of `VALUES ?name
{ UNDEF }`. The engine serializes each term, so that a value from a client stays one term whatever it contains
(no injection).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlencode

from ..problems import Problem
from ..rdf.sparql_lexer import SparqlText, SparqlToken, get_query_form
from ..settings import SHIPPED_FOLDER
from ..text import suggest_near_name

EXAMPLE_QUERIES_FOLDER = SHIPPED_FOLDER / "data" / "queries"
EXAMPLE_HEADER_PATTERN = re.compile(r"^# (title|question|keywords|date): (.+)$", re.MULTILINE)
EXAMPLE_NOTE_PATTERN = re.compile(r"^# (?!(?:title|question|keywords|date|param): )(.+)$", re.MULTILINE)
EXAMPLE_PARAMETER_PATTERN = re.compile(r"^# param: (\w+) ([\w-]+) (\S+) (.+)$", re.MULTILINE)
NO_DEFAULT = "-"  # the default of a parameter without one


class ExampleParameter(NamedTuple):
    """A parameter of a query: a variable, the type of its values, its default or NO_DEFAULT, what it does.

    A line `# param: name type default description` declares it, and `VALUES ?name { … }` is its place.
    """

    name: str
    type: str
    default: str
    description: str


@dataclass(frozen=True)
class ExampleQuery:
    """An example query: its name (the file's), title, question in words, keywords, SPARQL text, parameters.

    `date_variable` is the variable by which its rows stand in a feed; empty where they have no date. `note`
    tells how to read the answer.
    """

    name: str
    title: str
    question: str
    keywords: tuple[str, ...]
    text: str
    parameters: tuple[ExampleParameter, ...] = ()
    date_variable: str = ""
    note: str = ""

    @cached_property
    def source(self) -> SparqlText:
        """The text with its tokens."""
        return SparqlText(self.text)

    @cached_property
    def form(self) -> str:
        """The form of the query: SELECT, ASK, CONSTRUCT or DESCRIBE."""
        return get_query_form(self.source)


def list_example_queries() -> list[ExampleQuery]:
    """All example queries, by name."""
    return list(read_example_folder(EXAMPLE_QUERIES_FOLDER))


@cache
def read_example_folder(folder: Path) -> tuple[ExampleQuery, ...]:
    """The example queries in a folder, by name."""
    return tuple(read_example_file(path) for path in sorted(folder.glob("*.rq")))


def find_examples_by_keyword(keyword: str) -> list[ExampleQuery]:
    """The example queries with this keyword."""
    return [one for one in list_example_queries() if keyword.lower() in map(str.lower, one.keywords)]


def find_examples_of_resource(short: str) -> list[tuple[ExampleQuery, str]]:
    """The example queries that can be asked of one thing alone, by its IRI in short, and where that is done.

    A question that is put about another thing where nobody names one is not among them.
    """
    kind, _, end = short.partition(":")
    return [
        (one, f"/queries/{one.name}?{urlencode({parameter.name: end})}")
        for one in list_example_queries()
        for parameter in one.parameters
        if parameter.type == kind and parameter.default in (NO_DEFAULT, end)
    ]


def recognize_example_query(text: str) -> ExampleQuery | None:
    """The example query that a text is, with whatever values for its parameters; None for any other query."""
    return next(
        (
            one
            for one in list_example_queries()
            if strip_parameter_values(text, one) == strip_parameter_values(one.text, one)
        ),
        None,
    )


def strip_parameter_values(text: str, one: ExampleQuery) -> list[str]:
    """The lines of a text without those that hold the values of a query's parameters."""
    begins = tuple(f"VALUES ?{parameter.name} {{ " for parameter in one.parameters)
    lines = map(str.strip, text.strip().splitlines())
    return [line for line in lines if not (line.startswith(begins) and line.endswith(" }"))]


def read_example_query(name: str, listed: str = "wgig queries") -> ExampleQuery:
    """The example query of this name. Raises Problem 404, which says where they are `listed`."""
    known = {example.name: example for example in list_example_queries()}
    if name not in known:
        mend = suggest_near_name(name, [*known], f"See: {listed}")
        raise Problem(404, f"There is no example query {name}. {mend}")
    return known[name]


def read_example_file(path: Path) -> ExampleQuery:
    """The example query in a file. Raises ValueError where it lacks a header line."""
    return parse_example_query(path.stem, path.read_text("utf-8"))


def parse_example_query(name: str, text: str) -> ExampleQuery:
    """The example query of a name. Raises ValueError where its text lacks a header line."""
    header = dict(EXAMPLE_HEADER_PATTERN.findall(text))
    missing = {"title", "question", "keywords"} - header.keys()
    if missing:
        raise ValueError(f"{name}.rq lacks the comment line '# {min(missing)}: …' at its top.")
    parameters = tuple(ExampleParameter(*found) for found in EXAMPLE_PARAMETER_PATTERN.findall(text))
    keywords, date = tuple(header["keywords"].split(", ")), header.get("date", "")
    note = " ".join(EXAMPLE_NOTE_PATTERN.findall(text))
    return ExampleQuery(name, header["title"], header["question"], keywords, text, parameters, date, note)


def extract_example_texts(
    file: BinaryIO, *_: object, **__: object
) -> Iterator[tuple[int, None, str, list[str]]]:
    """What pages say of the query in a file, as Babel extracts it for the catalogues."""
    one = parse_example_query("", file.read().decode())
    says = (parameter.description for parameter in one.parameters)
    return ((1, None, text, []) for text in (one.title, one.question, *says, one.note) if text)


def bind_query_parameters(query: SparqlText, terms: Mapping[str, Any]) -> str:
    """The query with these terms by name of variable. Raises KeyError where it keeps no place for one."""
    text, kept = query.text, find_parameter_places(query.tokens)
    found = sorted(((token, name) for name in terms for token in kept[name]), key=lambda pair: -pair[0].start)
    for token, name in found:
        text = f"{text[: token.start]}{terms[name]}{text[token.start + len(token.text) :]}"
    return text


def find_parameter_places(tokens: Sequence[SparqlToken]) -> dict[str, list[SparqlToken]]:
    """The one token inside of each `VALUES ?name { … }` of a query, by name of variable."""
    found: dict[str, list[SparqlToken]] = {}
    for word, variable, opening, token, closing in zip(*(tokens[shift:] for shift in range(5)), strict=False):
        if (word.word, variable.kind, opening.text, closing.text) == ("VALUES", "variable", "{", "}"):
            found.setdefault(variable.text[1:], []).append(token)
    return found
