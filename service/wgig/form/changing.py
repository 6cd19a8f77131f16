"""Parts and values of a form, added and removed by its buttons; and what an opened form begins with."""

from ..markdown.values import NAMES
from ..problems import Problem
from .filled import Filled, Row, Value
from .layout import ASSESSMENT, DRAFTER, FORUM, MAIN, MECHANISM, MOST, PARTS, SWOT, Part
from .sent import NAME, ROW, place
from .source import Source, criteria

BEGUN = (DRAFTER, SWOT, MAIN, FORUM, MECHANISM)  # of which an opened form shows one, be it empty


def begun(source: Source) -> Filled:
    """The form as it is opened: with an empty part where the template asks for one and there is none."""
    filled = source.filled
    for part in BEGUN:
        if not filled.rows[part.key]:
            filled = with_row(filled, part, Row(1, {}))
    judged = {one.words("criterion") for one in filled.rows[ASSESSMENT.key]}
    for iri in criteria():
        criterion = iri.removeprefix(NAMES["principle"])
        if criterion not in judged:
            number = len(filled.rows[ASSESSMENT.key]) + 1
            filled = with_row(filled, ASSESSMENT, Row(number, {"criterion": [Value(1, criterion)]}))
    return filled


def with_row(filled: Filled, part: Part, new: Row) -> Filled:
    """The form with one more part."""
    return Filled(filled.name, filled.rows | {part.key: [*filled.rows[part.key], new]})


def added(filled: Filled, what: str, source: Source) -> tuple[Filled, str]:
    """The form with one more part or value, and the name of what was added.

    The number of a new part is one that none had when the form was opened. Raises Problem 400 for what cannot
    be added, 413 where there are too many.
    """
    if what in PARTS and what and PARTS[what].several:
        there = filled.rows[what]
        enough(len(there))
        number = max([len(source.nodes[what]), *(one.number for one in there)]) + 1
        return with_row(filled, PARTS[what], Row(number, {})), f"{what}-{number}"
    found = NAME.fullmatch(what)
    at = place(f"{what}-1") if found and found["value"] is None else None
    if at is None or not at.field.several:
        raise Problem(400, f"Nothing that is called {what!r} can be added to the form.")
    row = filled.row(at.part, at.row) or Row(at.row, {})
    values = row.values.get(at.field.key) or [Value(1, "")]
    enough(len(values))
    number = max(one.number for one in values) + 1
    new = Row(row.number, row.values | {at.field.key: [*values, Value(number, "")]})
    return replaced(filled, at.part, new), f"{what}-{number}"


def enough(number: int) -> None:
    """Raises Problem 413 where so many are the most that there may be."""
    if number >= MOST:
        raise Problem(413, f"The form takes at most {MOST} of a kind.")


def removed(filled: Filled, what: str) -> tuple[Filled, str]:
    """The form without a part or value, and the name of what it was one of. Raises Problem 400."""
    found = ROW.fullmatch(what)
    if found:
        key, number = found["part"], int(found["row"])
        left = [one for one in filled.rows[key] if one.number != number]
        without = Filled(filled.name, filled.rows | {key: left})
        return unjudged(without, what) if key == MECHANISM.key else without, key
    at = place(what)
    row = filled.row(at.part, at.row)
    if row is None:
        raise Problem(400, f"The form has no part for {what!r}.")
    values = [one for one in row.values.get(at.field.key, ()) if one.number != at.value]
    return replaced(filled, at.part, Row(row.number, row.values | {at.field.key: values})), what.rpartition(
        "-"
    )[0]


def unjudged(filled: Filled, mechanism: str) -> Filled:
    """The form in which no assessment judges a mechanism, which is there no more."""
    for row in filled.rows[ASSESSMENT.key]:
        judged = [one for one in row.values.get("judges", ()) if one.words != mechanism]
        filled = replaced(filled, ASSESSMENT.key, Row(row.number, row.values | {"judges": judged}))
    return filled


def replaced(filled: Filled, key: str, new: Row) -> Filled:
    """The form with a part in place of the one with its number."""
    rows = [new if one.number == new.number else one for one in filled.rows[key]]
    return Filled(filled.name, filled.rows | {key: rows})
