"""A backup is verified by `wgig verify`, and no command changes the store in it."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from wgig.cli.main import main
from wgig.cli.parser import EXIT_FAILED, EXIT_NO, EXIT_OK, EXIT_UNREADABLE
from wgig.store.backup import online
from wgig.store.backup.backup import list_backups
from wgig.store.damage import find_damage
from wgig.store.errors import DamagedStoreError, StoreNotWritableError
from wgig.store.files import ASIDE_FOLDER, BACKUP_STORE_FOLDER, MANIFEST_FILE, hold_file_lock
from wgig.store.folder import CHANGE_LOG_FILE, QUADS_FOLDER
from wgig.store.store import Store

from tests.fixtures.tables import overwrite_bytes

QUERY = "SELECT * { ?s ?p ?o }"
VERSION_ADDRESS = "/graph/x?version=20260101T120000000000Z"


@pytest.fixture(autouse=True)
def plain_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill no store with the shipped graphs."""
    monkeypatch.setenv("WGIG_DATA", "none")


@pytest.fixture(scope="module")
def made_backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    store = Store.open(folder / "data")
    for number in range(3):
        store.update(f"INSERT DATA {{ GRAPH <urn:g> {{ <urn:s> <urn:p> {number} }} }}")
    store.close()
    del store
    assert main(["backup", str(folder / "backups"), "--store", str(folder / "data")]) == EXIT_OK
    (backup,) = list_backups(folder / "backups")
    return backup


@pytest.fixture
def backup(made_backup: Path, tmp_path: Path) -> Path:
    """A copy of the backup."""
    return shutil.copytree(made_backup, tmp_path / "backups" / made_backup.name)


def read_files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """The time of the last change and the content of each file and folder below a folder."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (folder, *folder.rglob("*"))
    }


@pytest.mark.parametrize("arguments", [["query", QUERY], ["dump"], ["stats"]])
def test_a_command_that_reads_the_store_of_a_backup_changes_nothing(
    backup: Path, tmp_path: Path, arguments: list[str]
) -> None:
    before = read_files(backup)
    assert main([*arguments, "--store", str(backup / BACKUP_STORE_FOLDER)]) == EXIT_OK
    assert read_files(backup) == before
    assert main(["restore", str(backup), "--store", str(tmp_path / "restored")]) == EXIT_OK


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify"],
        ["backup", "others"],
        ["restore", "backups"],
        ["load", __file__, "--format", "ttl"],
        ["forget", VERSION_ADDRESS],
        ["token", "new", "--scope", "papers", "--expires", "1d", "--name", "x"],
    ],
)
def test_a_command_that_writes_refuses_the_store_of_a_backup(
    backup: Path,
    tmp_path: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    before = read_files(backup)
    store = backup.relative_to(tmp_path) / BACKUP_STORE_FOLDER
    assert main([*arguments, "--store", str(store)]) == EXIT_FAILED
    assert f"is part of a backup, which must not be changed. You can restore it (wgig restore {backup})" in (
        capsys.readouterr().err
    )
    assert read_files(backup) == before


def test_a_slow_query_of_the_store_of_a_backup_does_not_have_it_verified_in_place(backup: Path) -> None:
    before = read_files(backup)
    assert find_damage(Store.open_read_only(backup / BACKUP_STORE_FOLDER)) == ""
    assert read_files(backup) == before


@pytest.mark.parametrize("manifest", ['{"name": "A web application"}', "[]", "{", "null"])
def test_a_store_beside_another_manifest_is_none_of_a_backup(tmp_path: Path, manifest: str) -> None:
    (tmp_path / MANIFEST_FILE).write_text(manifest)
    Store.open(tmp_path / BACKUP_STORE_FOLDER).update("INSERT DATA { <urn:s> <urn:p> 1 }")


def test_a_link_to_the_store_of_a_backup_is_refused(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(backup / BACKUP_STORE_FOLDER)
    with pytest.raises(StoreNotWritableError):
        Store.open(tmp_path / "link")


@pytest.mark.parametrize("names_folder", [True, False])
def test_an_intact_backup_is_verified_without_a_change(
    backup: Path, names_folder: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    before = read_files(backup)
    assert main(["verify", str(backup.parent if names_folder else backup)]) == EXIT_OK
    made = json.loads((backup / MANIFEST_FILE).read_bytes())["made"]
    assert capsys.readouterr().out.startswith(
        f"The backup {backup} is intact: made {made} by wgig "
    )  # and its version
    assert read_files(backup) == before


def change_manifest(backup: Path, part: str, name: str, value: object) -> None:
    path = backup / MANIFEST_FILE
    manifest = json.loads(path.read_bytes())
    manifest[part][name] = value
    path.write_text(json.dumps(manifest))


def replace_checksum(backup: Path, name: str) -> None:
    """Adapt the checksum of a file in the manifest to the file."""
    data = (backup / BACKUP_STORE_FOLDER / name).read_bytes()
    change_manifest(backup, "files", name, {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})


def overwrite_table(backup: Path) -> None:
    overwrite_bytes(max((backup / BACKUP_STORE_FOLDER / QUADS_FOLDER).glob("*.sst")))


def remove_manifest_content(backup: Path) -> None:
    (backup / MANIFEST_FILE).write_text("{")


def list_other_quads(backup: Path) -> None:
    change_manifest(backup, "content", "digest", "0" * 64)


def list_other_commits(backup: Path) -> None:
    change_manifest(backup, "log", "version", 2)


def overwrite_log_and_checksum(backup: Path) -> None:
    overwrite_bytes(backup / BACKUP_STORE_FOLDER / CHANGE_LOG_FILE, 0.0)
    replace_checksum(backup, CHANGE_LOG_FILE)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (overwrite_table, ".sst has changed"),
        (remove_manifest_content, "its manifest.json cannot be read"),
        (list_other_quads, "its quads do not match its manifest.json"),
        (list_other_commits, "its log.sqlite does not match its manifest.json"),
        (overwrite_log_and_checksum, "the file log.sqlite is damaged"),
    ],
)
def test_a_damaged_backup_has_an_exit_code_of_its_own(
    backup: Path, damage: Callable[[Path], None], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(backup)
    assert main(["verify", str(backup)]) == EXIT_NO
    assert f"The backup {backup} is damaged: " in (error := capsys.readouterr().err)
    assert f"{sentence}. Use another one.\n" in error


def test_what_cannot_be_verified_is_not_damaged(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "none")
    assert main(["verify", str(tmp_path)]) == EXIT_UNREADABLE  # no backup
    assert main(["verify", str(backup), "--store", store]) == EXIT_UNREADABLE
    assert main(["verify", "--store", store]) == EXIT_FAILED
    Store.open(tmp_path / "store").update("INSERT DATA { <urn:s> <urn:p> 1 }")
    with hold_file_lock(tmp_path / "store" / ASIDE_FOLDER / ".lock"):
        assert main(["verify", "--store", str(tmp_path / "store")]) == EXIT_FAILED
    assert "damaged" not in capsys.readouterr().err
    assert main(["verify", "--store", str(tmp_path / "store")]) == EXIT_OK


def test_damage_that_a_running_service_meets_is_reported_as_such(tmp_path: Path) -> None:
    def meet_damage(_: online.ControlMessage) -> online.ControlMessage:
        raise DamagedStoreError("The store is damaged.")

    with hold_file_lock(tmp_path / ASIDE_FOLDER / "lock"):  # creates the folder
        online.serve_control_socket(tmp_path, meet_damage)
    with pytest.raises(DamagedStoreError, match="The store is damaged"):
        online.send_control_request(tmp_path, {})
