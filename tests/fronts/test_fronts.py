"""Front processes answer like one process: nothing stale, common limits and metrics, restarts.

The environment variable FRONT_ROUNDS is the number of writes that are read at once in the long tests.
"""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from wgig.processes import read_process_state
from wgig.settings import Settings

from tests.crash.family import find_descendants
from tests.fixtures.processes import run_service

from .service import (
    FRONT_COUNT,
    GRAPH,
    TOKEN,
    WRITE_HEADERS,
    FrontClients,
    read_number,
    run_fronts,
    write_number,
)

pytestmark = pytest.mark.slow
LONG_ROUNDS = int(os.environ.get("FRONT_ROUNDS", "1000"))
MAX_RESTART_SECONDS = 10  # 3 on an idle machine
SLOW_QUERY = "SELECT (COUNT(*) AS ?n) { " + " ".join(f"?a{n} ?b{n} ?c{n} ." for n in range(6)) + " }"


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontClients]:
    """Clients of a running service, which no test ends."""
    with run_fronts(tmp_path_factory.mktemp("fronts"), WGIG_METRICS="open", WGIG_WRITE_STATEMENTS="0") as (
        _,
        front_clients,
    ):
        yield front_clients


@pytest.mark.parametrize("rounds", [100, pytest.param(LONG_ROUNDS, marks=pytest.mark.long)])
def test_a_write_through_one_front_is_read_through_another(clients: FrontClients, rounds: int) -> None:
    for number in range(rounds):
        writer, reader = clients.choose_two()
        assert write_number(writer, number).is_success
        assert read_number(reader) == number


def test_cached_answers_of_all_fronts_follow_a_write(clients: FrontClients) -> None:
    for number in (10, 11):
        write_number(clients.choose_two()[0], number)
        assert [read_number(client) for client in clients for _ in range(3)] == [number] * 3 * FRONT_COUNT


def test_all_fronts_know_the_tag_of_a_streamed_result(clients: FrontClients) -> None:
    write_graph_for_slow_queries(clients.choose_two()[0])
    path = "/sparql?query=SELECT * { ?a ?b ?c . ?d ?e ?f } LIMIT 1000"
    response = clients.choose_two()[0].get(path)
    assert "Content-Length" not in response.headers
    condition = {"If-None-Match": response.headers["ETag"]}
    for client in clients:
        response = client.get(path, headers=condition)
        assert (response.status_code, response.content) == (304, b"")
    write_number(clients.choose_two()[0], 12)
    assert {client.get(path, headers=condition).status_code for client in clients} == {200}


def test_descriptions_of_all_fronts_follow_a_write(clients: FrontClients) -> None:
    """They are those of the writer, which responds if the query string names the format."""
    resource = f"{Settings.base}id/issue/written"
    for number in range(20):
        update = f"""DELETE WHERE {{ GRAPH <{GRAPH}> {{ <{resource}> ?p ?o . <x:label> ?q ?r }} }};
            INSERT DATA {{ GRAPH <{GRAPH}> {{
              <{resource}> <x:p> <x:label> , {number} . <x:label> <x:q> <{resource}> ;
              <http://www.w3.org/2000/01/rdf-schema#label> "{number}"@en , "{number} fr"@fr }} }}"""
        assert (
            clients.choose_two()[0].post("/update", content=update, headers=WRITE_HEADERS).status_code == 204
        )
        for client in clients:
            for media_type in ("text/turtle", "application/ld+json"):
                path, fields = "/doc/issue/written", {"Accept": media_type, "Accept-Language": "fr"}
                response = client.get(path, headers=fields)
                assert f'"{number} fr"' in response.text
                named = client.get(
                    f"{path}?_mediatype={quote(media_type)}", headers={"Accept-Language": "fr"}
                )
                assert (response.status_code, response.content) == (200, named.content)
                for name in (
                    "ETag",
                    "Content-Type",
                    "Content-Language",
                    "Content-Profile",
                    "Content-Location",
                ):
                    assert response.headers.get(name) == named.headers.get(name), name
        for path, status in (("/doc/issue/nothing", 404), ("/doc/issue", 200), ("/doc/issue/written", 200)):
            assert clients.choose_two()[0].get(path, headers={"Accept": "text/html"}).status_code == status


