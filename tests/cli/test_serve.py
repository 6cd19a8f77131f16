"""Settings and tokens are read again on SIGHUP: what can change does, the rest is named.

Threads share few arenas, so that what one frees is taken by another.

The server beside its connections: what every answer has.
"""

import asyncio
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import uvicorn
from wgig.app import Service, create_app, make_service
from wgig.cli.serve import MAX_MALLOC_ARENAS, GracefulServer, SettingsReloader
from wgig.http import access_log, auth
from wgig.http.auth import TokenStore
from wgig.http.work_queue import ProcessWorkQueue
from wgig.settings import CHECKOUT_FOLDER, TOKENS_FILE, Settings, read_settings_file
from wgig.sparql.workers.pool import WorkerPool
from wgig.store.store import Store

from tests.fixtures.processes import started
from tests.fixtures.service import client_of

pytestmark = pytest.mark.slow

CHECKS = cast(ProcessWorkQueue, SimpleNamespace(seconds=0))


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the logs of the tests alone."""
    monkeypatch.setattr(access_log, "configure_logging", lambda _: None)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return make_service(
        Settings(store=tmp_path), Store.in_memory(), tokens=TokenStore(tmp_path / TOKENS_FILE)
    )


@pytest.fixture
def reloading(service: Service) -> SettingsReloader:
    return SettingsReloader(create_app(service), service, CHECKS, None, lambda: service.settings)


def turn(reloading: SettingsReloader, **changed: Any) -> None:
    wanted = replace(reloading.service.settings, **changed)
    reloading.read_settings = lambda: wanted
    asyncio.run(reloading())


def test_a_setting_that_can_change_holds_from_the_next_request_on(reloading: SettingsReloader) -> None:
    client = client_of(reloading.app)
    assert client.get("/sparql?query=ASK{}").status_code == 200
    turn(reloading, query_length=3)
    assert client.get("/sparql?query=ASK{}").status_code == 413
    assert client.get("/metrics").status_code == 403
    turn(reloading, metrics="open")
    assert client.get("/metrics").status_code == 200


def test_no_answer_from_before_is_given_again(reloading: SettingsReloader) -> None:
    client = client_of(reloading.app)
    two = "/sparql?query=SELECT*{VALUES ?x {1 2}}"
    assert [client.get(two).status_code for _ in range(2)] == [200, 200]
    turn(reloading, result_rows=1)
    assert client.get(two).status_code == 503


def test_those_who_go_by_settings_of_their_own_hear_of_it(reloading: SettingsReloader) -> None:
    pool = reloading.pool = cast(WorkerPool, SimpleNamespace(settings=reloading.service.settings))
    turn(reloading, query_seconds=7, paper_seconds=8)
    assert (pool.settings.query_seconds, CHECKS.max_seconds) == (7, 8)


def test_the_token_of_the_settings_is_another(reloading: SettingsReloader) -> None:
    turn(reloading, token="new")
    update = {"update": "INSERT DATA { <urn:a> <urn:b> 1 }"}
    headers = {"Authorization": "Bearer new"}
    assert client_of(reloading.app, **headers).post("/update", data=update).status_code == 204
    turn(reloading, token="newer")
    assert client_of(reloading.app, **headers).post("/update", data=update).status_code == 401


def test_what_needs_a_new_start_is_named_and_stays(
    reloading: SettingsReloader, caplog: pytest.LogCaptureFixture
) -> None:
    turn(reloading, port=1, base="http://x/", query_length=5, token="secret")
    assert (reloading.service.settings.port, reloading.service.settings.base) == (8000, Settings.base)
    assert "WGIG_PORT has changed: restart the service to apply it" in caplog.text
    assert "WGIG_BASE" in caplog.text
    assert "changed: TOKEN, QUERY_LENGTH" in caplog.text
    assert "secret" not in caplog.text


def test_where_they_cannot_be_read_all_stays(
    reloading: SettingsReloader, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> Settings:
        raise ValueError("WGIG_PORT is 'many'. Set it to a number.")

    before = reloading.service.settings
    reloading.read_settings = fails
    asyncio.run(reloading())
    assert reloading.service.settings is before
    assert "the settings are unchanged: WGIG_PORT is 'many'." in caplog.text


def test_tokens_that_others_may_read_are_told_with_what_to_do(
    reloading: SettingsReloader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    (tmp_path / TOKENS_FILE).chmod(0o644)
    turn(reloading)
    assert f"chmod 600 {tmp_path / TOKENS_FILE}" in caplog.text


def test_a_file_of_settings_is_read_as_systemd_does(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("# ours\n\nWGIG_PORT=80\nWGIG_CONTACT=\"mailto:a@b.c\"\nWGIG_BASE='http://x/?a=b'\n")
    assert read_settings_file(file) == {
        "WGIG_PORT": "80",
        "WGIG_CONTACT": "mailto:a@b.c",
        "WGIG_BASE": "http://x/?a=b",
    }


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("WGIG_PORT", "Line 1 of .* is not a setting. Write WGIG_NAME=value."),
        ("WGIG_PROT=1", "Did you mean WGIG_PORT?"),
        ("PORT=1", "Write WGIG_NAME=value."),
        ("WGIG_TOKEN=x", "chmod 600"),
    ],
)
def test_what_is_wrong_in_it_is_said_with_what_to_do(tmp_path: Path, text: str, mend: str) -> None:
    file = tmp_path / "settings"
    file.write_text(text)
    file.chmod(0o644)
    with pytest.raises(ValueError, match=mend):
        read_settings_file(file)


def test_the_environment_beats_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings"
    file.write_text("WGIG_PORT=1\nWGIG_QUERY_LENGTH=2\n")
    monkeypatch.setenv("WGIG_SETTINGS", str(file))
    monkeypatch.setenv("WGIG_PORT", "3")
    settings = Settings.from_environment()
    assert (settings.port, settings.query_length) == (3, 2)


def test_a_running_service_reads_them_again_when_told_to(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("WGIG_QUERY_LENGTH=100\n")
    with started(tmp_path / "store", WGIG_SETTINGS=str(file)) as service:
        ask = f"{service.url}sparql?query=ASK{{}}"
        assert [httpx.get(ask).status_code for _ in range(3)] == [200] * 3
        file.write_text("WGIG_QUERY_LENGTH=3\nWGIG_READERS=3\n")
        service.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while httpx.get(ask).status_code == 200:
            assert time.monotonic() < deadline
        service.process.terminate()
        assert "WGIG_READERS has changed" in service.said()


@pytest.mark.parametrize(
    ("on_terminal", "still", "stops"), [(False, False, False), (True, True, False), (True, False, True)]
)
def test_it_stops_where_its_terminal_is_gone(
    reloading: SettingsReloader, monkeypatch: pytest.MonkeyPatch, on_terminal: bool, still: bool, stops: bool
) -> None:
    monkeypatch.setattr("os.isatty", lambda _: still)
    server = GracefulServer(uvicorn.Config("no:app"), "", reloading, on_terminal=on_terminal)
    server.handle_hangup(signal.SIGHUP, None)
    assert ((server.stop_time is not None), server.is_reload_asked) == (stops, not stops)


def test_the_page_for_those_who_run_the_service_names_those_that_can_change() -> None:
    page = (CHECKOUT_FOLDER / "docs" / "how-to" / "operating.md").read_text(encoding="utf-8")
    named = page.partition("These change while the service runs: ")[2].partition(".")[0]
    live = [f"WGIG_{one.name.upper()}" for one in fields(Settings) if one.metadata["live"]]
    assert re.findall(r"`(\w+)`", named) == live


THREADS = """
import ctypes, threading
from wgig.cli.serve import limit_malloc_memory

{call}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
meeting = threading.Barrier(12)

def take():
    meeting.wait()
    libc.malloc(ctypes.c_size_t(50_000))
    meeting.wait()

threads = [threading.Thread(target=take) for _ in range(meeting.parties)]
for one in threads:
    one.start()
for one in threads:
    one.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def arenas(call: str) -> int:
    told = subprocess.run(
        [sys.executable, "-c", THREADS.format(call=call)], capture_output=True, text=True, check=True
    )
    return told.stdout.count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_info is of glibc.")
def test_many_threads_share_few_arenas() -> None:
    assert arenas("") > MAX_MALLOC_ARENAS
    assert arenas("limit_malloc_memory()") <= MAX_MALLOC_ARENAS


def test_an_answer_that_is_long_in_coming_says_the_time_at_which_it_begins(
    reloading: SettingsReloader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = GracefulServer(uvicorn.Config("no:app"), "", reloading)
    for counter, date in enumerate(("sooner", "later")):
        monkeypatch.setattr("uvicorn.server.formatdate", lambda *_, date=date, **__: date)
        asyncio.run(server.on_tick(counter))
        if not counter:
            given = server.server_state.default_headers  # to a request that begins
    assert [value for name, value in given if name == b"date"] == [b"later"]
