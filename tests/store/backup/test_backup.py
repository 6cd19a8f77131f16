"""A backup has all acknowledged writes, its damage is detected, and it can be restored.

The folder `aside` of a store has the files of backups and restores in progress, replaced stores, and the
socket `control`, over which the command `backup` sends requests to a running service.
"""

import errno
import hashlib
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from shutil import copyfile, copytree, rmtree

import httpx2
import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.cli.parser import EXIT_FAILED, EXIT_NO, EXIT_UNREADABLE
from wgig.files import PARTIAL_SUFFIX
from wgig.store import transactions
from wgig.store.backup import online
from wgig.store.backup.backup import (
    BACKUP_LOCK_FILE,
    PARTIAL_BACKUP_FOLDER,
    create_backup,
    list_backups,
    read_backup_time,
    read_erased_digests,
)
from wgig.store.backup.manifest import BackupManifest, LogContent, read_store_content
from wgig.store.change_log import ChangeLog, NewCommit, ReplacedContent
from wgig.store.checkpoint import CHECKPOINT_FOLDER
from wgig.store.errors import MissingChangesError
from wgig.store.files import ASIDE_FOLDER, BACKUP_STORE_FOLDER, MANIFEST_FILE, hold_file_lock
from wgig.store.folder import CHANGE_LOG_FILE, QUADS_FOLDER
from wgig.store.retention import erase_content
from wgig.store.store import Store

from tests.fixtures.processes import ServiceStarter
from tests.fixtures.stores import copy_as_killed

pytestmark = pytest.mark.slow

WRITER_HEADERS = {"Authorization": "Bearer secret", "Content-Type": "application/sparql-update"}


@pytest.fixture(autouse=True)
def few_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verify with few probes, which find damage in a small store as well: 5,000 take most of the time."""
    monkeypatch.setattr("wgig.store.backup.verification.PROBE_COUNT", 50)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with several types of quads, an empty graph, and another file."""
    folder = tmp_path / "data"
    store = Store.open(folder)
    store.update('INSERT DATA { <urn:s> <urn:p> "a\\nb"@en, _:b GRAPH <urn:g> { <urn:s> <urn:p> 1 } }')
    store.replace({"urn:empty": []})
    (folder / "versions").mkdir()
    (folder / "versions" / "1").write_text("as it was")
    (folder / "versions" / "1").chmod(0o600)
    return folder


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    """The folder of backups."""
    return tmp_path / "backups"


def run_command(command: str, folder: Path, store: Path, *options: str) -> int:
    """Run `backup` or `restore`, and return the exit code."""
    return main([command, str(folder), "--store", str(store), *options])


def read_quads(folder: Path) -> set[ox.Quad]:
    return set(ox.Store.read_only(str(folder / "quads")))


def read_numbers(folder: Path, subject: str) -> set[int]:
    return {
        int(quad.object.value)  # type: ignore[union-attr]
        for quad in ox.Store.read_only(str(folder / "quads")).quads_for_pattern(
            ox.NamedNode(subject), None, None
        )
    }


def test_a_backup_of_a_running_service_has_each_acknowledged_write(
    start_service: ServiceStarter, tmp_path: Path, backups: Path
) -> None:
    folder = tmp_path / ("a long name " * 12) / "store"  # a path longer than the address of a socket may be
    acknowledged: list[int] = []
    has_begun, is_done = threading.Event(), threading.Event()

    def write(url: str) -> None:
        with httpx2.Client(headers=WRITER_HEADERS, timeout=60) as client:
            while not is_done.is_set():
                # One update writes both, so a backup has both or none.
                pair = f"<urn:left> <urn:n> {len(acknowledged)} . <urn:right> <urn:n> {len(acknowledged)}"
                client.post(f"{url}update", content=f"INSERT DATA {{ {pair} }}").raise_for_status()
                acknowledged.append(len(acknowledged))
                if len(acknowledged) > 5:
                    has_begun.set()

    with start_service(folder, WGIG_DATA="none", WGIG_TOKEN="secret") as url:
        assert httpx2.get(f"{url}ready").json()["lastBackup"] is None
        writer = threading.Thread(target=write, args=[url])
        writer.start()
        assert has_begun.wait(30)
        before = len(acknowledged)
        assert run_command("backup", backups, folder) == 0
        after = len(acknowledged) + 1  # including a write in progress
        is_done.set()
        writer.join()
        (backup,) = list_backups(backups)
        backup_time = BackupManifest.read(backup).made
        assert httpx2.get(f"{url}ready").json()["lastBackup"] == backup_time
        assert stat.S_IMODE((folder / ASIDE_FOLDER / "control").stat().st_mode) == 0o600
    left, right = (read_numbers(backup / BACKUP_STORE_FOLDER, f"urn:{side}") for side in ("left", "right"))
    assert left == right == set(range(len(left)))
    assert before <= len(left) <= after


