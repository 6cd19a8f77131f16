"""Languages and kinds to which a search is narrowed: those alone that something in the index has."""

from ..problems import Problem
from .file import distinct
from .keeping import Index

ANY = ("", "*")  # languages that mean every one


def language(index: Index, value: str) -> str:
    """A language that is asked for, empty for any. Raises Problem 400 where nothing is in it."""
    return "" if value in ANY else had(index, "language", value)


def kind(index: Index, value: str) -> str:
    """A kind that is asked for, empty for any. Raises Problem 400 where nothing is of it."""
    return had(index, "kind", value) if value else ""


def had(index: Index, column: str, value: str) -> str:
    """A value of a column, in lower case. Raises Problem 400 where nothing has it."""
    wanted = value.lower()
    there = [one for one in index.ask(distinct, column) if one]
    if not any(one == wanted or one.startswith(f"{wanted}-") for one in there):
        raise Problem(400, f"Nothing has the {column} {value!r}. There are: {', '.join(there)}.")
    return wanted
