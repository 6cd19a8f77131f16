"""Put the dataset of an update request into its text, for the engine takes none beside it."""

from collections.abc import Sequence

from .problems import Problem
from .sparql import fault, walk


def with_using(text: str, graphs: Sequence[str], named: Sequence[str]) -> str:
    """The update with a USING clause for each graph before each WHERE (SPARQL 1.1 Protocol, section 2.2.3).

    `DELETE WHERE`, which takes no such clause, is written out as `DELETE … WHERE`. Raises Problem 400 where
    the text has USING or WITH itself.
    """
    if not graphs and not named:
        return text
    clauses = " ".join([*(f"USING <{iri}>" for iri in graphs), *(f"USING NAMED <{iri}>" for iri in named)])
    pieces: list[str] = []
    done = 0
    shorthand = -1  # where the pattern of a DELETE WHERE starts, once its keyword is met
    for step in walk(text):
        token = step.token
        if step.depth == 0 and token.word in ("USING", "WITH"):
            raise clash(text, token.start, token.word)
        if step.depth == 0 and token.word == "WHERE":
            pieces.append(text[done : token.start])
            done = token.start
            if step.previous.word == "DELETE":
                shorthand = done = token.start + len(token.text)
            else:
                pieces.append(f"{clauses} ")
        if step.depth == 0 and token.text == "}" and shorthand >= 0:
            pattern = text[shorthand : token.start + 1]
            pieces.append(f"{pattern} {clauses} WHERE{pattern}")
            shorthand, done = -1, token.start + 1
    return "".join([*pieces, text[done:]])


def clash(text: str, start: int, word: str) -> Problem:
    """The 400 for two datasets at once."""
    return fault(
        text,
        start,
        f"The update has {word}, and the request has using-graph-uri or using-named-graph-uri.",
        "Give the dataset in one of the two.",
    )
