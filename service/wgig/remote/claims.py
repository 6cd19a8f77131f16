"""The write lock of a shared store: Lamport's bakery algorithm with claims stored as triples.

A writer stores a claim with a number higher than those of all other claims, and waits until no other claim
has a lower number or is still choosing one (Lamport, A New Solution of Dijkstra's Concurrent Programming
Problem, 1974). It also stores heartbeats: others remove its claim if there is no new one for the time of a
lease. The algorithm needs only plain reads and writes. Conditional updates would be no lock: in some SPARQL
services, two concurrent ones can both succeed. Below, "the service" is the one that has the shared store.
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
CLAIM_RECHECK_SECONDS = 0.02  # between two reads of the claims
# Wait after the removal of a claim, so that the service has finished any update that its owner had sent.
WAIT_AFTER_REMOVAL_SECONDS = 1.0
MAX_COUNTED_SILENCE_SECONDS = 0.5  # the most that one check adds to the time without a heartbeat
HEARTBEATS_PER_LEASE = 5


class WriteClaim(NamedTuple):
    """A claim to the write lock: its number, and its owner, a random ID for each attempt to get the lock.

    Claims sort by number, then by owner.
    """

    number: int
    owner: str


class LostClaimError(StoreUnavailableError):
    """Another instance removed a claim, because its owner had sent no heartbeat for too long."""

    def __init__(self) -> None:
        """Set the message."""
        super().__init__("Another instance took over the write lock, so nothing was written.")


class WriteClaims:
    """The claims in a graph. A claim is removed if its owner sends no heartbeat for the time of a lease."""

    def __init__(self, engine: RemoteEngine, graph: str, lease_seconds: float) -> None:
        """Take the client of the service, the IRI of the graph, and the seconds of a lease."""
        self.engine, self.graph, self.lease_seconds = engine, graph, lease_seconds
        self.unreleased_owners = set[str]()  # owners of this instance whose claims may still be in the store

    @contextmanager
    def hold(self, timeout_seconds: float = WRITER_WAIT_SECONDS) -> Iterator[WriteClaim]:
        """Hold the write lock within the context. Only one thread of an instance may do this at a time.

        Raises StoreUnavailableError if others hold it for more than `timeout_seconds`, and LostClaimError if
        the claim is removed meanwhile.
        """
        for owner in list(self.unreleased_owners):
            self.remove_claims(owner)
        owner = uuid.uuid4().hex
        self.unreleased_owners.add(owner)
        stopped = threading.Event()
        heartbeats = threading.Thread(target=self.send_heartbeats, args=(owner, stopped), daemon=True)
        heartbeats.start()
        try:
            yield self.wait_until_first(self.make_claim(owner), timeout_seconds)
        finally:
            stopped.set()
            heartbeats.join()
            with suppress(StoreError):  # others remove the claim when its lease is over
                self.remove_claims(owner)

    def make_claim(self, owner: str) -> WriteClaim:
        """Store a new claim with a number higher than all others."""
        choosing = WriteClaim(NUMBER_WHILE_CHOOSING, owner)
        self.insert_claim(choosing)
        claim = WriteClaim(1 + max(other.number for other in self.list_claims()), owner)
        self.engine.update(f"{self.build_insertion(claim)} ; {self.build_deletion(choosing)}")
        return claim

    def wait_until_first(self, claim: WriteClaim, timeout_seconds: float = WRITER_WAIT_SECONDS) -> WriteClaim:
        """Wait until the claim has the lowest number, and return it.

        The claims are read twice, as the first read may miss a claim that gets its number at the same time.
        Raises StoreUnavailableError after `timeout_seconds`, and LostClaimError.
        """
        started_at, tracker = time.monotonic(), SilenceTracker(self.lease_seconds)
        while ahead := self.list_claims_ahead(claim) or self.list_claims_ahead(claim):
            if time.monotonic() - started_at > timeout_seconds:
                raise StoreUnavailableError(
                    "Another instance has held the write lock for too long. Nothing was written; try again."
                )
            lost_owners = tracker.find_lost_owners({other.owner for other in ahead}, self.read_values("beat"))
            for owner in lost_owners:
                self.remove_claims(owner)
            time.sleep(WAIT_AFTER_REMOVAL_SECONDS if lost_owners else CLAIM_RECHECK_SECONDS)
        return claim

    def list_claims_ahead(self, claim: WriteClaim) -> list[WriteClaim]:
        """The other claims that are lower, or choose a number. Raises LostClaimError if `claim` is gone."""
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
        """The stored texts of a kind: "number owner" of each `claim`, or "owner number" of each `beat`."""
        pattern = f"GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#{kind}> ?o }}"
        return {row["o"].value for row in self.engine.select_rows(f"SELECT ?o {{ {pattern} }}")}

    def insert_claim(self, claim: WriteClaim) -> None:
        """Store a claim."""
        self.engine.update(self.build_insertion(claim))

    def remove_claims(self, owner: str) -> None:
        """Delete the claims and heartbeats of an owner."""
        for kind in ("claim", "beat"):
            for value in self.read_values(kind):
                if owner in value:
                    self.engine.update(f"DELETE DATA {{ {self.serialize_value_quad(kind, value)} }}")
        self.unreleased_owners.discard(owner)

    def send_heartbeats(self, owner: str, stopped: threading.Event) -> None:
        """Replace the heartbeat of an owner several times per lease, until `stopped` is set."""
        previous_heartbeat, heartbeat_number = "", 0
        while not stopped.wait(self.lease_seconds / HEARTBEATS_PER_LEASE):
            heartbeat_number += 1
            heartbeat = self.serialize_value_quad("beat", f"{owner} {heartbeat_number}")
            deletion = f" ; DELETE DATA {{ {previous_heartbeat} }}" if previous_heartbeat else ""
            with suppress(StoreError):
                self.engine.update(f"INSERT DATA {{ {heartbeat} }}{deletion}")
                previous_heartbeat = heartbeat

    def build_insertion(self, claim: WriteClaim) -> str:
        """The SPARQL update that stores a claim."""
        return f"INSERT DATA {{ {self.serialize_claim_quad(claim)} }}"

    def build_deletion(self, claim: WriteClaim) -> str:
        """The SPARQL update that deletes a claim."""
        return f"DELETE DATA {{ {self.serialize_claim_quad(claim)} }}"

    def serialize_claim_quad(self, claim: WriteClaim) -> str:
        """A claim as a quad in SPARQL syntax for an update."""
        return self.serialize_value_quad("claim", f"{claim.number} {claim.owner}")

    def serialize_value_quad(self, kind: str, value: str) -> str:
        """A claim or heartbeat (`kind` is `claim` or `beat`) as a quad in SPARQL syntax for an update."""
        literal = serialize_string_literal(value)
        return f"GRAPH <{self.graph}> {{ <{self.graph}> <{self.graph}#{kind}> {literal} }}"


class SilenceTracker:
    """Measures how long each owner has sent no heartbeat.

    Each check adds at most MAX_COUNTED_SILENCE_SECONDS: if more time passes between two checks, the service
    did not respond, so no owner could send a heartbeat.
    """

    def __init__(self, lease_seconds: float) -> None:
        """Take the seconds without a heartbeat after which an owner is considered lost."""
        self.lease_seconds = lease_seconds
        self.last_check = time.monotonic()
        # By owner: the heartbeats at the last check, and the seconds without a new one.
        self.silences: dict[str, tuple[frozenset[str], float]] = {}

    def find_lost_owners(self, owners: set[str], heartbeats: set[str]) -> list[str]:
        """The owners that are considered lost; `heartbeats` are those that are now in the store."""
        now = time.monotonic()
        elapsed, self.last_check = min(now - self.last_check, MAX_COUNTED_SILENCE_SECONDS), now
        for owner in owners:
            owner_heartbeats = frozenset(text for text in heartbeats if text.startswith(owner))
            previous_heartbeats, seconds = self.silences.get(owner, (owner_heartbeats, 0.0))
            self.silences[owner] = (
                owner_heartbeats,
                seconds + elapsed if owner_heartbeats == previous_heartbeats else 0.0,
            )
        return [owner for owner in owners if self.silences[owner][1] > self.lease_seconds]
