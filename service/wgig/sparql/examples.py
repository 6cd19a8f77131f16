"""The example queries: one file each, with title, question, subject and parameters in header comments.

Titles and questions are in English; pages translate them by gettext. A parameter value replaces the UNDEF of
`VALUES ?name { UNDEF }`. The engine serializes each value as a term, which prevents injection.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlencode

from ..i18n import gettext_noop
from ..problems import Problem
from ..rdf.sparql_lexer import SparqlText, SparqlToken, get_query_form
from ..rdf.values import CRITERION_TYPE
from ..settings import SHIPPED_FOLDER
from ..text import suggest_near_name

EXAMPLE_QUERIES_FOLDER = SHIPPED_FOLDER / "data" / "queries"
EXAMPLE_HEADER_PATTERN = re.compile(
    r"^# (title|question|subject|keywords|date|related|count|totals): (.+)$", re.MULTILINE
)
EXAMPLE_NOTE_PATTERN = re.compile(
    r"^# (?!(?:title|question|subject|keywords|date|related|count|totals|param|values): )(.+)$", re.MULTILINE
)
EXAMPLE_PARAMETER_PATTERN = re.compile(r"^# param: (\w+) ([\w-]+) (\S+) (.+)$", re.MULTILINE)
EXAMPLE_VALUES_PATTERN = re.compile(r"^# values: (\w+) (.+)$", re.MULTILINE)
EXAMPLE_HEADER_LINES_PATTERN = re.compile(r"(?:#.*\r?\n)+")  # at the beginning of the text
NO_DEFAULT = "-"  # in place of the default of a parameter that has none
# The subjects by which the list of example queries is grouped, in this order.
EXAMPLE_SUBJECTS = (
    gettext_noop("Issues"),
    gettext_noop("Judgments and mechanisms"),
    gettext_noop("Papers"),
    gettext_noop("Members, meetings and agreements"),
    gettext_noop("Principles and texts"),
    gettext_noop("Sources and changes"),
)


class ExampleParameter(NamedTuple):
    """A parameter of a query: a variable, the type of its values, its default or NO_DEFAULT, a description.

    A line `# param: name type default description` declares it. Its value goes into `VALUES ?name { … }`.

    `values` says which values have a result: `?column` for those in a column of the result without
    parameters, or the names of all. A line `# values: name ?column` declares it; without it, any value of the
    type may have one.
    """

    name: str
    type: str
    default: str
    description: str
    values: tuple[str, ...] = ()

    @property
    def column(self) -> str:
        """The variable of the result whose values the parameter can have; empty if there is none."""
        return self.values[0][1:] if self.values and self.values[0].startswith("?") else ""


# The title of each column by its variable.
EXAMPLE_COLUMN_TITLES = {
    "kind": gettext_noop("Type"),
    "agreement": gettext_noop("Agreement"),
    "outcome": gettext_noop("Outcome"),
    "due": gettext_noop("Due"),
    "delivered": gettext_noop("Delivered"),
    "timeliness": gettext_noop("On time?"),
    "basis": gettext_noop("How we know"),
    "confidence": gettext_noop("Confidence"),
    "paper": gettext_noop("Paper"),
    "issue": gettext_noop("Issue"),
    "judgments": gettext_noop("Judgments"),
    "criterion": gettext_noop("Criterion"),
    "verdict": gettext_noop("Verdict"),
    "contributor": gettext_noop("Contributor"),
    "type": gettext_noop("Type"),
    "date": gettext_noop("Date"),
    "note": gettext_noop("Note"),
    "split_into": gettext_noop("Split into"),
    "paragraph": gettext_noop("Paragraph"),
    "by_the_group": gettext_noop("By the group"),
    "by_others": gettext_noop("By others"),
    "cited_by": gettext_noop("Cited by"),
    "definition": gettext_noop("Definition"),
    "author": gettext_noop("Author"),
    "author_type": gettext_noop("Type of author"),
    "by_member": gettext_noop("Author was a member"),
    "occasion": gettext_noop("Occasion"),
    "text": gettext_noop("Text"),
    "names_actors": gettext_noop("Names actors"),
    "scope": gettext_noop("Scope"),
    "stands_in": gettext_noop("Found in"),
    "disagreement": gettext_noop("Disagreement"),
    "property": gettext_noop("Property"),
    "claims": gettext_noop("Claims"),
    "sources": gettext_noop("Sources"),
    "milestone": gettext_noop("Milestone"),
    "due_from": gettext_noop("Due from"),
    "days_late": gettext_noop("Days late"),
    "disputed": gettext_noop("Disputed by"),
    "report_part": gettext_noop("Part of the report"),
    "tunis_paragraph": gettext_noop("Tunis Agenda paragraph"),
    "seen": gettext_noop("Text seen"),
    "category": gettext_noop("Category"),
    "wording": gettext_noop("Wording"),
    "view": gettext_noop("Whose view"),
    "judged": gettext_noop("Judged"),
    "quotation": gettext_noop("Quotation"),
    "dispute": gettext_noop("Dispute"),
    "cluster": gettext_noop("Cluster"),
    "judgment": gettext_noop("Judgment"),
    "mechanism": gettext_noop("Mechanism"),
    "role": gettext_noop("Role"),
    "issues": gettext_noop("Issues"),
    "group": gettext_noop("Stakeholder group"),
    "region": gettext_noop("Region"),
    "developing": gettext_noop("Developing country"),
    "members": gettext_noop("Members"),
    "need": gettext_noop("Need"),
    "report_parts": gettext_noop("Parts of the report"),
    "tunis_paragraphs": gettext_noop("Tunis Agenda paragraphs"),
    "session": gettext_noop("Session"),
    "starts": gettext_noop("Start"),
    "planned": gettext_noop("Planned as"),
    "open_to": gettext_noop("Open to"),
    "observers_may_speak": gettext_noop("Observers may speak"),
    "from_afar": gettext_noop("Remote participation"),
    "outcome_kind": gettext_noop("Type of outcome"),
    "evidence": gettext_noop("Evidence"),
    "number": gettext_noop("Number"),
    "assessment": gettext_noop("Assessment"),
    "papers": gettext_noop("Papers"),
    "titles": gettext_noop("Titles"),
    "text_seen": gettext_noop("Text seen"),
    "missing_sections": gettext_noop("Missing sections"),
    "parts_met": gettext_noop("Parts present"),
    "parts_asked": gettext_noop("Parts required"),
    "principle": gettext_noop("Principle"),
    "named": gettext_noop("Named"),
    "rule": gettext_noop("Rule"),
    "severity": gettext_noop("Severity"),
    "message": gettext_noop("Message"),
    "when": gettext_noop("When"),
    "what": gettext_noop("What"),
    "who": gettext_noop("Who"),
    "graph": gettext_noop("Graph"),
    "added": gettext_noop("Statements added"),
    "removed": gettext_noop("Statements removed"),
    "file": gettext_noop("File"),
    "version": gettext_noop("Version"),
}


class CountedList(NamedTuple):
    """The list whose items a column of numbers counts: its path, and its filters.

    The value of each filter is that of a variable in the same row, or of a parameter. A line
    `# count: column path filter=variable …` declares it.
    """

    column: str
    path: str
    filters: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ExampleQuery:
    """An example query: its name (that of the file), title, question, SPARQL text, parameters and so on.

    `date_variable` is the variable with the date of a row in feeds; empty if rows have no date. `note`
    explains the result. `subject` is one of EXAMPLE_SUBJECTS, or empty. `related` are the names of other
    example queries. The numbers of `counted` are summed by each of the variables `total_variables`.
    """

    name: str
    title: str
    question: str
    keywords: tuple[str, ...]
    text: str
    parameters: tuple[ExampleParameter, ...] = ()
    date_variable: str = ""
    note: str = ""
    subject: str = ""
    related: tuple[str, ...] = ()
    counted: CountedList | None = None
    total_variables: tuple[str, ...] = ()

    @cached_property
    def source(self) -> SparqlText:
        """The query with its tokens."""
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
    """The example queries with this keyword, ignoring case."""
    return [
        example for example in list_example_queries() if keyword.lower() in map(str.lower, example.keywords)
    ]


def find_examples_of_resource(curie: str) -> list[tuple[ExampleQuery, str]]:
    """The example queries with a parameter for a resource, each with its URL for that resource.

    `curie` identifies the resource, as in `issue:spam`. If the parameter has another resource as its default,
    the query is left out. Principles are criteria as well.
    """
    prefix, _, local_name = curie.partition(":")
    types = (prefix, CRITERION_TYPE) if prefix == "principle" else (prefix,)
    return [
        (example, f"/queries/{example.name}?{urlencode({parameter.name: local_name})}")
        for example in list_example_queries()
        for parameter in example.parameters
        if parameter.type in types and parameter.default in (NO_DEFAULT, local_name)
    ]


def list_related_examples(example: ExampleQuery) -> list[ExampleQuery]:
    """The example queries that the query names as related."""
    return [read_example_query(name) for name in example.related]


def strip_example_header(text: str) -> str:
    """The text of an example query without the comments at its beginning."""
    return EXAMPLE_HEADER_LINES_PATTERN.sub("", text, count=1) if text.startswith("#") else text


def recognize_example_query(text: str) -> ExampleQuery | None:
    """The example query with this text, whatever its parameter values; None if there is none."""
    return next(
        (
            example
            for example in list_example_queries()
            if strip_parameter_values(text, example) == strip_parameter_values(example.text, example)
        ),
        None,
    )


def strip_parameter_values(text: str, example: ExampleQuery) -> list[str]:
    """The lines of a query text, without its header and the VALUES lines of the parameters of an example."""
    value_prefixes = tuple(f"VALUES ?{parameter.name} {{ " for parameter in example.parameters)
    lines = map(str.strip, strip_example_header(text).strip().splitlines())
    return [line for line in lines if not (line.startswith(value_prefixes) and line.endswith(" }"))]


def read_example_query(name: str, list_location: str = "wgig queries") -> ExampleQuery:
    """The example query of this name. Raises Problem 404 if there is none, with the place of their list."""
    examples = {example.name: example for example in list_example_queries()}
    if name not in examples:
        suggestion = suggest_near_name(name, [*examples], f"See: {list_location}")
        raise Problem(404, f"There is no example query {name}. {suggestion}")
    return examples[name]


def read_example_file(path: Path) -> ExampleQuery:
    """The example query in a file. Raises ValueError if a header line is missing."""
    return parse_example_query(path.stem, path.read_text("utf-8"))


def parse_example_query(name: str, text: str) -> ExampleQuery:
    """The example query with this name and text. Raises ValueError if a header line is missing."""
    header = dict(EXAMPLE_HEADER_PATTERN.findall(text))
    missing_keys = {"title", "question", "keywords"} - header.keys()
    if missing_keys:
        raise ValueError(f"{name}.rq lacks the comment line '# {min(missing_keys)}: …' at its top.")
    values = {name: tuple(values.split()) for name, values in EXAMPLE_VALUES_PATTERN.findall(text)}
    parameters = tuple(
        ExampleParameter(name, type_, default, description, values.get(name, ()))
        for name, type_, default, description in EXAMPLE_PARAMETER_PATTERN.findall(text)
    )
    keywords, date = tuple(header["keywords"].split(", ")), header.get("date", "")
    note = " ".join(EXAMPLE_NOTE_PATTERN.findall(text))
    return ExampleQuery(
        name,
        header["title"],
        header["question"],
        keywords,
        text,
        parameters,
        date,
        note,
        header.get("subject", ""),
        tuple(filter(None, header.get("related", "").split(", "))),
        parse_counted_list(header["count"]) if "count" in header else None,
        tuple(header.get("totals", "").split()),
    )


def parse_counted_list(text: str) -> CountedList:
    """The list that a header line `# count:` declares."""
    column, path, *filters = text.split()
    pairs = (filter_.partition("=") for filter_ in filters)
    return CountedList(column, path, tuple((name, variable) for name, _, variable in pairs))


def extract_example_texts(
    file: BinaryIO, *_: object, **__: object
) -> Iterator[tuple[int, None, str, list[str]]]:
    """The texts of a query file that pages show, each as Babel expects: line, function, text, comments."""
    example = parse_example_query("", file.read().decode())
    descriptions = (parameter.description for parameter in example.parameters)
    return (
        (1, None, text, []) for text in (example.title, example.question, *descriptions, example.note) if text
    )


def bind_query_parameters(query: SparqlText, terms: Mapping[str, Any]) -> str:
    """The text of a query with parameter values. The keys of `terms` are variable names.

    Raises KeyError if the query has no such parameter.
    """
    text, value_tokens = query.text, find_value_tokens(query.tokens)
    # From the end of the text to its beginning, so that offsets stay valid.
    replacements = sorted(
        ((token, name) for name in terms for token in value_tokens[name]), key=lambda pair: -pair[0].start
    )
    for token, name in replacements:
        text = f"{text[: token.start]}{terms[name]}{text[token.start + len(token.text) :]}"
    return text


def find_value_tokens(tokens: Sequence[SparqlToken]) -> dict[str, list[SparqlToken]]:
    """The single token inside each `VALUES ?name { … }` of a query, by variable name."""
    value_tokens: dict[str, list[SparqlToken]] = {}
    for keyword, variable, opening, value, closing in zip(
        *(tokens[shift:] for shift in range(5)), strict=False
    ):
        if (keyword.word, variable.kind, opening.text, closing.text) == ("VALUES", "variable", "{", "}"):
            value_tokens.setdefault(variable.text[1:], []).append(value)
    return value_tokens
