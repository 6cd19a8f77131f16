"""Query explanation: the plan of the engine in words, matches per pattern, and advice.

Steps come in the order of evaluation. Advice names cross products, and a better first pattern where that
matches a tenth or less.
"""

import json
import re
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import NamedTuple

from fastapi import Request, Response

from ..http.bodies import Pairs
from ..http.language import gettext
from ..http.responses import answer
from ..i18n import marked
from ..pages.rendering import render
from ..rdf.formats import HTML, JSON, TEXT, Format
from ..rdf.namespaces import OUTSIDE, namespaces, shorten
from ..store.store import Store
from ..store.view import Dataset
from .plan import Count, Step, counts, plan, terms, too_large

SHOWN = 300  # characters of an expression

_HIDDEN = re.compile(r"\?[0-9a-f]{16,32}\b")
_IRI = re.compile(r"<([^<>\s]*)>")
_PLAIN = re.compile(rf'"([^"]*)"\^\^<{re.escape(OUTSIDE["xsd"])}(?:integer|decimal|boolean)>')


class Line(NamedTuple):
    """A sentence of the plan: within how many others it stands, and what its pattern matches."""

    depth: int
    sentence: str
    matches: Count | None = None


class Words:
    """Puts a plan in words, given what its patterns match."""

    def __init__(self, top: Step, found: dict[str, Count], base: str) -> None:
        """Name the variables that the engine made, in the order of the plan."""
        self.counts = found
        self.known = namespaces(base)
        made = dict.fromkeys(one for step in top.walk() for one in _HIDDEN.findall(step.detail))
        self.made = {one: f"?_{number}" for number, one in enumerate(made, 1)}

    def said(self, text: str) -> str:
        """A piece of the plan with short names."""
        text = _HIDDEN.sub(lambda found: self.made[found[0]], text)
        text = _IRI.sub(self.short, _PLAIN.sub(r"\1", text))
        return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"

    def short(self, iri: re.Match[str]) -> str:
        """An IRI as a prefixed name where it has one."""
        name = shorten(iri[1], self.known)
        return iri[0] if name == iri[1] else name

    def lines(self, step: Step, depth: int) -> Iterator[Line]:
        """The sentences of a step and of those below it, in the order of evaluation."""
        yield from SAYING.get(step.name, Words.other)(self, step, depth)

    def pattern(self, step: Step, depth: int) -> Iterator[Line]:
        """A triple pattern."""
        yield Line(depth, f"Find {self.said(step.detail)}.", self.counts.get(step.detail))

    def path(self, step: Step, depth: int) -> Iterator[Line]:
        """A property path."""
        yield Line(depth, f"Follow the path {self.said(step.detail)}.")
        for iri in _IRI.finditer(terms(step.detail)[1]):
            yield Line(depth + 1, f"It goes along {self.said(iri[0])}.", self.counts.get(iri[0]))

    def values(self, step: Step, depth: int) -> Iterator[Line]:
        """Rows that the text gives."""
        if step.detail != "(), (())":
            yield Line(depth, f"Take the values {self.said(step.detail)}.")

    def loop(self, step: Step, depth: int) -> Iterator[Line]:
        """A second step for each row of the first."""
        yield from self.each(step, depth, "For each row so far")

    def optional_loop(self, step: Step, depth: int) -> Iterator[Line]:
        """OPTIONAL, looked up row by row."""
        yield from self.each(step, depth, "For each row so far, where there is one (OPTIONAL)")

    def each(self, step: Step, depth: int, what: str) -> Iterator[Line]:
        """A first part, and what is done for each of its rows; in one line where that fits one."""
        first, second = step.parts
        yield from self.lines(first, depth)
        inner = list(self.lines(second, depth + 1))
        if len(inner) == 1:
            sentence = inner[0].sentence
            yield Line(depth, f"{what}: {sentence[0].lower()}{sentence[1:]}", inner[0].matches)
        else:
            yield from (Line(depth, f"{what}:"), *inner)

    def join(self, step: Step, depth: int) -> Iterator[Line]:
        """Two parts that are found each for itself."""
        first, second = (list(self.lines(part, depth + 1)) for part in step.parts)
        if not first or not second:
            yield from (line._replace(depth=depth) for line in [*first, *second])
            return
        by = keys(step)
        how = f"and join them by a table over {by}" if by else "and pair each row with each (a cross product)"
        yield from (Line(depth, f"Find two parts, each for itself, {how}. The first:"), *first)
        yield from (Line(depth, "The second:"), *second)

    def optional(self, step: Step, depth: int) -> Iterator[Line]:
        """OPTIONAL by a table."""
        yield from self.beside(step, depth, "Add what there is (OPTIONAL), from a table of all that matches")

    def minus(self, step: Step, depth: int) -> Iterator[Line]:
        """MINUS."""
        yield from self.beside(
            step, depth, "Leave out rows that agree (MINUS) with a table of all that matches"
        )

    def beside(self, step: Step, depth: int, what: str) -> Iterator[Line]:
        """A first part, and what is done with it by a table of the second."""
        first, second = step.parts
        yield from self.lines(first, depth)
        by = keys(step)
        yield Line(depth, f"{what}, by {by}:" if by else f"{what}:")
        yield from self.lines(second, depth + 1)

    def union(self, step: Step, depth: int) -> Iterator[Line]:
        """Alternatives."""
        for number, part in enumerate(step.parts):
            yield Line(depth, "Either (UNION):" if number == 0 else "or:")
            yield from self.lines(part, depth + 1)

    def filter(self, step: Step, depth: int) -> Iterator[Line]:
        """A test, with the patterns of its EXISTS."""
        yield from self.lines(step.parts[0], depth)
        yield Line(depth, f"Keep the rows where {self.said(step.detail)}.")
        for part in step.parts[1:]:
            yield Line(depth + 1, "For each row, to see whether there is one:")
            yield from self.lines(part, depth + 2)

    def other(self, step: Step, depth: int) -> Iterator[Line]:
        """All else, after what is below it."""
        for part in step.parts:
            yield from self.lines(part, depth)
        sentence = AFTER.get(step.name, f"{step.name}: {{}}")
        yield Line(depth, f"{sentence.format(self.said(step.detail)).strip()}.")


