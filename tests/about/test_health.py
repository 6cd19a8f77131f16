"""Whether the service is ready: it says why not, at once when it is told to stop, and what its state is."""

import asyncio
import signal
import time
from pathlib import Path

import httpx
import pytest
from wgig.about import health
from wgig.app import QueryBackends, Service, create_app, make_service
from wgig.http.work_queue import queue_full_problem
from wgig.problems import Problem
from wgig.settings import Settings
from wgig.sparql.workers.evaluation import ThreadQueryWorkers
from wgig.sparql.workers.fair_queue import QueueState
from wgig.sparql.workers.protocol import DISK_FAULT, LOST_FAULT, QueryFault, QueryJob
from wgig.sparql.workers.result import QueryResult, ignore_flow_control
from wgig.store.store import Store

from tests.fixtures.processes import started
from tests.fixtures.service import client_of

pytestmark = pytest.mark.slow


class Failing(ThreadQueryWorkers):
    """Who answers no query, for this reason."""

    def __init__(self, error: Exception | None, standing: QueueState) -> None:
        super().__init__(Store.in_memory())
        self.error, self.stands = error, standing

    @property
    def queue_state(self) -> QueueState:
        return self.stands

    async def ask(self, job: QueryJob, client: str) -> QueryResult:
        del job, client
        if self.error is None:
            await asyncio.Event().wait()
        if isinstance(self.error, QueryFault):
            result = QueryResult(ignore_flow_control, lambda _: None)
            result.fail(self.error)
            return result
        assert self.error
        raise self.error


def service_with(workers: Failing) -> Service:
    return make_service(Settings(), Store.in_memory(), backends=QueryBackends(workers, workers))


@pytest.mark.parametrize(
    ("error", "standing", "reason"),
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
        (ValueError("oops"), QueueState(1, 0, 0), "The store does not answer."),
    ],
)
def test_why_no_query_is_answered_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, standing: QueueState, reason: str
) -> None:
    monkeypatch.setattr(health, "READY_TIMEOUT_SECONDS", 0.2)
    app = create_app(service_with(Failing(error, standing)))
    answer = client_of(app).get("/ready")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    (only,) = answer.json()["reasons"]
    assert reason in only
    assert only in answer.json()["detail"]


def test_a_service_that_stops_is_not_ready_whatever_else() -> None:
    service = service_with(Failing(queue_full_problem(), QueueState(0, 0, 0)))
    service.status.stopping = True
    reasons = client_of(create_app(service)).get("/ready").json()["reasons"]
    assert len(reasons) == 2
    assert reasons[0].startswith("The service is stopping")


def test_a_problem_of_ours_is_none_of_the_request() -> None:
    app = create_app(service_with(Failing(Problem(400, "x"), QueueState(1, 1, 0))))
    assert client_of(app).get("/ready").status_code == 503


def test_a_service_that_is_told_to_stop_says_so_and_goes_on_for_a_while(tmp_path: Path) -> None:
    with started(tmp_path, WGIG_DRAIN_SECONDS="4") as service, httpx.Client(base_url=service.url) as client:
        assert client.get("/ready").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        told = time.monotonic()  # four seconds are enough to ask twice, also on a machine with much to do
        while (ready := httpx.get(f"{service.url}ready")).status_code == 200:
            assert service.process.poll() is None
        assert ready.json()["reasons"] == ["The service is stopping. It still answers requests."]
        assert httpx.get(f"{service.url}sparql?query=ASK{{}}").json()["boolean"]
        assert service.process.wait(20) == 0
        assert time.monotonic() > told + 4


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with started(tmp_path, WGIG_DRAIN_SECONDS="60") as service:
        service.process.send_signal(signal.SIGTERM)
        while httpx.get(f"{service.url}ready").status_code == 200:
            assert service.process.poll() is None
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(5) == 0
