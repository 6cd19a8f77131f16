"""`/sparql?check`: the problems in the text of a query, which is not run, for editors."""

from collections.abc import Iterable
from typing import Any

from ..http.bodies import Pairs
from ..problems import Problem
from ..settings import Settings
from .admission import admit_sparql_text
from .language.diagnosis import find_syntax_problem
from .language.hints import QueryHint
from .request import parse_query_request


def find_text_problem(pairs: Pairs, settings: Settings) -> Problem | None:
    """The Problem for the first error in the text of a query; None if it may run.

    Raises the Problem of `parse_query_request` if that is not about a position in the text.
    """
    try:
        source = parse_query_request(pairs, settings).source
        admit_sparql_text(
            source, settings
        )  # finds undeclared prefixes, also in a query that needs no admission
    except Problem as problem:
        if "line" in problem.members or problem.slug == "syntax":
            return problem
        raise
    return find_syntax_problem(source)


def build_query_report(problem: Problem | None, hints: Iterable[QueryHint]) -> dict[str, Any]:
    """The response to `check`, a `schemas.QueryCheck`: an error, or hints on probable mistakes."""
    if problem is None:
        return {"problems": [build_hint_entry(hint) for hint in hints]}
    members = {name: problem.members[name] for name in ("line", "column", "edit") if name in problem.members}
    # The detail begins with the position, which has its own members here.
    message = problem.detail.removeprefix(f"Line {members.get('line')}, column {members.get('column')}: ")
    return {"problems": [{"severity": "error", "message": message, **members}]}


def build_hint_entry(hint: QueryHint) -> dict[str, Any]:
    """A hint in the response to `check`."""
    edit = {"edit": hint.edit._asdict()} if hint.edit else {}
    position = {"line": hint.line, "column": hint.column}
    return {"severity": "warning", "message": hint.sentence, **position, **edit}
