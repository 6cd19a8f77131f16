"""What is being answered is known as long as it is, and can be ended."""

from starlette.requests import Request
from wgig.sparql.running import Running
from wgig.sparql.workers.protocol import CANCELED
from wgig.sparql.workers.result import Result, unpaced

ASKED = Request({"type": "http", "headers": [], "client": ("203.0.113.1", 1)})


def begun(running: Running, text: str, ended: list[str]) -> Result:
    result = Result(unpaced, ended.append)
    running.add(ASKED, text, result)
    return result


def test_all_that_runs_can_be_ended_at_once() -> None:
    running, ended = Running(), list[str]()
    results = [begun(running, str(number), ended) for number in range(3)]
    results[1].add(b"", last=True)
    assert [query.text for _, query in running.now()] == ["0", "2"]
    running.end_all()
    assert ended == [CANCELED] * 2


def test_what_nobody_holds_any_more_is_forgotten() -> None:
    running = Running()
    begun(running, "gone", [])
    assert running.now() == []


def test_an_id_is_made_once() -> None:
    running = Running()
    result = begun(running, "one", [])
    assert len({query.id for _ in range(2) for _, query in running.now()}) == 1
    assert not result.ended
