"""Clients that write and read at once, and know what the service may hold at any moment.

Each writer has something of its own in the store, whose state is a number that rises with each write. What
was acknowledged last must be there, or what was sent since; nothing else, and neither by halves.
"""

import csv
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable

import httpx
from wgig.settings import Settings

from tests.fixtures.projections import found

TOKEN = "let me in"
TRIPLES = 500  # of a graph, all of them with the number of its state
INTEGER = "http://www.w3.org/2001/XMLSchema#integer"
TITLE = "http://purl.org/dc/terms/title"
PAPER = f"{Settings.base}ontology#IssuePaper"
PATIENCE = 30  # seconds that an answer may take before a client gives up


class Writer(ABC):
    """Writes one state after the other, each to be found whole or not at all."""

    def __init__(self, name: str) -> None:
        """Nothing is written yet."""
        self.name = name
        self.acknowledged = self.sent = 0

    def write(self, client: httpx.Client) -> None:
        """Send the next state, and note when it is acknowledged."""
        self.sent += 1
        self.send(client, self.sent)
        self.acknowledged = self.sent

    @abstractmethod
    def send(self, client: httpx.Client, number: int) -> None:
        """Bring the store into the state of this number."""

    @abstractmethod
    def found(self, client: httpx.Client, least: int) -> int:
        """The state that the service is in, at least this one. Raises AssertionError where it is none."""

    def look(self, client: httpx.Client) -> None:
        """Raises AssertionError where the service is in a state that it must not be in."""
        least = self.acknowledged
        found = self.found(client, least)
        assert least <= found <= self.sent, f"{self.name}: {least} <= {found} <= {self.sent}"

    def settle(self, client: httpx.Client) -> None:
        """After a crash: look, and go on from the state that is there."""
        self.look(client)
        self.acknowledged = self.sent = self.found(client, self.acknowledged)


class GraphWriter(Writer):
    """Replaces a graph (PUT), and each fourth time deletes it."""

    def send(self, client: httpx.Client, number: int) -> None:
        """Put the graph with the number in each triple, or delete it."""
        if number % 4:
            lines = "".join(f"<urn:{one}> <urn:n> {number} .\n" for one in range(TRIPLES))
            client.put(f"/graphs?graph=urn:{self.name}", content=lines, headers=TURTLE).raise_for_status()
        else:
            client.delete(f"/graphs?graph=urn:{self.name}").raise_for_status()

    def found(self, client: httpx.Client, least: int) -> int:
        """The number in the triples of the graph; without a graph, the one that deletes it."""
        graph = f"GRAPH <urn:{self.name}> {{ ?s ?p ?n }}"
        rows = select(client, f"SELECT ?n (COUNT(*) AS ?count) {{ {graph} }} GROUP BY ?n")
        if not rows:
            deleting = [one for one in range(least, self.sent + 1) if one % 4 == 0]
            assert deleting, f"the graph of {self.name} is gone"
            return deleting[0]
        assert [count for _, count in rows] == [TRIPLES], f"half a graph of {self.name}: {rows}"
        return rows[0][0]

    def settle(self, client: httpx.Client) -> None:
        """As of any writer; and what is on record is what is there, with what was there before."""
        super().settle(client)
        path = f"/graphs?graph=urn:{self.name}&versions"
        answer = client.get(path, headers={"Accept": "application/json"})
        versions = answer.json()["versions"] if answer.status_code == 200 else []
        states = [self.state(client, one["version"]) for one in versions[-3:]]
        assert states == sorted(states), f"{self.name} has versions in disorder: {states}"
        if versions:
            is_there = self.acknowledged % 4 != 0
            last = self.acknowledged if is_there else self.acknowledged - 1
            assert states[-1] == last, f"{self.name}: {last} is not on record, but {states[-1]}"
            assert (versions[-1]["until"] is None) == is_there

    def state(self, client: httpx.Client, version: str) -> int:
        """The number in all triples of a version."""
        answer = client.get(version, headers={"Accept": "application/n-triples"}).raise_for_status()
        numbers = [int(line.split('"')[1]) for line in answer.text.splitlines()]
        assert numbers == numbers[:1] * TRIPLES, f"half a version of {self.name}"
        return numbers[0]


class MovingWriter(Writer):
    """Moves a number on in two graphs at once by SPARQL Update, and leaves a trace of each."""

    def send(self, client: httpx.Client, number: int) -> None:
        """Replace the number in both graphs, and add it to the trace."""
        one = f"<urn:{self.name}>"
        now = f"GRAPH ?g {{ {one} <urn:now> ?n }}"
        client.post(
            "/update",
            headers=UPDATE,
            content=f"""
            DELETE {{ {now} }} WHERE {{ {now} }};
            INSERT DATA {{
              GRAPH <urn:left> {{ {one} <urn:now> {number} }}
              GRAPH <urn:right> {{ {one} <urn:now> {number} ; <urn:was> {number} }}
            }}""",
        ).raise_for_status()

    def found(self, client: httpx.Client, least: int) -> int:
        """The number in both graphs, which is also how many left their trace."""
        del least
        one = f"<urn:{self.name}>"
        left = f"{{ SELECT (COALESCE(SUM(?n), 0) AS ?left) {{ GRAPH <urn:left> {{ {one} <urn:now> ?n }} }} }}"
        right = (
            f"{{ SELECT (COALESCE(SUM(?n), 0) AS ?right) {{ GRAPH <urn:right> {{ {one} <urn:now> ?n }} }} }}"
        )
        was = f"{{ SELECT (COUNT(?n) AS ?was) {{ GRAPH <urn:right> {{ {one} <urn:was> ?n }} }} }}"
        rows = select(client, f"SELECT * {{ {left} {right} {was} }}")
        assert len(rows) == 1, f"{self.name} moved by halves: {rows}"
        assert len(set(rows[0])) == 1, f"{self.name} lost a trace: {rows}"
        return rows[0][0]


