"""What is logged, in which form, of whom, and that no stranger can break a line or forge one."""

import hashlib
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request, Response
from wgig import app
from wgig.http.access_log import JsonLineFormatter, TextLineFormatter, address_network
from wgig.http.operations import Route
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.processes import started
from tests.fixtures.service import service_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HOSTILE = "a\nERROR wgig: forged\r\x1b[31m\u2028b\u202e ::error::c"


def record(message: str, error: BaseException | None = None, **fields: Any) -> logging.LogRecord:
    told = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("wgig", logging.WARNING, "", 0, message, (), told)
    made.__dict__["fields"] = fields
    return made


def failed(message: str) -> BaseException:
    """An error that was raised."""
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


@pytest.fixture
def fields(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[dict[str, Any]]]:
    """What was logged by a logger so far."""

    def of(name: str) -> list[dict[str, Any]]:
        return [one.__dict__["fields"] for one in caplog.records if one.name == name]

    return of


Fields = Callable[[str], list[dict[str, Any]]]


@pytest.mark.parametrize("form", [TextLineFormatter(), JsonLineFormatter()])
def test_a_stranger_breaks_no_line_and_steers_no_terminal(form: logging.Formatter) -> None:
    line = form.format(record(HOSTILE, failed(HOSTILE), text=HOSTILE))
    assert line.isprintable()


def test_a_line_of_json_says_the_same() -> None:
    read = json.loads(JsonLineFormatter().format(record(HOSTILE, failed("why"), status=200)))
    assert (read["message"], read["status"], read["error"]) == (HOSTILE, 200, "ValueError: why")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", read["time"])
    assert read["at"].startswith("test_access_log.py:")


def test_a_field_of_a_plain_line_cannot_pass_for_another() -> None:
    line = TextLineFormatter().format(record("said", route="/x", text='a" status=200', none=""))
    assert line.endswith('route=/x text="a\\" status=200" none=""')


@pytest.mark.parametrize("form", [TextLineFormatter(), JsonLineFormatter()])
def test_an_error_has_no_traceback_unless_we_look_for_its_cause(
    form: logging.Formatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = record("it failed", failed("one\ntwo"))
    monkeypatch.delenv("WGIG_DEBUG", raising=False)
    assert "Traceback" not in form.format(told)
    assert "\n" not in form.format(told)
    monkeypatch.setenv("WGIG_DEBUG", "1")
    first, *below = form.format(told).splitlines()
    assert "Traceback" in first + "".join(below)
    assert all(one.startswith("    ") for one in below)


def test_every_answer_has_an_id_of_its_own(closed: httpx.Client) -> None:
    given = [closed.get(path).headers["x-request-id"] for path in ("/health", "/health", "/nothing")]
    assert len(set(given)) == 3


@pytest.mark.parametrize("sent", ["abc-1", "0af7651916cd43dd8448eb211c80319c", "a.b:c+d/e=@_"])
def test_a_good_id_comes_back(closed: httpx.Client, sent: str) -> None:
    answers = [closed.get("/sparql?query=ASK{}", headers={"X-Request-Id": sent}) for _ in range(3)]
    assert {one.headers["x-request-id"] for one in answers} == {sent}


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "<script>", 'a"b', "é"])
def test_another_is_made_in_place_of_a_bad_one(closed: httpx.Client, sent: str) -> None:
    given = closed.get("/health", headers=[(b"X-Request-Id", sent.encode())]).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]{8}", given)


def test_a_mistake_of_ours_is_found_by_the_id(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_: Request) -> Response:
        raise ValueError("oops")

    monkeypatch.setattr(app, "ROUTES", [Route("/fails", ("GET",), fails)])
    answer = service_of(Settings(), Store.in_memory()).get("/fails", headers={"X-Request-Id": "one-2"})
    assert answer.status_code == 500
    assert "one-2" in answer.json()["detail"]
    assert "one-2" in caplog.text


def test_nothing_is_logged_of_who_asks_what_unless_it_is_wanted(closed: httpx.Client, fields: Fields) -> None:
    closed.get("/sparql?query=ASK{}")
    assert fields("wgig.access") == fields("wgig.query") == []


def test_a_request_is_logged_with_what_came_of_it(fields: Fields) -> None:
    client = service_of(Settings(access_log="address"), Store.in_memory())
    parent = {"Traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    answer = client.get("/graph/mine?x=secret", headers=parent)
    (one,) = fields("wgig.access")
    assert one.pop("milliseconds") > 0
    assert one == {
        "method": "GET",
        "route": "/graph/{name:path}",
        "status": answer.status_code,
        "bytes": len(answer.content),
        "client": "127.0.0.1",
        "id": answer.headers["x-request-id"],
        "trace": TRACE,
    }


@pytest.mark.parametrize(
    "parent",
    [
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        "x",
    ],
)
def test_what_is_no_parent_of_a_trace_is_not_logged(fields: Fields, parent: str) -> None:
    client = service_of(Settings(access_log="address"), Store.in_memory())
    client.get("/health", headers={"Traceparent": parent})
    assert "trace" not in fields("wgig.access")[0]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_a_network_tells_not_who_in_it_asked(address: str, shown: str) -> None:
    assert address_network(address) == shown


def test_a_query_is_logged_by_its_digest_and_with_its_text_where_that_is_wanted(fields: Fields) -> None:
    text = "ASK { ?secret ?p ?o }"
    for wanted in ("digest", "text"):
        client = service_of(Settings(query_log=wanted), Store.in_memory())
        answer = client.get("/sparql", params={"query": text})
        one = fields("wgig.query")[-1]
        assert (one["outcome"], one["bytes"], one["id"]) == (
            "answered",
            len(answer.content),
            answer.headers["x-request-id"],
        )
        assert one["seconds"] > 0
        assert one["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        assert one.get("text") == (text if wanted == "text" else None)
        assert fields("wgig.access") == []


def test_a_query_that_was_refused_is_logged_as_well(fields: Fields) -> None:
    service_of(Settings(query_log="digest"), Store.in_memory()).get("/sparql?query=ASK")
    assert [one["outcome"] for one in fields("wgig.query")] == ["syntax"]


@pytest.mark.slow
def test_all_that_a_service_says_is_json_where_that_is_wanted(tmp_path: Path) -> None:
    wanted = {"WGIG_LOG": "json", "WGIG_ACCESS_LOG": "network", "WGIG_QUERY_LOG": "digest"}
    with started(tmp_path, **wanted) as service:
        ids = [one.headers["x-request-id"] for one in service.ask("/sparql?query=ASK%7B%7D", 4)]
        service.ask("/%0aERROR", 1)
        service.process.terminate()
        lines = [json.loads(line) for line in service.said().splitlines()]
    told = [one for one in lines if one["logger"] == "wgig.access"]
    assert [one["id"] for one in told][:4] == ids
    assert [(one["route"], one["status"], one["client"]) for one in told] == [
        *[("/sparql", 200, "127.0.0.0/24")] * 4,
        ("none", 404, "127.0.0.0/24"),
    ]
    assert len({one["bytes"] for one in told[:4]}) == 1
    assert [one["message"] for one in lines][-1] == "Stopped."
