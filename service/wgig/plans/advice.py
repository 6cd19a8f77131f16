"""What could be better about a query, by the plan of the engine and what its patterns match."""

from collections.abc import Iterator

from ..namespaces import OUTSIDE
from .counting import terms
from .plan import Step
from .steps import Words, keys

MATCHING = ("QuadPattern", "Path")
TIMES = 10  # by how much a better start must be better
_TYPE = f"<{OUTSIDE['rdf']}type>"


def advice(words: Words, top: Step) -> Iterator[str]:
    """What could be better."""
    for step in top.walk():
        count = words.counts.get(step.detail)
        if step.name == "Join" and not keys(step) and all(any(words.lines(part, 0)) for part in step.parts):
            yield product(words, step)
        if step.name == "QuadPattern" and count and not count.number:
            yield f"No statement matches {words.said(step.detail)}. What needs it finds nothing."
    for chain in chains(top):
        yield from start(words, chain)


def product(words: Words, step: Step) -> str:
    """A cross product, by the patterns that stand first in its parts."""
    found = (next((one for one in part.walk() if one.name in MATCHING), part) for part in step.parts)
    names = " and ".join(words.said(one.detail) for one in found)
    return (
        f"A cross product: the parts around {names} share no variable that both always have, so each row "
        "of one is paired with each of the other. Tie them by a variable, or ask two queries."
    )


def start(words: Words, chain: list[Step]) -> Iterator[str]:
    """A pattern that had better be the first of a row of look-ups, where the text can do that."""
    first, *rest = chain
    begun = words.counts.get(first.detail)
    like = [one for one in rest if shape(one) == shape(first) and one.detail in words.counts]
    best = min(like, key=lambda one: words.counts[one.detail].number, default=None)
    if begun and best and max(1, words.counts[best.detail].number) * TIMES <= begun.number:
        yield (
            f"The engine begins with {words.said(first.detail)} ({begun}): among patterns of one shape "
            "the first in the text goes first. "
            f"Put {words.said(best.detail)} ({words.counts[best.detail]}) before it."
        )


def shape(step: Step) -> tuple[object, ...]:
    """What the engine looks at when it plans: which terms are variables, and whether it asks for a class."""
    slots = terms(step.detail)
    return (*(slot.startswith("?") for slot in slots[:3]), slots[1] == _TYPE)


def chains(top: Step) -> Iterator[list[Step]]:
    """The patterns of each row of look-ups, in order."""
    inner: set[int] = set()
    for step in top.walk():
        if step.name != "Lateral" or id(step) in inner:
            continue
        row: list[Step] = []
        while step.name in ("Lateral", "Filter"):
            if step.name == "Lateral":
                inner.add(id(step))
                row += [one for one in step.parts[1:] if one.name == "QuadPattern"]
            step = step.parts[0]  # noqa: PLW2901  the row goes on there
        if step.name == "QuadPattern":
            yield [step, *reversed(row)]
