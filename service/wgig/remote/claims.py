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

from ..store.errors import StoreError, StoreUnavailableError
from ..store.folder import WRITER_WAIT_SECONDS
from .engine import RemoteEngine
from .skolem import serialize_string_literal

CHOOSING_NUMBER = 0
CLAIM_RECHECK_SECONDS = 0.02  # seconds between two looks
# Seconds in which a request is done that the store has begun to do, whoever has the turn by then.
LATE_REQUEST_SECONDS = 1.0
MAX_SILENCE_STEP_SECONDS = 0.5  # seconds that count between two looks
BEATS_PER_LEASE = 5  # in the time after which a claim is taken away without one


class WriteClaim(NamedTuple):
    """A claim: its number, and whose it is. The lower comes first."""

    number: int
    owner: str


class LostClaimError(StoreUnavailableError):
    """Others took a claim away, as nothing was heard of the one who made it."""

    def __init__(self) -> None:
        """It is nobody's fault but that of time."""
        super().__init__("Another instance took the turn to write, and nothing was written.")


class WriteClaims:
    """The claims in a graph. Those that are silent for `lease` seconds are taken away."""

    def __init__(self, engine: RemoteEngine, graph: str, lease: float) -> None:
        """Take the service, the graph, and how long a claim may be silent."""
        self.engine, self.graph, self.lease_seconds = engine, graph, lease
        self.own_claims = set[str]()  # who may have left a claim

    @contextmanager
    def hold(self, patience: float = WRITER_WAIT_SECONDS) -> Iterator[WriteClaim]:
        """Around what is done with a claim that comes before all others.

        Raises StoreUnavailableError where that takes so many seconds, LostClaimError.
        """
        for one in list(self.own_claims):
            self.withdraw(one)
        me = uuid.uuid4().hex
        self.own_claims.add(me)
        over = threading.Event()
        beating = threading.Thread(target=self.send_beats, args=(me, over), daemon=True)
        beating.start()
        try:
            yield self.wait_until_first(self.make_claim(me), patience)
        finally:
            over.set()
            beating.join()
            with suppress(StoreError):  # others take it away when they have waited long enough
                self.withdraw(me)

    def make_claim(self, me: str) -> WriteClaim:
        """A new claim behind all others."""
        choosing = WriteClaim(CHOOSING_NUMBER, me)
        self.insert(choosing)
        claim = WriteClaim(1 + max(one.number for one in self.list_claims()), me)
        self.engine.update(f"{self.insert_update(claim)} ; {self.delete_update(choosing)}")
        return claim

    def wait_until_first(self, claim: WriteClaim, patience: float = WRITER_WAIT_SECONDS) -> WriteClaim:
        """The claim when it comes before all others.

        That is looked at twice: one look may miss a claim that got its number meanwhile, the next does not.
        """
        began, waiting = time.monotonic(), SilenceTracker(self.lease_seconds)
        while ahead := self.claims_ahead(claim) or self.claims_ahead(claim):
            if time.monotonic() - began > patience:
                raise StoreUnavailableError("Others write for too long. Nothing was written; try again.")
            gone = waiting.find_gone_owners({one.owner for one in ahead}, self.read_values("beat"))
            for one in gone:
                self.withdraw(one)
            time.sleep(LATE_REQUEST_SECONDS if gone else CLAIM_RECHECK_SECONDS)
        return claim

    def claims_ahead(self, claim: WriteClaim) -> list[WriteClaim]:
        """The claims before this one, and those that choose. Raises LostClaimError where it is gone."""
        every = self.list_claims()
        if claim not in every:
            raise LostClaimError
        return [one for one in every if one.owner != claim.owner and one < claim]

    def list_claims(self) -> list[WriteClaim]:
        """All claims."""
        return [
            WriteClaim(int(number), me)
            for number, me in (one.split(" ") for one in self.read_values("claim"))
        ]

    def read_values(self, name: str) -> set[str]:
        """What stands in the graph of a kind."""
        pattern = f"GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#{name}> ?o }}"
        return {row["o"].value for row in self.engine.select_rows(f"SELECT ?o {{ {pattern} }}")}

    def insert(self, claim: WriteClaim) -> None:
        """Make a claim."""
        self.engine.update(self.insert_update(claim))

    def withdraw(self, me: str) -> None:
        """Take away the claims of one, and what stands behind them."""
        for name in ("claim", "beat"):
            for one in self.read_values(name):
                if me in one:
                    self.engine.update(f"DELETE DATA {{ {self.graph_triple(name, one)} }}")
        self.own_claims.discard(me)

    def send_beats(self, me: str, over: threading.Event) -> None:
        """Let others know that one is there still, until it is over."""
        before, number = "", 0
        while not over.wait(self.lease_seconds / BEATS_PER_LEASE):
            number += 1
            now = f"{me} {number}"
            gone = f" ; DELETE DATA {{ {self.graph_triple('beat', before)} }}" if before else ""
            with suppress(StoreError):
                self.engine.update(f"INSERT DATA {{ {self.graph_triple('beat', now)} }}{gone}")
                before = now

    def insert_update(self, claim: WriteClaim) -> str:
        """The update that makes a claim."""
        return f"INSERT DATA {{ {self.claim_pattern(claim)} }}"

    def delete_update(self, claim: WriteClaim) -> str:
        """The update that takes it away."""
        return f"DELETE DATA {{ {self.claim_pattern(claim)} }}"

    def claim_pattern(self, claim: WriteClaim) -> str:
        """A claim as it stands in an update."""
        return self.graph_triple("claim", f"{claim.number} {claim.owner}")

    def graph_triple(self, name: str, text: str) -> str:
        """A text of a kind as it stands in an update."""
        literal = serialize_string_literal(text)
        return f"GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#{name}> {literal} }}"


class SilenceTracker:
    """How long others have been silent. While nobody can look, as the service does nothing, nobody is."""

    def __init__(self, lease: float) -> None:
        """Take the seconds after which somebody silent counts as gone."""
        self.lease_seconds = lease
        self.last_check = time.monotonic()
        self.silences: dict[str, tuple[frozenset[str], float]] = {}

    def find_gone_owners(self, those: set[str], beats: set[str]) -> list[str]:
        """Those of them who are gone, by the beats that are seen now."""
        now = time.monotonic()
        passed, self.last_check = min(now - self.last_check, MAX_SILENCE_STEP_SECONDS), now
        for one in those:
            heard = frozenset(beat for beat in beats if beat.startswith(one))
            before, seconds = self.silences.get(one, (heard, 0.0))
            self.silences[one] = (heard, seconds + passed if heard == before else 0.0)
        return [one for one in those if self.silences[one][1] > self.lease_seconds]
