"""The plots of the page about serving, as SVG; the same figures give the same bytes."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ..compare.peers import OURS, OXIGRAPH
from ..serving.http import FIRST, REPEATED, QueryMeasurement

# In the SVG, text remains text instead of outlines, and ids do not change from run to run.
mpl.rcParams.update({"svg.hashsalt": "wgig", "svg.fonttype": "none", "font.size": 9})
NO_METADATA = {"Date": None, "Creator": None}
COLORS = {FIRST: "#1f6f8b", REPEATED: "#e0a030"}


def write_plots(folder: Path, measurements: Sequence[QueryMeasurement]) -> None:
    """Write a plot for each size, and one of all sizes if there are several."""
    folder.mkdir(exist_ok=True)
    sizes = sorted({measurement.papers for measurement in measurements})
    for papers in sizes:
        same_size = [measurement for measurement in measurements if measurement.papers == papers]
        save_figure(draw_ratios(same_size), folder / f"answers-{papers}.svg")
    if len(sizes) > 1:
        first = [measurement for measurement in measurements if measurement.way == FIRST]
        save_figure(draw_times_by_size(first), folder / "answers-by-size.svg")


def draw_ratios(measurements: Sequence[QueryMeasurement]) -> Figure:
    """Bars of the speed of ours relative to `oxigraph serve`, by CPU, with a mark at each goal."""
    questions = list(dict.fromkeys(measurement.question for measurement in measurements))
    figure = Figure(figsize=(8, 0.5 * len(questions) + 1.2), layout="constrained")
    axes = figure.subplots()
    for measurement in measurements:
        y = questions.index(measurement.question) + (0.2 if measurement.way == REPEATED else -0.2)
        if ratio := measurement.ratio(OURS, "cpu"):
            label = measurement.way if measurement.question == questions[0] else None
            axes.barh(y, ratio, 0.38, color=COLORS[measurement.way], label=label)
        if goal := measurement.goal(OURS):
            axes.plot([goal, goal], [y - 0.19, y + 0.19], color="black", linewidth=2)
    axes.axvline(1, color="gray", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(questions)), questions)
    axes.invert_yaxis()
    axes.set_xlabel(f"times as fast as {OXIGRAPH}, by CPU; black: the goal")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def draw_times_by_size(measurements: Sequence[QueryMeasurement]) -> Figure:
    """A plot for each query: the median time of ours and of `oxigraph serve` by the number of papers."""
    questions = list(dict.fromkeys(measurement.question for measurement in measurements))
    figure = Figure(figsize=(10, 5), layout="constrained")
    all_axes = figure.subplots(2, -(-len(questions) // 2)).flat  # half of the questions in a row, rounded up
    for axes, question in zip(all_axes, questions, strict=False):
        same_query = [measurement for measurement in measurements if measurement.question == question]
        for name in (OURS, OXIGRAPH):
            points = [
                (measurement.papers, measurement.figures[name]["p50"] * 1000)
                for measurement in same_query
                if name in measurement.figures
            ]
            axes.plot(*zip(*points, strict=True), marker="o", label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_title(question)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    figure.supxlabel("papers")
    figure.supylabel("ms, first request")
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a plot, without the date and the program that drew it."""
    figure.savefig(path, metadata=NO_METADATA)
