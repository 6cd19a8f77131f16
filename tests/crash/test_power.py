"""When the power fails, all that was acknowledged is on the disk, and nothing is there by halves."""

import random
import time
from pathlib import Path

import pytest
from wgig.cli.main import main
from wgig.store.backup.backup import list_backups
from wgig.store.backup.manifest import read_store_content
from wgig.store.folder import open_quads
from wgig.store.store import Store

from .disks import LAZY, copy, formatted, mounted
from .load import Load, client_of
from .world import DATA, ROUNDS, SEED, Service, World, check_whole, serving

pytestmark = pytest.mark.long

SHARE = 5  # there is one of these rounds for so many in which somebody is killed


def test_a_write_is_on_the_disk_when_it_is_acknowledged(tmp_path: Path) -> None:
    image, left = formatted(tmp_path / "disk"), tmp_path / "left"
    world = World(tmp_path / "world", "none")
    with mounted(image, world.folder, *LAZY), serving(world) as service:
        with client_of(service.url) as client:
            for one in world.writers:
                one.write(client)
        service.halt()
        copy(image, left)
    with mounted(left, world.folder, *LAZY), serving(world):
        assert all(one.acknowledged for one in world.writers)


def test_a_backup_and_a_restore_are_on_the_disk_when_they_are_done(tmp_path: Path) -> None:
    image, folder = formatted(tmp_path / "disk"), tmp_path / "mounted"
    store, saved = folder / "store", folder / "backups"
    with mounted(image, folder, *LAZY):
        Store.open(store).update("INSERT DATA { <urn:old> <urn:p> 1 }")
        assert main(["backup", str(saved), "--store", str(store)]) == 0
        copy(image, tmp_path / "saved")
        Store.open(store).update("INSERT DATA { <urn:new> <urn:p> 1 }")
        assert main(["restore", str(saved), "--store", str(store)]) == 0
        copy(image, tmp_path / "restored")
    with mounted(tmp_path / "saved", folder, *LAZY):
        (backup,) = list_backups(saved)
        holds = check_whole(backup)
    with mounted(tmp_path / "restored", folder, *LAZY):
        open_quads(store)
        assert read_store_content(store) == holds


@pytest.mark.parametrize("seed", [f"seed {SEED}"])
@pytest.mark.parametrize("data", DATA)
def test_nothing_is_lost_or_halved_when_the_power_fails(tmp_path: Path, data: str, seed: str) -> None:
    image, world = formatted(tmp_path / "0.disk"), World(tmp_path / "world", data)
    for number in range(1, 1 + max(1, round(ROUNDS * DATA[data]) // SHARE)):
        chance, left = random.Random(f"{seed} round {number}"), tmp_path / f"{number}.disk"
        with mounted(image, world.folder, *LAZY), serving(world) as service:
            power_fails(world, service, chance, image, left)
        image.unlink()
        image = left
    with mounted(image, world.folder, *LAZY), serving(world):
        assert any(one.acknowledged for one in world.writers)


def power_fails(world: World, service: Service, chance: random.Random, image: Path, left: Path) -> None:
    """Let all write and read until the power of their disk fails; another one is what is left of it."""
    failed: list[bool] = []
    load = Load(world.writers, service.url, lambda: bool(failed))
    try:
        load.wait(chance.randrange(1, 2 + world.most // 5))
        time.sleep(chance.uniform(0, 0.02))  # so that it is not always just after a write
        service.halt()
        copy(image, left)
        failed.append(True)
        service.process.kill()
    finally:
        load.end()
