"""Concurrent clients that write and read, and check that the service is in a permitted state.

Each writer has separate data in the store. The state of the data is a number that increases with each write.
The data must be in the state of the last acknowledged write or of a write sent since, and complete.
"""

import csv
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

import httpx2
from wgig.settings import Settings

from tests.fixtures.projections import search_ids

WRITE_TOKEN = "let me in"
GRAPH_TRIPLES = 500  # of a graph; the object of each is the number of the state
XSD_INTEGER = "http://www.w3.org/2001/XMLSchema#integer"
TITLE_PROPERTY = "http://purl.org/dc/terms/title"
PAPER_CLASS = f"{Settings.base}ontology#IssuePaper"
RESPONSE_TIMEOUT_SECONDS = 30


class Writer(ABC):
    """Writes states in order. Each must be in the store completely or not at all."""

    def __init__(self, name: str) -> None:
        """Start without any write."""
        self.name = name
        self.acknowledged = self.sent = 0

    def write(self, client: httpx2.Client) -> None:
        """Send the next state, and record its acknowledgment."""
        self.sent += 1
        self.send(client, self.sent)
        self.acknowledged = self.sent

    @abstractmethod
    def send(self, client: httpx2.Client, number: int) -> None:
        """Send a write that brings the store into the state of this number."""

    @abstractmethod
    def read_state(self, client: httpx2.Client, minimum: int) -> int:
        """The number of the state of the data. Raises AssertionError if it is in no state.

        If several numbers mean the same state, the first one that is at least `minimum`.
        """

    def check_state(self, client: httpx2.Client) -> None:
        """Raises AssertionError if the service is not in a permitted state."""
        minimum = self.acknowledged
        state = self.read_state(client, minimum)
        assert minimum <= state <= self.sent, f"{self.name}: {minimum} <= {state} <= {self.sent}"

    def check_after_crash(self, client: httpx2.Client) -> None:
        """After a crash: check the state of the service, and continue from it."""
        self.check_state(client)
        self.acknowledged = self.sent = self.read_state(client, self.acknowledged)


class GraphWriter(Writer):
    """Replaces a graph by PUT, and deletes it at each fourth write."""

    def send(self, client: httpx2.Client, number: int) -> None:
        """Put the graph with the number in each triple, or delete it."""
        if number % 4:
            lines = "".join(f"<urn:{index}> <urn:n> {number} .\n" for index in range(GRAPH_TRIPLES))
            client.put(
                f"/graphs?graph=urn:{self.name}", content=lines, headers=TURTLE_HEADERS
            ).raise_for_status()
        else:
            client.delete(f"/graphs?graph=urn:{self.name}").raise_for_status()

    def read_state(self, client: httpx2.Client, minimum: int) -> int:
        """The number in the triples of the graph; without a graph, the first possible one of a deletion."""
        graph = f"GRAPH <urn:{self.name}> {{ ?s ?p ?n }}"
        rows = select_numbers(client, f"SELECT ?n (COUNT(*) AS ?count) {{ {graph} }} GROUP BY ?n")
        if not rows:
            deletions = [number for number in range(minimum, self.sent + 1) if number % 4 == 0]
            assert deletions, f"the graph of {self.name} is missing"
            return deletions[0]
        assert [count for _, count in rows] == [GRAPH_TRIPLES], f"a part of the graph of {self.name}: {rows}"
        return rows[0][0]

    def check_after_crash(self, client: httpx2.Client) -> None:
        """As in the base class; also check that the recorded versions are those that were written."""
        super().check_after_crash(client)
        path = f"/graphs?graph=urn:{self.name}&versions"
        response = client.get(path, headers={"Accept": "application/json"})
        versions = response.json()["versions"] if response.status_code == 200 else []
        states = [self.read_version(client, version["version"]) for version in versions[-3:]]
        assert states == sorted(states), f"{self.name} has unsorted versions: {states}"
        if versions:
            exists = self.acknowledged % 4 != 0
            last = self.acknowledged if exists else self.acknowledged - 1
            assert states[-1] == last, f"{self.name}: {states[-1]} is recorded instead of {last}"
            assert (versions[-1]["until"] is None) == exists

    def read_version(self, client: httpx2.Client, version: str) -> int:
        """The number in all triples of a version."""
        response = client.get(version, headers={"Accept": "application/n-triples"}).raise_for_status()
        numbers = [int(line.split('"')[1]) for line in response.text.splitlines()]
        assert numbers == numbers[:1] * GRAPH_TRIPLES, f"a part of a version of {self.name}"
        return numbers[0]


