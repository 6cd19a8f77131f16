"""Round after round, one process of the service is killed at a random moment while clients write and read.

`make crash` goes through 200 rounds. A round that fails is named with the seed of all: CRASH_SEED=… has the
same victims killed after as many writes, though the system may do other things meanwhile.
"""

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from wgig.store.backup.backup import list_backups

from .load import Load
from .world import DATA, ENVIRONMENT, ROUNDS, SEED, WGIG, Service, World, check_whole, serving

pytestmark = pytest.mark.long

READY = 3  # seconds from the start of a service that was killed to its first answer, on a machine of its own

# Whom a round kills, as often as it is named here.
VICTIMS = ("service", "service", "reader", "holder", "checker", "backup", "backup", "service at backup")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    """The worlds of all rounds: one without inference, and one with it."""
    return {data: World(tmp_path_factory.mktemp("world"), data) for data in DATA}


@pytest.mark.parametrize(
    ("data", "round_"),
    [
        (data, f"seed {SEED} round {number}")
        for data, share in DATA.items()
        for number in range(round(ROUNDS * share))
    ],
)
def test_nothing_is_lost_or_halved_by_a_kill(worlds: dict[str, World], data: str, round_: str) -> None:
    with serving(worlds[data]) as service:
        go_round(worlds[data], service, random.Random(round_))


def go_round(world: World, service: Service, chance: random.Random) -> None:
    """Let all write and read, kill somebody, and look what is there then."""
    victim = chance.choice(VICTIMS)
    if victim == "checker":
        service.check()
    killed: list[str] = []
    load = Load(world.writers, service.url, lambda: bool(killed))
    try:
        load.wait(chance.randrange(world.most))
        if victim == "backup":
            with backing_up(world.folder, chance) as process:
                process.kill()
        elif victim == "service at backup":
            with backing_up(world.folder, chance):
                killed.append(victim)
                service.kill("service", chance)
        else:
            time.sleep(chance.uniform(0, 0.02))  # so that it is not always just after a write
            killed.append(victim)
            service.kill(victim, chance)
    finally:
        load.end()
    if "service" not in victim:  # one that was killed is asked by the next round
        service.wait()
        service.check()
        world.settle(service.url)


@pytest.mark.parametrize("data", DATA)
def test_all_is_there_after_the_last_round(worlds: dict[str, World], data: str) -> None:
    with serving(worlds[data]):
        assert any(one.acknowledged for one in worlds[data].writers)


@pytest.mark.skipif(
    ROUNDS < 200, reason="Starts are held against the clock by `make crash`, on a machine of its own."
)
@pytest.mark.parametrize("data", DATA)
def test_a_service_that_was_killed_is_ready_again_soon(worlds: dict[str, World], data: str) -> None:
    _, *seconds = worlds[data].seconds  # the first one was not killed
    assert max(seconds) <= READY


@contextmanager
def backing_up(folder: Path, chance: random.Random) -> Iterator["subprocess.Popen[bytes]"]:
    """Begin a backup of the service at work, and wait for some moment of it; what is a backup then is whole.

    It has come to its end afterwards, and there is one more backup if it says so.
    """
    place = folder / "backups"
    before = list_backups(place)
    command = [*WGIG, "backup", str(place), "--store", str(folder / "store")]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.2, 1.5))
        yield process
    found = list_backups(place)
    assert len(found) > len(before) or process.returncode
    for one in found:
        check_whole(one)
