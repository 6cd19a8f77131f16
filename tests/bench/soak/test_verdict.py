"""What must not grow or be left behind is noticed."""

from pathlib import Path
from typing import Any

import pytest
from wgig.settings import QUAD_MEMORY_BYTES

from bench.soak import verdict
from bench.soak.samples import READERS, SERVICE, kind
from tests.bench.soak.hour import Change, an_hour


def test_what_stays_as_it_is_has_not_grown() -> None:
    assert not [*verdict.grown(an_hour(lambda _: {}))]


def test_what_grows_while_it_warms_up_has_not_grown() -> None:
    assert not [*verdict.grown(an_hour(lambda number: {"resident": min(number, 15) * 10_000_000}))]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda number: {"memory": {SERVICE: 100_000_000 + number * 500_000}}, "memory of all processes"),
        (lambda number: {"resident": 90_000_000 + number * 500_000}, "memory of the process"),
        (lambda number: {"processes": 8 + number // 5}, "processes"),
        (lambda number: {"threads": 30 + number // 4}, "threads"),
        (lambda number: {"descriptors": {"socket": 20 + number // 4}}, "open files"),
        (lambda number: {"temporary": (number // 10, 0)}, "temporary files"),
    ],
)
def test_what_grows_is_told(change: Change, said: str) -> None:
    (found,) = verdict.grown(an_hour(change))
    assert found.startswith(said)


def test_files_of_the_engine_come_and_go() -> None:
    assert not [*verdict.grown(an_hour(lambda number: {"descriptors": {"engine": number}}))]
    assert kind("/store/quads/000015.sst") == kind("/store/aside/readers/1/000015.sst") == "engine"
    assert kind("socket:[12]") == "socket"
    assert kind("/store/aside/changes.sqlite") == "other"


def test_quads_that_are_written_take_their_memory_in_the_readers() -> None:
    def grows(number: int) -> dict[str, Any]:
        return {"quads": number * 1000, "memory": {READERS: 100_000_000 + number * 1000 * QUAD_MEMORY_BYTES}}

    assert not [*verdict.grown(an_hour(grows))]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for name in (
        "store/quads",
        "store/versions",
        "store/aside/readers",
        "store/aside/dumps/one",
        "temporary",
    ):
        (tmp_path / name).mkdir(parents=True)
    for name in ("quads/CURRENT", "aside/control", "aside/changes.sqlite", "aside/dumps/one/nq.gz"):
        (tmp_path / "store" / name).touch()
    return tmp_path / "store"


def test_what_a_store_keeps_is_not_left_behind(store: Path) -> None:
    assert not [*verdict.left([], store, store.parent / "temporary")]


@pytest.mark.parametrize(
    "name",
    [
        *("temporary/wgig-x/y", "store/aside/described/CURRENT", "store/aside/readers/1/CURRENT"),
        *("store/aside/dumps/new/nq.zst", "store/aside/dumps/copy/CURRENT", "store/versions/x.partial"),
    ],
)
def test_a_file_that_is_left_is_told(store: Path, name: str) -> None:
    (store.parent / name).parent.mkdir(parents=True, exist_ok=True)
    (store.parent / name).touch()
    assert len([*verdict.left([], store, store.parent / "temporary")]) == 1
