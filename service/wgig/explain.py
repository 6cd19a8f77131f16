"""What the engine does for a query, in words: its plan, what each pattern matches, what could be better."""

import json
from importlib.metadata import version
from typing import NamedTuple

from fastapi import Request, Response

from .answers import answer
from .bodies import Pairs
from .catalogues import marked
from .formats import HTML, JSON, TEXT, Format
from .pages import render
from .plans.advice import advice
from .plans.counting import counts
from .plans.plan import plan, too_large
from .plans.steps import Line, Words
from .speaking import gettext
from .store import Dataset, Store

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
