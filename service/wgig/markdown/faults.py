"""What is said of a place in a paper that cannot be read."""

from ..lines import Lines
from ..problems import Problem


def fault(text: str, at: int, cause: str, mend: str) -> Problem:
    """The 400 that says what is wrong at an offset of the text, and how to mend it.

    Line and column are members of it, and so is an excerpt unless the line is blank.
    """
    lines = Lines(text)
    place = lines.place(at)
    shown = {"excerpt": lines.excerpt(place)} if lines.line(place.line).strip() else {}
    return Problem(400, f"{cause} {mend}", slug="syntax", **place._asdict(), **shown, suggestion=mend)
