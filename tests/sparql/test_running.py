"""Running queries are listed until their results end, and can be canceled."""

from starlette.requests import Request
from wgig.sparql.running import RunningQueries
from wgig.sparql.workers.protocol import CANCELED_FAULT
from wgig.sparql.workers.result import QueryResult, ignore_flow_control

REQUEST = Request({"type": "http", "headers": [], "client": ("203.0.113.1", 1)})


def add_query(running: RunningQueries, text: str, faults: list[str]) -> QueryResult:
    """Add a query, and return its result. The fault with which it is stopped is appended to `faults`."""
    result = QueryResult(ignore_flow_control, faults.append)
    running.add(REQUEST, text, result)
    return result


def test_all_running_queries_can_be_canceled_together() -> None:
    running, faults = RunningQueries(), list[str]()
    results = [add_query(running, str(number), faults) for number in range(3)]
    results[1].add(b"", last=True)  # the query ends
    assert [query.text for _, query in running.list_current()] == ["0", "2"]
    running.cancel_all()
    assert faults == [CANCELED_FAULT] * 2


def test_query_without_reference_to_its_result_is_removed() -> None:
    running = RunningQueries()
    add_query(running, "gone", [])
    assert running.list_current() == []


def test_query_id_is_created_once() -> None:
    running = RunningQueries()
    result = add_query(running, "one", [])
    assert len({query.id for _ in range(2) for _, query in running.list_current()}) == 1
    assert not result.has_ended