def keys(step: Step) -> str:
    """The variables over which a table is built; empty where there is none."""
    found = re.search(r"keys = ((?:\?\w+(?:, )?)*)", step.detail)
    return ", ".join(sorted(re.findall(r"\?\w+", found[1]))) if found else ""


SAYING: dict[str, Callable[[Words, Step, int], Iterator[Line]]] = {
    "QuadPattern": Words.pattern,
    "Path": Words.path,
    "StaticBindings": Words.values,
    "Lateral": Words.loop,
    "ForLoopLeftJoin": Words.optional_loop,
    "Join": Words.join,
    "LeftJoin": Words.optional,
    "AntiJoin": Words.minus,
    "Union": Words.union,
    "Filter": Words.filter,
}
# The sentence of a step that comes after what is below it.
AFTER = {
    "Project": "Show {}",
    "Slice": "Take a part of the rows: {}",
    "Sort": "Sort them by {}",
    "Distinct": "Leave out rows that came before",
    "Reduced": "Leave out a row like the one before it",
    "Aggregate": "Group them, and compute for each group: {}",
    "Extend": "Compute {}",
    "Graph": "Look at the graph {}",
}

MATCHING = ("QuadPattern", "Path")
TIMES = 10  # by how much a better start must be better
_TYPE = f"<{OUTSIDE['rdf']}type>"


def advice(words: Words, top: Step) -> Iterator[str]:
    """What could be better."""
    for step in top.walk():
        count = words.counts.get(step.detail)
        if step.name == "Join" and not keys(step) and all(any(words.lines(part, 0)) for part in step.parts):
            yield product(words, step)
        if step.name == "QuadPattern" and count and not count.number:
            yield f"No statement matches {words.said(step.detail)}. What needs it finds nothing."
    for chain in chains(top):
        yield from start(words, chain)


def product(words: Words, step: Step) -> str:
    """A cross product, by the patterns that stand first in its parts."""
    found = (next((one for one in part.walk() if one.name in MATCHING), part) for part in step.parts)
    names = " and ".join(words.said(one.detail) for one in found)
    return (
        f"A cross product: the parts around {names} share no variable that both always have, so each row "
        "of one is paired with each of the other. Tie them by a variable, or ask two queries."
    )


