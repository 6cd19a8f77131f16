"""Pictures of boxes and lines, drawn by the template picture.html as SVG; a list beside says the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .rendering import truncate_to_letters

# Of a box, and between two boxes, in units of the picture.
BOX_WIDTH_PX, BOX_HEIGHT_PX, BOX_GAP_PX = 210, 30, 10
LABEL_GAP_PX = 8  # from a box to the label of its line
# Of a label in a box, beyond which it is cut, and of one in bold type.
MAX_BOX_LABEL_LETTERS, MAX_BOLD_BOX_LETTERS = 26, 22
CURVE_WIDTH_PX = 60  # of a line with a label, which is straight beside it


BoxItem = tuple[str, str | None, str]  # label, path and kind of a box


class PictureBox(NamedTuple):
    """A box with a label; a link where it has a path. `kind` is its class in the style sheet."""

    x: float
    y: float
    label: str
    path: str | None = None
    kind: str = ""
    width: float = BOX_WIDTH_PX

    @property
    def short_label(self) -> str:
        """The label as far as it fits."""
        return truncate_to_letters(
            self.label, MAX_BOLD_BOX_LETTERS if self.kind == "self" else MAX_BOX_LABEL_LETTERS
        )

    @property
    def middle_y(self) -> float:
        """The height of its middle."""
        return self.y + BOX_HEIGHT_PX / 2


class PictureLine(NamedTuple):
    """A line by the commands of an SVG path, what it stands for, and its label with a place, if any.

    The label begins or ends at the place, as `side` says.
    """

    d: str
    description: str
    label: str = ""
    x: float = 0
    y: float = 0
    side: str = "start"


@dataclass
class Picture:
    """Boxes and lines."""

    boxes: list[PictureBox] = field(default_factory=list)
    lines: list[PictureLine] = field(default_factory=list)

    @property
    def width(self) -> float:
        """How wide it is."""
        return max((one.x + one.width for one in self.boxes), default=0) + 1

    @property
    def height(self) -> float:
        """How high it is."""
        return max((one.y for one in self.boxes), default=0) + BOX_HEIGHT_PX + 1

    def add_column(self, x: float, items: Sequence[BoxItem], top: float = 1) -> list[PictureBox]:
        """Boxes below one another, from label, path and kind of each; they are in the picture."""
        found = [
            PictureBox(x, top + place * (BOX_HEIGHT_PX + BOX_GAP_PX), label, path, kind)
            for place, (label, path, kind) in enumerate(items)
        ]
        self.boxes += found
        return found

    def add_line(
        self, start: PictureBox, end: PictureBox, says: str, label: str = "", beside: PictureBox | None = None
    ) -> None:
        """Draw a line from the right of a box to the left of another; a label stands beside one of them."""
        x, y, is_left = start.x + start.width, start.middle_y, beside is start
        straight = max(0, end.x - x - CURVE_WIDTH_PX) if label else 0
        begin, finish = (x + straight, end.x) if is_left else (x, end.x - straight)
        middle = (begin + finish) / 2
        curve = f"C{middle:g} {y:g} {middle:g} {end.middle_y:g} {finish:g} {end.middle_y:g}"
        d = f"M{x:g} {y:g}H{begin:g}{curve}H{end.x:g}"
        outer, place = (start, x + LABEL_GAP_PX) if is_left else (end, end.x - LABEL_GAP_PX)
        self.lines.append(
            PictureLine(d, says, label, place, outer.middle_y - 4, "start" if is_left else "end")
        )