class NameWriter(Writer):
    """Gives a thing another name, by which it is to be found."""

    def send(self, client: httpx.Client, number: int) -> None:
        """Put the graph with the name."""
        data = f"<urn:{self.name}> <{TITLE}> '{self.word(number)}' ."
        client.put(f"/graphs?graph=urn:{self.name}", content=data, headers=TURTLE).raise_for_status()

    def found(self, client: httpx.Client, least: int) -> int:
        """The number in the name."""
        del least
        name = f"OPTIONAL {{ <urn:{self.name}> <{TITLE}> ?name }}"
        rows = select(
            client, f"SELECT ?n {{ {name} BIND(<{INTEGER}>(STRAFTER(COALESCE(?name, 'x0'), 'x')) AS ?n) }}"
        )
        assert len(rows) == 1, f"{self.name} has several names: {rows}"
        return rows[0][0]

    def settle(self, client: httpx.Client) -> None:
        """As of any writer; and it is found by this name and by none of those before."""
        super().settle(client)
        for number in range(max(1, self.acknowledged - 3), self.acknowledged + 1):
            there = {f"urn:{self.name}"} if number == self.acknowledged else set()
            assert found(client, self.word(number)) == there, f"{self.name} is found by another name"

    def word(self, number: int) -> str:
        """The name of a number: one word."""
        return f"{self.name}x{number}"


class PaperWriter(Writer):
    """Replaces the graph of a thing that is a paper in each odd state, from which its other types follow."""

    def send(self, client: httpx.Client, number: int) -> None:
        """Put the graph with the number, and the type where the number is odd."""
        kind = f" ; a <{PAPER}>" if number % 2 else ""
        data = f"<urn:{self.name}> <urn:n> {number}{kind} ."
        client.put(f"/graphs?graph=urn:{self.name}", content=data, headers=TURTLE).raise_for_status()

    def found(self, client: httpx.Client, least: int) -> int:
        """The number, if what follows from the type is there when the type is."""
        del least
        one = f"<urn:{self.name}>"
        follows = f"GRAPH <{Settings.base}graph/inferred> {{ {one} a ?kind }}"
        number = f"OPTIONAL {{ {one} <urn:n> ?stated }} BIND(COALESCE(?stated, 0) AS ?n)"
        rows = select(
            client, f"SELECT ?n ?follows {{ {number} BIND(IF(EXISTS {{ {follows} }}, 1, 0) AS ?follows) }}"
        )
        assert len(rows) == 1, f"{self.name} has several states: {rows}"
        assert rows[0][1] == rows[0][0] % 2, f"from {self.name} follows something else: {rows}"
        return rows[0][0]


TURTLE = {"Content-Type": "text/turtle"}
UPDATE = {"Content-Type": "application/sparql-update"}


def select(client: httpx.Client, query: str) -> list[tuple[int, ...]]:
    """The rows that answer a query for numbers."""
    answer = client.post("/sparql", data={"query": query}, headers={"Accept": "text/csv"}).raise_for_status()
    return [tuple(map(int, row)) for row in list(csv.reader(answer.text.splitlines()))[1:]]


def client_of(url: str) -> httpx.Client:
    """A client that may write."""
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=PATIENCE)


class Load:
    """Writers and readers at work, each on a thread of its own."""

    def __init__(self, writers: list[Writer], url: str, forgiven: Callable[[], bool]) -> None:
        """Begin. That no answer came is passed over where it is `forgiven`, since something was killed."""
        self.forgiven = forgiven
        self.writes = threading.Semaphore(0)
        self.stop = threading.Event()
        self.faults: list[BaseException] = []
        self.threads = [
            threading.Thread(target=self.work, args=[url, work])
            for one in writers
            for work in (self.writing(one), one.look)
        ]
        for thread in self.threads:
            thread.start()

    def writing(self, writer: Writer) -> Callable[[httpx.Client], None]:
        """The work of a writer, which counts what is acknowledged."""

        def write(client: httpx.Client) -> None:
            writer.write(client)
            self.writes.release()

        return write

    def work(self, url: str, work: Callable[[httpx.Client], None]) -> None:
        """Do the work again and again, until it is to stop or cannot be done."""
        try:
            with client_of(url) as client:
                while not self.stop.is_set():
                    work(client)
        except (httpx.HTTPError, AssertionError) as error:
            if not (isinstance(error, httpx.HTTPError) and self.forgiven()):
                self.faults.append(error)

    def wait(self, count: int) -> None:
        """Wait until so many more writes were acknowledged."""
        for _ in range(count):
            assert self.writes.acquire(timeout=PATIENCE), f"no write is acknowledged any more: {self.faults}"

    def end(self) -> None:
        """Wait for all. Raises the first thing that went wrong."""
        self.stop.set()
        for thread in self.threads:
            thread.join()
        for fault in self.faults:
            raise fault