class NumberWriter(Writer):
    """Increases a number in two graphs by one SPARQL Update, and keeps all earlier numbers in one of them."""

    def send(self, client: httpx2.Client, number: int) -> None:
        """Replace the number in both graphs, and add it to the earlier numbers."""
        subject = f"<urn:{self.name}>"
        # With a variable for the graph, the service would compare the whole store.
        deletions = [
            f"DELETE WHERE {{ GRAPH <urn:{side}> {{ {subject} <urn:now> ?n }} }};"
            for side in ("left", "right")
        ]
        client.post(
            "/update",
            headers=UPDATE_HEADERS,
            content=f"""
            {" ".join(deletions)}
            INSERT DATA {{
              GRAPH <urn:left> {{ {subject} <urn:now> {number} }}
              GRAPH <urn:right> {{ {subject} <urn:now> {number} ; <urn:was> {number} }}
            }}""",
        ).raise_for_status()

    def read_state(self, client: httpx2.Client, minimum: int) -> int:
        """The number in both graphs, which is also the count of earlier numbers."""
        del minimum
        subject = f"<urn:{self.name}>"
        left, right = (
            f"{{ SELECT (COALESCE(SUM(?n), 0) AS ?{side})"
            f" {{ GRAPH <urn:{side}> {{ {subject} <urn:now> ?n }} }} }}"
            for side in ("left", "right")
        )
        was = f"{{ SELECT (COUNT(?n) AS ?was) {{ GRAPH <urn:right> {{ {subject} <urn:was> ?n }} }} }}"
        rows = select_numbers(client, f"SELECT * {{ {left} {right} {was} }}")
        assert len(rows) == 1, f"{self.name} changed one graph only: {rows}"
        assert len(set(rows[0])) == 1, f"{self.name} lost a number: {rows}"
        return rows[0][0]


class TitleWriter(Writer):
    """Changes the title of a resource, by which search must find it."""

    def send(self, client: httpx2.Client, number: int) -> None:
        """Put the graph with the title."""
        data = f"<urn:{self.name}> <{TITLE_PROPERTY}> '{self.make_title(number)}' ."
        client.put(f"/graphs?graph=urn:{self.name}", content=data, headers=TURTLE_HEADERS).raise_for_status()

    def read_state(self, client: httpx2.Client, minimum: int) -> int:
        """The number in the title, or 0 if there is no title."""
        del minimum
        title = f"OPTIONAL {{ <urn:{self.name}> <{TITLE_PROPERTY}> ?title }}"
        rows = select_numbers(
            client,
            f"SELECT ?n {{ {title} BIND(<{XSD_INTEGER}>(STRAFTER(COALESCE(?title, 'x0'), 'x')) AS ?n) }}",
        )
        assert len(rows) == 1, f"{self.name} has several titles: {rows}"
        return rows[0][0]

    def check_after_crash(self, client: httpx2.Client) -> None:
        """As in the base class; also check that search finds the resource by this title only."""
        super().check_after_crash(client)
        for number in range(max(1, self.acknowledged - 3), self.acknowledged + 1):
            expected = {f"urn:{self.name}"} if number == self.acknowledged else set()
            assert search_ids(client, self.make_title(number)) == expected, (
                f"{self.name} is found by another title"
            )

    def make_title(self, number: int) -> str:
        """The title with a number: one word."""
        return f"{self.name}x{number}"


