"""In each round, a process of the service is killed at a random time while clients write and read.

`make crash` runs 200 rounds. The name of a failed round has the seed of all rounds: with CRASH_SEED=…, the
same processes are killed after the same numbers of writes, though the timing may differ.
"""

import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from wgig.store.backup.backup import list_backups

from .load import ConcurrentLoad
from .world import (
    DATA_SHARES,
    ENVIRONMENT,
    ROUND_COUNT,
    SEED,
    WGIG_COMMAND,
    Scenario,
    Service,
    check_backup,
    check_replay,
    run_scenario,
)

pytestmark = pytest.mark.long

MAX_START_SECONDS = 3  # CPU seconds of a service that was killed before, until it is ready

# Of the rounds, after which the whole log is replayed, which grows with each round: all of many rounds, and a
# tenth of the few of the test suite, to save time.
REPLAYED_SHARE = 1.0 if ROUND_COUNT >= 100 else 0.1

# The processes that rounds kill (types of `list_processes_by_type`); repetitions make one more likely.
FRONT_VICTIMS = () if os.environ.get("WGIG_WORKERS", "1") == "1" else ("writer", "writer", "front")
VICTIMS = (
    *("service", "service", "reader", "holder", "checker", "backup", "backup", "service during backup"),
    *FRONT_VICTIMS,
)


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scenario]:
    """The stores of all rounds: one without inference, and one with it."""
    return {data: Scenario(tmp_path_factory.mktemp("scenario"), data) for data in DATA_SHARES}


@pytest.mark.parametrize(
    ("data", "round_"),
    [
        (data, f"seed {SEED} round {number}")
        for data, share in DATA_SHARES.items()
        for number in range(round(ROUND_COUNT * share))
    ],
)
def test_no_write_is_lost_or_incomplete_after_a_kill(
    scenarios: dict[str, Scenario], data: str, round_: str, tmp_path: Path
) -> None:
    chance = random.Random(round_)
    with run_scenario(scenarios[data]) as service:
        run_round(scenarios[data], service, chance)
    if chance.random() < REPLAYED_SHARE:
        check_replay(scenarios[data].folder, data, tmp_path)


def run_round(scenario: Scenario, service: Service, chance: random.Random) -> None:
    """Let clients write and read, kill a process, and check the state of the store."""
    victim = chance.choice(VICTIMS)
    if victim == "checker":
        service.start_check_worker()
    killed: list[str] = []
    load = ConcurrentLoad(scenario.writers, service.url, lambda: bool(killed))
    try:
        load.wait_for_writes(chance.randrange(scenario.max_writes))
        if victim == "backup":
            with run_backup(scenario.folder, chance) as process:
                process.kill()
        elif victim == "service during backup":
            with run_backup(scenario.folder, chance):
                killed.append(victim)
                service.kill("service", chance)
        else:
            time.sleep(chance.uniform(0, 0.02))  # so that it is not always just after a write
            killed.append(victim)
            service.kill(victim, chance)
    finally:
        load.end()
    if "service" not in victim:  # otherwise the next round checks
        service.wait()
        service.start_check_worker()
        scenario.check_store(service.url)


@pytest.mark.parametrize("data", DATA_SHARES)
def test_the_store_is_correct_after_the_last_round(scenarios: dict[str, Scenario], data: str) -> None:
    with run_scenario(scenarios[data]):
        assert any(writer.acknowledged for writer in scenarios[data].writers)


@pytest.mark.skipif(ROUND_COUNT < 200, reason="The time of starts is checked by `make crash` only.")
@pytest.mark.parametrize("data", DATA_SHARES)
def test_a_service_that_was_killed_starts_within_the_limit(scenarios: dict[str, Scenario], data: str) -> None:
    _, *seconds = scenarios[data].start_seconds  # the first one was not killed
    assert max(seconds) <= MAX_START_SECONDS


@contextmanager
def run_backup(folder: Path, chance: random.Random) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a backup of the running service, and run the block after a random time.

    Then wait for the end of the backup, and check all backups: one more than before if it succeeded.
    """
    backups_folder = folder / "backups"
    before = list_backups(backups_folder)
    command = [*WGIG_COMMAND, "backup", str(backups_folder), "--store", str(folder / "store")]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0.2, 1.5))
        yield process
    backups = list_backups(backups_folder)
    assert len(backups) > len(before) or process.returncode
    for backup in backups:
        check_backup(backup)
