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
from ..http.responses import respond_with_body
from ..i18n import gettext_noop
from ..pages.rendering import render_template
from ..rdf.formats import HTML, JSON, PLAIN_TEXT, Format
from ..rdf.namespaces import RDF_TYPE_IRI, XSD_NAMESPACE, shorten_iri
from ..store.store import Store
from .plan import (
    PlanStep,
    StatementCount,
    count_plan_statements,
    plan_query,
    plan_too_large_problem,
    split_pattern_terms,
)
from .request import QueryRequest

MAX_EXPRESSION_CHARS = 300  # characters of an expression

_HIDDEN_VARIABLE_PATTERN = re.compile(r"\?[0-9a-f]{16,32}\b")
_PLAN_IRI_PATTERN = re.compile(r"<([^<>\s]*)>")
_PLAIN_LITERAL_PATTERN = re.compile(rf'"([^"]*)"\^\^<{re.escape(XSD_NAMESPACE)}(?:integer|decimal|boolean)>')


class PlanLine(NamedTuple):
    """A sentence of the plan: within how many others it stands, and what its pattern matches."""

    depth: int
    sentence: str
    matches: StatementCount | None = None


class PlanDescriber:
    """Puts a plan in words, given what its patterns match."""

    def __init__(self, top: PlanStep, found: dict[str, StatementCount], base: str) -> None:
        """Name the variables that the engine made, in the order of the plan."""
        self.counts = found
        self.base = base
        made = dict.fromkeys(
            one for step in top.walk() for one in _HIDDEN_VARIABLE_PATTERN.findall(step.detail)
        )
        self.variable_names = {one: f"?_{number}" for number, one in enumerate(made, 1)}

    def format_detail(self, text: str) -> str:
        """A piece of the plan with short names."""
        text = _HIDDEN_VARIABLE_PATTERN.sub(lambda found: self.variable_names[found[0]], text)
        text = _PLAN_IRI_PATTERN.sub(self.shorten_plan_iri, _PLAIN_LITERAL_PATTERN.sub(r"\1", text))
        return text if len(text) <= MAX_EXPRESSION_CHARS else f"{text[: MAX_EXPRESSION_CHARS - 1]}…"

    def shorten_plan_iri(self, iri: re.Match[str]) -> str:
        """An IRI as a prefixed name where it has one."""
        name = shorten_iri(iri[1], self.base)
        return iri[0] if name == iri[1] else name

    def describe_step(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences of a step and of those below it, in the order of evaluation."""
        yield from STEP_DESCRIBERS.get(step.name, PlanDescriber.describe_other)(self, step, depth)

    def describe_pattern(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """A triple pattern."""
        yield PlanLine(depth, f"Find {self.format_detail(step.detail)}.", self.counts.get(step.detail))

    def describe_path(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """A property path."""
        yield PlanLine(depth, f"Follow the path {self.format_detail(step.detail)}.")
        for iri in _PLAN_IRI_PATTERN.finditer(split_pattern_terms(step.detail)[1]):
            yield PlanLine(depth + 1, f"It goes along {self.format_detail(iri[0])}.", self.counts.get(iri[0]))

    def describe_values(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """Rows that the text gives."""
        if step.detail != "(), (())":
            yield PlanLine(depth, f"Take the values {self.format_detail(step.detail)}.")

    def describe_loop(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """A second step for each row of the first."""
        yield from self.describe_row_loop(step, depth, "For each row so far")

    def describe_optional_loop(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """OPTIONAL, looked up row by row."""
        yield from self.describe_row_loop(step, depth, "For each row so far, where there is one (OPTIONAL)")

    def describe_row_loop(self, step: PlanStep, depth: int, what: str) -> Iterator[PlanLine]:
        """A first part, and what is done for each of its rows; in one line where that fits one."""
        first, second = step.parts
        yield from self.describe_step(first, depth)
        inner = list(self.describe_step(second, depth + 1))
        if len(inner) == 1:
            sentence = inner[0].sentence
            yield PlanLine(depth, f"{what}: {sentence[0].lower()}{sentence[1:]}", inner[0].matches)
        else:
            yield from (PlanLine(depth, f"{what}:"), *inner)

    def describe_join(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """Two parts that are found each for itself."""
        first, second = (list(self.describe_step(part, depth + 1)) for part in step.parts)
        if not first or not second:
            yield from (line._replace(depth=depth) for line in [*first, *second])
            return
        by = join_key_variables(step)
        how = f"and join them by a table over {by}" if by else "and pair each row with each (a cross product)"
        yield from (PlanLine(depth, f"Find two parts, each for itself, {how}. The first:"), *first)
        yield from (PlanLine(depth, "The second:"), *second)

    def describe_optional(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """OPTIONAL by a table."""
        yield from self.describe_table_join(
            step, depth, "Add what there is (OPTIONAL), from a table of all that matches"
        )

    def describe_minus(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """MINUS."""
        yield from self.describe_table_join(
            step, depth, "Leave out rows that agree (MINUS) with a table of all that matches"
        )

    def describe_table_join(self, step: PlanStep, depth: int, what: str) -> Iterator[PlanLine]:
        """A first part, and what is done with it by a table of the second."""
        first, second = step.parts
        yield from self.describe_step(first, depth)
        by = join_key_variables(step)
        yield PlanLine(depth, f"{what}, by {by}:" if by else f"{what}:")
        yield from self.describe_step(second, depth + 1)

    def describe_union(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """Alternatives."""
        for number, part in enumerate(step.parts):
            yield PlanLine(depth, "Either (UNION):" if number == 0 else "or:")
            yield from self.describe_step(part, depth + 1)

    def describe_filter(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """A test, with the patterns of its EXISTS."""
        yield from self.describe_step(step.parts[0], depth)
        yield PlanLine(depth, f"Keep the rows where {self.format_detail(step.detail)}.")
        for part in step.parts[1:]:
            yield PlanLine(depth + 1, "For each row, to see whether there is one:")
            yield from self.describe_step(part, depth + 2)

    def describe_other(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """All else, after what is below it."""
        for part in step.parts:
            yield from self.describe_step(part, depth)
        sentence = STEP_SENTENCES.get(step.name, f"{step.name}: {{}}")
        yield PlanLine(depth, f"{sentence.format(self.format_detail(step.detail)).strip()}.")


def join_key_variables(step: PlanStep) -> str:
    """The variables over which a table is built; empty where there is none."""
    found = re.search(r"keys = ((?:\?\w+(?:, )?)*)", step.detail)
    return ", ".join(sorted(re.findall(r"\?\w+", found[1]))) if found else ""


STEP_DESCRIBERS: dict[str, Callable[[PlanDescriber, PlanStep, int], Iterator[PlanLine]]] = {
    "QuadPattern": PlanDescriber.describe_pattern,
    "Path": PlanDescriber.describe_path,
    "StaticBindings": PlanDescriber.describe_values,
    "Lateral": PlanDescriber.describe_loop,
    "ForLoopLeftJoin": PlanDescriber.describe_optional_loop,
    "Join": PlanDescriber.describe_join,
    "LeftJoin": PlanDescriber.describe_optional,
    "AntiJoin": PlanDescriber.describe_minus,
    "Union": PlanDescriber.describe_union,
    "Filter": PlanDescriber.describe_filter,
}
# The sentence of a step that comes after what is below it.
STEP_SENTENCES = {
    "Project": "Show {}",
    "Slice": "Take a part of the rows: {}",
    "Sort": "Sort them by {}",
    "Distinct": "Leave out rows that came before",
    "Reduced": "Leave out a row like the one before it",
    "Aggregate": "Group them, and compute for each group: {}",
    "Extend": "Compute {}",
    "Graph": "Look at the graph {}",
}

PATTERN_STEPS = ("QuadPattern", "Path")
BETTER_START_FACTOR = 10  # by how much a better start must be better
_RDF_TYPE_SPELLING = f"<{RDF_TYPE_IRI}>"


def iter_plan_advice(words: PlanDescriber, top: PlanStep) -> Iterator[str]:
    """What could be better."""
    for step in top.walk():
        count = words.counts.get(step.detail)
        if (
            step.name == "Join"
            and not join_key_variables(step)
            and all(any(words.describe_step(part, 0)) for part in step.parts)
        ):
            yield describe_cross_product(words, step)
        if step.name == "QuadPattern" and count and not count.number:
            yield f"No statement matches {words.format_detail(step.detail)}. What needs it finds nothing."
    for chain in iter_lookup_chains(top):
        yield from find_better_start(words, chain)


def describe_cross_product(words: PlanDescriber, step: PlanStep) -> str:
    """A cross product, by the patterns that stand first in its parts."""
    found = (next((one for one in part.walk() if one.name in PATTERN_STEPS), part) for part in step.parts)
    names = " and ".join(words.format_detail(one.detail) for one in found)
    return (
        f"A cross product: the parts around {names} share no variable that both always have, so each row "
        "of one is paired with each of the other. Tie them by a variable, or ask two queries."
    )


def find_better_start(words: PlanDescriber, chain: list[PlanStep]) -> Iterator[str]:
    """A pattern that had better be the first of a row of look-ups, where the text can do that."""
    first, *rest = chain
    begun = words.counts.get(first.detail)
    like = [
        one
        for one in rest
        if planned_pattern_shape(one) == planned_pattern_shape(first) and one.detail in words.counts
    ]
    best = min(like, key=lambda one: words.counts[one.detail].number, default=None)
    if begun and best and max(1, words.counts[best.detail].number) * BETTER_START_FACTOR <= begun.number:
        yield (
            f"The engine begins with {words.format_detail(first.detail)} ({begun}): "
            "among patterns of one shape the first in the text goes first. "
            f"Put {words.format_detail(best.detail)} ({words.counts[best.detail]}) before it."
        )


def planned_pattern_shape(step: PlanStep) -> tuple[object, ...]:
    """What the engine looks at when it plans: which terms are variables, and whether it asks for a class."""
    slots = split_pattern_terms(step.detail)
    return (*(slot.startswith("?") for slot in slots[:3]), slots[1] == _RDF_TYPE_SPELLING)


def iter_lookup_chains(top: PlanStep) -> Iterator[list[PlanStep]]:
    """The patterns of each row of look-ups, in order."""
    inner: set[int] = set()
    for step in top.walk():
        if step.name != "Lateral" or id(step) in inner:
            continue
        row: list[PlanStep] = []
        while step.name in ("Lateral", "Filter"):
            if step.name == "Lateral":
                inner.add(id(step))
                row += [one for one in step.parts[1:] if one.name == "QuadPattern"]
            step = step.parts[0]  # noqa: PLW2901  the row goes on there
        if step.name == "QuadPattern":
            yield [step, *reversed(row)]


EXPLANATION_FORMATS = (JSON, PLAIN_TEXT, HTML)
MAX_ADVICE_COUNT = 10  # pieces of advice
PLAN_SOURCE_TEMPLATE = gettext_noop(
    "The plan is that of the engine (Oxigraph {version}), told by its own command. It plans by "
    "the shape of the patterns and by their order in the text, not by counts. Each number is of the "
    "statements that match the pattern alone, in the dataset of the query."
)
ENGINE_VERSION = version("oxigraph")
PLAN_SOURCE_SENTENCE = PLAN_SOURCE_TEMPLATE.format(version=ENGINE_VERSION)


class QueryExplanation(NamedTuple):
    """The plan in words, in the order of evaluation, and advice where it could be better."""

    lines: list[PlanLine]
    advice: list[str]

    def build_document(self) -> dict[str, object]:
        """The explanation for programs; `statements` is what a pattern matches, `more` tells of more."""
        steps = [
            {"depth": line.depth, "step": line.sentence}
            | (
                {"statements": line.matches.number, "more": line.matches.is_lower_bound}
                if line.matches
                else {}
            )
            for line in self.lines
        ]
        return {"steps": steps, "advice": self.advice, "source": PLAN_SOURCE_SENTENCE}

    def format_text(self) -> str:
        """The explanation for a terminal."""
        lines = [f"{'  ' * line.depth}{line.sentence}{format_match_count(line)}" for line in self.lines]
        advice = ["", "What could be better:", *(f"- {one}" for one in self.advice)] if self.advice else []
        return "\n".join([*lines, *advice, "", PLAN_SOURCE_SENTENCE, ""])


def format_match_count(line: PlanLine) -> str:
    """How much a pattern matches, behind its sentence."""
    return f" {line.matches}." if line.matches else ""


def explain_query(asked: QueryRequest, store: Store, base: str) -> QueryExplanation:
    """Explain a query. Raises SyntaxError, Problem 422 and 503 as `plan_query` does."""
    try:
        top = plan_query(asked.admitted.engine_text, asked.form, base)
        words = PlanDescriber(top, count_plan_statements(top.walk(), store, asked.dataset), base)
        return QueryExplanation(
            list(words.describe_step(top, 0)),
            list(dict.fromkeys(iter_plan_advice(words, top)))[:MAX_ADVICE_COUNT],
        )
    except RecursionError as error:  # hundreds of patterns in a row
        raise plan_too_large_problem() from error


def respond_with_explanation(
    request: Request, base: str, pairs: Pairs, found: QueryExplanation, format_: Format
) -> Response:
    """The answer to `?explain`, in one of the EXPLANATION_FORMATS."""
    if format_ is HTML:
        source = gettext(PLAN_SOURCE_TEMPLATE).format(version=ENGINE_VERSION)
        page = render_template(
            "explain.html", base=base, explained=found, suffix=format_match_count, source=source, asked=pairs
        )
        return respond_with_body(request, page, HTML)
    body = json.dumps(found.build_document(), ensure_ascii=False) if format_ is JSON else found.format_text()
    return respond_with_body(request, body.encode(), format_)
