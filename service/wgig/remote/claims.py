"""Claims to write a shared store, of which one holds; that takes only to write and to see what is there.

It is the bakery of Lamport (A New Solution of Dijkstra's Concurrent Programming Problem, 1974): whoever wants
to write takes a number above all that it sees, and waits until nobody has a lower one or is choosing.
Nothing hangs on conditional updates, as not each service does only one of two at once.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from ..store.errors import StoreError, UnavailableError
from ..store.folder import PATIENCE
from .engine import Engine
from .skolem import literal

CHOOSING = 0
AGAIN = 0.02  # seconds between two looks
LATE = 1.0  # seconds in which a request is done that the store has begun to do, whoever has the turn by then
MOST = 0.5  # seconds that count between two looks
BEATS = 5  # in the time after which a claim is taken away without one


class Claim(NamedTuple):
    """A claim: its number, and whose it is. The lower comes first."""

    number: int
    me: str


class LostTurnError(UnavailableError):
    """Others took a claim away, as nothing was heard of the one who made it."""

    def __init__(self) -> None:
        """It is nobody's fault but that of time."""
        super().__init__("Another instance took the turn to write, and nothing was written.")


class Claims:
    """The claims in a graph. Those that are silent for `lease` seconds are taken away."""

    def __init__(self, engine: Engine, graph: str, lease: float) -> None:
        """Take the service, the graph, and how long a claim may be silent."""
        self.engine, self.graph, self.lease = engine, graph, lease
        self.left = set[str]()  # who may have left a claim

    @contextmanager
    def held(self, patience: float = PATIENCE) -> Iterator[Claim]:
        """Around what is done with a claim that comes before all others.

        Raises UnavailableError where that takes so many seconds, LostTurnError.
        """
        for one in list(self.left):
            self.withdraw(one)
        me = uuid.uuid4().hex
        self.left.add(me)
        over = threading.Event()
        beating = threading.Thread(target=self.beat, args=(me, over), daemon=True)
        beating.start()
        try:
            yield self.first(self.made(me), patience)
        finally:
            over.set()
            beating.join()
            with suppress(StoreError):  # others take it away when they have waited long enough
                self.withdraw(me)

    def made(self, me: str) -> Claim:
        """A new claim behind all others."""
        choosing = Claim(CHOOSING, me)
        self.put(choosing)
        claim = Claim(1 + max(one.number for one in self.all()), me)
        self.engine.update(f"{self.inserted(claim)} ; {self.deleted(choosing)}")
        return claim

    def first(self, claim: Claim, patience: float = PATIENCE) -> Claim:
        """The claim when it comes before all others.

        That is looked at twice: one look may miss a claim that got its number meanwhile, the next does not.
        """
        began, waiting = time.monotonic(), Waiting(self.lease)
        while ahead := self.ahead(claim) or self.ahead(claim):
            if time.monotonic() - began > patience:
                raise UnavailableError("Others write for too long. Nothing was written; try again.")
            gone = waiting.gone({one.me for one in ahead}, self.said("beat"))
            for one in gone:
                self.withdraw(one)
            time.sleep(LATE if gone else AGAIN)
        return claim

    def ahead(self, claim: Claim) -> list[Claim]:
        """The claims before this one, and those that choose. Raises LostTurnError where it is gone."""
        every = self.all()
        if claim not in every:
            raise LostTurnError
        return [one for one in every if one.me != claim.me and one < claim]

    def all(self) -> list[Claim]:
        """All claims."""
        return [Claim(int(number), me) for number, me in (one.split(" ") for one in self.said("claim"))]

    def said(self, name: str) -> set[str]:
        """What stands in the graph of a kind."""
        pattern = f"GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#{name}> ?o }}"
        return {row["o"].value for row in self.engine.rows(f"SELECT ?o {{ {pattern} }}")}

    def put(self, claim: Claim) -> None:
        """Make a claim."""
        self.engine.update(self.inserted(claim))

    def withdraw(self, me: str) -> None:
        """Take away the claims of one, and what stands behind them."""
        for name in ("claim", "beat"):
            for one in self.said(name):
                if me in one:
                    self.engine.update(f"DELETE DATA {{ {self.triple(name, one)} }}")
        self.left.discard(me)

    def beat(self, me: str, over: threading.Event) -> None:
        """Let others know that one is there still, until it is over."""
        before, number = "", 0
        while not over.wait(self.lease / BEATS):
            number += 1
            now = f"{me} {number}"
            gone = f" ; DELETE DATA {{ {self.triple('beat', before)} }}" if before else ""
            with suppress(StoreError):
                self.engine.update(f"INSERT DATA {{ {self.triple('beat', now)} }}{gone}")
                before = now

    def inserted(self, claim: Claim) -> str:
        """The update that makes a claim."""
        return f"INSERT DATA {{ {self.pattern(claim)} }}"

    def deleted(self, claim: Claim) -> str:
        """The update that takes it away."""
        return f"DELETE DATA {{ {self.pattern(claim)} }}"

    def pattern(self, claim: Claim) -> str:
        """A claim as it stands in an update."""
        return self.triple("claim", f"{claim.number} {claim.me}")

    def triple(self, name: str, text: str) -> str:
        """A text of a kind as it stands in an update."""
        return f"GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#{name}> {literal(text)} }}"


class Waiting:
    """How long others have been silent. While nobody can look, as the service does nothing, nobody is."""

    def __init__(self, lease: float) -> None:
        """Take the seconds after which somebody silent counts as gone."""
        self.lease = lease
        self.last = time.monotonic()
        self.silent: dict[str, tuple[frozenset[str], float]] = {}

    def gone(self, those: set[str], beats: set[str]) -> list[str]:
        """Those of them who are gone, by the beats that are seen now."""
        now = time.monotonic()
        passed, self.last = min(now - self.last, MOST), now
        for one in those:
            heard = frozenset(beat for beat in beats if beat.startswith(one))
            before, seconds = self.silent.get(one, (heard, 0.0))
            self.silent[one] = (heard, seconds + passed if heard == before else 0.0)
        return [one for one in those if self.silent[one][1] > self.lease]
