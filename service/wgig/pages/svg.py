"""Pictures of boxes and lines, drawn by the template picture.html as SVG; a list beside says the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .rendering import drawn

WIDE, HIGH, GAP = 210, 30, 10  # of a box, and between two boxes, in units of the picture
NEAR = 8  # from a box to the label of its line
LETTERS, BOLD = 26, 22  # of a label in a box, beyond which it is cut, and of one in bold type
CURVE = 60  # of a line with a label, which is straight beside it


Drawn = tuple[str, str | None, str]  # label, path and kind of a box


class Box(NamedTuple):
    """A box with a label; a link where it has a path. `kind` is its class in the style sheet."""

    x: float
    y: float
    label: str
    path: str | None = None
    kind: str = ""
    width: float = WIDE

    @property
    def short(self) -> str:
        """The label as far as it fits."""
        return drawn(self.label, BOLD if self.kind == "self" else LETTERS)

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + HIGH / 2


class Line(NamedTuple):
    """A line by the commands of an SVG path, what it stands for, and its label with a place, if any.

    The label begins or ends at the place, as `side` says.
    """

    d: str
    says: str
    label: str = ""
    x: float = 0
    y: float = 0
    side: str = "start"


@dataclass
class Picture:
    """Boxes and lines."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def width(self) -> float:
        """How wide it is."""
        return max((one.x + one.width for one in self.boxes), default=0) + 1

    @property
    def height(self) -> float:
        """How high it is."""
        return max((one.y for one in self.boxes), default=0) + HIGH + 1

    def column(self, x: float, items: Sequence[Drawn], top: float = 1) -> list[Box]:
        """Boxes below one another, from label, path and kind of each; they are in the picture."""
        found = [
            Box(x, top + place * (HIGH + GAP), label, path, kind)
            for place, (label, path, kind) in enumerate(items)
        ]
        self.boxes += found
        return found

    def join(self, start: Box, end: Box, says: str, label: str = "", beside: Box | None = None) -> None:
        """Draw a line from the right of a box to the left of another; a label stands beside one of them."""
        x, y, is_left = start.x + start.width, start.middle, beside is start
        straight = max(0, end.x - x - CURVE) if label else 0
        begin, finish = (x + straight, end.x) if is_left else (x, end.x - straight)
        middle = (begin + finish) / 2
        curve = f"C{middle:g} {y:g} {middle:g} {end.middle:g} {finish:g} {end.middle:g}"
        d = f"M{x:g} {y:g}H{begin:g}{curve}H{end.x:g}"
        outer, place = (start, x + NEAR) if is_left else (end, end.x - NEAR)
        self.lines.append(Line(d, says, label, place, outer.middle - 4, "start" if is_left else "end"))
