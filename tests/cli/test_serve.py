"""`wgig serve`: reload of settings and tokens on SIGHUP, limits of malloc, and the Date header."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
import uvicorn
from wgig.app import Service, create_app, make_service
from wgig.cli import serve
from wgig.cli.serve import (
    MAX_MALLOC_ARENAS,
    GracefulServer,
    SettingsReloader,
    install_signal_handlers,
    prepare_parts,
)
from wgig.http import access_log, auth
from wgig.http.auth import TokenStore
from wgig.http.work_queue import ProcessWorkQueue
from wgig.settings import CHECKOUT_FOLDER, TOKENS_FILE, Settings, read_settings_file
from wgig.sparql.workers.pool import WorkerPool
from wgig.store.errors import StoreError
from wgig.store.saved_projection import SavedProjection
from wgig.store.store import Store

from tests.fixtures.processes import run_service
from tests.fixtures.service import make_client

pytestmark = pytest.mark.slow

# Only the attribute that a reload changes.
FAKE_CHECK_QUEUE = cast(ProcessWorkQueue, SimpleNamespace(max_seconds=0))


@pytest.fixture(autouse=True)
def keep_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not let the service change the logging of the tests."""
    monkeypatch.setattr(access_log, "configure_logging", lambda _: None)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return make_service(
        Settings(store=tmp_path), Store.in_memory(), tokens=TokenStore(tmp_path / TOKENS_FILE)
    )


@pytest.fixture
def reloader(service: Service) -> SettingsReloader:
    return SettingsReloader(create_app(service), service, FAKE_CHECK_QUEUE, None, lambda: service.settings)


def reload_settings_with(reloader: SettingsReloader, **changes: Any) -> None:
    """Reload settings with these changes."""
    settings = replace(reloader.service.settings, **changes)
    reloader.read_settings = lambda: settings
    asyncio.run(reloader())


def test_live_setting_is_applied_to_the_next_request(reloader: SettingsReloader) -> None:
    client = make_client(reloader.app)
    assert client.get("/sparql?query=ASK{}").status_code == 200
    reload_settings_with(reloader, query_length=3)
    assert client.get("/sparql?query=ASK{}").status_code == 413
    assert client.get("/metrics").status_code == 403
    reload_settings_with(reloader, metrics="open")
    assert client.get("/metrics").status_code == 200


def test_reload_invalidates_cached_responses(reloader: SettingsReloader) -> None:
    client = make_client(reloader.app)
    path = "/sparql?query=SELECT*{VALUES ?x {1 2}}"
    assert [client.get(path).status_code for _ in range(2)] == [200, 200]
    reload_settings_with(reloader, result_rows=1)
    assert client.get(path).status_code == 413


def test_reload_changes_the_settings_of_workers_and_checks(reloader: SettingsReloader) -> None:
    pool = reloader.pool = cast(WorkerPool, SimpleNamespace(settings=reloader.service.settings))
    reload_settings_with(reloader, query_seconds=7, paper_seconds=8)
    assert (pool.settings.query_seconds, FAKE_CHECK_QUEUE.max_seconds) == (7, 8)


def test_reload_changes_the_token(reloader: SettingsReloader) -> None:
    reload_settings_with(reloader, token="new")
    update = {"update": "INSERT DATA { <urn:a> <urn:b> 1 }"}
    headers = {"Authorization": "Bearer new"}
    assert make_client(reloader.app, **headers).post("/update", data=update).status_code == 204
    reload_settings_with(reloader, token="newer")
    assert make_client(reloader.app, **headers).post("/update", data=update).status_code == 401


def test_reload_logs_settings_that_need_a_restart(
    reloader: SettingsReloader, caplog: pytest.LogCaptureFixture
) -> None:
    reload_settings_with(reloader, port=1, base="http://x/", query_length=5, token="secret")
    assert (reloader.service.settings.port, reloader.service.settings.base) == (8000, Settings.base)
    assert "WGIG_PORT has changed: restart the service to apply it" in caplog.text
    assert "WGIG_BASE" in caplog.text
    assert "changed: TOKEN, QUERY_LENGTH" in caplog.text
    assert "secret" not in caplog.text


def test_invalid_settings_are_logged_and_not_applied(
    reloader: SettingsReloader, caplog: pytest.LogCaptureFixture
) -> None:
    def raise_value_error() -> Settings:
        raise ValueError("WGIG_PORT is 'many'. Set it to a number.")

    settings = reloader.service.settings
    reloader.read_settings = raise_value_error
    asyncio.run(reloader())
    assert reloader.service.settings is settings
    assert "the settings are unchanged: WGIG_PORT is 'many'." in caplog.text


