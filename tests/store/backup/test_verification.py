"""Verification: a damaged block in any file of a store is found by `wgig verify`, backup and restore."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from wgig.cli.main import main
from wgig.cli.parser import EXIT_FAILED, EXIT_NO
from wgig.store.backup.backup import verify_change_log
from wgig.store.backup.manifest import DamagedBackupError
from wgig.store.backup.verification import link_quads, verify_quads
from wgig.store.folder import CHANGE_LOG_FILE, QUADS_FOLDER
from wgig.store.store import Store

from tests.fixtures.tables import build_store_with_tables, overwrite_bytes

pytestmark = pytest.mark.slow

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"  # at the beginning of each compressed change


@pytest.fixture(scope="module")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_store_with_tables(tmp_path_factory.mktemp("intact") / "store")


def test_intact_store_passes(store_folder: Path, tmp_path: Path) -> None:
    link_quads(store_folder / QUADS_FOLDER, tmp_path / "copy")
    verify_quads(tmp_path / "copy")
    assert verify_change_log(store_folder).version == 20


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_damage_in_any_file_is_found(store_folder: Path, tmp_path: Path, share: float) -> None:
    tables = sorted((store_folder / QUADS_FOLDER).glob("*.sst"))
    assert len(tables) >= 9  # at least one for each index
    for table in tables:
        copy = tmp_path / table.stem
        link_quads(store_folder / QUADS_FOLDER, copy)
        overwrite_bytes(copy / table.name, share)
        # The engine names its list of files instead if it cannot open a file.
        with pytest.raises(DamagedBackupError, match=rf"quads/({table.name}|MANIFEST-\d+) is damaged"):
            verify_quads(copy)


@pytest.fixture(scope="module")
def log_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store whose last writes are only in the log of the engine."""
    folder = tmp_path_factory.mktemp("log") / "store"
    store = Store.open(folder)
    for number in range(300):
        store.update(f"INSERT DATA {{ <x:s> <x:p{number}> 'a value of some length {number}' }}")
    return folder


def find_log(store_folder: Path) -> Path:
    logs = (store_folder / QUADS_FOLDER).glob("*.log")
    return max(logs, key=lambda path: path.stat().st_size)


def test_damaged_log_is_found(log_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(log_folder, tmp_path / "store")
    log = find_log(tmp_path / "store")
    overwrite_bytes(log, 0.4)
    link_quads(tmp_path / "store" / QUADS_FOLDER, tmp_path / "copy")
    with pytest.raises(DamagedBackupError, match=rf"quads/{log.name} is damaged"):
        verify_quads(tmp_path / "copy")
    Store.open(tmp_path / "store")
    assert f"The file {log.name} of the store {tmp_path / 'store'} is damaged" in caplog.text


def test_log_that_a_crash_cut_is_not_damaged(
    log_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(log_folder, tmp_path / "store")
    log = find_log(tmp_path / "store")
    log.write_bytes(log.read_bytes()[:-30])
    link_quads(tmp_path / "store" / QUADS_FOLDER, tmp_path / "copy")
    verify_quads(tmp_path / "copy")
    Store.open(tmp_path / "store")
    assert "damaged" not in caplog.text


@pytest.mark.parametrize("has_damaged_header", [True, False])
def test_damage_in_the_change_log_is_found(
    store_folder: Path, tmp_path: Path, has_damaged_header: bool
) -> None:
    shutil.copytree(store_folder, tmp_path / "store")
    log = tmp_path / "store" / CHANGE_LOG_FILE
    content = log.read_bytes()
    position = 0 if has_damaged_header else content.index(ZSTD_MAGIC) + 50
    overwrite_bytes(log, (position + 0.5) / len(content))
    with pytest.raises(DamagedBackupError, match=CHANGE_LOG_FILE):
        verify_change_log(tmp_path / "store")


def test_commands_report_damage(
    store_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "store"
    shutil.copytree(store_folder, damaged)
    assert main(["verify", "--store", str(damaged)]) == 0
    assert "intact" in capsys.readouterr().out
    table = max((damaged / QUADS_FOLDER).glob("*.sst"), key=lambda path: path.stat().st_size)
    overwrite_bytes(table)
    for command, expected_code in (
        (["verify"], EXIT_NO),
        (["backup", str(tmp_path / "backups")], EXIT_FAILED),
    ):
        code = main([*command, "--store", str(damaged)])
        error = capsys.readouterr().err
        assert code == expected_code, error
        assert "damaged" in error
        assert "bug" not in error
    assert not list((tmp_path / "backups").glob("wgig-*"))


def test_restore_refuses_a_damaged_backup_whose_checksums_match(
    store_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(store_folder, tmp_path / "store")
    assert main(["backup", str(tmp_path / "backups"), "--store", str(tmp_path / "store")]) == 0
    (backup,) = (tmp_path / "backups").glob("wgig-*")
    tables = (backup / "store" / QUADS_FOLDER).glob("*.sst")
    table = sorted(tables, key=lambda path: path.stat().st_size)[-2]
    overwrite_bytes(table)
    manifest = json.loads((backup / "manifest.json").read_text())
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    manifest["files"][f"{QUADS_FOLDER}/{table.name}"]["sha256"] = digest
    (backup / "manifest.json").write_text(json.dumps(manifest))
    code = main(["restore", str(backup), "--store", str(tmp_path / "restored")])
    error = capsys.readouterr().err
    assert (code, "is damaged" in error) == (3, True), error
    assert not (tmp_path / "restored" / QUADS_FOLDER).exists()
