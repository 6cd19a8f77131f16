"""Request and query logs: their fields and formats, privacy settings, and protection from log injection."""

import hashlib
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import Request, Response
from wgig import app
from wgig.http.access_log import JsonLineFormatter, TextLineFormatter, address_network
from wgig.http.operations import Route
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.processes import run_service
from tests.fixtures.service import make_service_client

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
HOSTILE_TEXT = "a\nERROR wgig: forged\r\x1b[31m\u2028b\u202e ::error::c"


def make_log_record(message: str, error: BaseException | None = None, **fields: Any) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    log_record = logging.LogRecord("wgig", logging.WARNING, "", 0, message, (), exc_info)
    log_record.__dict__["fields"] = fields
    return log_record


def make_raised_error(message: str) -> BaseException:
    """An error with a traceback."""
    try:
        raise ValueError(message)
    except ValueError as error:
        return error


FieldReader = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def read_fields(caplog: pytest.LogCaptureFixture) -> FieldReader:
    """A function that returns the fields of all records of a logger so far."""

    def read_logger_fields(name: str) -> list[dict[str, Any]]:
        return [record.__dict__["fields"] for record in caplog.records if record.name == name]

    return read_logger_fields


@pytest.mark.parametrize("formatter", [TextLineFormatter(), JsonLineFormatter()])
def test_untrusted_text_cannot_break_lines_or_control_the_terminal(formatter: logging.Formatter) -> None:
    line = formatter.format(make_log_record(HOSTILE_TEXT, make_raised_error(HOSTILE_TEXT), text=HOSTILE_TEXT))
    assert line.isprintable()


def test_json_line_has_all_members() -> None:
    members = json.loads(
        JsonLineFormatter().format(make_log_record(HOSTILE_TEXT, make_raised_error("why"), status=200))
    )
    assert (members["message"], members["status"], members["error"]) == (HOSTILE_TEXT, 200, "ValueError: why")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", members["time"])
    assert members["at"].startswith("test_access_log.py:")


def test_value_in_plain_line_cannot_imitate_another_field() -> None:
    line = TextLineFormatter().format(make_log_record("said", route="/x", text='a" status=200', none=""))
    assert line.endswith('route=/x text="a\\" status=200" none=""')


@pytest.mark.parametrize("formatter", [TextLineFormatter(), JsonLineFormatter()])
def test_traceback_is_logged_only_with_wgig_debug(
    formatter: logging.Formatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_record = make_log_record("it failed", make_raised_error("one\ntwo"))
    monkeypatch.delenv("WGIG_DEBUG", raising=False)
    assert "Traceback" not in formatter.format(log_record)
    assert "\n" not in formatter.format(log_record)
    monkeypatch.setenv("WGIG_DEBUG", "1")
    first, *following_lines = formatter.format(log_record).splitlines()
    assert "Traceback" in first + "".join(following_lines)
    assert all(line.startswith("    ") for line in following_lines)


def test_request_ids_are_unique(read_only_client: httpx2.Client) -> None:
    ids = [read_only_client.get(path).headers["x-request-id"] for path in ("/health", "/health", "/nothing")]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("request_id", ["abc-1", "0af7651916cd43dd8448eb211c80319c", "a.b:c+d/e=@_"])
def test_valid_request_id_of_client_is_returned(read_only_client: httpx2.Client, request_id: str) -> None:
    responses = [
        read_only_client.get("/sparql?query=ASK{}", headers={"X-Request-Id": request_id}) for _ in range(3)
    ]
    assert {response.headers["x-request-id"] for response in responses} == {request_id}


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 129, "<script>", 'a"b', "é"])
def test_invalid_request_id_of_client_is_replaced(read_only_client: httpx2.Client, request_id: str) -> None:
    returned_id = read_only_client.get("/health", headers=[(b"X-Request-Id", request_id.encode())]).headers[
        "x-request-id"
    ]
    assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]{8}", returned_id)


