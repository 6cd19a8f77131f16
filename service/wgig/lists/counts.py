"""Counts of papers by dimension (issue, category, stakeholder group, day) and by criterion.

Counted on a snapshot on first use, and again after a change that is unknown or too large. Otherwise only the
papers that a change touches are looked at: from the statements around a paper, as they were before the change
and are after it. Made-up example papers are left out.
"""

import asyncio
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import pyoxigraph as ox

from ..http.work_queue import Turns
from ..problems import Problem
from ..rdf.namespaces import namespaces
from ..store.change import Change
from ..store.files import ASIDE
from ..store.store import Store
from ..store.view import View, rows

# What is counted: papers by a value; by a value and a criterion that they measure by; and by a verdict, too.
Cell = tuple[str, ...]
Match = Callable[..., Iterable[ox.Quad]]
Nodes = set[Any]

NOTHING = Change()
ACTORS = ("wgig:mainActor", "wgig:otherActor", "wgig:drafter")
# The paths from a paper to what it is counted by, by the name of the side.
SIDES = {
    "issue": ["wgig:issue"],
    "category": ["wgig:category"],
    "stakeholder-group": [
        f"{actor}/{way}"
        for actor in ACTORS
        for way in ("wgig:stakeholderGroup", "^org:member/wgig:stakeholderGroup")
    ],
    "posted": ["wgig:posted"],
}
PAPERS = ("wgig:IssuePaper", "wgig:AssessmentPaper")


@dataclass(frozen=True)
class Step:
    """A property that leads on, or back from its values to what has them."""

    predicate: ox.NamedNode
    back: bool

    @property
    def turned(self) -> "Step":
        """The same step the other way."""
        return Step(self.predicate, not self.back)


Path = Sequence[Step]


class Side:
    """What papers are counted by: issues, categories, stakeholder groups, or days when they were posted."""

    def __init__(self, name: str, base: str) -> None:
        """Take a name of SIDES and the base IRI of the graph."""
        self.name, known = name, namespaces(base)

        def node(short: str) -> ox.NamedNode:
            prefix, _, local = short.partition(":")
            return ox.NamedNode(known[prefix] + local)

        def path(text: str) -> Path:
            return [Step(node(one.removeprefix("^")), one.startswith("^")) for one in text.split("/")]

        self.type, self.papers = node("rdf:type"), frozenset(map(node, PAPERS))
        self.illustrative, self.assessment = node("wgig:illustrative"), node("wgig:assessment")
        self.criterion, self.verdict = node("wgig:criterion"), node("wgig:verdict")
        self.paths = list(map(path, SIDES[name]))
        judged = [[Step(self.assessment, False), Step(one, False)] for one in (self.criterion, self.verdict)]
        self.every = [*self.paths, *judged, [Step(self.illustrative, False)]]
        self.properties = {step.predicate for one in self.every for step in one}

    def tells(self, quad: ox.Quad) -> bool:
        """Whether a statement may say what a paper is counted for."""
        return quad.predicate in self.properties or (
            quad.predicate == self.type and quad.object in self.papers
        )

    def query(self) -> str:
        """The query that counts all papers: rows of a value, a criterion, a verdict and how many they are."""
        ways = "|".join(
            "/".join(f"{'^' if step.back else ''}{step.predicate}" for step in one) for one in self.paths
        )
        paper = " UNION ".join(
            [
                f"{{ ?text {self.assessment} ?any }}",
                *(f"{{ ?text a {one} }}" for one in sorted(self.papers, key=str)),
            ]
        )
        real = (
            f"FILTER NOT EXISTS {{ ?text {self.illustrative} true }} "
            "FILTER (isIRI(?value) || isLiteral(?value))"
        )
        measured = (
            f"?text {self.assessment} ?assessment . ?assessment {self.criterion} ?criterion . "
            f"?text {ways} ?value . FILTER (isIRI(?criterion)) {real}"
        )
        judged = f"{measured} ?assessment {self.verdict} ?verdict . FILTER (isIRI(?verdict))"
        parts = (
            ("?value", f"{paper} ?text {ways} ?value . {real}"),
            ("?value ?criterion", measured),
            ("?value ?criterion ?verdict", judged),
        )
        return (
            "SELECT * WHERE { "
            + " UNION ".join(
                f"{{ SELECT {by} (COUNT(DISTINCT ?text) AS ?papers) WHERE {{ {pattern} }} GROUP BY {by} }}"
                for by, pattern in parts
            )
            + " }"
        )

    def key(self, term: Any) -> str:
        """What a value stands under in a cell: its IRI, or a literal as SPARQL writes it."""
        return term.value if isinstance(term, ox.NamedNode) else str(term)