def test_pages_and_queries_are_answered_by_all_fronts(clients: FrontClients) -> None:
    for client in clients:
        for path in ("/", "/queries", "/sparql", "/ready", "/sparql?query=ASK{}&_mediatype=text/html"):
            assert client.get(path).status_code == 200, path
        assert client.get("/nothing").status_code == 404
        assert client.get("/sparql?query=SELECT").json()["line"] == 1
        assert client.post("/sparql", data={"query": "ASK {}"}).json()["boolean"] is True


def test_service_is_not_ready_while_a_front_does_not_respond(tmp_path: Path) -> None:
    with run_fronts(tmp_path) as (service, clients):
        deadline = time.monotonic() + MAX_RESTART_SECONDS
        while not all(client.get("/ready").status_code == 200 for client in clients):
            assert time.monotonic() < deadline
        stopped_front = clients.list_children()[1]
        service.process.send_signal(signal.SIGSTOP)  # so that the front is not replaced
        os.kill(stopped_front, signal.SIGSTOP)
        statuses = set()
        for client in clients:
            with suppress(httpx2.TransportError):
                statuses.add(client.get("/ready", timeout=5).status_code)
        service.process.send_signal(signal.SIGCONT)
        assert statuses == {503}


def test_metrics_add_up_the_requests_of_all_fronts(clients: FrontClients) -> None:
    def count_queries() -> int:
        text = next(iter(clients)).get("/metrics").text
        return int(float(re.findall(r'wgig_queries_total\{outcome="answered"\} (\S+)', text)[0]))

    before = count_queries()
    for number, client in enumerate(clients):
        client.get(f"/sparql?query=ASK {{ <x:metrics> <x:p> {number} }}")
    assert count_queries() == before + FRONT_COUNT


def test_metrics_of_processes_are_those_of_all_processes(clients: FrontClients) -> None:
    def sum_file_limits() -> int:
        processes = [clients.process_id, *(child.pid for child in find_descendants(clients.process_id))]
        return sum(resource.prlimit(process, resource.RLIMIT_NOFILE)[0] for process in processes)

    deadline = time.monotonic() + MAX_RESTART_SECONDS
    while True:  # until no process starts or exits meanwhile
        text = next(iter(clients)).get("/metrics").text
        if f"process_max_fds {float(sum_file_limits())}" in text.splitlines():
            break
        assert time.monotonic() < deadline, text


def test_running_queries_of_all_fronts_are_listed_and_canceled(clients: FrontClients) -> None:
    first, second = clients.choose_two()
    write_graph_for_slow_queries(first)
    query_id = "a-query-that-another-front-cancels"
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(
            first.get, "/sparql", params={"query": SLOW_QUERY}, headers={"WGIG-Query-Id": query_id}
        )
        while not second.get("/queries/running").json()["count"]:
            assert not slow.done()
        admin = {"Authorization": f"Bearer {TOKEN}"}
        listed = second.get("/queries/running", headers=admin).json()["queries"]
        assert [query["id"] for query in listed] == [query_id]
        assert second.delete(f"/queries/running/{query_id}").status_code == 204
        assert slow.result().status_code == 503
    assert second.delete(f"/queries/running/{query_id}").status_code == 404


def test_bounded_queries_need_no_worker(tmp_path: Path) -> None:
    with run_fronts(tmp_path, WGIG_WRITE_STATEMENTS="0") as (_, clients):
        write_number(next(iter(clients)), 5)
        deadline = time.monotonic() + MAX_RESTART_SECONDS
        while not answers_without_workers(clients):
            assert time.monotonic() < deadline, "a front process has no copy of the quads"
            clients.reconnect()


def answers_without_workers(clients: FrontClients) -> bool:
    """Whether all front processes answer a bounded query while all query workers are stopped."""
    # The others would replace a process that is stopped.
    workers = [clients.process_id, *clients.list_processes("forker"), *clients.list_processes("worker")]
    send_signal_to_all(workers, signal.SIGSTOP)
    try:
        query = "/sparql?query=ASK { <x:s> <x:p> ?o }"
        return all(client.get(query, timeout=1).json()["boolean"] for client in clients)
    except httpx2.TimeoutException:
        return False
    finally:
        send_signal_to_all(workers, signal.SIGCONT)


def send_signal_to_all(process_ids: list[int], signal_: signal.Signals) -> None:
    for process_id in process_ids:
        with suppress(ProcessLookupError):  # a worker exits when the client of its query leaves
            os.kill(process_id, signal_)


