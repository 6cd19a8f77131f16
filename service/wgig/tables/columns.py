"""The tables: one query a file, whose first comment lines say what it is and what each column holds."""

import re
from dataclasses import dataclass
from functools import cache

from ..problems import Problem
from ..settings import SHIPPED

FOLDER = SHIPPED / "data" / "tables"
HEADER = re.compile(r"^# (title|description): (.+)$", re.MULTILINE)
COLUMN = re.compile(r"^# column (\w+): (\w+)( list)? (.+)$", re.MULTILINE)
SEPARATOR = "|"  # between the values of a cell that holds several


@dataclass(frozen=True)
class Column:
    """A column: its name, the datatype of its values, whether a cell holds a list of them, and what they are.

    The first column of a table names the thing that a row is about.
    """

    name: str
    datatype: str
    is_list: bool
    description: str


@dataclass(frozen=True)
class Table:
    """A table: its name (the file's), a title, a description, its columns, and the SPARQL text."""

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]
    text: str


@cache
def tables() -> dict[str, Table]:
    """All tables by name."""
    found = {}
    for path in sorted(FOLDER.glob("*.rq")):
        text = path.read_text("utf-8")
        header = dict(HEADER.findall(text))
        columns = (Column(name, kind, bool(many), said) for name, kind, many, said in COLUMN.findall(text))
        found[path.stem] = Table(path.stem, header["title"], header["description"], tuple(columns), text)
    return found


def table(name: str) -> Table:
    """The table of this name. Raises Problem 404."""
    if name not in tables():
        raise Problem(404, f"There is no table {name!r}. There are: {', '.join(tables())}.")
    return tables()[name]
