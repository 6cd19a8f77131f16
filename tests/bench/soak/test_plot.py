"""The plot has a line for each figure."""

from pathlib import Path

import pytest

from tests.bench.soak.hour import an_hour


def test_a_plot_has_all_lines(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="The plots need the dependency group `bench`.")
    from bench.report import plots  # noqa: PLC0415
    from bench.soak import plot  # noqa: PLC0415

    plots.save(
        plot.figure({"one": an_hour(lambda _: {}), "other": an_hour(lambda _: {})}), tmp_path / "a.svg"
    )
    drawn = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(f">{line}<" in drawn for lines in plot.ROWS.values() for line in lines)