def test_replaced_fronts_finish_their_queries_and_hand_over_metrics_and_settings(tmp_path: Path) -> None:
    settings_file = tmp_path / "settings"
    settings_file.write_text("", encoding="utf-8")
    settings = {"WGIG_SETTINGS": str(settings_file), "WGIG_METRICS": "open", "WGIG_WRITE_STATEMENTS": "0"}
    with run_fronts(tmp_path / "store", **settings) as (service, clients), ThreadPoolExecutor() as pool:
        settings_file.write_text("WGIG_RESULT_ROWS=1\n", encoding="utf-8")
        service.process.send_signal(signal.SIGHUP)
        wait_until_settings_apply(clients)
        answer = start_long_query(clients, pool)
        for _ in range(3):
            replace_fronts(clients)
        assert answer.result().status_code == 200
        clients.reconnect()
        wait_until_settings_apply(clients)
        while len(clients.list_processes("front")) > FRONT_COUNT:  # the replaced ones have clients
            clients.reconnect()
        text = next(iter(clients)).get("/metrics").text
        assert re.findall(r"wgig_requests_total\{.*/queries/running.* (\S+)", text) != []
        service.process.terminate()
        assert service.read_log().count("the settings were reloaded") == 1


def replace_fronts(clients: FrontClients) -> None:
    """End the process that has the copy of the quads, so that all front processes are replaced."""
    deadline = time.monotonic() + MAX_RESTART_SECONDS
    while len(forkers := clients.list_processes("forker")) > 1:  # an earlier one is ending
        assert time.monotonic() < deadline
    old = {*clients.list_processes("front")}
    os.kill(forkers[0], signal.SIGKILL)
    while len({*clients.list_processes("front")} - old) < FRONT_COUNT:
        assert time.monotonic() < deadline


def wait_until_settings_apply(clients: FrontClients) -> None:
    """Wait until all front processes allow results of one row only."""
    query = "/sparql?query=SELECT * { VALUES ?x { 1 2 } }"
    deadline = time.monotonic() + MAX_RESTART_SECONDS
    while not all(client.get(query).status_code == 413 for client in clients):
        assert time.monotonic() < deadline


def start_long_query(clients: FrontClients, pool: ThreadPoolExecutor) -> Future[httpx2.Response]:
    """Start a query of about a second, and wait until it is running."""
    first, second = clients.choose_two()
    write_graph_for_slow_queries(first)
    query = "SELECT (COUNT(*) AS ?n) { ?a <x:slow> ?x . ?b <x:slow> ?y . FILTER(?x + ?y > 5) }"
    answer = pool.submit(first.get, "/sparql", params={"query": query})
    while not (second.get("/queries/running").json()["count"] or answer.done()):
        pass
    return answer


def write_graph_for_slow_queries(client: httpx2.Client) -> None:
    triples = "".join(f"<x:s{number}> <x:slow> {number} ." for number in range(1000))
    update = f"INSERT DATA {{ GRAPH <x:slow> {{ {triples} }} }}"
    assert client.post("/update", content=update, headers=WRITE_HEADERS).status_code == 204


def test_rate_limit_counts_the_requests_of_all_fronts(tmp_path: Path) -> None:
    with run_fronts(tmp_path, WGIG_RATE_REQUESTS="60", WGIG_RATE_SECONDS="3600") as (_, clients):
        statuses = [client.get("/sparql?query=ASK{}").status_code for client in clients for _ in range(60)]
        refused = statuses.count(429)
        assert refused >= 60 * FRONT_COUNT - 60
        assert all(client.get("/sparql?query=ASK{}").status_code == 429 for client in clients)


def test_limit_of_running_queries_counts_those_of_all_fronts(tmp_path: Path) -> None:
    """Of three workers each, a client has two at most, as of the three workers of a single process."""
    settings = {"WGIG_READERS": "3", "WGIG_METRICS": "open", "WGIG_WRITE_STATEMENTS": "0"}
    with run_fronts(tmp_path, **settings) as (service, clients), ThreadPoolExecutor() as pool:
        write_graph_for_slow_queries(clients.choose_two()[0])
        answers = [pool.submit(client.get, "/sparql", params={"query": SLOW_QUERY}) for client in clients]
        while not (metrics := read_reader_metrics(service.url))[2]:
            assert not any(answer.done() for answer in answers)
        assert (metrics[0], metrics[2]) == (2, 1)
        for answer in answers:
            answer.cancel()
        service.process.kill()


