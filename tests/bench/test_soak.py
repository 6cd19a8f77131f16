"""The hour at steady load: what must not grow or be left is noticed, and a short one goes through."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from wgig.settings import QUAD

from bench.client import request
from bench.measure import PYTHON
from bench.soak import __main__ as soak
from bench.soak import verdict
from bench.soak.asking import CLIENTS, Asked, Line, Load, Tally
from bench.soak.mix import BAD, Ask, mix
from bench.soak.samples import READERS, SERVICE, Sample, Watched, kind
from bench.writing import complete

MINUTE = 60
SLOW = "/200/slow"
ROUNDS = len(BAD)
SAMPLE = Sample(
    0, {SERVICE: 100_000_000}, 90_000_000, 8, 30, {"socket": 20, "engine": 9}, 1, 1,
    {"quads": (9, 9)}, (0, 0), 1000, Asked(80, 0, 0, 0.01, 0.1),
)  # fmt: skip

# What a sample of this number has in place of the first.
Change = Callable[[int], dict[str, Any]]


def an_hour(change: Change) -> list[Sample]:
    return [replace(SAMPLE, seconds=number * MINUTE, **change(number)) for number in range(MINUTE)]


def test_what_stays_as_it_is_has_not_grown() -> None:
    assert not [*verdict.grown(an_hour(lambda _: {}))]


def test_what_grows_while_it_warms_up_has_not_grown() -> None:
    assert not [*verdict.grown(an_hour(lambda number: {"resident": min(number, 15) * 10_000_000}))]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda number: {"memory": {SERVICE: 100_000_000 + number * 500_000}}, "memory of all processes"),
        (lambda number: {"resident": 90_000_000 + number * 500_000}, "memory of the process"),
        (lambda number: {"processes": 8 + number // 5}, "processes"),
        (lambda number: {"threads": 30 + number // 4}, "threads"),
        (lambda number: {"descriptors": {"socket": 20 + number // 4}}, "open files"),
        (lambda number: {"temporary": (number // 10, 0)}, "temporary files"),
    ],
)
def test_what_grows_is_told(change: Change, said: str) -> None:
    (found,) = verdict.grown(an_hour(change))
    assert found.startswith(said)


def test_files_of_the_engine_come_and_go() -> None:
    assert not [*verdict.grown(an_hour(lambda number: {"descriptors": {"engine": number}}))]
    assert kind("/store/quads/000015.sst") == kind("/store/aside/readers/1/000015.sst") == "engine"
    assert kind("socket:[12]") == "socket"
    assert kind("/store/aside/changes.sqlite") == "other"


def test_quads_that_are_written_take_their_memory_in_the_readers() -> None:
    def grows(number: int) -> dict[str, Any]:
        return {"quads": number * 1000, "memory": {READERS: 100_000_000 + number * 1000 * QUAD}}

    assert not [*verdict.grown(an_hour(grows))]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for name in (
        "store/quads",
        "store/versions",
        "store/aside/readers",
        "store/aside/dumps/one",
        "temporary",
    ):
        (tmp_path / name).mkdir(parents=True)
    for name in ("quads/CURRENT", "aside/control", "aside/changes.sqlite", "aside/dumps/one/nq.gz"):
        (tmp_path / "store" / name).touch()
    return tmp_path / "store"


def test_what_a_store_keeps_is_not_left_behind(store: Path) -> None:
    assert not [*verdict.left([], store, store.parent / "temporary")]


@pytest.mark.parametrize(
    "name",
    [
        *("temporary/wgig-x/y", "store/aside/described/CURRENT", "store/aside/readers/1/CURRENT"),
        *("store/aside/dumps/new/nq.zst", "store/aside/dumps/copy/CURRENT", "store/versions/x.partial"),
    ],
)
def test_a_file_that_is_left_is_told(store: Path, name: str) -> None:
    (store.parent / name).parent.mkdir(parents=True, exist_ok=True)
    (store.parent / name).touch()
    assert len([*verdict.left([], store, store.parent / "temporary")]) == 1


def test_a_process_that_is_left_is_told(store: Path) -> None:
    with subprocess.Popen([PYTHON, "-c", "input()"], stdin=subprocess.PIPE) as process:
        watched = Watched(process.pid, 0, store, store.parent / "temporary")
        watched.seen[process.pid] = "another time"
        assert not watched.left(), "the number belongs to another process by now"
        watched.note([process.pid])
        assert watched.left(grace=0) == [process.pid]
        process.communicate(b"\n")
        assert not watched.left()


class Answering(BaseHTTPRequestHandler):
    """Answers with the status that the path names, slowly, or not at all."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == SLOW:
            time.sleep(0.4)
        self.send_response(int(self.path[1:4]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever).start()
        yield server.server_address[1]
        server.shutdown()


def asked(port: int, ask: Ask) -> Tally:
    with Load(port, [lambda _: ask], rate=50) as tally:
        time.sleep(0.3)
    return tally


def test_it_asks_at_the_pace_that_is_set(port: int) -> None:
    assert 5 <= asked(port, Ask("fine", request("/200"))).taken().requests <= 16


def test_what_comes_due_while_a_client_waits_is_left_out(port: int) -> None:
    slow, fast = (Ask("fine", request(path)) for path in (SLOW, "/200"))
    with Load(port, [lambda number: slow if number < CLIENTS else fast], rate=50) as tally:
        time.sleep(0.6)
    assert tally.taken().requests < 22  # of thirty


@pytest.mark.parametrize(
    ("ask", "busy", "wrong"),
    [
        (Ask("fine", request("/200")), False, False),
        (Ask("bad", request("/400"), (400,), alone=True), False, False),
        (Ask("leaving", request("/500"), leaves=0), False, False),
        (Ask("busy", request("/503")), True, False),
        (Ask("failed", request("/500")), False, True),
        (Ask("too good", request("/200"), (400,)), False, True),
        (Ask("cut", request("/cut")), False, True),
    ],
    ids=lambda one: one.kind if isinstance(one, Ask) else "",
)
def test_an_answer_that_is_not_right_is_a_fault(port: int, ask: Ask, *, busy: bool, wrong: bool) -> None:
    tally = asked(port, ask)
    found, told = tally.taken(), tally.kept()["faults"]
    assert found.requests
    assert (found.busy > 0, found.faults > 0, bool(told)) == (busy, wrong, wrong)


def test_each_answer_is_one_of_those_that_are_to_come(tmp_path: Path) -> None:
    with soak.served("one", tmp_path, {}) as service:
        load = Load(service.watched.port, mix(complete(soak.PAPERS)), rate=1)
        line = Line(load.port)
        for number in range(ROUNDS):
            for asking in load.mix:
                load.ask(line, asking(number))
        line.close()
    found = load.tally.kept()
    assert found["faults"] == []
    assert found["kinds"].keys() >= {"put", "delete", "update", "validate", "dump", "leaving", "bad"}


def test_a_short_one_goes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "draw", lambda *_: None)
    out = tmp_path / "soak.json"
    soak.main(["--warm", "1", "--seconds", "4", "--every", "1", "--rate", "12", "--out", str(out)])
    found = json.loads(out.read_text(encoding="utf-8"))
    grows = [one for one in found["faults"] if " grew from " in one]  # it is not warm yet
    assert found["faults"] == grows
    for name in (soak.EMBEDDED, soak.SHARED):
        assert len(found[name]["samples"]) == 4
        assert found[name]["samples"][-1]["quads"] > 40_000


def test_a_plot_has_all_lines(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="The plots need the dependency group `bench`.")
    from bench import plots  # noqa: PLC0415
    from bench.soak import drawing  # noqa: PLC0415

    plots.save(
        drawing.figure({"one": an_hour(lambda _: {}), "other": an_hour(lambda _: {})}), tmp_path / "a.svg"
    )
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(f">{line}<" in drawn for lines in drawing.ROWS.values() for line in lines)
