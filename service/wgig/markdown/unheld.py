"""What Markdown cannot hold of a paper: the statements, or those whose text is not read as text."""

from collections.abc import Iterable, Sequence

import pyoxigraph as ox

from ..lines import Lines
from ..problems import Problem
from .outline import outline

MARKS = "#*- \t"  # what a line may begin or end with by being written


class UnheldError(ValueError):
    """Why a paper cannot be written, with the statements to blame; none where that cannot be told."""

    def __init__(self, message: str, statements: Sequence[ox.Triple]) -> None:
        """Take what is said, and the statements."""
        super().__init__(message)
        self.statements = statements


def suspects(triples: Iterable[ox.Triple], written: str, problem: Problem) -> list[ox.Triple]:
    """The statements whose texts are why what was written cannot be read.

    Those are to blame that are no plain text by themselves; else those with the line of the problem.
    """
    texts = [(one, one.object.value) for one in triples if isinstance(one.object, ox.Literal)]
    line = bare(Lines(written).line(problem.members["line"]))
    outlines = [one for one, words in texts if is_outline(words)]
    return outlines or [one for one, words in texts if line and line in map(bare, words.splitlines())]


def is_outline(words: str) -> bool:
    """Whether a text has headings, or a comment without end."""
    try:
        return bool(outline(words, 0).children)
    except Problem:
        return True


def bare(line: str) -> str:
    """A line without the marks of a heading or list."""
    return line.strip(MARKS)
