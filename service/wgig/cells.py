"""How many papers measure each issue by each criterion, and with what verdicts, in step with every write.

They are counted from a copy when somebody asks first, and again after a write that is too large to be told;
otherwise only the papers are looked at that a write touches.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import chain
from typing import Any

import pyoxigraph as ox

from .backup.swap import ASIDE
from .lookup import rows
from .store import Store
from .turns import Turns
from .view import View
from .writes.changes import Change

# An issue and a criterion: the papers that measure the one by the other. With a verdict, those that give it.
Cell = tuple[str, ...]

COPY = "cells-copy"
NOTHING = Change()
Match = Callable[..., Iterable[ox.Quad]]
WAITING, PATIENCE = 256, 20  # requests, and seconds, while they are counted

ASSESSED = """?text wgig:issue ?issue ; wgig:assessment ?assessment . ?assessment wgig:criterion ?criterion .
  FILTER (isIRI(?issue) && isIRI(?criterion)) FILTER NOT EXISTS { ?text wgig:illustrative true }"""
COUNTED = f"""PREFIX wgig: <%s>
SELECT * WHERE {{
  {{ SELECT ?issue ?criterion (COUNT(DISTINCT ?text) AS ?papers) WHERE {{ {ASSESSED} }}
    GROUP BY ?issue ?criterion }}
  UNION
  {{ SELECT ?issue ?criterion ?verdict (COUNT(DISTINCT ?text) AS ?papers) WHERE {{
      {ASSESSED} ?assessment wgig:verdict ?verdict FILTER (isIRI(?verdict)) }}
    GROUP BY ?issue ?criterion ?verdict }}
}}"""


class Cells:
    """The papers of each cell, those made up as examples left out."""

    def __init__(self, store: Store, base: str) -> None:
        """Nothing is counted before it is needed."""
        self.store, self.wgig = store, f"{base}ontology#"
        self.turns = Turns(at_once=1, waiting=WAITING, patience=PATIENCE)
        self.found: Counter[Cell] | None = None
        self.missed: Change | None = None  # what was written while they are being counted, as far as is known

    async def papers(self) -> Counter[Cell]:
        """How many papers each cell has that has any. Raises Problem 503 where counting takes long."""
        return self.found if self.found is not None else await self.turns.run(self.count)

    def follow(self, change: Change | None) -> None:
        """Take in what a write changed, while nobody else writes."""
        if self.missed is not None:
            self.missed = None if change is None else self.missed.then(change)
        elif change is None:
            self.found = None
        elif self.found is not None:
            self.found = moved(self.found, difference(self.store, change, self.wgig))

    def count(self) -> Counter[Cell]:
        """The papers of each cell, counted anew, with what was written meanwhile."""
        while self.found is None:
            with self.copy() as view:
                found = counted(view, self.wgig)
            with self.store.alone():
                missed, self.missed = self.missed, None
                if missed is not None:
                    self.found = moved(found, difference(self.store, missed, self.wgig))
        return self.found

    @contextmanager
    def copy(self) -> Iterator[View]:
        """The store as it is now, aside; one in memory itself, which nobody writes meanwhile."""
        folder = self.store.folder and self.store.folder / ASIDE / COPY
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


def counted(view: View, wgig: str) -> Counter[Cell]:
    """The papers of each cell, counted from all assessments."""
    found = rows(view, COUNTED % wgig)
    names = ("issue", "criterion", "verdict")
    return Counter(
        {tuple(row[one].value for one in names if one in row): int(row["papers"].value) for row in found}
    )


def moved(found: Counter[Cell], by: Counter[Cell]) -> Counter[Cell]:
    """The papers of each cell where there are by so many more of some."""
    now = found.copy()
    for cell, more in by.items():
        now[cell] += more
        if not now[cell]:
            del now[cell]
    return now


def difference(view: View, change: Change, wgig: str) -> Counter[Cell]:
    """By how many papers more a change leaves each cell that it touches; it is done already."""
    terms = Terms(wgig)
    told = Change(tuple(filter(terms.tell, change.removed)), tuple(filter(terms.tell, change.added)))
    match = cache(lambda *pattern: tuple(view.match(*pattern)))  # both moments ask for the same
    before, now = Moment(match, told), Moment(match)
    texts = set[Any]()
    for one in chain(told.removed, told.added):
        if one.predicate in terms.of_texts:
            texts.add(one.subject)
        else:
            for moment in (before, now):
                texts |= moment.starts(terms.assessment, one.subject)
    by = Counter[Cell]()
    for text in texts:
        by.update(cells(text, now, terms))
        by.subtract(cells(text, before, terms))
    return by


class Terms:
    """The properties that say what a text measures."""

    def __init__(self, wgig: str) -> None:
        """Take the namespace of the ontology."""
        names = ("issue", "assessment", "illustrative", "criterion", "verdict")
        every = tuple(ox.NamedNode(wgig + name) for name in names)
        self.issue, self.assessment, self.illustrative, self.criterion, self.verdict = every
        self.of_texts, self.every = frozenset(every[:3]), frozenset(every)

    def tell(self, quad: ox.Quad) -> bool:
        """Whether a statement has one of them."""
        return quad.predicate in self.every


class Moment:
    """The statements of a store, whatever graph they stand in: as they are, or were before a change."""

    def __init__(self, match: Match, change: Change = NOTHING) -> None:
        """Take what finds the statements of the store by their terms, and a change that it is after."""
        self.match, self.come = match, frozenset(change.added)
        self.gone = defaultdict[Any, set[Any]](set)
        for one in change.removed:
            self.gone[one.subject, one.predicate].add(one.object)
            self.gone[one.predicate, one.object].add(one.subject)

    def ends(self, subject: Any, property_: ox.NamedNode) -> set[Any]:
        """What a property of a node leads to."""
        if isinstance(subject, ox.Literal | ox.Triple):
            return set()
        there = {one.object for one in self.match(subject, property_) if one not in self.come}
        return there | self.gone.get((subject, property_), set())

    def starts(self, property_: ox.NamedNode, object_: Any) -> set[Any]:
        """The nodes from which a property leads to this one."""
        there = {one.subject for one in self.match(None, property_, object_) if one not in self.come}
        return there | self.gone.get((property_, object_), set())


def cells(text: Any, moment: Moment, terms: Terms) -> set[Cell]:
    """The cells that a text counts for."""
    if ox.Literal(True) in moment.ends(text, terms.illustrative):
        return set()
    issues = iris(moment.ends(text, terms.issue))
    found = set[Cell]()
    for assessment in moment.ends(text, terms.assessment) if issues else ():
        verdicts = [(), *((one,) for one in iris(moment.ends(assessment, terms.verdict)))]
        for criterion in iris(moment.ends(assessment, terms.criterion)):
            found |= {(issue, criterion, *verdict) for issue in issues for verdict in verdicts}
    return found


def iris(terms: Iterable[Any]) -> list[str]:
    """Those of the terms that are IRIs."""
    return [one.value for one in terms if isinstance(one, ox.NamedNode)]
