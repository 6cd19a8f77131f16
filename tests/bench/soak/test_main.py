"""A short soak run finishes without faults."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bench.soak import __main__ as soak
from tests.fixtures.processes import copy_filled_store


@pytest.mark.long
def test_a_short_run_finishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "write_plot", lambda *_: None)
    run_service = soak.run_service

    def run_filled_service(
        name: str, scratch: Path, settings: Mapping[str, str]
    ) -> AbstractContextManager[soak.SoakService]:
        if name == soak.EMBEDDED:
            copy_filled_store(scratch / name)
        return run_service(name, scratch, settings)

    monkeypatch.setattr(soak, "run_service", run_filled_service)
    out = tmp_path / "soak.json"
    soak.main(["--warm", "1", "--seconds", "4", "--every", "1", "--rate", "12", "--out", str(out)])
    results = json.loads(out.read_text(encoding="utf-8"))
    # Growth is the only fault, as the service is not warm yet.
    assert all(" grew from " in fault for fault in results["faults"])
    for name in (soak.EMBEDDED, soak.SHARED):
        assert len(results[name]["samples"]) == 4
        assert results[name]["samples"][-1]["quads"] > 40_000  # the shipped data