def test_a_restored_store_equals_the_one_that_was_backed_up(
    store: Path, backups: Path, tmp_path: Path
) -> None:
    assert run_command("backup", backups, store) == 0
    assert run_command("restore", backups, tmp_path / "other") == 0
    assert read_quads(tmp_path / "other") == read_quads(store)
    assert read_store_content(tmp_path / "other") == BackupManifest.read(list_backups(backups)[0]).content
    assert Store.open(tmp_path / "other").graphs() == ["urn:empty", "urn:g"]
    file = tmp_path / "other" / "versions" / "1"
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("as it was", 0o600)
    assert (
        read_backup_time(tmp_path / "other")
        == read_backup_time(store)
        == BackupManifest.read(list_backups(backups)[0]).made
    )


def test_the_store_that_a_restore_replaces_is_kept(
    store: Path, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_quads(store)
    assert run_command("backup", backups, store) == 0
    Store.open(store).update("DROP ALL")
    (store / "versions" / "2").write_text("not in the backup")
    assert run_command("restore", backups, store) == 0
    assert read_quads(store) == before
    assert [path.name for path in (store / "versions").iterdir()] == ["1"]
    (old_store,) = (store / ASIDE_FOLDER).glob("before-*")
    assert read_quads(old_store) == set()
    assert (old_store / "versions" / "2").exists()
    assert f"The previous store is in {old_store}" in capsys.readouterr().out


def test_a_partial_file_is_not_in_a_backup(store: Path, backups: Path) -> None:
    (store / "versions" / f"2{PARTIAL_SUFFIX}").write_text("as far as it ca")
    assert run_command("backup", backups, store) == 0
    assert {path.name for path in backups.rglob("versions/*")} == {"1"}


def test_tokens_are_not_in_a_backup_and_a_restore_keeps_them(store: Path, backups: Path) -> None:
    (store / "tokens.json").write_text("a token that is revoked later")
    assert run_command("backup", backups, store) == 0
    assert not list(backups.rglob("tokens*"))
    (store / "tokens.json").write_text("none")
    assert run_command("restore", backups, store) == 0
    assert (store / "tokens.json").read_text() == "none"


def test_the_digest_depends_on_the_quads_and_not_on_their_order(tmp_path: Path) -> None:
    lines = [f"<urn:s{number}> <urn:p> <urn:o> ." for number in range(50)]
    contents = []
    updates_by_name = {
        "together": [" ".join(lines)],
        "one by one": reversed(lines),
        "without the first": [" ".join(lines[1:])],
    }
    for name, updates in updates_by_name.items():
        store = Store.open(tmp_path / name)
        for triples in updates:
            store.update(f"INSERT DATA {{ {triples} }}")
        del store
        contents.append(read_store_content(tmp_path / name))
    assert contents[0] == contents[1]
    assert contents[0].digest != contents[2].digest


def test_the_quads_are_counted_at_the_time_of_the_checkpoint(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_store = Store.open(store)
    monkeypatch.setattr(opened_store, "_lock", WritingLock(opened_store))
    assert opened_store.make_checkpoint() == 3
    assert len(read_quads(store / ASIDE_FOLDER / CHECKPOINT_FOLDER)) == 3
    assert len(set(opened_store._quads)) == 4


class WritingLock:
    """Replaces the lock of a store, and writes when it is released."""

    def __init__(self, store: Store) -> None:
        self.quads = store._quads
        self.depth = 0

    def __enter__(self) -> None:
        """Acquire nothing, as there is no other thread."""
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        if not self.depth:
            self.quads.add(ox.Quad(ox.NamedNode("urn:late"), ox.NamedNode("urn:p"), ox.Literal(1)))


def flip_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 10)


def add_file(path: Path) -> None:
    path.with_name("more").write_text("")


def change_quad_count(path: Path) -> None:
    manifest = json.loads(path.read_text())
    manifest["content"]["quads"] += 1
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("pattern", "damage", "sentence"),
    [
        (f"{BACKUP_STORE_FOLDER}/quads/*.sst", flip_bit, ".sst has changed"),
        (f"{BACKUP_STORE_FOLDER}/quads/*.sst", truncate, ".sst has changed"),
        (f"{BACKUP_STORE_FOLDER}/quads/*.sst", Path.unlink, ".sst is missing"),
        (f"{BACKUP_STORE_FOLDER}/quads/CURRENT", add_file, "the file quads/more does not belong to it"),
        (f"{BACKUP_STORE_FOLDER}/versions/1", flip_bit, "the file versions/1 has changed"),
        (MANIFEST_FILE, truncate, "its manifest.json cannot be read"),
        (MANIFEST_FILE, change_quad_count, "it has 3 quads in 2 graphs instead of 4 in 2"),
    ],
)
def test_a_damaged_backup_is_detected_and_not_restored(
    store: Path,
    backups: Path,
    *,
    pattern: str,
    damage: Callable[[Path], None],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command("backup", backups, store) == 0
    Store.open(store).update("INSERT DATA { <urn:new> <urn:p> 1 }")
    (backup,) = list_backups(backups)
    damage(next(backup.glob(pattern)))
    before = read_quads(store)
    assert run_command("restore", backups, store) == EXIT_FAILED
    message = capsys.readouterr().err
    assert message.startswith(f"wgig: The backup {backup} is damaged: ")
    assert f"{sentence}. Use another one.\n" in message
    assert read_quads(store) == before
    assert not list((store / ASIDE_FOLDER).glob("restor*"))  # no partial copy, and none to be completed


def test_nothing_is_restored_while_the_store_is_open(
    start_service: ServiceStarter, store: Path, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("backup", backups, store) == 0
    with start_service(store, WGIG_DATA="none"):
        assert run_command("restore", backups, store) == EXIT_FAILED
    assert f"The store {store} is in use by another process; stop it" in capsys.readouterr().err
    assert not list((store / ASIDE_FOLDER).glob("before-*"))


def test_a_restore_into_the_local_copy_of_a_shared_store_is_refused(
    store: Path, backups: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_command("backup", backups, store) == 0
    monkeypatch.setenv("WGIG_REMOTE_QUERY", "http://127.0.0.1:9/sparql")
    assert run_command("restore", backups, store) == EXIT_UNREADABLE
    message = capsys.readouterr().err
    assert (
        f"The data is in the shared store at http://127.0.0.1:9/sparql; {store} only contains a copy"
        in message
    )
    assert not list((store / ASIDE_FOLDER).glob("before-*"))


def test_a_store_that_cannot_be_opened_is_replaced(store: Path, backups: Path) -> None:
    before = read_quads(store)
    assert run_command("backup", backups, store) == 0
    for path in (store / "quads").glob("MANIFEST-*"):  # a file of the database
        path.write_bytes(b"nonsense")
    assert run_command("restore", backups, store) == 0
    assert read_quads(store) == before


def test_the_newest_backup_is_restored_and_an_older_one_by_its_name(store: Path, backups: Path) -> None:
    for number in (1, 2):
        Store.open(store).update(f"INSERT DATA {{ <urn:number> <urn:p> {number} }}")
        assert run_command("backup", backups, store) == 0
    assert run_command("restore", backups, store) == 0
    assert read_numbers(store, "urn:number") == {1, 2}
    assert run_command("restore", list_backups(backups)[0], store) == 0
    assert read_numbers(store, "urn:number") == {1}


def test_only_the_requested_number_of_backups_is_kept(store: Path, backups: Path) -> None:
    for _ in range(3):
        assert run_command("backup", backups, store) == 0
    (backups / "wgig-notes").mkdir()  # begins like the name of a backup, but is none
    newest = list_backups(backups)[-1:]
    assert run_command("backup", backups, store, "--keep", "2") == 0
    assert list_backups(backups)[:-1] == newest
    assert (backups / "wgig-notes").is_dir()
    with pytest.raises(SystemExit, match=str(EXIT_UNREADABLE)):
        run_command("backup", backups, store, "--keep", "0")


def test_files_of_an_interrupted_backup_are_removed(store: Path, backups: Path) -> None:
    for folder in (store / ASIDE_FOLDER / CHECKPOINT_FOLDER, backups / PARTIAL_BACKUP_FOLDER):
        copytree(store / "quads", folder)
    assert run_command("backup", backups, store) == 0
    assert not (store / ASIDE_FOLDER / CHECKPOINT_FOLDER).exists()
    assert not (backups / PARTIAL_BACKUP_FOLDER).exists()


def test_a_backup_or_restore_during_another_one_is_refused(
    store: Path, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("backup", backups, store) == 0
    with hold_file_lock(store / ASIDE_FOLDER / BACKUP_LOCK_FILE):
        assert run_command("backup", backups, store) == EXIT_FAILED
        assert run_command("restore", backups, store) == EXIT_FAILED
    with hold_file_lock(backups / BACKUP_LOCK_FILE):
        assert run_command("backup", backups, store) == EXIT_FAILED
    *messages, last_message = capsys.readouterr().err.splitlines()
    assert messages == [f"wgig: Another backup or restore of {store} is in progress. Wait until it ends."] * 2
    assert last_message == f"wgig: Another backup into {backups} is in progress. Wait until it ends."


@pytest.mark.parametrize("error_number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_error_is_reported_and_leaves_no_backup(
    store: Path,
    backups: Path,
    error_number: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail_to_sync(_: int) -> None:
        raise OSError(error_number, os.strerror(error_number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail_to_sync)
        assert run_command("backup", backups, store) == EXIT_FAILED
    assert capsys.readouterr().err == (
        f"wgig: The backup failed: {backups}: {os.strerror(error_number)}. Fix this and try again.\n"
    )
    assert [path.name for path in backups.iterdir()] == [BACKUP_LOCK_FILE]
    assert not (store / ASIDE_FOLDER / CHECKPOINT_FOLDER).exists()
    assert read_backup_time(store) is None


def test_an_unsuitable_backup_folder_is_refused(
    store: Path, backups: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert run_command("backup", file, store) == EXIT_FAILED
    assert f"The backup failed: {file}: " in capsys.readouterr().err
    assert run_command("backup", store / "here", store) == EXIT_UNREADABLE
    assert "is inside the store. Choose a folder outside the store" in capsys.readouterr().err
    assert run_command("backup", backups, store) == 0
    assert run_command("backup", list_backups(backups)[0], store) == EXIT_UNREADABLE
    assert "is a backup. Give its parent folder." in capsys.readouterr().err


def test_without_store_or_backup_no_file_is_created(
    tmp_path: Path, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("backup", backups, tmp_path / "none") == EXIT_FAILED
    assert f"The store {tmp_path / 'none'} does not exist" in capsys.readouterr().err
    assert run_command("restore", backups, tmp_path / "none") == EXIT_UNREADABLE
    assert f"There is no backup in {backups}." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_store_that_is_open_in_the_same_process_is_not_backed_up(
    store: Path, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened_store = Store.open(store)
    assert run_command("backup", backups, store) == EXIT_FAILED
    assert "is already open in this process" in capsys.readouterr().err
    del opened_store


def test_invalid_control_requests_get_an_error(tmp_path: Path) -> None:
    with hold_file_lock(tmp_path / ASIDE_FOLDER / "lock"):  # creates the folder
        online.serve_control_socket(tmp_path, lambda request: {"got": request["number"]})
    with pytest.raises(OSError, match="number"):  # the missing key
        online.send_control_request(tmp_path, {})
    with online.control_socket_address(tmp_path) as address, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        connection.sendall(b"\xff" * 2 * online.MAX_CONTROL_MESSAGE_BYTES)
        assert b'"error"' in online.receive_control_line(connection)
    assert online.send_control_request(tmp_path, {"number": 1}) == {"got": 1}


def test_a_control_socket_that_is_removed_with_its_folder_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online, "CONTROL_CHECK_SECONDS", 0.01)
    online.serve_control_socket(tmp_path, lambda request: request)
    assert online.send_control_request(tmp_path, {"number": 1}) == {"number": 1}
    rmtree(tmp_path / ASIDE_FOLDER)
    deadline = time.monotonic() + 60
    while online.send_control_request(tmp_path, {"number": 2}) != {"number": 2}:
        assert time.monotonic() < deadline


def test_a_control_request_to_a_killed_service_has_no_response(tmp_path: Path) -> None:
    with hold_file_lock(tmp_path / ASIDE_FOLDER / "lock"):
        assert online.send_control_request(tmp_path, {}) is None
    with online.control_socket_address(tmp_path) as address, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
    assert online.send_control_request(tmp_path, {}) is None


OLD_TEXT = hashlib.sha256(b"personal").hexdigest()  # compressed files have it as it is
OLD_CONTENT = f'<urn:s> <urn:p> "{OLD_TEXT}" .\n'.encode()


def find_files_with(folder: Path, text: str) -> list[Path]:
    """The files in a folder that have a text."""
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


@pytest.fixture
def old_digest(store: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The SHA-256 of a content that a graph of the store had before."""
    monkeypatch.setenv("WGIG_DATA", "none")
    opened = Store.open(store)
    opened.replace({"urn:v": parse_triples(OLD_CONTENT)})
    digest = opened.log.keep_content(OLD_CONTENT)
    change = opened.compute_replacement("urn:v", parse_triples(b"<urn:s> <urn:p> 2 ."))
    opened.commit([NewCommit(change, replaced=[ReplacedContent("urn:v", OLD_CONTENT, digest)])])
    opened.close()
    return digest


def parse_triples(content: bytes) -> list[ox.Triple]:
    return [quad.triple for quad in ox.parse(content, ox.RdfFormat.TURTLE)]


def read_manifests(backups: Path) -> list[BackupManifest]:
    return [BackupManifest.read(backup) for backup in list_backups(backups)]


def test_a_backup_says_what_was_erased_from_it(
    store: Path, backups: Path, old_digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("backup", backups, store) == 0
    assert main(["forget", old_digest, "--store", str(store)]) == 0
    output = capsys.readouterr().out
    assert old_digest in output
    assert "manifest.json does not list it as erased" in output
    assert not find_files_with(store, OLD_TEXT)
    assert run_command("backup", backups, store) == 0
    before, after = read_manifests(backups)
    with closing(ChangeLog(store / CHANGE_LOG_FILE)) as log:
        assert (before.log, after.log) == (
            LogContent(log.last_version, ()),
            LogContent(log.last_version, (old_digest,)),
        )
    assert main(["verify", "--store", str(store)]) == 0
    assert f"{after.log.version} commits; erased versions: 1" in capsys.readouterr().out


def test_a_restore_says_what_it_brings_back_and_that_can_be_erased_again(
    store: Path, backups: Path, old_digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("backup", backups, store) == 0
    assert main(["forget", old_digest, "--store", str(store)]) == 0
    capsys.readouterr()
    assert run_command("restore", backups, store) == 0
    assert f"erase it again: wgig forget --store {store} {old_digest}\n" in capsys.readouterr().out
    assert main(["forget", "ab" * 32, old_digest, "--store", str(store)]) == EXIT_NO
    captured = capsys.readouterr()
    assert f"Erased: {old_digest}\n" in captured.out
    assert f"The change log has never contained {'ab' * 32}\n" in captured.err
    (replaced,) = (store / ASIDE_FOLDER).glob("before-*")
    assert f"delete {replaced}, too" in captured.out
    with (
        closing(ChangeLog(store / CHANGE_LOG_FILE)) as log,
        pytest.raises(MissingChangesError, match="erased"),
    ):
        log.read_content(old_digest)
    assert run_command("backup", backups, store) == 0
    assert run_command("restore", backups, store) == 0
    assert "erase it again" not in capsys.readouterr().out


def test_a_running_service_erases_a_content_and_purges_its_quads_at_its_next_start(
    start_service: ServiceStarter, tmp_path: Path, backups: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "served"
    settings = {"WGIG_DATA": "none", "WGIG_TOKEN": "secret"}
    headers = {"Authorization": "Bearer secret", "Content-Type": "text/turtle"}
    with start_service(folder, **settings) as url:
        for content in (OLD_CONTENT, b"<urn:s> <urn:p> 2 ."):
            httpx2.put(f"{url}graph/v", content=content, headers=headers).raise_for_status()
        timemap = httpx2.get(f"{url}graph/v?versions", headers={"Accept": "application/json"}).json()
        address = timemap["versions"][0]["version"]
        for outcome in ("Erased:", "Already erased:"):
            assert main(["forget", address, "--store", str(folder)]) == 0
            output = capsys.readouterr().out
            assert f"{outcome} {address}\n" in output
            assert "until the service is next started" in output
        assert httpx2.get(url + address.removeprefix("/")).status_code == HTTPStatus.GONE
        assert run_command("backup", backups, folder) == 0
    assert all(path.parent.name == QUADS_FOLDER for path in find_files_with(folder, OLD_TEXT))
    with start_service(folder, **settings) as url:
        assert not find_files_with(folder, OLD_TEXT)
        assert httpx2.get(url + address.removeprefix("/")).status_code == HTTPStatus.GONE
        assert httpx2.get(f"{url}graph/v", headers={"Accept": "text/turtle"}).text.count("urn:s") == 1
        assert run_command("backup", backups, folder) == 0
    before, after = (manifest.log.erased for manifest in read_manifests(backups))
    assert (before, len(after)) == ((), 1)


def test_a_full_disk_delays_the_purge_of_quads_and_not_the_start(
    store: Path,
    old_digest: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with closing(ChangeLog(store / CHANGE_LOG_FILE)) as log:
        erase_content(log, old_digest)

    def fail_with_full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("wgig.store.store.copy_quads", fail_with_full_disk)
        opened = Store.open(store)
    assert "still contain texts of erased versions" in caplog.text
    assert opened.log.purged_digests == []
    copied = copy_as_killed(opened, tmp_path / "copied")
    assert find_files_with(copied, OLD_TEXT)
    purged = Store.open(copied)
    assert purged.log.purged_digests == [old_digest]
    assert set(purged.match()) == set(opened.match())
    assert not find_files_with(copied, OLD_TEXT)


def test_what_was_erased_from_a_damaged_store_is_unknown(store: Path, backups: Path, old_digest: str) -> None:
    assert read_erased_digests(store) == []
    assert main(["forget", old_digest, "--store", str(store)]) == 0
    assert read_erased_digests(store) == [old_digest]
    (store / CHANGE_LOG_FILE).write_bytes(b"no database" * 1000)
    assert read_erased_digests(store) == []
    assert read_erased_digests(backups) == []


def test_a_content_that_is_current_is_not_erased_by_its_digest(
    store: Path, old_digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = Store.open(store)
    opened.replace({"urn:w": parse_triples(OLD_CONTENT)})
    opened.close()
    del opened
    assert main(["forget", old_digest, "--store", str(store)]) == EXIT_UNREADABLE
    assert "is the current content of urn:w" in capsys.readouterr().err


def test_a_backup_that_is_made_during_writes_equals_a_replay_of_its_log(
    tmp_path: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(tmp_path / "written")
    store.update_in_background()
    monkeypatch.setattr(transactions, "MAX_UNFLUSHED_QUADS", 20 * transactions.COMMIT_QUADS)
    acknowledged, is_done = list[int](), threading.Event()

    def write() -> None:
        while not is_done.is_set():
            number = len(acknowledged)
            store.update(
                f"INSERT DATA {{ GRAPH <urn:g> {{ <urn:s> <urn:n> {number} , [ <urn:n> {number} ] }} }}"
            )
            acknowledged.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    minimums = list[int]()
    try:
        for _ in range(3):
            minimums.append(len(acknowledged))
            create_backup(tmp_path / "written", backups, lambda _: store.make_checkpoint(), hide_progress)
    finally:
        is_done.set()
        writer.join()
    for minimum, backup in zip(minimums, list_backups(backups), strict=True):
        assert run_command("restore", backup, tmp_path / "restored") == 0
        restored = Store.open(tmp_path / "restored")
        count = BackupManifest.read(backup).log.version
        assert restored.log_version == count >= minimum
        quads = set(restored.match())
        assert len(quads) == 3 * count
        restored.close()
        del restored
        replayed = tmp_path / backup.name
        replayed.mkdir()
        copyfile(tmp_path / "restored" / CHANGE_LOG_FILE, replayed / CHANGE_LOG_FILE)
        assert set(Store.open(replayed).match()) == quads


@contextmanager
def hide_progress(*_: object) -> Iterator[Callable[[int], None]]:
    yield lambda _: None
