"""A short soak run finishes without faults."""

import json
from pathlib import Path

import pytest

from bench.soak import __main__ as soak


@pytest.mark.long
def test_a_short_run_finishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "write_plot", lambda *_: None)
    out = tmp_path / "soak.json"
    soak.main(["--warm", "1", "--seconds", "4", "--every", "1", "--rate", "12", "--out", str(out)])
    results = json.loads(out.read_text(encoding="utf-8"))
    # Growth is the only fault, as the service is not warm yet.
    assert all(" grew from " in fault for fault in results["faults"])
    for name in (soak.EMBEDDED, soak.SHARED):
        assert len(results[name]["samples"]) == 4
        assert results[name]["samples"][-1]["quads"] > 40_000  # the shipped data
