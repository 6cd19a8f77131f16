"""The write lock of a shared store: Lamport's bakery algorithm with claims stored as triples.

A writer takes a number above all that it sees, and waits until no other writer has a lower number or is
choosing one (Lamport, A New Solution of Dijkstra's Concurrent Programming Problem, 1974). This needs only
plain reads and writes. Conditional updates would not do: some services let two of them succeed at once.
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

NUMBER_WHILE_CHOOSING = 0  # lower than every chosen number
CLAIM_RECHECK_SECONDS = 0.02  # seconds between two reads of the claims
# Wait after the removal of a claim, so that the remote store has finished any update that its owner had sent.
WAIT_AFTER_REMOVAL_SECONDS = 1.0
MAX_SILENCE_STEP_SECONDS = 0.5  # most that one check adds to the counted silence of an owner
BEATS_PER_LEASE = 5  # heartbeats sent within the time of a lease


class WriteClaim(NamedTuple):
    """A claim: its number, and its owner, a new random ID for each attempt to get the lock.

    Claims sort by number, then by owner.
    """

    number: int
    owner: str


class LostClaimError(StoreUnavailableError):
    """Another instance removed a claim, because its owner had sent no heartbeat for too long."""

    def __init__(self) -> None:
        """The message says that nothing was written."""
        super().__init__("Another instance took the write lock, so nothing was written.")


class WriteClaims:
    """The claims in a graph. A claim without a heartbeat for the time of the lease is removed."""

    def __init__(self, engine: RemoteEngine, graph: str, lease_seconds: float) -> None:
        """`lease_seconds` is the time after which a claim without a heartbeat is removed."""
        self.engine, self.graph, self.lease_seconds = engine, graph, lease_seconds
        self.leftover_owners = set[str]()  # owner IDs of this instance whose claims may still be in the store

    @contextmanager
    def hold(self, timeout_seconds: float = WRITER_WAIT_SECONDS) -> Iterator[WriteClaim]:
        """Hold the write lock within the context. At most one thread of an instance may do so at a time.

        Raises StoreUnavailableError if others hold it for more than `timeout_seconds`, and LostClaimError.
        """
        for owner in list(self.leftover_owners):
            self.withdraw(owner)
        owner = uuid.uuid4().hex
        self.leftover_owners.add(owner)
        stopped = threading.Event()
        heartbeats = threading.Thread(target=self.send_beats, args=(owner, stopped), daemon=True)
        heartbeats.start()
        try:
            yield self.wait_until_first(self.make_claim(owner), timeout_seconds)
        finally:
            stopped.set()
            heartbeats.join()
            with suppress(StoreError):  # others remove the claim when its lease is over
                self.withdraw(owner)

    def make_claim(self, owner: str) -> WriteClaim:
        """Store a new claim with a number above all others."""
        choosing = WriteClaim(NUMBER_WHILE_CHOOSING, owner)
        self.insert(choosing)
        claim = WriteClaim(1 + max(other.number for other in self.list_claims()), owner)
        self.engine.update(f"{self.insertion_text(claim)} ; {self.deletion_text(choosing)}")
        return claim

    def wait_until_first(self, claim: WriteClaim, timeout_seconds: float = WRITER_WAIT_SECONDS) -> WriteClaim:
        """Wait until the claim has the lowest number, and return it.

        The claims are read twice: a claim that gets its number during the first read may be missed there, but
        not in the second. Raises StoreUnavailableError after `timeout_seconds`, and LostClaimError.
        """
        started_at, tracker = time.monotonic(), SilenceTracker(self.lease_seconds)
        while ahead := self.claims_ahead(claim) or self.claims_ahead(claim):
            if time.monotonic() - started_at > timeout_seconds:
                raise StoreUnavailableError(
                    "Another instance has held the write lock for too long. Nothing was written; try again."
                )
            gone_owners = tracker.find_gone_owners({other.owner for other in ahead}, self.read_values("beat"))
            for owner in gone_owners:
                self.withdraw(owner)
            time.sleep(WAIT_AFTER_REMOVAL_SECONDS if gone_owners else CLAIM_RECHECK_SECONDS)
        return claim

    def claims_ahead(self, claim: WriteClaim) -> list[WriteClaim]:
        """Claims with a lower number or still choosing one. Raises LostClaimError if `claim` is gone."""
        claims = self.list_claims()
        if claim not in claims:
            raise LostClaimError
        return [other for other in claims if other.owner != claim.owner and other < claim]

    def list_claims(self) -> list[WriteClaim]:
        """All claims in the store."""
        return [
            WriteClaim(int(number), owner)
            for number, owner in (value.split(" ") for value in self.read_values("claim"))
        ]

    def read_values(self, kind: str) -> set[str]:
        """The stored values of a kind: `claim` ("number owner") or `beat` ("owner number")."""
        pattern = f"GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#{kind}> ?o }}"
        return {row["o"].value for row in self.engine.select_rows(f"SELECT ?o {{ {pattern} }}")}

    def insert(self, claim: WriteClaim) -> None:
        """Store a claim."""
        self.engine.update(self.insertion_text(claim))

    def withdraw(self, owner: str) -> None:
        """Delete the claims and heartbeats of an owner."""
        for kind in ("claim", "beat"):
            for value in self.read_values(kind):
                if owner in value:
                    self.engine.update(f"DELETE DATA {{ {self.value_quad_text(kind, value)} }}")
        self.leftover_owners.discard(owner)

    def send_beats(self, owner: str, stopped: threading.Event) -> None:
        """Replace the heartbeat of an owner several times per lease, until `stopped` is set."""
        previous_beat, beat_number = "", 0
        while not stopped.wait(self.lease_seconds / BEATS_PER_LEASE):
            beat_number += 1
            beat = f"{owner} {beat_number}"
            deletion = (
                f" ; DELETE DATA {{ {self.value_quad_text('beat', previous_beat)} }}" if previous_beat else ""
            )
            with suppress(StoreError):
                self.engine.update(f"INSERT DATA {{ {self.value_quad_text('beat', beat)} }}{deletion}")
                previous_beat = beat

    def insertion_text(self, claim: WriteClaim) -> str:
        """The SPARQL update that stores a claim."""
        return f"INSERT DATA {{ {self.claim_quad_text(claim)} }}"

    def deletion_text(self, claim: WriteClaim) -> str:
        """The SPARQL update that deletes a claim."""
        return f"DELETE DATA {{ {self.claim_quad_text(claim)} }}"

    def claim_quad_text(self, claim: WriteClaim) -> str:
        """A claim as a quad in SPARQL syntax, for use in an update."""
        return self.value_quad_text("claim", f"{claim.number} {claim.owner}")

    def value_quad_text(self, kind: str, value: str) -> str:
        """A value of a kind as a quad in SPARQL syntax, for use in an update."""
        literal = serialize_string_literal(value)
        return f"GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#{kind}> {literal} }}"


class SilenceTracker:
    """Counts for how long each owner has sent no heartbeat.

    Each check adds at most MAX_SILENCE_STEP_SECONDS: a longer time between two checks means that the remote
    store did not respond, so no owner could send a heartbeat.
    """

    def __init__(self, lease_seconds: float) -> None:
        """`lease_seconds` is the silence after which an owner counts as gone."""
        self.lease_seconds = lease_seconds
        self.last_check = time.monotonic()
        # By owner: its heartbeats at the last check, and the seconds of silence.
        self.silences: dict[str, tuple[frozenset[str], float]] = {}

    def find_gone_owners(self, owners: set[str], beats: set[str]) -> list[str]:
        """Those of `owners` that count as gone, given the heartbeats now in the store."""
        now = time.monotonic()
        elapsed, self.last_check = min(now - self.last_check, MAX_SILENCE_STEP_SECONDS), now
        for owner in owners:
            owner_beats = frozenset(beat for beat in beats if beat.startswith(owner))
            previous_beats, seconds = self.silences.get(owner, (owner_beats, 0.0))
            self.silences[owner] = (owner_beats, seconds + elapsed if owner_beats == previous_beats else 0.0)
        return [owner for owner in owners if self.silences[owner][1] > self.lease_seconds]
