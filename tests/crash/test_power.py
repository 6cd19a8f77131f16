"""After a power failure, all acknowledged writes are on the disk, each completely."""

import random
import threading
import time
from pathlib import Path

import pytest
from wgig.cli.main import main
from wgig.store.backup.backup import list_backups
from wgig.store.backup.manifest import read_store_content
from wgig.store.folder import open_quads
from wgig.store.store import Store

from .disks import LAZY_COMMIT_OPTIONS, copy_image, format_image, mount_image
from .load import ConcurrentLoad, make_client
from .world import DATA_SHARES, ROUND_COUNT, SEED, Scenario, Service, check_backup, run_scenario

pytestmark = pytest.mark.long

KILLS_PER_POWER_FAILURE = 5  # rounds of test_rounds.py for each round here


def test_an_acknowledged_write_is_on_the_disk(tmp_path: Path) -> None:
    image, remaining = format_image(tmp_path / "disk"), tmp_path / "remaining"
    scenario = Scenario(tmp_path / "scenario", "none")
    with mount_image(image, scenario.folder, *LAZY_COMMIT_OPTIONS), run_scenario(scenario) as service:
        with make_client(service.url) as client:
            for writer in scenario.writers:
                writer.write(client)
        service.halt()
        copy_image(image, remaining)
    # `run_scenario` checks the states; a write that was lost would not be a permitted state.
    with mount_image(remaining, scenario.folder, *LAZY_COMMIT_OPTIONS), run_scenario(scenario):
        assert all(writer.acknowledged for writer in scenario.writers)


def test_a_completed_backup_or_restore_is_on_the_disk(tmp_path: Path) -> None:
    image, folder = format_image(tmp_path / "disk"), tmp_path / "mounted"
    store, saved = folder / "store", folder / "backups"
    with mount_image(image, folder, *LAZY_COMMIT_OPTIONS):
        Store.open(store).update("INSERT DATA { <urn:old> <urn:p> 1 }")
        assert main(["backup", str(saved), "--store", str(store)]) == 0
        copy_image(image, tmp_path / "saved")
        Store.open(store).update("INSERT DATA { <urn:new> <urn:p> 1 }")
        assert main(["restore", str(saved), "--store", str(store)]) == 0
        copy_image(image, tmp_path / "restored")
    with mount_image(tmp_path / "saved", folder, *LAZY_COMMIT_OPTIONS):
        (backup,) = list_backups(saved)
        content = check_backup(backup)
    with mount_image(tmp_path / "restored", folder, *LAZY_COMMIT_OPTIONS):
        open_quads(store)
        assert read_store_content(store) == content


@pytest.mark.parametrize("seed", [f"seed {SEED}"])
@pytest.mark.parametrize("data", DATA_SHARES)
def test_no_write_is_lost_or_incomplete_after_a_power_failure(tmp_path: Path, data: str, seed: str) -> None:
    image, scenario = format_image(tmp_path / "0.disk"), Scenario(tmp_path / "scenario", data)
    for number in range(1, 1 + max(1, round(ROUND_COUNT * DATA_SHARES[data]) // KILLS_PER_POWER_FAILURE)):
        chance, remaining = random.Random(f"{seed} round {number}"), tmp_path / f"{number}.disk"
        with mount_image(image, scenario.folder, *LAZY_COMMIT_OPTIONS), run_scenario(scenario) as service:
            fail_power(scenario, service, chance, image, remaining)
        image.unlink()
        image = remaining
    with mount_image(image, scenario.folder, *LAZY_COMMIT_OPTIONS), run_scenario(scenario):
        assert any(writer.acknowledged for writer in scenario.writers)


def fail_power(
    scenario: Scenario, service: Service, chance: random.Random, image: Path, remaining: Path
) -> None:
    """Let clients write and read until the power of their disk fails; `remaining` becomes its image then."""
    has_failed = threading.Event()
    load = ConcurrentLoad(scenario.writers, service.url, has_failed.is_set)
    try:
        load.wait_for_writes(chance.randrange(1, 2 + scenario.max_writes // 5))
        time.sleep(chance.uniform(0, 0.02))  # so that it is not always just after a write
        service.halt()
        copy_image(image, remaining)
        has_failed.set()
        service.kill_halted()
    finally:
        load.end()
