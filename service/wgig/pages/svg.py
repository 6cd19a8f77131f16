"""Diagrams of boxes and lines, which picture.html renders as SVG; their pages have the same data as text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .rendering import truncate_to_letters

# The size of a box, and the gap between two boxes of a column.
BOX_WIDTH_PX, BOX_HEIGHT_PX, BOX_GAP_PX = 210, 30, 10
LABEL_GAP_PX, LABEL_RISE_PX = 8, 4  # from the label of a line to the box, and down to the line
# Longer labels of boxes are cut; bold letters are wider, so that fewer fit.
MAX_BOX_LABEL_LETTERS, MAX_BOLD_BOX_LETTERS = 26, 22
CURVE_WIDTH_PX = 60  # of the curve in a line with a label; below the label, the line is straight


BoxItem = tuple[str, str | None, str]  # label, path and kind of a box


class PictureBox(NamedTuple):
    """A box with a label, which is a link if `path` is given. `kind` is the CSS class of the box.

    The box with the kind `self` is that of the described resource; its label is bold.
    """

    x: float
    y: float
    label: str
    path: str | None = None
    kind: str = ""
    width: float = BOX_WIDTH_PX

    @property
    def short_label(self) -> str:
        """The label, cut to the width of the box."""
        return truncate_to_letters(
            self.label, MAX_BOLD_BOX_LETTERS if self.kind == "self" else MAX_BOX_LABEL_LETTERS
        )

    @property
    def middle_y(self) -> float:
        """The y coordinate of the middle."""
        return self.y + BOX_HEIGHT_PX / 2


class PictureLine(NamedTuple):
    """A line: the commands `d` of an SVG path, a description, and a label, if any, at the point (x, y).

    `side` is the `text-anchor` of the label: `start` or `end`, the end of the label that is at the point.
    """

    d: str
    description: str
    label: str = ""
    x: float = 0
    y: float = 0
    side: str = "start"


@dataclass
class Picture:
    """A diagram of boxes and lines."""

    boxes: list[PictureBox] = field(default_factory=list)
    lines: list[PictureLine] = field(default_factory=list)

    @property
    def width(self) -> float:
        """The width of the diagram."""
        return max((box.x + box.width for box in self.boxes), default=0) + 1

    @property
    def height(self) -> float:
        """The height of the diagram."""
        return max((box.y for box in self.boxes), default=0) + BOX_HEIGHT_PX + 1

    def add_column(self, x: float, items: Sequence[BoxItem], top: float = 1) -> list[PictureBox]:
        """Add a column of boxes at `x`, one for each item, and return them."""
        boxes = [
            PictureBox(x, top + index * (BOX_HEIGHT_PX + BOX_GAP_PX), label, path, kind)
            for index, (label, path, kind) in enumerate(items)
        ]
        self.boxes += boxes
        return boxes

    def add_line(
        self,
        start: PictureBox,
        end: PictureBox,
        description: str,
        label: str = "",
        label_box: PictureBox | None = None,
    ) -> None:
        """Add a line from the right of `start` to the left of `end`, with a label next to `label_box`."""
        x, y, is_left = start.x + start.width, start.middle_y, label_box is start
        straight_px = max(0, end.x - x - CURVE_WIDTH_PX) if label else 0
        curve_start, curve_end = (x + straight_px, end.x) if is_left else (x, end.x - straight_px)
        middle = (curve_start + curve_end) / 2
        curve = f"C{middle:g} {y:g} {middle:g} {end.middle_y:g} {curve_end:g} {end.middle_y:g}"
        d = f"M{x:g} {y:g}H{curve_start:g}{curve}H{end.x:g}"
        box, label_x = (start, x + LABEL_GAP_PX) if is_left else (end, end.x - LABEL_GAP_PX)
        self.lines.append(
            PictureLine(
                d, description, label, label_x, box.middle_y - LABEL_RISE_PX, "start" if is_left else "end"
            )
        )
