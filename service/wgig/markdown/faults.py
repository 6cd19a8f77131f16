"""What is said of a place in a paper that cannot be read."""

from typing import Any

from ..lines import Lines
from ..problems import Problem


def fault(text: str, at: int, cause: str, mend: str) -> Problem:
    """The 400 that says what is wrong at an offset of the text, and how to mend it.

    Line and column are members of it, and so is an excerpt unless the line is blank.
    """
    lines = Lines(text)
    place = lines.place(at)
    members: dict[str, Any] = {**place._asdict(), "suggestion": mend}
    if lines.line(place.line).strip():
        members["excerpt"] = lines.excerpt(place)
    return Problem(400, f"{cause} {mend}", slug="syntax", **members)
