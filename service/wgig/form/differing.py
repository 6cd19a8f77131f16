"""What somebody else changed in a paper since it was opened, at the fields that show it."""

from collections.abc import Iterator

from ..catalogues import marked
from ..speaking import translated
from ..steering import cut
from .filled import Row, group
from .layout import PARTS
from .placed import Message
from .source import Source

NOW = marked("In the version that was saved since you opened the paper: %(words)s")
GONE = marked("In the version that was saved since you opened the paper, there is nothing here.")
MORE = marked("The version that was saved since has more of them: %(count)s in all.")


def differing(opened: Source, theirs: Source) -> Iterator[Message]:
    """A note at each field whose values are others in their version than when the paper was opened."""
    for key, part in PARTS.items():
        before = {one.number: one for one in opened.filled.rows[key]}
        after = {one.number: one for one in theirs.filled.rows[key]}
        for number, row in before.items():
            for field in part.fields:
                old, new = (
                    one.values.get(field.key, []) for one in (row, after.get(number, Row(number, {})))
                )
                if old != new:
                    said = "; ".join(one.words for one in new)
                    yield note(group(part, row, field), NOW if said else GONE, words=said)
        if after.keys() - before.keys():
            yield note(key, MORE, count=str(len(after)))


def note(field: str, sentence: str, **values: str) -> Message:
    """A sentence with its values at a field, which keeps the paper from nothing."""
    text, language = translated(sentence)
    return Message(field, "Info", cut(text % values), language, blocks=False)
