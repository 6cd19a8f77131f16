"""The plot has a line for each figure."""

from pathlib import Path

import pytest

from tests.bench.soak.hour import make_hour_samples


def test_the_plot_has_all_figures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="The plots need the dependency group `bench`.")
    from bench.report import plots  # noqa: PLC0415
    from bench.soak import plot  # noqa: PLC0415

    samples = make_hour_samples(lambda _: {})
    plots.save_figure(plot.draw_services({"one": samples, "other": samples}), tmp_path / "a.svg")
    svg = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert all(f">{name}<" in svg for figures in plot.ROWS.values() for name in figures)