def read_reader_metrics(url: str) -> list[int]:
    """The numbers of busy workers, idle workers and waiting queries."""
    text = httpx2.get(f"{url}metrics").text
    pattern = r'^(?:wgig_readers\{state="\w+"\}|wgig_queries_waiting) (\S+)'
    return [int(float(value)) for value in re.findall(pattern, text, re.MULTILINE)]


def test_reloaded_settings_apply_to_all_fronts_and_no_write_is_lost(tmp_path: Path) -> None:
    settings_file = tmp_path / "settings"
    settings_file.write_text("", encoding="utf-8")
    with run_fronts(tmp_path / "store", WGIG_SETTINGS=str(settings_file)) as (service, clients):
        write_number(clients.choose_two()[0], 1)
        settings_file.write_text("WGIG_RESULT_ROWS=1\n", encoding="utf-8")
        service.process.send_signal(signal.SIGHUP)
        wait_until_settings_apply(clients)
        for number in range(2, 10):  # meanwhile the workers may be replaced
            writer, reader = clients.choose_two()
            assert write_number(writer, number).is_success
            assert read_number(reader) == number


def test_replaced_writer_has_the_reloaded_settings(tmp_path: Path) -> None:
    settings_file = tmp_path / "settings"
    settings_file.write_text("", encoding="utf-8")
    with run_fronts(tmp_path / "store", WGIG_SETTINGS=str(settings_file)) as (service, clients):
        settings_file.write_text("WGIG_RESULT_ROWS=1\n", encoding="utf-8")
        service.process.send_signal(signal.SIGHUP)
        wait_until_settings_apply(clients)
        os.kill(clients.list_processes("writer")[0], signal.SIGKILL)
        query = "sparql?query=SELECT * { VALUES ?x { 1 2 } }&_mediatype=text/html"  # for the writer
        deadline = time.monotonic() + MAX_RESTART_SECONDS
        while (status := httpx2.get(f"{service.url}{query}").status_code) == 503:
            assert time.monotonic() < deadline
        assert status == 413


def test_only_the_main_process_handles_sighup(clients: FrontClients) -> None:
    processes = find_descendants(clients.process_id)
    for process in [process for process in processes if process.name.startswith("wgig-")]:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        ignored_signals = int(re.findall(r"SigIgn:\s+(\S+)", status)[0], 16)
        assert ignored_signals & 1 << signal.SIGHUP - 1, process.name


@pytest.mark.parametrize("reader_quads", ["100000", "0"])
def test_service_is_ready_when_it_prints_its_address(tmp_path: Path, reader_quads: str) -> None:
    settings = {"WGIG_WORKERS": str(FRONT_COUNT), "WGIG_READER_QUADS": reader_quads}
    with run_service(tmp_path, **settings) as service:
        response = httpx2.get(f"{service.url}ready", timeout=30)
        assert response.status_code == 200, response.text


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGSTOP])
def test_writer_is_replaced_and_reads_go_on(tmp_path: Path, signal_: signal.Signals) -> None:
    with run_fronts(tmp_path) as (_, clients):
        assert write_number(next(iter(clients)), 1).is_success
        os.kill(clients.list_children()[0], signal_)
        deadline = time.monotonic() + MAX_RESTART_SECONDS
        responses = []
        while time.monotonic() < deadline:
            clients.reconnect()  # as the service closes connections that are idle for 5 s
            assert [read_number(client) for client in clients] == [1] * FRONT_COUNT
            responses.append(write_number(clients.choose_two()[0], 1))
            if responses[-1].is_success:
                break
            assert responses[-1].status_code == 503
            assert responses[-1].headers["Retry-After"] == "3"
        else:
            pytest.fail("no writer within the time")
        for number in range(2, 10):
            writer, reader = clients.choose_two()
            assert write_number(writer, number).is_success
            assert read_number(reader) == number


def test_front_is_replaced(tmp_path: Path) -> None:
    with run_fronts(tmp_path) as (service, clients):
        write_number(next(iter(clients)), 1)
        killed = clients.list_children()[1]
        os.kill(killed, signal.SIGKILL)
        while len(children := clients.list_children()) < 1 + FRONT_COUNT or killed in children:
            pass
        clients.reconnect()
        assert [read_number(client) for client in clients] == [1] * FRONT_COUNT
        service.process.terminate()
        message = r"Z WARNING wgig the front \d process was ended by SIGKILL, and is started again"
        assert len(re.findall(message, service.read_log())) == 1


