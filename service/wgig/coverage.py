"""/coverage: how many papers measure each issue by each criterion, and with what verdicts."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from .bodies import Pairs, values
from .cells import Cell, Cells
from .existing import check_known
from .formats import CSV, HTML, JSON, JSON_LD, TURTLE, Format
from .labels import by_language
from .links import SERVICE, address, host
from .lists.selection import prefixed
from .lists.table import NAMED
from .namespaces import OUTSIDE
from .parameters import only
from .profiles import schema_org
from .profiles.profile import OWN, own
from .profiles.subject import Subject
from .profiles.wish import SAME_IN_ALL, wish_alone
from .query import rows
from .represent import graph_body, represent, show
from .typed import term

OFFERED = (JSON, JSON_LD, CSV, TURTLE, HTML)
ABOUT = "How many papers measure each issue by each criterion, and with what verdicts."
LABEL = ox.NamedNode(f"{OUTSIDE['rdfs']}label")
FILTERS = {"issue": "issue", "criterion": "principle", "category": "category"}

# The criteria are those that section 7 of the template names, and the development priority.
CRITERIA = """{ SELECT DISTINCT ?thing WHERE {
  { ?item wgig:partOf+ doc:form\\/issue-paper ; wgig:namesPrinciple ?thing }
  UNION { ?thing a wgig:CrosscuttingPriority }
} }"""
SIDES = ("issues", "criteria", "verdicts")

Labels = dict[str, list[ox.Literal]]


@dataclass(frozen=True)
class Coverage:
    """Issues, criteria and verdicts by IRI with their labels, and how many papers there are in each cell.

    A cell is a pair of issue and criterion; with a verdict, it counts the papers that give this one.
    """

    issues: Labels
    criteria: Labels
    verdicts: Labels
    papers: Mapping[Cell, int]


async def coverage(request: Request) -> Response:
    """How many papers measure each issue by each criterion, and with what verdicts; empty cells are shown.

    `issue`, `criterion` and `category` (of issues) choose some; one that is given several times, any of them.
    """
    base = request.app.state.settings.base
    pairs = only(request, ("_mediatype", "_profile"), tuple(FILTERS))
    wish = wish_alone(request, OFFERED, request.path_params.get("suffix", ""), {OWN: own(base)})
    chosen = filters(pairs, base)
    for name, terms in chosen.items():
        for one in terms:
            await check_known(request, name, one.value)
    sides = await rows(request, named(chosen, base))
    cells: Cells = request.app.state.cells
    found = covered(sides, await cells.papers())
    kept = [pair for pair in pairs if pair[0] in FILTERS]
    iri = base.rstrip("/") + address("coverage", kept)
    write = partial(written, request, found)
    subject = Subject(iri, "/coverage", lambda: (), write, formats=OFFERED, pairs=kept)
    return await run_in_threadpool(represent, request, wish, subject, more=[SERVICE], headers=SAME_IN_ALL)


def written(request: Request, found: Coverage, format_: Format) -> bytes:
    """The matrix in a format."""
    if format_ is HTML:
        return show(request, "coverage.html", found=found, first=first, about=ABOUT, markup=told(request))
    if format_ in PLAIN:
        return PLAIN[format_](found)
    return graph_body(request, as_triples(found, request.app.state.settings.base), format_)


def told(request: Request) -> dict[str, Any]:
    """What the page tells search engines: schema.org for the whole matrix."""
    iri, page = f"{request.app.state.settings.base}coverage", f"{host(request)}coverage"
    files = [one for one in OFFERED if one is not HTML]
    return schema_org.dataset(iri, page, "Coverage of issues by criteria", ABOUT, files)


def filters(pairs: Pairs, base: str) -> dict[str, list[Any]]:
    """The terms of each filter. Raises Problem 400."""
    return {
        name: [term(name, type_, text, base) for text in values(pairs, name)]
        for name, type_ in FILTERS.items()
    }


def named(chosen: dict[str, list[Any]], base: str) -> str:
    """The query for the issues, criteria and verdicts that are chosen: a row for each of their labels."""
    of_category = "?thing wgig:category ?in ." if chosen["category"] else ""
    parts = (
        f"{one_of('thing', chosen['issue'])} {one_of('in', chosen['category'])} {of_category} "
        "?thing a wgig:Issue",
        f"{CRITERIA} {one_of('thing', chosen['criterion'])}",
        "?thing a wgig:Verdict",
    )
    sides = " UNION ".join(
        f'{{ {pattern} BIND ("{side}" AS ?side) }}' for side, pattern in zip(SIDES, parts, strict=True)
    )
    return prefixed(
        f"SELECT ?side ?thing ?label WHERE {{ {{ {sides} }} OPTIONAL {{ ?thing {NAMED} ?label }} }}", base
    )


def one_of(variable: str, terms: Sequence[Any]) -> str:
    """That a variable is one of the terms, where there are any."""
    return f"VALUES ?{variable} {{ {' '.join(map(str, terms))} }}" if terms else ""


def covered(rows_: Sequence[Sequence[Any]], papers: Mapping[Cell, int]) -> Coverage:
    """The matrix of what the rows of the query name."""
    labels: dict[str, Labels] = {side: {} for side in SIDES}
    for side, thing, label in rows_:
        texts = labels[side.value].setdefault(thing.value, [])
        if label is not None and label not in texts:
            texts.append(label)
    issues, criteria, verdicts = (dict(sorted(labels[side].items(), key=called)) for side in SIDES)
    shown = {cell: count for cell, count in papers.items() if cell[0] in issues and cell[1] in criteria}
    return Coverage(issues, criteria, verdicts, shown)


def called(item: tuple[str, list[ox.Literal]]) -> tuple[str, str]:
    """What a thing with its labels is sorted by."""
    return min((one.value.casefold() for one in item[1]), default=""), item[0]


def as_json(found: Coverage) -> bytes:
    """The matrix as JSON: what stands beside it and above it, and its cells, the empty ones among them."""
    sides = {"issues": found.issues, "criteria": found.criteria, "verdicts": found.verdicts}
    things = {
        name: [{"id": iri, "label": by_language(texts)} for iri, texts in labels.items()]
        for name, labels in sides.items()
    }
    cells = [
        {
            "issue": issue,
            "criterion": criterion,
            "papers": found.papers.get((issue, criterion), 0),
            "verdicts": {
                one: found.papers[issue, criterion, one]
                for one in found.verdicts
                if (issue, criterion, one) in found.papers
            },
        }
        for issue in found.issues
        for criterion in found.criteria
    ]
    return json.dumps({**things, "cells": cells}, ensure_ascii=False).encode() + b"\n"


def as_csv(found: Coverage) -> bytes:
    """The matrix as a table: a row a cell, a column for the papers, and one for those with each verdict."""
    out = io.StringIO()
    table = csv.writer(out)
    names = [one.rpartition("/")[2] for one in found.verdicts]
    table.writerow(["issue", "issueLabel", "criterion", "criterionLabel", "papers", *names])
    for issue, issue_texts in found.issues.items():
        for criterion, texts in found.criteria.items():
            counts = [found.papers.get((issue, criterion, one), 0) for one in found.verdicts]
            papers = found.papers.get((issue, criterion), 0)
            table.writerow([issue, first(issue_texts), criterion, first(texts), papers, *counts])
    return out.getvalue().encode()


def first(texts: list[ox.Literal]) -> str:
    """The English label, or another."""
    english = [one.value for one in texts if one.language == "en"]
    return (english or [one.value for one in texts] or [""])[0]


def as_triples(found: Coverage, base: str) -> Iterator[ox.Triple]:
    """Which issue is measured against which criterion, and the labels of both."""
    for issue, criterion in (cell for cell in found.papers if len(cell) == 2):
        yield ox.Triple(
            ox.NamedNode(issue), ox.NamedNode(f"{base}ontology#measuredAgainst"), ox.NamedNode(criterion)
        )
    for iri, texts in (found.issues | found.criteria).items():
        for text in texts:
            yield ox.Triple(ox.NamedNode(iri), LABEL, text)


PLAIN = {JSON: as_json, CSV: as_csv}
