"""The plots of the page, as SVG; the same figures give the same bytes."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from ..compare.peers import OURS, OXIGRAPH
from ..serving.http import FIRST, REPEATED, Measured

# Text stays text, and no name in the file is drawn by lot.
mpl.rcParams.update({"svg.hashsalt": "wgig", "svg.fonttype": "none", "font.size": 9})
STAMP = {"Date": None, "Creator": None}
COLORS = {FIRST: "#1f6f8b", REPEATED: "#e0a030"}


def draw(folder: Path, found: Sequence[Measured]) -> None:
    """Write a plot for each size, and one of all sizes where there are several."""
    folder.mkdir(exist_ok=True)
    sizes = sorted({one.papers for one in found})
    for papers in sizes:
        save(ratios([one for one in found if one.papers == papers]), folder / f"answers-{papers}.svg")
    if len(sizes) > 1:
        save(by_size([one for one in found if one.way == FIRST]), folder / "answers-by-size.svg")


def ratios(found: Sequence[Measured]) -> Figure:
    """Bars: how many times as fast as the peer, by CPU, with a mark where the goal is."""
    questions = list(dict.fromkeys(one.question for one in found))
    figure = Figure(figsize=(8, 0.5 * len(questions) + 1.2), layout="constrained")
    axes = figure.subplots()
    for one in found:
        place = questions.index(one.question) + (0.2 if one.way == REPEATED else -0.2)
        if ratio := one.ratio(OURS, "cpu"):
            label = one.way if one.question == questions[0] else None
            axes.barh(place, ratio, 0.38, color=COLORS[one.way], label=label)
        if goal := one.goal(OURS):
            axes.plot([goal, goal], [place - 0.19, place + 0.19], color="black", linewidth=2)
    axes.axvline(1, color="gray", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(questions)), questions)
    axes.invert_yaxis()
    axes.set_xlabel(f"times as fast as {OXIGRAPH}, by CPU; black: the goal")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


def by_size(found: Sequence[Measured]) -> Figure:
    """A small plot for each question: the median time over the number of papers, of ours and of the peer."""
    questions = list(dict.fromkeys(one.question for one in found))
    figure = Figure(figsize=(10, 5), layout="constrained")
    for axes, question in zip(figure.subplots(2, -(-len(questions) // 2)).flat, questions, strict=False):
        same = [one for one in found if one.question == question]
        for name in (OURS, OXIGRAPH):
            points = [(one.papers, one.figures[name]["p50"] * 1000) for one in same if name in one.figures]
            axes.plot(*zip(*points, strict=True), marker="o", label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_title(question)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    figure.supxlabel("papers")
    figure.supylabel("ms, asked for the first time")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a plot, which says nothing of when and by what it was drawn."""
    figure.savefig(path, metadata=STAMP)
