"""A backup holds what was acknowledged, is found damaged where it is, and comes back as it was."""

import errno
import json
import os
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import httpx
import pyoxigraph as ox
import pytest
from wgig.cli.main import main
from wgig.files import PARTIAL_SUFFIX
from wgig.store.backup import online
from wgig.store.backup.backup import BACKUP_LOCK_FILE, BACKUP_STORE_FOLDER, list_backups, read_backup_time
from wgig.store.backup.manifest import MANIFEST_FILE, BackupManifest, read_store_content
from wgig.store.files import ASIDE_FOLDER, hold_file_lock
from wgig.store.store import Store

from tests.fixtures.processes import Serving

pytestmark = pytest.mark.slow

TOKEN = {"Authorization": "Bearer secret", "Content-Type": "application/sparql-update"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with quads of all kinds, an empty graph, and a file beside the quads."""
    folder = tmp_path / "data"
    store = Store.open(folder)
    store.update('INSERT DATA { <urn:s> <urn:p> "a\\nb"@en, _:b GRAPH <urn:g> { <urn:s> <urn:p> 1 } }')
    store.replace({"urn:empty": []})
    (folder / "versions").mkdir()
    (folder / "versions" / "1").write_text("as it was")
    (folder / "versions" / "1").chmod(0o600)
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The folder of backups."""
    return tmp_path / "backups"


def call(command: str, folder: Path, store: Path, *more: str) -> int:
    return main([command, str(folder), "--store", str(store), *more])


def quads(folder: Path) -> set[ox.Quad]:
    return set(ox.Store.read_only(str(folder / "quads")))


def numbers(folder: Path, subject: str) -> set[int]:
    return {
        int(one.object.value)  # type: ignore[union-attr]
        for one in ox.Store.read_only(str(folder / "quads")).quads_for_pattern(
            ox.NamedNode(subject), None, None
        )
    }


def test_a_backup_of_a_running_service_holds_each_write_that_was_acknowledged(
    serving: Serving, tmp_path: Path, kept: Path
) -> None:
    folder = tmp_path / ("a long name " * 12) / "store"  # longer than the address of a socket may be
    acknowledged: list[int] = []
    begun, done = threading.Event(), threading.Event()

    def write(url: str) -> None:
        with httpx.Client(headers=TOKEN, timeout=60) as client:
            while not done.is_set():
                pair = f"<urn:left> <urn:n> {len(acknowledged)} . <urn:right> <urn:n> {len(acknowledged)}"
                client.post(f"{url}update", content=f"INSERT DATA {{ {pair} }}").raise_for_status()
                acknowledged.append(len(acknowledged))
                if len(acknowledged) > 5:
                    begun.set()

    with serving(folder, WGIG_DATA="none", WGIG_TOKEN="secret") as url:
        assert httpx.get(f"{url}ready").json()["lastBackup"] is None
        writer = threading.Thread(target=write, args=[url])
        writer.start()
        assert begun.wait(30)
        before = len(acknowledged)
        assert call("backup", kept, folder) == 0
        after = len(acknowledged) + 1  # and the one under way
        done.set()
        writer.join()
        (backup,) = list_backups(kept)
        made = BackupManifest.read(backup).made
        assert httpx.get(f"{url}ready").json()["lastBackup"] == made
        assert stat.S_IMODE((folder / ASIDE_FOLDER / "control").stat().st_mode) == 0o600
    left, right = (numbers(backup / BACKUP_STORE_FOLDER, f"urn:{side}") for side in ("left", "right"))
    assert left == right == set(range(len(left)))
    assert before <= len(left) <= after


def test_a_restored_store_is_the_one_that_was_backed_up(store: Path, kept: Path, tmp_path: Path) -> None:
    assert call("backup", kept, store) == 0
    assert call("restore", kept, tmp_path / "other") == 0
    assert quads(tmp_path / "other") == quads(store)
    assert read_store_content(tmp_path / "other") == BackupManifest.read(list_backups(kept)[0]).content
    assert Store.open(tmp_path / "other").graphs() == ["urn:empty", "urn:g"]
    beside = tmp_path / "other" / "versions" / "1"
    assert (beside.read_text(), stat.S_IMODE(beside.stat().st_mode)) == ("as it was", 0o600)
    assert (
        read_backup_time(tmp_path / "other")
        == read_backup_time(store)
        == BackupManifest.read(list_backups(kept)[0]).made
    )


def test_the_store_that_a_restore_replaces_is_kept(
    store: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = quads(store)
    assert call("backup", kept, store) == 0
    Store.open(store).update("DROP ALL")
    (store / "versions" / "2").write_text("not in the backup")
    assert call("restore", kept, store) == 0
    assert quads(store) == before
    assert [one.name for one in (store / "versions").iterdir()] == ["1"]
    (old,) = (store / ASIDE_FOLDER).glob("before-*")
    assert quads(old) == set()
    assert (old / "versions" / "2").exists()
    assert f"The previous store is in {old}" in capsys.readouterr().out


def test_a_file_that_is_being_written_is_in_no_backup(store: Path, kept: Path) -> None:
    (store / "versions" / f"2{PARTIAL_SUFFIX}").write_text("as far as it ca")
    assert call("backup", kept, store) == 0
    assert {one.name for one in kept.rglob("versions/*")} == {"1"}


def test_tokens_are_in_no_backup_and_stay_as_they_are_at_a_restore(store: Path, kept: Path) -> None:
    (store / "tokens.json").write_text("one that is revoked later")
    assert call("backup", kept, store) == 0
    assert not list(kept.rglob("tokens*"))
    (store / "tokens.json").write_text("none")
    assert call("restore", kept, store) == 0
    assert (store / "tokens.json").read_text() == "none"


def test_the_digest_is_that_of_the_quads_in_any_order_and_in_any_files(tmp_path: Path) -> None:
    lines = [f"<urn:s{number}> <urn:p> <urn:o> ." for number in range(50)]
    found = []
    for name, update in (("a", [*lines]), ("b", [*reversed(lines)]), ("c", lines[1:])):
        store = Store.open(tmp_path / name)
        for line in update if name == "b" else [" ".join(update)]:
            store.update(f"INSERT DATA {{ {line} }}")
        del store
        found.append(read_store_content(tmp_path / name))
    assert found[0] == found[1]
    assert found[0].digest != found[2].digest


def test_the_count_is_that_of_the_moment_of_the_checkpoint(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Store.open(store)
    monkeypatch.setattr(opened, "_lock", WriteAtRelease(opened))
    assert opened.keep_checkpoint() == 3
    assert len(quads(store / ASIDE_FOLDER / "kept")) == 3
    assert len(set(opened._quads)) == 4


class WriteAtRelease:
    """In place of the lock of a store: writes as soon as it is released."""

    def __init__(self, store: Store) -> None:
        self.quads = store._quads

    def __enter__(self) -> None:
        """Nobody else is there."""

    def __exit__(self, *_: object) -> None:
        self.quads.add(ox.Quad(ox.NamedNode("urn:late"), ox.NamedNode("urn:p"), ox.Literal(1)))


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 10)


def add(path: Path) -> None:
    path.with_name("more").write_text("")


def claim_another(path: Path) -> None:
    said = json.loads(path.read_text())
    said["content"]["quads"] += 1
    path.write_text(json.dumps(said))


@pytest.mark.parametrize(
    ("pattern", "damage", "sentence"),
    [
        (f"{BACKUP_STORE_FOLDER}/quads/*.sst", flip, ".sst has changed"),
        (f"{BACKUP_STORE_FOLDER}/quads/*.sst", cut, ".sst has changed"),
        (f"{BACKUP_STORE_FOLDER}/quads/*.sst", Path.unlink, ".sst is missing"),
        (f"{BACKUP_STORE_FOLDER}/quads/CURRENT", add, "the file quads/more does not belong to it"),
        (f"{BACKUP_STORE_FOLDER}/versions/1", flip, "the file versions/1 has changed"),
        (MANIFEST_FILE, cut, "its manifest.json cannot be read"),
        (MANIFEST_FILE, claim_another, "it holds 3 quads in 2 graphs instead of 4 in 2"),
    ],
)
def test_a_damaged_backup_is_found_and_not_restored(
    store: Path,
    kept: Path,
    *,
    pattern: str,
    damage: Callable[[Path], None],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call("backup", kept, store) == 0
    Store.open(store).update("INSERT DATA { <urn:new> <urn:p> 1 }")
    (backup,) = list_backups(kept)
    damage(next(backup.glob(pattern)))
    before = quads(store)
    assert call("restore", kept, store) == 3
    said = capsys.readouterr().err
    assert said.startswith(f"wgig: The backup {backup} is damaged: ")
    assert f"{sentence}. Use another one.\n" in said
    assert quads(store) == before
    assert not list((store / ASIDE_FOLDER).glob("restor*"))


def test_nothing_is_restored_while_the_store_is_open(
    serving: Serving, store: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("backup", kept, store) == 0
    with serving(store, WGIG_DATA="none"):
        assert call("restore", kept, store) == 3
    assert f"The store {store} is in use by another process; stop it" in capsys.readouterr().err
    assert not list((store / ASIDE_FOLDER).glob("before-*"))


def test_over_a_shared_store_nothing_is_restored_as_only_its_copy_would_be(
    store: Path, kept: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("backup", kept, store) == 0
    monkeypatch.setenv("WGIG_REMOTE_QUERY", "http://127.0.0.1:9/sparql")
    assert call("restore", kept, store) == 2
    said = capsys.readouterr().err
    assert f"The data is in the shared store at http://127.0.0.1:9/sparql; {store} has only a copy" in said
    assert not list((store / ASIDE_FOLDER).glob("before-*"))


def test_a_store_that_no_longer_opens_is_replaced(store: Path, kept: Path) -> None:
    before = quads(store)
    assert call("backup", kept, store) == 0
    for one in (store / "quads").glob("MANIFEST-*"):
        one.write_bytes(b"nonsense")
    assert call("restore", kept, store) == 0
    assert quads(store) == before


def test_the_newest_backup_is_restored_and_an_older_one_by_its_name(store: Path, kept: Path) -> None:
    for number in (1, 2):
        Store.open(store).update(f"INSERT DATA {{ <urn:number> <urn:p> {number} }}")
        assert call("backup", kept, store) == 0
    assert call("restore", kept, store) == 0
    assert numbers(store, "urn:number") == {1, 2}
    assert call("restore", list_backups(kept)[0], store) == 0
    assert numbers(store, "urn:number") == {1}


def test_only_so_many_backups_are_kept_as_are_asked_for(store: Path, kept: Path) -> None:
    for _ in range(3):
        assert call("backup", kept, store) == 0
    (kept / "wgig-notes").mkdir()
    two = list_backups(kept)[-1:]
    assert call("backup", kept, store, "--keep", "2") == 0
    assert list_backups(kept)[:-1] == two
    assert (kept / "wgig-notes").is_dir()
    with pytest.raises(SystemExit, match="2"):
        call("backup", kept, store, "--keep", "0")


def test_what_was_cut_off_is_cleared_away(store: Path, kept: Path) -> None:
    for one in (store / ASIDE_FOLDER / "kept", kept / PARTIAL_SUFFIX):
        copytree(store / "quads", one)
    assert call("backup", kept, store) == 0
    assert not (store / ASIDE_FOLDER / "kept").exists()
    assert not (kept / PARTIAL_SUFFIX).exists()


def test_a_second_backup_at_the_same_time_is_refused(
    store: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hold_file_lock(store / ASIDE_FOLDER / BACKUP_LOCK_FILE):
        assert call("backup", kept, store) == 3
        assert call("restore", store, store) == 1
    with hold_file_lock(kept / BACKUP_LOCK_FILE):
        assert call("backup", kept, store) == 3
    first, _, second = capsys.readouterr().err.splitlines()
    assert first == f"wgig: Another backup or restore of {store} is under way. Wait for it."
    assert second == f"wgig: Another backup into {kept} is under way. Wait for it."


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_leaves_no_backup_and_is_said(
    store: Path, kept: Path, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        assert call("backup", kept, store) == 3
    assert capsys.readouterr().err == (
        f"wgig: The backup failed: {kept}: {os.strerror(code)}. Fix this and try again.\n"
    )
    assert [one.name for one in kept.iterdir()] == [BACKUP_LOCK_FILE]
    assert not (store / ASIDE_FOLDER / "kept").exists()
    assert read_backup_time(store) is None


def test_a_folder_that_cannot_hold_backups_is_said(
    store: Path, kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert call("backup", file, store) == 3
    assert f"The backup failed: {file}: " in capsys.readouterr().err
    assert call("backup", store / "here", store) == 2
    assert "is inside the store. Name a folder elsewhere" in capsys.readouterr().err
    assert call("backup", kept, store) == 0
    assert call("backup", list_backups(kept)[0], store) == 2
    assert "is a backup. Name its parent folder." in capsys.readouterr().err


def test_where_there_is_no_store_or_no_backup_nothing_is_made(
    tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("backup", kept, tmp_path / "none") == 3
    assert f"The store {tmp_path / 'none'} holds no store" in capsys.readouterr().err
    assert call("restore", kept, tmp_path / "none") == 1
    assert f"There is no backup in {kept}." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_store_that_another_command_holds_is_not_backed_up(
    store: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = Store.open(store)
    assert call("backup", kept, store) == 3
    assert "is open already in this process" in capsys.readouterr().err
    del opened


def test_whatever_comes_through_the_socket_is_answered(tmp_path: Path) -> None:
    with hold_file_lock(tmp_path / ASIDE_FOLDER / "lock"):  # which makes the folder
        online.serve_control_socket(tmp_path, lambda request: {"got": request["number"]})
    with pytest.raises(OSError, match="number"):
        online.send_control_request(tmp_path, {})
    with online.control_socket_address(tmp_path) as place, socket.socket(socket.AF_UNIX) as asking:
        asking.connect(place)
        asking.sendall(b"\xff" * 2 * online.MAX_CONTROL_MESSAGE_BYTES)
        assert b'"error"' in online.receive_control_line(asking)
    assert online.send_control_request(tmp_path, {"number": 1}) == {"got": 1}


def test_nobody_answers_for_a_service_that_was_killed(tmp_path: Path) -> None:
    with hold_file_lock(tmp_path / ASIDE_FOLDER / "lock"):
        assert online.send_control_request(tmp_path, {}) is None
    with online.control_socket_address(tmp_path) as place, socket.socket(socket.AF_UNIX) as gone:
        gone.bind(place)
    assert online.send_control_request(tmp_path, {}) is None
