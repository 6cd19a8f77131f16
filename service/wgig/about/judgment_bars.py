"""The judgments of the Background Report as bars: for each criterion, the number of issues in each state.

A bar has a segment for each state of the cells of the coverage matrix, and one for the issues without a
judgment, so that the segments of each bar add up to all issues. The home page draws it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

import pyoxigraph as ox
from wgig_client.namespaces import namespaces_by_prefix

from ..i18n import gettext_noop
from ..lists.coverage_matrix import STATE_MIXED, CoverageMatrix
from ..lists.matrix_view import JUDGED_STATES, iri_query_value, matrix_label
from ..pages.names import short_criterion_name

BAR_WIDTH_UNITS, SEGMENT_GAP_UNITS = 420, 3
STATE_INADEQUATE, STATE_NOT_JUDGED = "inadequate", "not-judged"
# The states in the order of the segments, each with its meaning.
BAR_STATES = JUDGED_STATES | {STATE_NOT_JUDGED: gettext_noop("no judgment")}


class BarSegment(NamedTuple):
    """A segment of a bar: a key of BAR_STATES, its number of issues, and its place in units."""

    state: str
    issues: int
    x: float
    width: float


class JudgmentBar(NamedTuple):
    """The judgments by one criterion: its name, the message of a shorter name, its path, the segments.

    `path` is that of the column of the criterion in the coverage matrix. `short_name` may be empty.
    """

    name: ox.Literal
    short_name: str
    path: str
    segments: Sequence[BarSegment]

    def count(self, state: str) -> int:
        """The number of issues in a state."""
        return next((segment.issues for segment in self.segments if segment.state == state), 0)


def build_judgment_bars(matrix: CoverageMatrix, base: str, ranges: Sequence[str] = ()) -> list[JudgmentBar]:
    """A bar for each criterion of a matrix of issues in which kinds of criteria are rolled up.

    Names are in the best of the language ranges. Criteria by which nothing is judged are left out.
    """
    namespaces = namespaces_by_prefix(base)
    bars = []
    for criterion in matrix.criteria:
        states = Counter(
            cell.state if cell.state in BAR_STATES else STATE_MIXED
            for (_, column), cell in matrix.judged.items()
            if column == criterion
        )
        if not states:
            continue
        states[STATE_NOT_JUDGED] = len(matrix.rows) - states.total()
        value = iri_query_value(criterion, namespaces["principle"], namespaces["criterion"])
        bars.append(
            JudgmentBar(
                matrix_label(criterion, matrix.criteria, ranges),
                short_criterion_name(criterion),
                f"/coverage?{urlencode([('criterion', value), ('rollUp', 'true')])}",
                lay_out_segments(states),
            )
        )
    return bars


def lay_out_segments(states: Counter[str]) -> list[BarSegment]:
    """The segments of the states with issues, which share BAR_WIDTH_UNITS in proportion to their issues."""
    counts = [(state, states[state]) for state in BAR_STATES if states[state]]
    units_per_issue = (BAR_WIDTH_UNITS - SEGMENT_GAP_UNITS * (len(counts) - 1)) / states.total()
    segments, x = [], 0.0
    for state, issues in counts:
        width = issues * units_per_issue
        segments.append(BarSegment(state, issues, round(x, 1), round(width, 1)))
        x += width + SEGMENT_GAP_UNITS
    return segments


def find_most_inadequate(bars: Sequence[JudgmentBar]) -> JudgmentBar | None:
    """The criterion by which the most issues are judged inadequate; None if there is no such judgment."""
    best = max(bars, key=lambda bar: bar.count(STATE_INADEQUATE), default=None)
    return best if best and best.count(STATE_INADEQUATE) else None
