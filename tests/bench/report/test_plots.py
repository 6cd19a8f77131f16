"""The same figures give the same plots."""

from pathlib import Path

import pytest

from bench.serving.http import FIRST, REPEATED
from tests.bench.measurements import measured


def test_the_same_figures_give_the_same_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="The plots need the dependency group `bench`.")
    from bench.report import plots  # noqa: PLC0415

    figures = {"p50": 0.1, "cpu": 0.2}
    found = [measured(way, figures, figures) for way in (FIRST, REPEATED)]
    for folder in (tmp_path / "one", tmp_path / "two"):
        plots.draw(folder, found)
    one, two = ((tmp_path / name / "answers-1000.svg").read_bytes() for name in ("one", "two"))
    assert one == two
    assert b"coverage matrix" in one