def test_end_of_the_process_with_the_copy_is_logged(tmp_path: Path) -> None:
    with run_fronts(tmp_path) as (service, clients):
        write_number(next(iter(clients)), 1)
        replace_fronts(clients)
        service.process.terminate()
        assert service.read_log().count("the process with the copy of the quads has exited") == 1


def test_stopped_forker_is_replaced(tmp_path: Path) -> None:
    with run_fronts(tmp_path) as (_, clients):
        write_number(next(iter(clients)), 1)
        stopped = clients.list_processes("forker")
        for forker in stopped:
            os.kill(forker, signal.SIGSTOP)
        deadline = time.monotonic() + MAX_RESTART_SECONDS
        while {*stopped} & {*clients.list_processes("forker")}:
            assert time.monotonic() < deadline
        clients.reconnect()
        assert [read_number(client) for client in clients] == [1] * FRONT_COUNT


@pytest.mark.parametrize("stopped", ["", "worker"])
def test_service_ends_with_its_supervisor_and_leaves_no_process(tmp_path: Path, stopped: str) -> None:
    with run_fronts(tmp_path) as (service, clients):
        children = [process.pid for process in find_descendants(clients.process_id)]
        service.process.send_signal(signal.SIGSTOP)  # so that it replaces nothing
        send_signal_to_all(clients.list_processes(stopped), signal.SIGSTOP)
        service.process.kill()
        deadline = time.monotonic() + MAX_RESTART_SECONDS
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < deadline


def test_service_ends_while_a_front_does_not_respond(tmp_path: Path) -> None:
    with run_fronts(tmp_path) as (service, clients):
        os.kill(clients.list_children()[1], signal.SIGSTOP)
        service.process.terminate()
        assert service.process.wait(timeout=60) == 0


ADOPTING_SUPERVISOR = """
import argparse, os, signal, socket
from wgig.cli.serve_fronts import Supervisor
from wgig.settings import Settings
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
supervisor = Supervisor(argparse.Namespace(), Settings(workers=1), socket.create_server(("127.0.0.1", 0)))
early, late = [os.fork() or signal.pause() for _ in range(2)]
for process_id in (early, late, early):
    supervisor.on_front_serving(0, process_id)
fronts = [supervisor.fronts[0].id, *(front.id for front in supervisor.replaced)]
supervisor.end(0 if fronts == [late, early] else 1)
"""


def test_replaced_front_that_announces_itself_late_stays_replaced() -> None:
    script = ADOPTING_SUPERVISOR
    result = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


ENDING_SUPERVISOR = """
import argparse, os, signal, socket
from wgig.cli.serve_fronts import Supervisor
from wgig.settings import Settings
supervisor = Supervisor(argparse.Namespace(), Settings(workers=2), socket.socket())
process_id = os.fork()
if not process_id:
    signal.pause()
os.kill(process_id, signal.SIGSTOP)
print(process_id, flush=True)
supervisor.end(0)
"""


def test_supervisor_leaves_no_stopped_process_that_it_does_not_know() -> None:
    """Such as a front process that was stopped between its fork and its announcement."""
    output = subprocess.run([sys.executable, "-c", ENDING_SUPERVISOR], check=True, capture_output=True)
    deadline = time.monotonic() + MAX_RESTART_SECONDS
    while read_process_state(int(output.stdout)) not in (b"", b"Z"):
        assert time.monotonic() < deadline


@pytest.mark.parametrize("is_from_terminal", [False, True])
def test_stopped_service_finishes_the_running_query(tmp_path: Path, *, is_from_terminal: bool) -> None:
    with run_fronts(tmp_path) as (service, clients), ThreadPoolExecutor() as pool:
        answer = start_long_query(clients, pool)
        if is_from_terminal:  # Ctrl-C is sent to all processes
            send_signal_to_all(
                [process.pid for process in find_descendants(clients.process_id)], signal.SIGINT
            )
            service.process.send_signal(signal.SIGINT)
        else:
            service.process.terminate()
        assert answer.result().status_code == 200
        assert service.process.wait() == 0


def test_taken_port_is_reported(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "wgig", "serve", "--workers", "3", "--port", port]
        result = subprocess.run(
            [*command, "--store", str(tmp_path)], capture_output=True, text=True, check=False
        )
    assert result.returncode != 0
    assert "Stop the program that uses it" in result.stderr
