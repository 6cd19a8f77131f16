"""What a request asks: looked at before anything runs, in time that grows with its length."""

from dataclasses import dataclass

from .admission import ROOM, admit
from .bodies import Pairs, values
from .diagnosis import diagnose
from .problems import Problem
from .screening import form_of
from .settings import Settings
from .sparql import absolute, form, names_dataset
from .view import Dataset

LONG = 2_000  # characters that take some milliseconds, so that more are looked at elsewhere


@dataclass(frozen=True)
class Question:
    """A query that may run: its text as the engine gets it, its form, and the dataset it runs over."""

    text: str
    form: str
    dataset: Dataset


def takes_long(pairs: Pairs, settings: Settings) -> bool:
    """Whether `question` has to look closely at much text."""
    lengths = [len(value) for _, value in pairs]
    if not sum(lengths) > LONG or max(lengths) > settings.query_length:  # which is refused at once
        return False
    return not any(form_of(text, settings.query_nesting) for text in values(pairs, "query"))


def question(pairs: Pairs, settings: Settings) -> Question:
    """The query of a request's pairs. Raises Problem 400, 403 and 413 before anything runs."""
    if values(pairs, "update"):
        raise Problem(400, "An update was sent to the query service. Send it by POST to /update.")
    texts = values(pairs, "query")
    if len(texts) != 1:
        raise Problem(
            400, f"Exactly one query is needed, and {len(texts)} were sent. Give the parameter query once."
        )
    text = texts[0]
    if len(text) > settings.query_length:
        raise Problem(
            413, f"The query is longer than {settings.query_length} characters. Ask in smaller parts."
        )
    plain = form_of(text, settings.query_nesting)
    dataset = Dataset(
        tuple(absolute(iri, "default-graph-uri") for iri in values(pairs, "default-graph-uri")),
        tuple(absolute(iri, "named-graph-uri") for iri in values(pairs, "named-graph-uri")),
        union=settings.default_graph == "union" and (bool(plain) or not names_dataset(text)),
    )
    if plain:
        return Question(text + ROOM, plain, dataset)
    return Question(admit(text, settings), form(text), dataset)


def misspelt(text: str, said: str, settings: Settings) -> Problem:
    """The Problem of a text that does not parse, as the engine said of it."""
    text = text.removesuffix(ROOM)
    try:
        admit(text, settings)  # which knows of undeclared prefixes
    except Problem as problem:
        return problem
    return diagnose(text, SyntaxError(said))