def test_insecure_token_file_is_logged_with_a_fix(
    reloader: SettingsReloader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    auth.create_access_token(tmp_path / TOKENS_FILE, ["graphs"])
    (tmp_path / TOKENS_FILE).chmod(0o644)
    reload_settings_with(reloader)
    assert f"chmod 600 {tmp_path / TOKENS_FILE}" in caplog.text


def test_settings_file_has_the_syntax_of_systemd(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("# comment\n\nWGIG_PORT=80\nWGIG_CONTACT=\"mailto:a@b.c\"\nWGIG_BASE='http://x/?a=b'\n")
    assert read_settings_file(file) == {
        "WGIG_PORT": "80",
        "WGIG_CONTACT": "mailto:a@b.c",
        "WGIG_BASE": "http://x/?a=b",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("WGIG_PORT", "Line 1 of .* is not a setting. Write WGIG_NAME=value."),
        ("WGIG_PROT=1", "Did you mean WGIG_PORT?"),
        ("PORT=1", "Write WGIG_NAME=value."),
        ("WGIG_TOKEN=x", "chmod 600"),
    ],
)
def test_invalid_settings_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "settings"
    file.write_text(text)
    file.chmod(0o644)
    with pytest.raises(ValueError, match=message):
        read_settings_file(file)


def test_environment_overrides_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings"
    file.write_text("WGIG_PORT=1\nWGIG_QUERY_LENGTH=2\n")
    monkeypatch.setenv("WGIG_SETTINGS", str(file))
    monkeypatch.setenv("WGIG_PORT", "3")
    settings = Settings.from_environment()
    assert (settings.port, settings.query_length) == (3, 2)


def test_running_service_reloads_settings_on_sighup(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("WGIG_QUERY_LENGTH=100\n")
    with run_service(tmp_path / "store", WGIG_SETTINGS=str(file)) as service:
        url = f"{service.url}sparql?query=ASK{{}}"
        assert [httpx2.get(url).status_code for _ in range(3)] == [200] * 3
        file.write_text("WGIG_QUERY_LENGTH=3\nWGIG_READERS=3\n")
        service.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while httpx2.get(url).status_code == 200:
            assert time.monotonic() < deadline
        service.process.terminate()
        assert "WGIG_READERS has changed" in service.read_log()


@pytest.mark.parametrize(
    ("on_terminal", "has_terminal", "stops"),
    [(False, False, False), (True, True, False), (True, False, True)],
)
def test_sighup_stops_a_server_whose_terminal_was_closed(
    reloader: SettingsReloader,
    monkeypatch: pytest.MonkeyPatch,
    on_terminal: bool,
    has_terminal: bool,
    stops: bool,
) -> None:
    monkeypatch.setattr("os.isatty", lambda _: has_terminal)
    server = GracefulServer(uvicorn.Config("no:app"), "", reloader, on_terminal=on_terminal)
    server.handle_hangup(signal.SIGHUP, None)
    assert ((server.stop_time is not None), server.is_reload_requested) == (stops, not stops)


def test_stop_signal_before_the_start_of_the_server_is_not_lost(
    reloader: SettingsReloader, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = dict[signal.Signals, Callable[[int, None], None]]()
    monkeypatch.setattr("signal.signal", handlers.__setitem__)
    server = GracefulServer(uvicorn.Config("no:app"), "", reloader)
    install_signal_handlers(server)
    server.started = True
    handlers[signal.SIGTERM](signal.SIGTERM, None)  # uvicorn raises it again after the shutdown
    assert (server.stop_time, server.force_exit) == (None, False)
    server.started = False
    handlers[signal.SIGTERM](signal.SIGTERM, None)
    assert server.stop_time


def test_service_stops_with_code_0_if_its_log_cannot_be_written(
    tmp_path: Path, unwritable_output: int
) -> None:
    command = [sys.executable, "-m", "wgig", "serve", "--port", "0", "--store", "store", "--data", "none"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=unwritable_output, text=True
    ) as process:
        assert process.stdout
        try:
            url = process.stdout.readline().split()[2]
            assert httpx2.get(f"{url}health").status_code == 200
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_service_runs_and_stops_with_code_0_if_its_address_cannot_be_printed(
    tmp_path: Path, unwritable_output: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "wgig",
        "serve",
        "--port",
        str(port),
        "--store",
        "store",
        "--data",
        "none",
    ]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=unwritable_output, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            deadline = time.monotonic() + 30
            is_serving = False
            while not is_serving:
                assert process.poll() is None
                assert time.monotonic() < deadline
                with suppress(httpx2.ConnectError):
                    is_serving = httpx2.get(f"http://127.0.0.1:{port}/health").status_code == 200
            process.terminate()
            assert process.wait(20) == 0
            assert process.stderr
            assert process.stderr.read() == "wgig: Stopped.\n"
        finally:
            process.kill()


def test_refused_upgrades_are_not_in_the_log(tmp_path: Path) -> None:
    with run_service(tmp_path / "store") as service:
        for protocol in ("websocket", "h2c"):
            (response,) = service.request("/health", 1, Connection="Upgrade", Upgrade=protocol)
            assert response.status == 200
        service.process.terminate()
        assert service.read_log() == "wgig: Stopped.\n"


def test_documentation_lists_the_live_settings() -> None:
    page = (CHECKOUT_FOLDER / "docs" / "how-to" / "operating.md").read_text(encoding="utf-8")
    sentence = page.partition("These change while the service runs: ")[2].partition(".")[0]
    live_settings = [f"WGIG_{field.name.upper()}" for field in fields(Settings) if field.metadata["live"]]
    assert re.findall(r"`(\w+)`", sentence) == live_settings


MALLOC_CODE = """
import ctypes, threading
from wgig.cli.serve import limit_malloc_memory

{call}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier(12)

def allocate():
    barrier.wait()
    libc.malloc(ctypes.c_size_t(50_000))
    barrier.wait()

threads = [threading.Thread(target=allocate) for _ in range(barrier.parties)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def count_arenas(call: str) -> int:
    """The number of malloc arenas of 12 threads that allocate memory, after this function call."""
    code = MALLOC_CODE.format(call=call)
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return process.stdout.count("<heap nr=")


@pytest.mark.skipif(sys.platform != "linux", reason="Only glibc has malloc_info.")
def test_number_of_malloc_arenas_is_limited() -> None:
    assert count_arenas("") > MAX_MALLOC_ARENAS
    assert count_arenas("limit_malloc_memory()") <= MAX_MALLOC_ARENAS


def test_date_header_of_a_waiting_response_is_updated(
    reloader: SettingsReloader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = GracefulServer(uvicorn.Config("no:app"), "", reloader)
    for counter, date in enumerate(("sooner", "later")):
        monkeypatch.setattr("uvicorn.server.formatdate", lambda *_, date=date, **__: date)
        asyncio.run(server.on_tick(counter))
        if not counter:
            headers = server.server_state.default_headers  # for a request that starts now
    assert [value for name, value in headers if name == b"date"] == [b"later"]


class FakePool:
    """Query workers that record when they are started."""

    def __init__(self, parts: list[str], *, can_start: bool = True) -> None:
        self.parts, self.can_start = parts, can_start

    async def start(self) -> None:
        if not self.can_start:
            await asyncio.Event().wait()
        self.parts.append("workers")

    async def wait_until_copied(self) -> None:
        self.parts.append("copy")


@pytest.fixture
def prepared_parts(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts of the service in the order in which they are prepared."""
    parts: list[str] = []
    projections = service.projections
    monkeypatch.setattr(projections.search_index, "open", lambda: parts.append("index"))
    monkeypatch.setattr(projections.resource_versions, "open", lambda: parts.append("versions"))
    monkeypatch.setattr(projections.list_index, "rebuild", lambda *_: parts.append("papers"))
    monkeypatch.setattr(service.store, "update_in_background", lambda: parts.append("descriptions"))
    return parts


def prepare_with(service: Service, pool: FakePool) -> None:
    """Prepare the parts of the service."""
    asyncio.run(prepare_parts(service, cast(WorkerPool, pool)))


def test_query_workers_are_prepared_first_and_papers_last(
    service: Service, prepared_parts: list[str]
) -> None:
    prepare_with(service, FakePool(prepared_parts))
    assert prepared_parts[:2] == ["workers", "descriptions"]
    assert {"index", "versions"} < {*prepared_parts}
    assert prepared_parts[-2:] == ["copy", "papers"]


def test_saved_projections_are_read_before_the_first_write(
    service: Service, prepared_parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SavedProjection, "load_position", lambda saved: saved.store.log_version)
    prepare_with(service, FakePool(prepared_parts))
    assert all(projection.is_current for projection in service.projections.saved)


def test_other_parts_are_prepared_even_if_query_workers_cannot_be_started(
    service: Service, prepared_parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "MAX_WORKERS_DELAY_SECONDS", 0)
    prepare_with(service, FakePool(prepared_parts, can_start=False))
    assert {"descriptions", "index", "versions", "papers"} < {*prepared_parts}


def test_error_of_a_part_is_reported(
    service: Service, prepared_parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StoreError("The index cannot be opened.")

    messages: list[str] = []
    monkeypatch.setattr(service.projections.search_index, "open", fail)
    monkeypatch.setattr(access_log, "log_service_message", messages.append)
    prepare_with(service, FakePool(prepared_parts))
    assert messages == ["The index cannot be opened."]
    assert prepared_parts[-1] == "papers"


def test_old_versions_are_removed_each_day_by_a_clock_that_is_not_set_forward(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    times, pauses = list[datetime](), list[float]()

    class Clock:
        def now(self) -> datetime:
            return datetime(2026, 1, 31, tzinfo=UTC) + timedelta(days=len(times))

    def compact(before: datetime) -> int:
        times.append(before)
        if len(times) == 1:
            raise StoreError("The disk is full.")
        return 0

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) > 3:
            raise asyncio.CancelledError

    monkeypatch.setattr(serve, "CautiousClock", Clock)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(service.store, "compact", compact)
    service = replace(service, settings=replace(service.settings, history_days=30))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(serve.compact_daily(service))
    assert times == [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    assert pauses == [serve.FIRST_COMPACTION_SECONDS, *[serve.SECONDS_PER_DAY] * 3]