class Moment:
    """The statements of a store, whatever graph they stand in: as they are, or were before a change."""

    def __init__(self, match: Match, change: Change = NOTHING) -> None:
        """Take what finds the statements of the store by their terms, and a change that it is after."""
        self.match, self.come = match, frozenset(change.added)
        self.gone = defaultdict[Any, Nodes](set)
        for one in change.removed:
            self.gone[one.subject, one.predicate].add(one.object)
            self.gone[one.predicate, one.object].add(one.subject)

    def ends(self, subject: Any, property_: ox.NamedNode) -> Nodes:
        """What a property of a node leads to."""
        if isinstance(subject, ox.Literal | ox.Triple):
            return set()
        there = {one.object for one in self.match(subject, property_) if one not in self.come}
        return there | self.gone.get((subject, property_), set())

    def starts(self, property_: ox.NamedNode, object_: Any) -> Nodes:
        """The nodes from which a property leads to this one."""
        there = {one.subject for one in self.match(None, property_, object_) if one not in self.come}
        return there | self.gone.get((property_, object_), set())

    def along(self, nodes: Nodes, path: Path) -> Nodes:
        """Where a path leads from any of the nodes."""
        for step in path:
            nodes = {
                end
                for one in nodes
                for end in (self.starts(step.predicate, one) if step.back else self.ends(one, step.predicate))
            }
        return nodes


def touched(quad: ox.Quad, side: Side, moments: Sequence[Moment]) -> Nodes:
    """The texts that a statement may move from one cell to another."""
    if quad.predicate == side.type:
        return {quad.subject}
    found: Nodes = set()
    for path in side.every:
        for place, step in enumerate(path):
            if step.predicate == quad.predicate:
                node = quad.object if step.back else quad.subject
                way_back = [one.turned for one in reversed(path[:place])]
                for moment in moments:
                    found |= moment.along({node}, way_back)
    return found


def cells(text: Any, moment: Moment, side: Side) -> set[Cell]:
    """The cells that a text counts for."""
    if ox.Literal(True) in moment.ends(text, side.illustrative):
        return set()
    assessments = moment.ends(text, side.assessment)
    if not assessments and side.papers.isdisjoint(moment.ends(text, side.type)):
        return set()
    found = set[Cell]()
    ends = {end for path in side.paths for end in moment.along({text}, path)}
    values = [side.key(one) for one in ends if isinstance(one, ox.NamedNode | ox.Literal)]
    if values:
        measured = {one for each in assessments for one in judged(each, moment, side)}
        found = {(value, *one) for value in values for one in ((), *measured)}
    return found


def judged(assessment: Any, moment: Moment, side: Side) -> set[Cell]:
    """The criteria of an assessment, alone and with each of its verdicts."""
    verdicts = iris(moment.ends(assessment, side.verdict))
    criteria = iris(moment.ends(assessment, side.criterion))
    return {(one, *more) for one in criteria for more in ((), *((verdict,) for verdict in verdicts))}


def iris(terms: Iterable[Any]) -> list[str]:
    """Those of the terms that are IRIs."""
    return [one.value for one in terms if isinstance(one, ox.NamedNode)]


COPY = "cells-copy"
WAITING, PATIENCE = 256, 20  # requests, and seconds, while they are counted
MOST = 1_000  # texts that are looked at one by one


