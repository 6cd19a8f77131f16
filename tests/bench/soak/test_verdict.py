"""Growth of figures during an hour, and files that a stopped service has left, are found."""

from pathlib import Path
from typing import Any

import pytest
from wgig.settings import QUAD_MEMORY_BYTES

from bench.soak import verdict
from bench.soak.samples import READERS, SERVICE, classify_open_file
from tests.bench.soak.hour import SampleChange, make_hour_samples


def test_constant_figures_are_no_growth() -> None:
    assert not list_growth(lambda _: {})


def test_growth_during_the_warm_up_is_tolerated() -> None:
    assert not list_growth(lambda number: {"resident": min(number, 15) * 10_000_000})


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda number: {"memory": {SERVICE: 100_000_000 + number * 500_000}}, "memory of all processes"),
        (lambda number: {"resident": 90_000_000 + number * 500_000}, "memory of the service process"),
        (lambda number: {"processes": 8 + number // 5}, "processes"),
        (lambda number: {"threads": 30 + number // 4}, "threads"),
        (lambda number: {"descriptors": {"socket": 20 + number // 4}}, "open files"),
        (lambda number: {"temporary": (number // 10, 0)}, "temporary files"),
    ],
)
def test_growth_is_found(change: SampleChange, name: str) -> None:
    (sentence,) = list_growth(change)
    assert sentence.startswith(name)


def test_open_files_of_the_engine_may_grow() -> None:
    assert not list_growth(lambda number: {"descriptors": {"engine": number}})


def test_open_files_are_classified_by_their_path() -> None:
    for path in ("/store/quads/000015.sst", "/store/aside/readers/1/000015.sst"):
        assert classify_open_file(path) == "engine"
    assert classify_open_file("socket:[12]") == "socket"
    assert classify_open_file("/store/aside/changes.sqlite") == "other"


def test_the_memory_of_new_quads_in_query_workers_is_tolerated() -> None:
    def add_quads(number: int) -> dict[str, Any]:
        return {"quads": number * 1000, "memory": {READERS: 100_000_000 + number * 1000 * QUAD_MEMORY_BYTES}}

    assert not list_growth(add_quads)


def list_growth(change: SampleChange) -> list[str]:
    return list(verdict.find_growth(make_hour_samples(change)))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder with the usual files of a stopped service."""
    for name in (
        "store/quads",
        "store/aside/readers",
        "store/aside/dumps/one",
        "temporary",
    ):
        (tmp_path / name).mkdir(parents=True)
    for name in ("quads/CURRENT", "aside/control", "aside/changes.sqlite", "aside/dumps/one/nq.gz"):
        (tmp_path / "store" / name).touch()
    return tmp_path / "store"


def test_the_usual_files_of_a_store_are_no_leftovers(store: Path) -> None:
    assert not list(verdict.find_leftovers([], store, store.parent / "temporary"))


@pytest.mark.parametrize(
    "name",
    [
        *("temporary/wgig-x/y", "store/aside/described/CURRENT", "store/aside/readers/1/CURRENT"),
        *("store/aside/dumps/new/nq.zst", "store/aside/dumps/copy/CURRENT", "store/layout.partial"),
    ],
)
def test_a_file_that_is_left_is_found(store: Path, name: str) -> None:
    (store.parent / name).parent.mkdir(parents=True, exist_ok=True)
    (store.parent / name).touch()
    assert len(list(verdict.find_leftovers([], store, store.parent / "temporary"))) == 1
