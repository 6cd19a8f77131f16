"""/timeline: events as a list, and as an SVG chart with one lane per kind.

Labels never overlap: each mark goes into the highest row with room. A month is the wider the more events
begin in it, up to 8; there are 150 marks at most. With any filter but the year, it is a list like any other.
"""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import accumulate

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.bodies import Pairs, parameters, values
from ..http.parameters import SERVICE, address, host, only
from ..i18n import marked
from ..pages.rendering import drawn, letters
from ..rdf.formats import HTML, Format
from ..resources import mappings
from ..resources.alternates import Subject
from ..resources.negotiation import SAME_IN_ALL, Wish, wish_alone
from ..resources.profiles import OWN, own
from ..resources.representation import represent, show
from .routes import OFFERED, listing
from .timeline_events import EVENTS, MEETING, MILESTONE, PAPERS, SESSION, Event, Happened, Timeline, happened
from .timeline_events import timeline as shown

WIDTH, LEFT, RIGHT = 1000, 8, 12  # units, all of the picture
ROW, TOP, GAP = 18, 26, 26  # heights of a row, of the years, and of the heading of a lane
LETTER = 6.4  # about the width of a letter of a label
LONGEST = 40  # letters of a label
SHORTEST = 6.0  # bar
CROWD = 8  # events for which a month is widened
MOST = 150  # marks
LANES = {
    MEETING: marked("Meetings"),
    SESSION: marked("Sessions"),
    MILESTONE: marked("Milestones"),
    PAPERS: marked("Papers"),
}
OPEN = {
    "everybody": marked("open to everybody"),
    "observers": marked("open to observers"),
    "members": marked("closed"),
}


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


class Scale:
    """Where a day is on the line of time. Months are the wider the more begins in them, up to a bound."""

    def __init__(self, events: Sequence[Event]) -> None:
        """Take events whose days are known, of which there is at least one."""
        days = [one.days for one in events if one.days]
        self.first = month_of(min(one.first for one in days))
        many = Counter(month_of(one.first) for one in days)
        months = range(self.first, month_of(max(one.last for one in days)) + 1)
        self.begins = [0, *accumulate(1 + min(many[one], CROWD) for one in months)]
        self.unit = (WIDTH - LEFT - RIGHT) / self.begins[-1]

    def x(self, day: date) -> float:
        """How far from the edge a day is."""
        month = month_of(day) - self.first
        part = (day.day - 1) / monthrange(day.year, day.month)[1]
        begin, end = self.begins[month], self.begins[month + 1]
        return LEFT + (begin + (end - begin) * part) * self.unit

    def ticks(self) -> Iterator[tuple[float, str]]:
        """The begin of each month that has room for its name, the first of a year with the year."""
        free, labeled_year = 0.0, 0
        for number, begin in enumerate(self.begins[:-1]):
            year, month = divmod(self.first + number, 12)
            x = LEFT + begin * self.unit
            if x >= free:
                name = language.month(date(year, month + 1, 1), "MMM" if year == labeled_year else "yMMM")
                labeled_year = year
                yield round(x, 1), name
                free = x + (letters(name) + 2) * LETTER


def month_of(day: date) -> int:
    """The number of a month, counted from the year 0."""
    return day.year * 12 + day.month - 1


def chart(shown: Timeline) -> Chart:
    """The picture of the events whose days are known; of many the first."""
    dated = [one for one in shown.events if one.days]
    events = dated[:MOST]
    if not events:
        return Chart(TOP, [], [], is_cut=False)
    scale, lanes, y = Scale(events), [], TOP
    for kind, name in LANES.items():
        marks = list(placed([one for one in events if one.kind == kind], scale, y + GAP))
        if marks:
            lanes.append(Lane(language.gettext(name), y + GAP - 8, marks))
            y = max(one.y for one in marks) + ROW
    return Chart(y + 6, list(scale.ticks()), lanes, is_cut=len(events) < len(dated))


def placed(events: Sequence[Event], scale: Scale, top: int) -> Iterator[Mark]:
    """The marks of events, each in the highest row where it has room."""
    rows: list[list[tuple[float, float]]] = []
    for one in events:
        assert one.days
        x = scale.x(one.days.first)
        width = max(SHORTEST, scale.x(one.days.last) - x)
        label = label_of(one)
        room = letters(label) * LETTER + 8
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
        return f"{name}, {event.lateness}"
    attended = OPEN.get(event.end("openTo")) if event.kind == SESSION else None
    return f"{name}, {language.gettext(attended)}" if attended else name


def tone(event: Event) -> str:
    """The class of the color of a mark."""
    if event.kind == MILESTONE:
        return "late" if event.is_late else "due" if not event.text("delivered") else "came"
    if event.kind == SESSION:
        return event.end("openTo") if event.end("openTo") in OPEN else "unknown"
    return event.kind


# With any other parameter, it is a list that somebody wants.
ALONE = {"year", "_mediatype"}


async def timeline(request: Request) -> Response:
    """What happened when: meetings, sessions, milestones due and delivered, papers; by year, or as a list."""
    wish = picture_wished(request)
    if wish is None:
        return await listing(request)
    base = request.app.state.settings.base
    kept = [pair for pair in parameters(request) if pair[0] == "year"]
    found = await happened(request, kept)
    write = partial(written, request, found, kept)
    iri = base.rstrip("/") + address("timeline", kept)
    subject = Subject(iri, "/timeline", lambda: (), write, formats=OFFERED, pairs=kept)
    fields = SAME_IN_ALL | ({"Cache-Control": "no-store"} if found.papers is None else {})
    return await run_in_threadpool(represent, request, wish, subject, more=[SERVICE], headers=fields)


def picture_wished(request: Request) -> Wish | None:
    """What is wished for where that is the page with the picture; None: the list. Raises Problem."""
    if not ALONE.issuperset(dict(parameters(request))):
        return None
    only(request, tuple(ALONE))
    known = {OWN: own(request.app.state.settings.base)}
    wish = wish_alone(request, OFFERED, request.path_params.get("suffix", ""), known)
    return wish if wish.choices[0].format is HTML and not wish.listing else None


def written(request: Request, found: Happened, kept: Pairs, format_: Format) -> bytes:
    """The page; it is written in no other format."""
    assert format_ is HTML
    line = shown(found)
    year = next(iter(values(kept, "year")), "")
    others = [(one.title, address("timeline", kept, one.suffix)) for one in OFFERED]
    iri, page = f"{request.app.state.settings.base}timeline", f"{host(request)}timeline"
    markup = mappings.dataset(iri, page, "Timeline", EVENTS.says, [one for one in OFFERED if one is not HTML])
    return show(
        request, "timeline.html", line=line, chart=chart(line), year=year, others=others, markup=markup
    )
