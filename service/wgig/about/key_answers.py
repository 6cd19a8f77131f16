"""The answers on the home page: the figures of a sentence for each question, computed from the data."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyoxigraph as ox
from fastapi import Request

from ..http import language
from ..lists.coverage_matrix import CoverageMatrix
from ..lists.matrix_view import matrix_label
from ..lists.people import GROUP_FIELD, SEAT_LIST, SeatGroup, group_seats
from ..lists.query import add_query_prefixes, build_list_query, parse_list_request
from ..lists.results import parse_list_page
from ..lists.timeline_events import Timeline, TimelineEvent
from ..rdf.labels import best_text
from ..sparql.service import QueryService, select_internal_rows, select_internal_tsv
from .judgment_bars import JudgmentBar, find_most_inadequate

# The passages of the report on policy issues, and those of them that the Tunis Agenda takes up.
REPORT_PARTS_QUERY = """SELECT (COUNT(DISTINCT ?part) AS ?parts) (COUNT(DISTINCT ?answered) AS ?answers) {
  VALUES ?kind { part-kind:public-policy-issue part-kind:issue-recommendation }
  ?part dcterms:type ?kind .
  OPTIONAL { ?paragraph wgig:respondsTo ?part BIND (?part AS ?answered) }
}"""


@dataclass(frozen=True)
class MembersAnswer:
    """Who the members were: the number of seats, in total and by stakeholder group."""

    seats: int
    groups: Sequence[SeatGroup]


@dataclass(frozen=True)
class DeadlinesAnswer:
    """How many milestones have a known deadline and a known day of delivery, and which of them were late."""

    dated: int
    late: Sequence[TimelineEvent]


@dataclass(frozen=True)
class PapersAnswer:
    """The number of issues, and the labels of those without a paper."""

    issues: int
    without_paper: Sequence[ox.Literal]


@dataclass(frozen=True)
class TunisAnswer:
    """The number of parts of the report on policy issues, and how many the Tunis Agenda takes up."""

    parts: int
    answered: int


@dataclass(frozen=True)
class KeyAnswers:
    """The answers of the home page; one is None if the store has nothing on its question."""

    members: MembersAnswer | None
    papers: PapersAnswer | None
    worst: JudgmentBar | None
    deadlines: DeadlinesAnswer | None
    tunis: TunisAnswer | None


async def count_members(request: Request, queries: QueryService) -> MembersAnswer | None:
    """The seats of the group by stakeholder group, as /people has them."""
    base = queries.settings.base
    seats_request = parse_list_request(SEAT_LIST, [("fields", GROUP_FIELD)], base).as_single_page()
    page = parse_list_page(await select_internal_tsv(request, queries, build_list_query(seats_request, base)))
    labels = {iri: best_text(texts, language.label_languages()) for iri, texts in page.labels.items()}
    return MembersAnswer(page.total, group_seats(page, labels, GROUP_FIELD)) if page.total else None


async def count_report_parts(request: Request, queries: QueryService) -> TunisAnswer | None:
    """How many parts of the report on policy issues the Tunis Agenda takes up."""
    query = add_query_prefixes(REPORT_PARTS_QUERY, queries.settings.base)
    ((parts, answered),) = await select_internal_rows(request, queries, query)
    return TunisAnswer(int(parts.value), int(answered.value)) if int(parts.value) else None


def build_key_answers(
    members: MembersAnswer | None,
    tunis: TunisAnswer | None,
    timeline: Timeline,
    matrix: CoverageMatrix | None,
    bars: Sequence[JudgmentBar],
) -> KeyAnswers:
    """All answers; `matrix` is None while papers or judgments are being counted."""
    return KeyAnswers(
        members,
        find_issues_without_paper(matrix),
        find_most_inadequate(bars),
        count_deadlines(timeline),
        tunis,
    )


def find_issues_without_paper(matrix: CoverageMatrix | None) -> PapersAnswer | None:
    """The issues of a matrix of issues without a paper; None if there are no issues."""
    if matrix is None or not matrix.rows:
        return None
    ranges = language.label_languages()
    return PapersAnswer(
        len(matrix.rows),
        [matrix_label(iri, matrix.rows, ranges) for iri in matrix.rows if (iri,) not in matrix.papers],
    )


def count_deadlines(timeline: Timeline) -> DeadlinesAnswer | None:
    """The milestones with both dates; None if there are none."""
    dated = [event for event in timeline.events if event.text("due") and event.text("delivered")]
    return DeadlinesAnswer(len(dated), timeline.late) if dated else None
