"""The calls in an admitted text: each SERVICE and LOAD that is allowed, and what it asks for."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pyoxigraph as ox

from ..admission import Aim, aims
from ..diagnosis import diagnose, unfinished
from ..sparql import FORMS, Step, Token, first_word, tokens, walk
from .allowed import MARK, MARKS, OWN

# What a text declares for what follows, and in how many tokens.
DECLARED = {"PREFIX": 3, "BASE": 2}


class Call(NamedTuple):
    """A SERVICE or LOAD of an admitted text: what it stands for, and where.

    `inside` is the pattern of a SERVICE with its brackets, or the graph that a LOAD goes into; `prologue` is
    what was declared before it. `own`: this service answers it itself.
    """

    word: str
    silent: bool
    url: str
    inside: str
    prologue: str
    start: int
    end: int
    own: bool = False

    @property
    def variables(self) -> set[str]:
        """The names of the variables in it."""
        return {one.text[1:] for one in tokens(self.inside) if one.kind == "variable"}


def asks_others(text: str) -> bool:
    """Whether an admitted text may have calls, so that what it yields does not hang on our data alone."""
    return f"<{MARK}" in text


def has_calls(text: str) -> bool:
    """Whether an admitted text may have calls, of others or of our own search."""
    return asks_others(text) or f"<{OWN}" in text


def mark_of(target: Token) -> str:
    """The mark of a target; empty where it has none."""
    return next((one for one in MARKS if target.text.startswith(f"<{one}")), "")


def check_syntax(text: str, base: str) -> None:
    """Raises Problem 400 where the engine refuses the text, which it only reads: a sign too many ends it."""
    first = first_word(text)
    store = ox.Store()
    read_only = store.query if first and first.word in FORMS else store.update
    try:
        read_only(f"{text}\n`", base_iri=base)
    except SyntaxError as error:
        line = re.match(r"error at (\d+)", str(error))
        if line is None or int(line[1]) <= text.count("\n") + 1:
            raise diagnose(text, error) from error
    if problem := unfinished(text):
        raise problem


def calls(text: str, base: str) -> Iterator[Call]:
    """The calls of an admitted text that parses, in order; those within another are for the one it asks."""
    steps = list(walk(text))
    called = {start: aim for start, aim in aims(text).items() if mark_of(aim.token)}
    prologue = f"BASE <{base}>"
    end = 0
    for number, step in enumerate(steps):
        word, start = step.token.word, step.token.start
        if word in DECLARED:
            declaration = steps[number : number + DECLARED[word]]
            prologue = " ".join([prologue, *(one.token.text for one in declaration)])
        aim = called.get(start)
        if aim is None or start < end:
            continue
        after = steps[number + 2 + aim.silent :]
        first, last = group(after) if word == "SERVICE" else graph(after, aim.token)
        end = last.start + len(last.text)
        url = aim.token.text[1 + len(mark_of(aim.token)) : -1]
        inside = unmarked(text, first, end, called.values())
        own = mark_of(aim.token) == OWN
        yield Call(word, aim.silent, url, inside, prologue, start, end, own)


def unmarked(text: str, first: int, end: int, called: Iterable[Aim]) -> str:
    """A part of the text with the targets in it as they can be asked."""
    pieces = []
    for target in sorted((one.token for one in called), key=lambda one: one.start):
        mark = target.start + 1
        if first < mark < end:
            pieces.append(text[first:mark])
            first = mark + len(mark_of(target))
    return "".join([*pieces, text[first:end]])


def group(after: Sequence[Step]) -> tuple[int, Token]:
    """Where the pattern of a SERVICE begins, and the token that ends it."""
    closing = (one.token for one in after if one.token.text == "}" and one.depth < after[0].depth)
    return after[0].token.start, next(closing, after[-1].token)


def graph(after: Sequence[Step], target: Token) -> tuple[int, Token]:
    """Where the name of the graph begins that a LOAD goes into, if any, and the last token of all."""
    if [one.token.word for one in after[:2]] == ["INTO", "GRAPH"]:
        return after[2].token.start, after[2].token
    return target.start + len(target.text), target
