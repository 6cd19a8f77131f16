"""Query explanation: the plan of the engine in English sentences, counts of matches, and advice.

Steps are in the order of evaluation. Advice covers cross products, patterns without matches, and chains of
patterns in which a later pattern matches at most a tenth as many statements as the first.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from typing import NamedTuple

from fastapi import Request, Response
from wgig_client.namespaces import XSD_NAMESPACE

from ..http.bodies import Pairs
from ..http.language import gettext
from ..http.responses import respond_with_body
from ..i18n import gettext_noop
from ..pages.rendering import render_template
from ..rdf.formats import HTML, JSON, PLAIN_TEXT, Format
from ..rdf.namespaces import RDF_TYPE_IRI, shorten_iri
from ..store.store import Store
from .admission import read_clause_dataset
from .plan import (
    PlanStep,
    StatementCount,
    count_plan_statements,
    plan_query,
    plan_too_large_problem,
    split_pattern_terms,
)
from .request import QueryRequest

MAX_EXPRESSION_CHARS = 300  # longer expressions are cut

# The engine names the variables that it adds by random hexadecimal numbers.
_HIDDEN_VARIABLE_PATTERN = re.compile(r"\?[0-9a-f]{16,32}\b")
_PLAN_IRI_PATTERN = re.compile(r"<([^<>\s]*)>")
_PLAIN_LITERAL_PATTERN = re.compile(rf'"([^"]*)"\^\^<{re.escape(XSD_NAMESPACE)}(?:integer|decimal|boolean)>')


class PlanLine(NamedTuple):
    """A sentence of the explanation, its nesting depth, and the number of matches of its pattern."""

    depth: int
    sentence: str
    matches: StatementCount | None = None


class PlanDescriber:
    """Describes the steps of a plan in sentences, with the numbers of matching statements."""

    def __init__(self, root: PlanStep, counts: dict[str, StatementCount], base: str) -> None:
        """`counts` comes from `count_plan_statements`, `base` is the base IRI of the service.

        Variables that the engine added to the plan are named ?_1, ?_2 and so on.
        """
        self.counts = counts
        self.base = base
        hidden_variables = dict.fromkeys(
            variable for step in root.walk() for variable in _HIDDEN_VARIABLE_PATTERN.findall(step.detail)
        )
        self.variable_names = {variable: f"?_{number}" for number, variable in enumerate(hidden_variables, 1)}

    def format_detail(self, text: str) -> str:
        """A text from the plan with prefixed names instead of IRIs, cut to MAX_EXPRESSION_CHARS."""
        text = _HIDDEN_VARIABLE_PATTERN.sub(lambda match: self.variable_names[match[0]], text)
        text = _PLAN_IRI_PATTERN.sub(self.shorten_plan_iri, _PLAIN_LITERAL_PATTERN.sub(r"\1", text))
        return text if len(text) <= MAX_EXPRESSION_CHARS else f"{text[: MAX_EXPRESSION_CHARS - 1]}…"

    def shorten_plan_iri(self, match: re.Match[str]) -> str:
        """An IRI as a prefixed name if it has a known prefix."""
        name = shorten_iri(match[1], self.base)
        return match[0] if name == match[1] else name

    def describe_step(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences for a step and its descendants, in the order of evaluation."""
        yield from STEP_DESCRIBERS.get(step.name, PlanDescriber.describe_other)(self, step, depth)

    def describe_pattern(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentence for a triple pattern."""
        yield PlanLine(depth, f"Find {self.format_detail(step.detail)}.", self.counts.get(step.detail))

    def describe_path(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences for a property path and its properties."""
        yield PlanLine(depth, f"Follow the path {self.format_detail(step.detail)}.")
        for iri in _PLAN_IRI_PATTERN.finditer(split_pattern_terms(step.detail)[1]):
            yield PlanLine(depth + 1, f"It follows {self.format_detail(iri[0])}.", self.counts.get(iri[0]))

    def describe_values(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentence for VALUES, none for the empty row that the engine adds."""
        if step.detail != "(), (())":
            yield PlanLine(depth, f"Use the values {self.format_detail(step.detail)}.")

    def describe_loop(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences for a join that evaluates its second part for each row of the first."""
        yield from self.describe_row_loop(step, depth, "For each row so far")

    def describe_optional_loop(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences for an OPTIONAL that is evaluated for each row."""
        yield from self.describe_row_loop(step, depth, "For each row so far, if there is a match (OPTIONAL)")

    def describe_row_loop(self, step: PlanStep, depth: int, introduction: str) -> Iterator[PlanLine]:
        """The sentences for the first part, then `introduction` and the sentences for the second part.

        A second part of one sentence is put on the line of the introduction.
        """
        first, second = step.children
        yield from self.describe_step(first, depth)
        inner = list(self.describe_step(second, depth + 1))
        if len(inner) == 1:
            sentence = inner[0].sentence
            yield PlanLine(depth, f"{introduction}: {sentence[0].lower()}{sentence[1:]}", inner[0].matches)
        else:
            yield from (PlanLine(depth, f"{introduction}:"), *inner)

    def describe_join(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences for two parts that are evaluated separately and joined."""
        first, second = (list(self.describe_step(part, depth + 1)) for part in step.children)
        if not first or not second:
            yield from (line._replace(depth=depth) for line in [*first, *second])
            return
        key_variables = join_key_variables(step)
        join_method = (
            f"and join them in a table by {key_variables}"
            if key_variables
            else "and pair each row of one with each row of the other (a cross product)"
        )
        yield from (PlanLine(depth, f"Evaluate two parts separately, {join_method}. The first:"), *first)
        yield from (PlanLine(depth, "The second:"), *second)

    def describe_optional(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences for an OPTIONAL that is evaluated with a table of all matches."""
        yield from self.describe_table_join(step, depth, "Add matches (OPTIONAL) from a table of all matches")

    def describe_minus(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences for a MINUS, which is evaluated with a table of all matches."""
        yield from self.describe_table_join(
            step, depth, "Remove rows that match an entry in a table of all matches (MINUS)"
        )

    def describe_table_join(self, step: PlanStep, depth: int, introduction: str) -> Iterator[PlanLine]:
        """The sentences for the first part, then `introduction` and the sentences for the table."""
        first, second = step.children
        yield from self.describe_step(first, depth)
        key_variables = join_key_variables(step)
        yield PlanLine(depth, f"{introduction}, by {key_variables}:" if key_variables else f"{introduction}:")
        yield from self.describe_step(second, depth + 1)

    def describe_union(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences for the alternatives of a UNION."""
        for number, part in enumerate(step.children):
            yield PlanLine(depth, "Either (UNION):" if number == 0 else "or:")
            yield from self.describe_step(part, depth + 1)

    def describe_filter(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentences for a FILTER and the patterns of its EXISTS."""
        yield from self.describe_step(step.children[0], depth)
        yield PlanLine(depth, f"Keep the rows where {self.format_detail(step.detail)}.")
        for part in step.children[1:]:
            yield PlanLine(depth + 1, "Check for each row whether there is a match:")
            yield from self.describe_step(part, depth + 2)

    def describe_other(self, step: PlanStep, depth: int) -> Iterator[PlanLine]:
        """The sentence for any other step, after those for its children."""
        for part in step.children:
            yield from self.describe_step(part, depth)
        sentence = STEP_SENTENCES.get(step.name, f"{step.name}: {{}}")
        detail = describe_slice(step.detail) if step.name == "Slice" else self.format_detail(step.detail)
        yield PlanLine(depth, f"{sentence.format(detail).strip()}.")


def describe_slice(detail: str) -> str:
    """The rows that OFFSET and LIMIT keep: `detail` is such as `start = 5, length = 2`."""
    numbers = {name: int(number) for name, number in re.findall(r"(\w+) = ([0-9]+)", detail)}
    start, length = numbers.get("start", 0), numbers.get("length")
    if length is None:
        return f"Leave out the first {start} rows"
    rows = "row" if length == 1 else f"{length} rows"
    return (
        f"Leave out the first {start} rows, and keep the next {rows}" if start else f"Keep the first {rows}"
    )


def join_key_variables(step: PlanStep) -> str:
    """The names of the variables by which a step joins its parts; empty if there are none."""
    match = re.search(r"keys = ((?:\?\w+(?:, )?)*)", step.detail)
    return ", ".join(sorted(re.findall(r"\?\w+", match[1]))) if match else ""


# By the name of the step in the engine.
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
# Sentences for `describe_other`; {} is the detail of the step.
STEP_SENTENCES = {
    "Project": "Show {}",
    "Slice": "{}",
    "Sort": "Sort them by {}",
    "Distinct": "Remove duplicate rows",
    "Reduced": "Remove each row that is equal to the one before it",
    "Aggregate": "Group them, and compute for each group: {}",
    "Extend": "Compute {}",
    "Graph": "Use the graph {}",
}

PATTERN_STEPS = ("QuadPattern", "Path")
BETTER_START_FACTOR = 10  # a better first pattern matches at most a tenth as many statements
_RDF_TYPE_SPELLING = f"<{RDF_TYPE_IRI}>"


def iter_plan_advice(describer: PlanDescriber, root: PlanStep) -> Iterator[str]:
    """Sentences on possible improvements of the query."""
    for step in root.walk():
        count = describer.counts.get(step.detail)
        if (
            step.name == "Join"
            and not join_key_variables(step)
            and all(any(describer.describe_step(part, 0)) for part in step.children)
        ):
            yield describe_cross_product(describer, step)
        if step.name == "QuadPattern" and count and not count.number:
            pattern = describer.format_detail(step.detail)
            yield (
                f"No statement matches {pattern}, so the parts of the query that depend on it find nothing."
            )
    for chain in iter_lookup_chains(root):
        yield from find_better_start(describer, chain)


def describe_cross_product(describer: PlanDescriber, step: PlanStep) -> str:
    """The advice on a cross product, with the first pattern of each part."""
    patterns = (
        next((inner for inner in part.walk() if inner.name in PATTERN_STEPS), part) for part in step.children
    )
    pattern_texts = " and ".join(describer.format_detail(pattern.detail) for pattern in patterns)
    return (
        f"A cross product: the parts with {pattern_texts} share no variable that always has a "
        "value in both, so each row of one is paired with each row of the other. Join them with a "
        "variable, or write two queries."
    )


def find_better_start(describer: PlanDescriber, chain: list[PlanStep]) -> Iterator[str]:
    """The advice to move a pattern of the same shape to the front of a chain, if it has far fewer matches."""
    first, *later_steps = chain
    first_count = describer.counts.get(first.detail)
    alternatives = [
        step
        for step in later_steps
        if planned_pattern_shape(step) == planned_pattern_shape(first) and step.detail in describer.counts
    ]
    best = min(alternatives, key=lambda step: describer.counts[step.detail].number, default=None)
    if (
        first_count
        and best
        and max(1, describer.counts[best.detail].number) * BETTER_START_FACTOR <= first_count.number
    ):
        yield (
            f"The engine starts with {describer.format_detail(first.detail)} ({first_count}), "
            "because it evaluates patterns of the same shape in the order of the text. Put "
            f"{describer.format_detail(best.detail)} ({describer.counts[best.detail]}) before it."
        )


def planned_pattern_shape(step: PlanStep) -> tuple[object, ...]:
    """The features of a pattern that the planner uses: which terms are variables, whether it has rdf:type."""
    terms = split_pattern_terms(step.detail)
    return (*(term.startswith("?") for term in terms[:3]), terms[1] == _RDF_TYPE_SPELLING)


def iter_lookup_chains(root: PlanStep) -> Iterator[list[PlanStep]]:
    """The patterns of each chain of nested `Lateral` steps (loops over rows), in the order of evaluation."""
    visited: set[int] = set()
    for step in root.walk():
        if step.name != "Lateral" or id(step) in visited:
            continue
        chain: list[PlanStep] = []
        while step.name in ("Lateral", "Filter"):
            if step.name == "Lateral":
                visited.add(id(step))
                chain += [part for part in step.children[1:] if part.name == "QuadPattern"]
            step = step.children[0]  # noqa: PLW2901  the chain continues in the first child
        if step.name == "QuadPattern":
            yield [step, *reversed(chain)]


EXPLANATION_FORMATS = (JSON, PLAIN_TEXT, HTML)
MAX_ADVICE_COUNT = 10
PLAN_SOURCE_TEMPLATE = gettext_noop(
    "These are the steps in which the service answers your query. Each number says how many statements "
    "match that step on its own. The engine (Oxigraph {version}) orders the steps by the shape of the "
    "patterns and their order in the text, not by these numbers."
)
ENGINE_VERSION = version("pyoxigraph")
PLAN_SOURCE_SENTENCE = PLAN_SOURCE_TEMPLATE.format(version=ENGINE_VERSION)


class QueryExplanation(NamedTuple):
    """The steps of the plan in the order of evaluation, and advice on possible improvements."""

    lines: list[PlanLine]
    advice: list[str]

    def build_document(self) -> dict[str, object]:
        """The explanation as a JSON object. `more` says that `statements` is only a lower bound."""
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
        """The explanation as plain text."""
        lines = [f"{'  ' * line.depth}{line.sentence}{format_match_count(line)}" for line in self.lines]
        advice = ["", "Suggestions:", *(f"- {sentence}" for sentence in self.advice)] if self.advice else []
        return "\n".join([*lines, *advice, "", PLAN_SOURCE_SENTENCE, ""])


def format_match_count(line: PlanLine) -> str:
    """The number of matches, as text after the sentence of a pattern; empty for other lines."""
    return f" {line.matches}." if line.matches else ""


def explain_query(query: QueryRequest, store: Store, base: str) -> QueryExplanation:
    """The explanation of a query. Raises SyntaxError and Problem 422 or 503 as `plan_query` does."""
    try:
        root = plan_query(query.admitted.engine_text, query.form, base)
        dataset = query.dataset
        if not dataset.default and not dataset.named:  # the parameters of a request replace FROM
            clause_dataset = read_clause_dataset(query.admitted, base)
            dataset = replace(dataset, default=clause_dataset.default, named=clause_dataset.named)
        describer = PlanDescriber(root, count_plan_statements(root.walk(), store, dataset), base)
        return QueryExplanation(
            list(describer.describe_step(root, 0)),
            list(dict.fromkeys(iter_plan_advice(describer, root)))[:MAX_ADVICE_COUNT],
        )
    except RecursionError as error:  # a chain of hundreds of patterns
        raise plan_too_large_problem() from error


def respond_with_explanation(
    request: Request, base: str, pairs: Pairs, explanation: QueryExplanation, format_: Format
) -> Response:
    """The response to `?explain`, in one of the EXPLANATION_FORMATS."""
    if format_ is HTML:
        source = gettext(PLAN_SOURCE_TEMPLATE).format(version=ENGINE_VERSION)
        page = render_template(
            "explain.html",
            base=base,
            explanation=explanation,
            format_match_count=format_match_count,
            source=source,
            query_parameters=pairs,
        )
        return respond_with_body(request, page, HTML)
    body = (
        json.dumps(explanation.build_document(), ensure_ascii=False)
        if format_ is JSON
        else explanation.format_text()
    )
    return respond_with_body(request, body.encode(), format_)
