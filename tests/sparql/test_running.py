"""What is being answered is known as long as it is, and can be ended."""

from starlette.requests import Request
from wgig.sparql.running import RunningQueries
from wgig.sparql.workers.protocol import CANCELED_FAULT
from wgig.sparql.workers.result import QueryResult, ignore_flow_control

ASKED = Request({"type": "http", "headers": [], "client": ("203.0.113.1", 1)})


def begun(running: RunningQueries, text: str, ended: list[str]) -> QueryResult:
    result = QueryResult(ignore_flow_control, ended.append)
    running.add(ASKED, text, result)
    return result


def test_all_that_runs_can_be_ended_at_once() -> None:
    running, ended = RunningQueries(), list[str]()
    results = [begun(running, str(number), ended) for number in range(3)]
    results[1].add(b"", last=True)
    assert [query.text for _, query in running.list_current()] == ["0", "2"]
    running.end_all()
    assert ended == [CANCELED_FAULT] * 2


def test_what_nobody_holds_any_more_is_forgotten() -> None:
    running = RunningQueries()
    begun(running, "gone", [])
    assert running.list_current() == []


def test_an_id_is_made_once() -> None:
    running = RunningQueries()
    result = begun(running, "one", [])
    assert len({query.id for _ in range(2) for _, query in running.list_current()}) == 1
    assert not result.has_ended