class Cells:
    """The papers of each cell of a side, those made up as examples left out."""

    def __init__(self, store: Store, base: str, side: str) -> None:
        """Nothing is counted before it is needed."""
        self.store, self.side = store, Side(side, base)
        self.turns = Turns(at_once=1, waiting=WAITING, patience=PATIENCE)
        self.found: Counter[Cell] | None = None
        self.missed: Change | None = None  # what was written while they are being counted, as far as is known
        self.coming: asyncio.Task[Counter[Cell]] | None = None

    async def papers(self) -> Counter[Cell]:
        """How many papers each cell has that has any. Raises Problem 503 where counting takes long."""
        return self.found if self.found is not None else await self.turns.run(self.count)

    async def soon(self, seconds: float) -> Counter[Cell] | None:
        """The same if it is known within so many seconds, else None; it goes on being counted."""
        if self.found is None:
            if self.coming is None or self.coming.done():
                self.coming = asyncio.create_task(self.papers())
                # Where nobody waits any more, nobody hears of what went wrong: the next one begins anew.
                self.coming.add_done_callback(lambda one: one.cancelled() or one.exception())
            with suppress(Problem, TimeoutError):
                return await asyncio.wait_for(asyncio.shield(self.coming), seconds)
        return self.found

    def follow(self, change: Change | None) -> None:
        """Take in what a write changed, while nobody else writes."""
        if self.missed is not None:
            self.missed = None if change is None else self.missed.then(change)
        elif change is None:
            self.found = None
        elif self.found is not None:
            self.found = after(self.found, self.store, change, self.side)

    def count(self) -> Counter[Cell]:
        """The papers of each cell, counted anew, with what was written meanwhile."""
        while self.found is None:
            with self.copy() as view:
                found = counted(view, self.side)
            with self.store.alone():
                missed, self.missed = self.missed, None
                if missed is not None:
                    self.found = after(found, self.store, missed, self.side)
        return self.found

    @contextmanager
    def copy(self) -> Iterator[View]:
        """The store as it is now, aside; one in memory itself, which nobody writes meanwhile."""
        folder = self.store.folder and self.store.folder / ASIDE / f"{COPY}-{self.side.name}"
        with ExitStack() as stack:
            lock = stack.enter_context(ExitStack())
            lock.enter_context(self.store.alone())
            if self.follow not in self.store.followers:
                self.store.followers.append(self.follow)
            self.missed = Change()
            if folder is None:
                yield self.store
                return
            shutil.rmtree(folder, ignore_errors=True)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.parent.mkdir(exist_ok=True)
            self.store.checkpoint(folder)
            lock.close()
            yield View(ox.Store.read_only(str(folder)))


def counted(view: View, side: Side) -> Counter[Cell]:
    """The papers of each cell, counted from all of them."""
    names = ("value", "criterion", "verdict")
    return Counter(
        {
            tuple(side.key(row[one]) for one in names if one in row): int(row["papers"].value)
            for row in rows(view, side.query())
        }
    )


def after(found: Counter[Cell], view: View, change: Change, side: Side) -> Counter[Cell] | None:
    """The papers of each cell after a change, which is done already; None where it touches many texts."""
    by = difference(view, change, side)
    return None if by is None else moved(found, by)


def moved(found: Counter[Cell], by: Counter[Cell]) -> Counter[Cell]:
    """The papers of each cell where there are by so many more of some."""
    now = found.copy()
    for cell, more in by.items():
        now[cell] += more
        if not now[cell]:
            del now[cell]
    return now


def difference(view: View, change: Change, side: Side) -> Counter[Cell] | None:
    """By how many papers more a change leaves each cell that it touches; None where it touches many."""
    told = Change(tuple(filter(side.tells, change.removed)), tuple(filter(side.tells, change.added)))
    match = cache(lambda *pattern: tuple(view.match(*pattern)))  # both moments ask for the same
    before, now = Moment(match, told), Moment(match)
    texts: Nodes = set()
    for one in chain(told.removed, told.added):
        texts |= touched(one, side, (before, now))
        if len(texts) > MOST:
            return None
    by = Counter[Cell]()
    for text in texts:
        by.update(cells(text, now, side))
        by.subtract(cells(text, before, side))
    return by