def test_internal_error_is_logged_with_request_id(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def raise_error(_: Request) -> Response:
        raise ValueError("oops")

    monkeypatch.setattr(app, "ROUTES", [Route("/fails", ("GET",), raise_error)])
    response = make_service_client(Settings(), Store.in_memory()).get(
        "/fails", headers={"X-Request-Id": "one-2"}
    )
    assert response.status_code == 500
    assert "one-2" in response.json()["detail"]
    assert "one-2" in caplog.text


def test_logs_are_off_by_default(read_only_client: httpx2.Client, read_fields: FieldReader) -> None:
    read_only_client.get("/sparql?query=ASK{}")
    assert read_fields("wgig.access") == read_fields("wgig.query") == []


def test_request_is_logged_with_outcome(read_fields: FieldReader) -> None:
    client = make_service_client(Settings(access_log="address"), Store.in_memory())
    headers = {"Traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
    response = client.get("/graph/mine?x=secret", headers=headers)
    (logged_fields,) = read_fields("wgig.access")
    assert logged_fields.pop("milliseconds") > 0
    assert logged_fields == {
        "method": "GET",
        "route": "/graph/{name:path}",
        "status": response.status_code,
        "bytes": len(response.content),
        "client": "127.0.0.1",
        "id": response.headers["x-request-id"],
        "trace": TRACE_ID,
    }


@pytest.mark.parametrize(
    "traceparent",
    [
        f"ff-{TRACE_ID}-00f067aa0ba902b7-01",  # an invalid version
        f"00-{'0' * 32}-00f067aa0ba902b7-01",  # an invalid trace ID
        f"00-{TRACE_ID}-{'0' * 16}-01",  # an invalid parent ID
        f"00-{TRACE_ID.upper()}-00f067aa0ba902b7-01",  # must be in lower case
        "x",
    ],
)
def test_invalid_traceparent_is_ignored(read_fields: FieldReader, traceparent: str) -> None:
    client = make_service_client(Settings(access_log="address"), Store.in_memory())
    client.get("/health", headers={"Traceparent": traceparent})
    assert "trace" not in read_fields("wgig.access")[0]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_address_is_cut_to_its_network(address: str, network: str) -> None:
    assert address_network(address) == network


def test_query_is_logged_by_digest_and_optionally_with_text(read_fields: FieldReader) -> None:
    query = "ASK { ?secret ?p ?o }"
    for setting in ("digest", "text"):
        client = make_service_client(Settings(query_log=setting), Store.in_memory())
        response = client.get("/sparql", params={"query": query})
        logged_fields = read_fields("wgig.query")[-1]
        assert (logged_fields["outcome"], logged_fields["bytes"], logged_fields["id"]) == (
            "answered",
            len(response.content),
            response.headers["x-request-id"],
        )
        assert logged_fields["seconds"] > 0
        assert logged_fields["sha256"] == hashlib.sha256(query.encode()).hexdigest()
        assert logged_fields.get("text") == (query if setting == "text" else None)
        assert read_fields("wgig.access") == []


def test_refused_query_is_logged(read_fields: FieldReader) -> None:
    make_service_client(Settings(query_log="digest"), Store.in_memory()).get("/sparql?query=ASK")
    assert [fields["outcome"] for fields in read_fields("wgig.query")] == ["syntax"]


@pytest.mark.slow
def test_all_log_lines_are_json_if_configured(tmp_path: Path) -> None:
    settings = {"WGIG_LOG": "json", "WGIG_ACCESS_LOG": "network", "WGIG_QUERY_LOG": "digest"}
    with run_service(tmp_path, **settings) as service:
        ids = [response.headers["x-request-id"] for response in service.request("/sparql?query=ASK%7B%7D", 4)]
        service.request("/%0aERROR", 1)
        service.process.terminate()
        lines = [json.loads(line) for line in service.read_log().splitlines()]
    requests = [line for line in lines if line["logger"] == "wgig.access"]
    assert [line["id"] for line in requests][:4] == ids
    assert [(line["route"], line["status"], line["client"]) for line in requests] == [
        *[("/sparql", 200, "127.0.0.0/24")] * 4,
        ("none", 404, "127.0.0.0/24"),
    ]
    assert len({line["bytes"] for line in requests[:4]}) == 1  # also of the responses from a cache
    assert [line["message"] for line in lines][-1] == "Stopped."
