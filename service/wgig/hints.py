"""What is probably not meant in a query that runs: a variable without a value, a term that is not there."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from .lines import Lines
from .sparql import Token
from .store import Store
from .syntax.patterns import Source
from .syntax.reading import Node, read
from .syntax.scope import name
from .syntax.unbound import one_slip, unbound
from .syntax.unknown import Near, Unknown, near_terms

FIELD = "WGIG-Warning"
LONGEST = 4000  # characters of a query that is looked through, in 1 to 5 µs each
MOST = 10  # hints for a query
ROOM = 4000  # characters of the field
FEW = 40  # variables that are compared with one another
SHORTEST = 5  # letters of a variable that may be a slip of another


class Hint(NamedTuple):
    """A sentence about a place of the query; line and column are counted from 1, and 0 beside the query."""

    sentence: str
    line: int = 0
    column: int = 0


def hints(text: str, store: Store, base: str, near: Near = near_terms) -> list[Hint]:
    """What is probably not meant in a query that parses, by place; none for a long one.

    Nothing is said of terms where the store is empty. Else it is asked at most 60 times whether it has a
    statement, each time for the first that it finds. Terms that are `near` are shown where they are in it.
    """
    tree = read(text) if len(text.rstrip()) <= LONGEST else None
    if not isinstance(tree, Node):
        return []
    found = {place.start: (place, sentence) for place, sentence in islice(unbound(tree), MOST)}
    lacking = {name(place) for place, _ in found.values()}
    for place, sentence in (
        *absent(tree, store, base, near),
        *lookalikes(tree, lacking),
        *counted_once(tree),
    ):
        found.setdefault(place.start, (place, sentence))
    lines = Lines(text)
    return [Hint(found[start][1], *lines.place(start)) for start in sorted(found)[:MOST]]


def absent(tree: Node, store: Store, base: str, near: Near) -> Iterable[tuple[Token, str]]:
    """Terms that the graph does not have."""
    try:
        return list(Unknown(Source(tree, base), store, base, near).hints()) if store else []
    except SyntaxError:  # an escape that SPARQL has and Turtle has not
        return []


def lookalikes(tree: Node, lacking: Collection[str]) -> Iterator[tuple[Token, str]]:
    """Variables that stand once, and are spelt nearly as one that stands before them or more often.

    Those that are `lacking` a value are named elsewhere.
    """
    variables = [token for token in tree.all_tokens("variable") if name(token) not in lacking]
    times = Counter(map(name, variables))
    met = {one for one, count in times.items() if count > 1}
    for token in variables if len(times) <= FEW else ():
        one = name(token)
        if times[one] == 1 and len(one) >= SHORTEST:
            near = [other for other in sorted(met) if one_slip(one, other) and not akin(one, other)]
            if near:
                yield token, f"{token.text} stands here alone. Did you mean ?{near[0]}?"
        met.add(one)


def counted_once(tree: Node) -> Iterator[tuple[Token, str]]:
    """Alternatives of a path, of which the engine makes one solution where both sides lead to it.

    SPARQL makes two (SPARQL 1.1 Query, section 18.4).
    """
    said = "What both sides of | lead to counts once here, not twice. Where you count, write UNION."
    paths = (node for node in tree.walk() if node.rule == "Path")
    return ((token, said) for node in paths for token in node.tokens("mark") if token.text == "|")


def akin(one: str, other: str) -> bool:
    """Whether two names differ as those of like things do: by a number, or by one and many."""
    return one.strip("0123456789_") == other.strip("0123456789_") or one in (
        f"{other}s",
        other.removesuffix("s"),
    )


def warned(found: Iterable[Hint]) -> dict[str, str]:
    """The hints as a field of the response: Display Strings, with `line` and `column` if it has (RFC 9651).

    There is none without hints. What does not fit is left out, each hint whole.
    """
    items: list[str] = []
    for hint in found:
        encoded = "".join(map(encode, hint.sentence.encode()))
        place = f";line={hint.line};column={hint.column}" if hint.line else ""
        item = f'%"{encoded}"{place}'
        if len(", ".join([*items, item])) <= ROOM:
            items.append(item)
    return {FIELD: ", ".join(items)} if items else {}


def encode(byte: int) -> str:
    """A byte of UTF-8 in a Display String."""
    return chr(byte) if 0x20 <= byte < 0x7F and byte not in b'%"' else f"%{byte:02x}"
