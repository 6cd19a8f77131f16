"""A short time at steady load goes through."""

import json
from pathlib import Path

import pytest

from bench.soak import __main__ as soak


@pytest.mark.long
def test_a_short_one_goes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "draw", lambda *_: None)
    out = tmp_path / "soak.json"
    soak.main(["--warm", "1", "--seconds", "4", "--every", "1", "--rate", "12", "--out", str(out)])
    found = json.loads(out.read_text(encoding="utf-8"))
    grows = [one for one in found["faults"] if " grew from " in one]  # it is not warm yet
    assert found["faults"] == grows
    for name in (soak.EMBEDDED, soak.SHARED):
        assert len(found[name]["samples"]) == 4
        assert found[name]["samples"][-1]["quads"] > 40_000
