"""/ready runs a test query, and reports why none is answered, or that the service is stopping."""

import asyncio
import signal
import time
from pathlib import Path

import httpx2
import pytest
from wgig.about import health
from wgig.app import QueryBackends, Service, create_app, make_service
from wgig.http.work_queue import queue_full_problem
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.sparql.workers.fair_queue import QueueState
from wgig.sparql.workers.protocol import DISK_FAULT, LOST_FAULT, QueryFault, QueryJob
from wgig.sparql.workers.result import QueryResult, ignore_flow_control
from wgig.sparql.workers.threads import ThreadQueryWorkers
from wgig.store.store import Store

from tests.fixtures.processes import run_service
from tests.fixtures.service import make_client

pytestmark = pytest.mark.slow


class FailingWorkers(ThreadQueryWorkers):
    """Query workers that answer no query: each query fails with `error`, or waits forever if it is None."""

    def __init__(self, error: Exception | None, queue_state: QueueState) -> None:
        super().__init__(Store.in_memory())
        self.error, self.reported_state = error, queue_state

    @property
    def queue_state(self) -> QueueState:
        return self.reported_state

    async def start_query(self, job: QueryJob, client: str) -> QueryResult:
        del job, client
        if self.error is None:
            await asyncio.Event().wait()
        if isinstance(self.error, QueryFault):
            result = QueryResult(ignore_flow_control, lambda _: None)
            result.fail(self.error)
            return result
        assert self.error
        raise self.error


def make_service_with_workers(workers: FailingWorkers) -> Service:
    return make_service(Settings(), Store.in_memory(), backends=QueryBackends(workers, workers))


@pytest.mark.parametrize(
    ("error", "queue_state", "reason"),  # the state has busy workers, idle workers, waiting queries
    [
        (
            None,
            QueueState(8, 0, 30),
            "No worker answered within 0.2 seconds: 8 are busy, and 30 queries wait.",
        ),
        (queue_full_problem(), QueueState(8, 0, 256), "8 are busy, and 256 queries wait."),
        (queue_full_problem(), QueueState(0, 0, 3), "There is no worker"),
        (QueryFault(LOST_FAULT), QueueState(1, 0, 0), "A worker ended before it answered a query."),
        (
            QueryFault(DISK_FAULT, "I/O error"),
            QueueState(1, 0, 0),
            "A query failed with a disk error: I/O error.",
        ),
        (ValueError("oops"), QueueState(1, 0, 0), "The store does not respond."),
    ],
)
def test_the_reason_why_no_query_is_answered_is_reported(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, queue_state: QueueState, reason: str
) -> None:
    monkeypatch.setattr(health, "READY_TIMEOUT_SECONDS", 0.2)
    app = create_app(make_service_with_workers(FailingWorkers(error, queue_state)))
    response = make_client(app).get("/ready")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    (only_reason,) = response.json()["reasons"]
    assert reason in only_reason
    assert only_reason in response.json()["detail"]


def test_a_killed_worker_of_the_test_query_is_not_reported_if_the_next_one_answers() -> None:
    faults = [QueryFault(LOST_FAULT)]

    class ReplacedWorkers(FailingWorkers):
        async def start_query(self, job: QueryJob, client: str) -> QueryResult:
            if faults:
                self.error = faults.pop()
                return await super().start_query(job, client)
            result = QueryResult()
            result.add(b"true", last=True)
            return result

    workers = ReplacedWorkers(None, QueueState(0, 1, 0))
    assert make_client(create_app(make_service_with_workers(workers))).get("/ready").status_code == 200
    assert not faults


@pytest.mark.parametrize(("answering", "missing"), [(0, 2), (1, 1), (2, 0), (3, 0)])
def test_front_processes_that_do_not_answer_are_counted(answering: int, missing: int) -> None:
    class Peers:
        """Front processes, one of which may have been replaced."""

        async def call_all(self, *_: object) -> list[list[str]]:
            return [[]] * answering

    reasons = asyncio.run(health.list_unready_front_reasons(Peers(), 2))
    assert reasons == ([f"{missing} of 2 front processes do not respond."] if missing else [])


def test_a_stopping_service_is_not_ready() -> None:
    service = make_service_with_workers(FailingWorkers(queue_full_problem(), QueueState(0, 0, 0)))
    service.status.stopping = True
    reasons = make_client(create_app(service)).get("/ready").json()["reasons"]
    stopping_reason, busy_reason = reasons
    assert stopping_reason.startswith("The service is stopping")
    assert busy_reason.startswith("There is no worker")


def test_a_problem_of_the_test_query_is_not_an_error_of_the_request() -> None:
    app = create_app(make_service_with_workers(FailingWorkers(Problem(400, "x"), QueueState(1, 1, 0))))
    assert make_client(app).get("/ready").status_code == 503


def test_a_service_reports_that_it_is_stopping_and_answers_until_the_end_of_the_drain(tmp_path: Path) -> None:
    with (
        run_service(tmp_path, WGIG_DRAIN_SECONDS="4") as service,
        httpx2.Client(base_url=service.url) as client,
    ):
        assert client.get("/ready").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        # The drain, in which the service still answers, is long enough for two requests on a busy machine.
        signal_time = time.monotonic()
        while (ready := httpx2.get(f"{service.url}ready")).status_code == 200:
            assert service.process.poll() is None
        assert ready.json()["reasons"] == ["The service is stopping. It still answers requests."]
        assert httpx2.get(f"{service.url}sparql?query=ASK{{}}").json()["boolean"]
        assert service.process.wait(20) == 0
        assert time.monotonic() > signal_time + 4


def test_a_second_signal_ends_the_service_immediately(tmp_path: Path) -> None:
    with run_service(tmp_path, WGIG_DRAIN_SECONDS="60") as service:
        service.process.send_signal(signal.SIGTERM)
        while httpx2.get(f"{service.url}ready").status_code == 200:
            assert service.process.poll() is None
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(5) == 0
