"""Variables of a query that are used where nothing gives them a value."""

from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from ..sparql import Token
from .reading import Node
from .scope import Visible, keys, name, own, visible

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