def start(words: Words, chain: list[Step]) -> Iterator[str]:
    """A pattern that had better be the first of a row of look-ups, where the text can do that."""
    first, *rest = chain
    begun = words.counts.get(first.detail)
    like = [one for one in rest if shape(one) == shape(first) and one.detail in words.counts]
    best = min(like, key=lambda one: words.counts[one.detail].number, default=None)
    if begun and best and max(1, words.counts[best.detail].number) * TIMES <= begun.number:
        yield (
            f"The engine begins with {words.said(first.detail)} ({begun}): among patterns of one shape "
            "the first in the text goes first. "
            f"Put {words.said(best.detail)} ({words.counts[best.detail]}) before it."
        )


def shape(step: Step) -> tuple[object, ...]:
    """What the engine looks at when it plans: which terms are variables, and whether it asks for a class."""
    slots = terms(step.detail)
    return (*(slot.startswith("?") for slot in slots[:3]), slots[1] == _TYPE)


def chains(top: Step) -> Iterator[list[Step]]:
    """The patterns of each row of look-ups, in order."""
    inner: set[int] = set()
    for step in top.walk():
        if step.name != "Lateral" or id(step) in inner:
            continue
        row: list[Step] = []
        while step.name in ("Lateral", "Filter"):
            if step.name == "Lateral":
                inner.add(id(step))
                row += [one for one in step.parts[1:] if one.name == "QuadPattern"]
            step = step.parts[0]  # noqa: PLW2901  the row goes on there
        if step.name == "QuadPattern":
            yield [step, *reversed(row)]


EXPLAINED = (JSON, TEXT, HTML)
MOST = 10  # pieces of advice
WHOSE = marked(
    "The plan is that of the engine (Oxigraph {version}), told by its own command. It plans by "
    "the shape of the patterns and by their order in the text, not by counts. Each number is of the "
    "statements that match the pattern alone, in the dataset of the query."
)
ENGINE = version("oxigraph")
SOURCE = WHOSE.format(version=ENGINE)


class Explanation(NamedTuple):
    """The plan in words, in the order of evaluation, and advice where it could be better."""

    lines: list[Line]
    advice: list[str]

    def document(self) -> dict[str, object]:
        """The explanation for programs; `statements` is what a pattern matches, `more` tells of more."""
        steps = [
            {"depth": line.depth, "step": line.sentence}
            | ({"statements": line.matches.number, "more": line.matches.least} if line.matches else {})
            for line in self.lines
        ]
        return {"steps": steps, "advice": self.advice, "source": SOURCE}

    def text(self) -> str:
        """The explanation for a terminal."""
        lines = [f"{'  ' * line.depth}{line.sentence}{suffix(line)}" for line in self.lines]
        advice = ["", "What could be better:", *(f"- {one}" for one in self.advice)] if self.advice else []
        return "\n".join([*lines, *advice, "", SOURCE, ""])


def suffix(line: Line) -> str:
    """How much a pattern matches, behind its sentence."""
    return f" {line.matches}." if line.matches else ""


def explain(text: str, form: str, dataset: Dataset, store: Store, base: str) -> Explanation:
    """Explain a query of this form over a dataset. Raises SyntaxError, Problem 422 and 503 as `plan` does."""
    try:
        top = plan(text, form, base)
        words = Words(top, counts(top.walk(), store, dataset), base)
        return Explanation(list(words.lines(top, 0)), list(dict.fromkeys(advice(words, top)))[:MOST])
    except RecursionError as error:  # hundreds of patterns in a row
        raise too_large() from error


def explanation(request: Request, pairs: Pairs, found: Explanation, format_: Format) -> Response:
    """The answer to `?explain`, in one of the formats EXPLAINED."""
    if format_ is HTML:
        base = request.app.state.settings.base
        source = gettext(WHOSE).format(version=ENGINE)
        page = render("explain.html", base=base, explained=found, suffix=suffix, source=source, asked=pairs)
        return answer(request, page, HTML)
    body = json.dumps(found.document(), ensure_ascii=False) if format_ is JSON else found.text()
    return answer(request, body.encode(), format_)
