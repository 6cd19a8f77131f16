"""What somebody else changed in a paper since it was opened, at the fields that show it."""

from collections.abc import Iterator

from ..steering import cut
from .filled import Row, group
from .layout import PARTS
from .placed import Message
from .source import Source


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
                    words = f"In the version that was saved since you opened the paper: {said or 'nothing.'}"
                    yield Message(group(part, row, field), "Info", cut(words), blocks=False)
        if after.keys() - before.keys():
            more = f"The version that was saved since has more of them: {len(after)} in all."
            yield Message(key, "Info", more, blocks=False)
