"""What the columns of a table hold, as CSV on the Web says it (https://www.w3.org/TR/tabular-metadata/)."""

from collections.abc import Iterable

from .columns import SEPARATOR, Column, Table

CONTEXT = ["http://www.w3.org/ns/csvw", {"@language": "en"}]
LICENSE = "https://creativecommons.org/licenses/by/4.0/"

Members = dict[str, object]


def metadata(table: Table) -> Members:
    """The metadata of one table, which lies beside it."""
    return {"@context": CONTEXT, **described(table)}


def group(tables: Iterable[Table]) -> Members:
    """The metadata of all tables, which lie in one folder."""
    return {"@context": CONTEXT, "tables": [described(one) for one in tables]}


def described(table: Table) -> Members:
    """A table with its columns."""
    key = table.columns[0].name
    return {
        "url": f"{table.name}.csv",
        "dc:title": table.title,
        "dc:description": table.description,
        "dc:license": {"@id": LICENSE},
        "tableSchema": {
            "columns": [column(one, is_key=one.name == key) for one in table.columns],
            "primaryKey": key,
            "aboutUrl": f"{{+{key}}}",
        },
    }


def column(one: Column, *, is_key: bool) -> Members:
    """A column."""
    said: Members = {
        "name": one.name,
        "titles": one.name,
        "dc:description": one.description,
        "datatype": one.datatype,
    }
    if one.is_list:
        said["separator"] = SEPARATOR
    if is_key:
        said["required"] = True
    return said
