"""Hints on valid queries: unbound variables, near-duplicate names, terms that the graph does not have.

Up to 10 hints are found in queries of up to 4000 characters; analysis takes 1 to 5 µs a character. They go
out in the response header WGIG-Warning as Display Strings (RFC 9651) with line and column.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice, takewhile
from typing import NamedTuple

from ...rdf.sparql_lexer import Token
from ...store.store import Store
from ...text import TextLines
from .parser import Node, read
from .patterns import Source
from .scope import Visible, keys, name, own, visible
from .unknown_terms import Near, Unknown, near_terms

NONE: frozenset[str] = frozenset()
GROUPS = ("Group", "Values")
AFTER = ("Having", "OrderBy", "GroupBy")


class Within(NamedTuple):
    """A group, with the variables that what is around it gives to its filters, and to all of it."""

    node: Node
    lent: frozenset[str] = NONE
    given: frozenset[str] = NONE


def unbound(tree: Node) -> Iterator[tuple[Token, str]]:
    """Where a variable is used that has no value there, with what could be meant."""
    seen = visible(tree)
    everywhere = frozenset().union(*(seen[id(node)] for node in tree.walk() if node.rule in GROUPS))
    for token, within in (*queried(tree, seen), *grouped(tree, seen)):
        near = next((one for one in sorted(within) if one_slip(name(token), one)), None)
        meant = f" Did you mean ?{near}?" if near else ""
        if name(token) in everywhere:
            yield (
                token,
                f"{token.text} has no value here; the pattern that gives it one is out of reach.{meant}",
            )
        else:
            yield token, f"No pattern gives {token.text} a value.{meant}"


def one_slip(one: str, other: str) -> bool:
    """Whether two names differ by one slip: a letter too many, too few, another, or two swapped."""
    for _ in range(2):  # what they share at the front, then at the end
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
        one, other = one[alike:][::-1], other[alike:][::-1]
    return max(len(one), len(other)) == 1 or (len(one) == 2 and one == other[::-1])


Lacking = Iterator[tuple[Token, frozenset[str]]]  # the variable, and those that have a value in its place


def queried(tree: Node, seen: Visible) -> Lacking:
    """Variables that a query shows, makes or sorts by."""
    for parent in tree.walk():
        for query in parent.nodes("Select", "Construct", "Describe"):
            parts = [*query.nodes("Where"), *parent.nodes("Values")]
            has = frozenset().union(*(seen[id(part)] for part in parts))
            if any(True for _ in query.nodes("Where")):
                yield from asked(query, has)


def asked(query: Node, has: frozenset[str]) -> Lacking:
    """Variables that a query names outside of its pattern, where the pattern has those of `has`."""
    has |= frozenset(keys(query)) if query.rule == "Select" else NONE
    for token in query.tokens("variable"):  # of DESCRIBE
        if name(token) not in has:
            yield token, has
    for part in query.nodes("Projection", "Template", *AFTER):
        computed = [token for one in part.nodes("As") for token in one.tokens("variable")]
        has |= frozenset(map(name, computed))
        for node in own(part):
            for token in node.tokens("variable"):
                if name(token) not in has:
                    yield token, has


def grouped(tree: Node, seen: Visible) -> Lacking:
    """Variables that a FILTER or BIND uses."""
    todo = [Within(tree)]
    while todo:
        node, lent, given = todo.pop()
        before = given
        for part in node.parts:
            if not isinstance(part, Node):
                continue
            if part.rule in ("Filter", "Bind"):
                has = seen[id(node)] | lent | given if part.rule == "Filter" else before
                for inner in own(part):
                    if inner is not part or part.rule == "Filter":
                        yield from (
                            (token, has) for token in inner.tokens("variable") if name(token) not in has
                        )
                    if inner.rule == "Exists":
                        todo += [Within(group, NONE, has) for group in inner.nodes("Group")]
            elif part.rule == "Optional":
                todo += [Within(group, before, given) for group in part.nodes("Group")]
            elif part.rule not in AFTER:
                todo.append(Within(part, NONE, given))
            before |= seen.get(id(part), NONE)


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
    lines = TextLines(text)
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
