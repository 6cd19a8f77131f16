"""Rules that a user chose: OWL 2 RL by its name, files of SHACL rules, files of CONSTRUCT queries.

Shapes are read as those of a check, see `validation.shapes_graph`. Nothing is fetched: owl:imports is not
followed, and queries pass the admission of the endpoint, without SERVICE and FROM.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..problems import Problem
from ..rdf.formats import FORMATS_BY_SUFFIX, Format
from ..settings import Settings
from ..sparql.language.parser import ParsedSparqlText
from ..text import suggest_near_name
from ..validation.shapes_graph import (
    SHAPES_FORMATS,
    ShapesGraph,
    ShapesReader,
    ShapesSource,
    admit_shape_query,
)

OWL_RULES = "owl2rl"
OWL_RULES_TITLE = "OWL 2 RL"
QUERY_SUFFIXES = ("rq", "sparql")


class RuleFile(NamedTuple):
    """A file with rules; OWL 2 RL is one without data, whose name is OWL_RULES."""

    name: str
    data: bytes = b""

    @property
    def suffix(self) -> str:
        """The suffix of the name, in lower case."""
        return self.name.rpartition(".")[2].lower()

    @property
    def title(self) -> str:
        """The name without folders, or the title of OWL 2 RL."""
        return OWL_RULES_TITLE if self.name == OWL_RULES else Path(self.name).name

    @property
    def digest(self) -> str:
        """The SHA-256 of the data, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


class RuleQuery(NamedTuple):
    """The name of a file, and the text of the CONSTRUCT query in it."""

    name: str
    text: str


@dataclass(frozen=True)
class RuleSet:
    """Admitted rules: whether OWL 2 RL is among them, the shapes with SHACL rules, and CONSTRUCT queries.

    `shapes_names` are the names of the files with SHACL rules.
    """

    has_owl: bool
    shapes: ShapesGraph | None
    shapes_names: tuple[str, ...]
    queries: tuple[RuleQuery, ...]


def read_rule_files(names: Iterable[str], settings: Settings) -> tuple[RuleFile, ...]:
    """The files with rules. Raises Problem 400 for one that cannot be read, 413 for one that is too large."""
    return tuple(
        RuleFile(name) if name == OWL_RULES else read_rule_file(name, settings.paper_bytes) for name in names
    )


def read_rule_file(name: str, max_bytes: int) -> RuleFile:
    """A file with rules. Raises Problem."""
    path = Path(name)
    try:
        if path.exists() and not path.is_file():  # opening a pipe would wait for its writer
            raise Problem(400, f"{name}: This is not a file. Give {OWL_RULES}, or a file with rules.")
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        hint = suggest_near_name(name.lower(), [OWL_RULES], f"Give {OWL_RULES}, or a file with rules.")
        raise Problem(400, f"{name}: {reason}. {hint}") from error
    if len(data) > max_bytes:
        raise Problem(413, f"{name}: The rules have more than {max_bytes} bytes, the limit.")
    return RuleFile(name, data)


def parse_rules(files: Sequence[RuleFile], settings: Settings) -> RuleSet:
    """The rules in files. Raises Problem for rules that are invalid or refused."""
    queries = tuple(
        RuleQuery(file.name, admit_rule_query(file, settings))
        for file in files
        if file.suffix in QUERY_SUFFIXES
    )
    sources = [
        ShapesSource(file.name, file.data, find_rule_format(file))
        for file in files
        if file.suffix not in QUERY_SUFFIXES and file.name != OWL_RULES
    ]
    shapes = ShapesReader(settings, with_rules=True).read(sources) if sources else None
    has_owl = any(file.name == OWL_RULES for file in files)
    return RuleSet(has_owl, shapes, tuple(source.name for source in sources), queries)


def find_rule_format(file: RuleFile) -> Format:
    """The format of a file with SHACL rules, by its suffix. Raises Problem 415 for one without rules."""
    format_ = FORMATS_BY_SUFFIX.get(file.suffix)
    if format_ not in SHAPES_FORMATS:
        suffixes = ", ".join(f".{format_.suffix}" for format_ in SHAPES_FORMATS)
        raise Problem(
            415,
            f"{file.name}: Rules are {OWL_RULES}, files with SHACL rules ({suffixes}), or files .rq with a "
            "CONSTRUCT query.",
        )
    return format_


def admit_rule_query(file: RuleFile, settings: Settings) -> str:
    """The text of a CONSTRUCT query that the engine may run. Raises Problem 400 or 403."""
    try:
        text = file.data.decode()
    except UnicodeDecodeError as error:
        raise Problem(400, f"{file.name}: The query is not in UTF-8.") from error
    try:
        tokens = ParsedSparqlText(text).tokens
        if any(token.word == "GRAPH" for token in tokens):
            raise Problem(
                400, "It has GRAPH, but rules see the chosen graphs as one. Leave out GRAPH and its name."
            )
        if any(token.word in ("INSERT", "DELETE") for token in tokens):
            raise Problem(400, "It is an update, but rules only add what follows. Write a CONSTRUCT query.")
        return admit_shape_query(text, "CONSTRUCT", {}, settings)
    except Problem as problem:
        raise Problem(problem.status, f"{file.name}: The query is refused. {problem.detail}") from problem