class PaperWriter(Writer):
    """Replaces the graph of a resource; its types are inferred in odd states, in which it is a paper."""

    def send(self, client: httpx2.Client, number: int) -> None:
        """Put the graph with the number, and the type if the number is odd."""
        type_ = f" ; a <{PAPER_CLASS}>" if number % 2 else ""
        data = f"<urn:{self.name}> <urn:n> {number}{type_} ."
        client.put(f"/graphs?graph=urn:{self.name}", content=data, headers=TURTLE_HEADERS).raise_for_status()

    def read_state(self, client: httpx2.Client, minimum: int) -> int:
        """The number, after a check that types are inferred if and only if it is odd."""
        del minimum
        subject = f"<urn:{self.name}>"
        inferred = f"GRAPH <{Settings.base}graph/inferred> {{ {subject} a ?type }}"
        number = f"OPTIONAL {{ {subject} <urn:n> ?asserted }} BIND(COALESCE(?asserted, 0) AS ?n)"
        rows = select_numbers(
            client, f"SELECT ?n ?inferred {{ {number} BIND(IF(EXISTS {{ {inferred} }}, 1, 0) AS ?inferred) }}"
        )
        assert len(rows) == 1, f"{self.name} has several states: {rows}"
        assert rows[0][1] == rows[0][0] % 2, f"{self.name} has wrong inferred types: {rows}"
        return rows[0][0]


TURTLE_HEADERS = {"Content-Type": "text/turtle"}
UPDATE_HEADERS = {"Content-Type": "application/sparql-update"}


def select_numbers(client: httpx2.Client, query: str) -> list[tuple[int, ...]]:
    """The rows of a query for numbers."""
    response = client.post(
        "/sparql", data={"query": query}, headers={"Accept": "text/csv"}
    ).raise_for_status()
    return [tuple(map(int, row)) for row in list(csv.reader(response.text.splitlines()))[1:]]


def make_client(url: str) -> httpx2.Client:
    """A client that may write."""
    return httpx2.Client(
        base_url=url, headers={"Authorization": f"Bearer {WRITE_TOKEN}"}, timeout=RESPONSE_TIMEOUT_SECONDS
    )


class ConcurrentLoad:
    """Writers and readers, each on a separate thread."""

    def __init__(self, writers: list[Writer], url: str, is_killed: Callable[[], bool]) -> None:
        """Start. Requests may fail once a process was killed, according to `is_killed`."""
        self.is_killed = is_killed
        self.acknowledged_writes = threading.Semaphore(0)
        self.stop = threading.Event()
        self.errors: list[BaseException] = []
        self.threads = [
            threading.Thread(target=self.work, args=[url, work])
            for writer in writers
            for work in (self.count_writes(writer), writer.check_state)
        ]
        for thread in self.threads:
            thread.start()

    def count_writes(self, writer: Writer) -> Callable[[httpx2.Client], None]:
        """A function that calls the `write` method of a writer, and counts the acknowledged writes."""

        def write(client: httpx2.Client) -> None:
            writer.write(client)
            self.acknowledged_writes.release()

        return write

    def work(self, url: str, work: Callable[[httpx2.Client], None]) -> None:
        """Repeat the work until the end or an error."""
        try:
            with make_client(url) as client:
                while not self.stop.is_set():
                    work(client)
        except (httpx2.HTTPError, AssertionError) as error:
            if not (isinstance(error, httpx2.HTTPError) and self.is_killed()):
                self.errors.append(error)

    def wait_for_writes(self, count: int) -> None:
        """Wait until `count` more writes are acknowledged."""
        for _ in range(count):
            assert self.acknowledged_writes.acquire(timeout=RESPONSE_TIMEOUT_SECONDS), (
                f"no write is acknowledged: {self.errors}"
            )

    def end(self) -> None:
        """Wait for all threads. Raises the first error of one of them."""
        self.stop.set()
        for thread in self.threads:
            thread.join()
        for error in self.errors:
            raise error
