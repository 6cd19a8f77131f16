"""The picture of a timeline: marks on a line of time, in lanes by kind, so that no label covers another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from . import drawn
from .days import MONTHS
from .timeline import MEETING, MILESTONE, PAPERS, SESSION, Event, Timeline

WIDTH, LEFT, RIGHT = 1000, 8, 12  # units, all of the picture
ROW, TOP, GAP = 18, 26, 26  # heights of a row, of the years, and of the heading of a lane
LETTER = 6.1  # about the width of a letter of a label
LONGEST = 40  # letters of a label
MOST = 150  # marks
LANES = {
    MEETING: "Meetings",
    SESSION: "Sessions",
    MILESTONE: "Milestones",
    PAPERS: "Papers",
}
OPEN = {"everybody": "open to everybody", "observers": "open to observers", "members": "closed"}


@dataclass(frozen=True)
class Mark:
    """An event in the picture: where its bar begins, how long it is, its row, its label and on which side."""

    x: float
    width: float
    y: int
    tone: str
    label: str
    is_before: bool

    @property
    def end(self) -> float:
        """Where the bar ends."""
        return self.x + self.width


@dataclass(frozen=True)
class Lane:
    """The marks of a kind below their heading."""

    name: str
    y: int
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Chart:
    """A picture so high, with lines at the begin of months and years, and its lanes."""

    height: int
    ticks: Sequence[tuple[float, str]]
    lanes: Sequence[Lane]
    is_cut: bool


def chart(shown: Timeline) -> Chart:
    """The picture of the events whose days are known; of many the first."""
    dated = [one for one in shown.events if one.days]
    events = dated[:MOST]
    if not events:
        return Chart(TOP, [], [], is_cut=False)
    days = [one.days for one in events if one.days]
    first, last = min(one.first for one in days), max(one.last for one in days)
    scale = (WIDTH - LEFT - RIGHT) / max(1, (last - first).days)
    lanes, y = [], TOP
    for kind, name in LANES.items():
        marks = list(placed([one for one in events if one.kind == kind], first, scale, y + GAP))
        if marks:
            lanes.append(Lane(name, y + GAP - 8, marks))
            y = max(one.y for one in marks) + ROW
    return Chart(y + 6, list(ticks(first, last, scale)), lanes, is_cut=len(events) < len(dated))


def placed(events: Sequence[Event], first: date, scale: float, top: int) -> Iterator[Mark]:
    """The marks of events, each in the highest row where it has room."""
    rows: list[list[tuple[float, float]]] = []
    for one in events:
        assert one.days
        x = LEFT + (one.days.first - first).days * scale
        width = max(6.0, (one.days.last - one.days.first).days * scale)
        label = label_of(one)
        room = len(label) * LETTER + 8
        is_before = x + width + room > WIDTH
        taken = (x - room, x + width + 4) if is_before else (x, x + width + room)
        row = next(
            (n for n, there in enumerate(rows) if all(apart(taken, other) for other in there)), len(rows)
        )
        if row == len(rows):
            rows.append([])
        rows[row].append(taken)
        yield Mark(round(x, 1), round(width, 1), top + row * ROW, tone(one), label, is_before)


def apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two stretches do not meet."""
    return one[1] < other[0] or other[1] < one[0]


def label_of(event: Event) -> str:
    """What stands beside a mark: the name, and what its color means."""
    name = drawn(event.name.value, LONGEST)
    if event.is_late:
        late = event.text("daysLate")
        return f"{name}, {drawn(late, 8)} days late" if late else f"{name}, late"
    attended = OPEN.get(event.end("openTo"), "") if event.kind == SESSION else ""
    return f"{name}, {attended}" if attended else name


def tone(event: Event) -> str:
    """The class of the color of a mark."""
    if event.kind == MILESTONE:
        return "late" if event.is_late else "due" if not event.text("delivered") else "came"
    if event.kind == SESSION:
        return event.end("openTo") if event.end("openTo") in OPEN else "unknown"
    return event.kind


def ticks(first: date, last: date, scale: float) -> Iterator[tuple[float, str]]:
    """The begin of each year, or of each quarter where there are few years."""
    step = 3 if last.year - first.year < 5 else 12 * max(1, (last.year - first.year) // 20)
    month = first.year * 12
    while month <= last.year * 12 + last.month - 1:
        day = date(month // 12, month % 12 + 1, 1)
        if first <= day:
            name = str(day.year) if day.month == 1 else MONTHS[day.month - 1][:3]
            yield round(LEFT + (day - first).days * scale, 1), name
        month += step
