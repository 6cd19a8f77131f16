"""The same figures give the same plots."""

from pathlib import Path

import pytest

from bench.serving.http import FIRST, REPEATED
from tests.bench.measurements import make_measurement


def test_the_same_figures_give_the_same_plots(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="The plots need the dependency group `bench`.")
    from bench.report import plots  # noqa: PLC0415

    figures = {"p50": 0.1, "cpu": 0.2}
    measurements = [make_measurement(way, figures, figures) for way in (FIRST, REPEATED)]
    folders = (tmp_path / "one", tmp_path / "two")
    for folder in folders:
        plots.write_plots(folder, measurements)
    # The plot for 1000 papers.
    first, second = ((folder / "answers-1000.svg").read_bytes() for folder in folders)
    assert first == second
    assert b"coverage matrix" in first
