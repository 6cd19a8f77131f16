"""Hints on valid queries: unbound variables, near-duplicate names, terms that the graph does not have.

Up to 10 hints are found in queries of up to 4000 characters; analysis takes 1 to 5 µs a character. They go
out in the response header WGIG-Warning as Display Strings (RFC 9651) with line and column.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice, takewhile
from typing import NamedTuple

from ...rdf.sparql_lexer import SparqlToken
from ...store.store import Store
from ...text import TextLines
from .parser import ParsedSparqlText, SyntaxNode
from .patterns import TriplePatternReader
from .scope import (
    VisibleVariables,
    find_visible_variables,
    iter_group_variables,
    iter_own_nodes,
    variable_name,
)
from .unknown_terms import NearTermFinder, UnknownTermFinder, find_near_terms

NO_VARIABLES: frozenset[str] = frozenset()
GROUP_RULES = ("Group", "Values")
MODIFIER_RULES = ("Having", "OrderBy", "GroupBy")


class ScopedNode(NamedTuple):
    """A group, with the variables that what is around it gives to its filters, and to all of it."""

    node: SyntaxNode
    filter_variables: frozenset[str] = NO_VARIABLES
    outer_variables: frozenset[str] = NO_VARIABLES


def iter_unbound_variables(tree: SyntaxNode) -> Iterator[tuple[SparqlToken, str]]:
    """Where a variable is used that has no value there, with what could be meant."""
    seen = find_visible_variables(tree)
    everywhere = frozenset().union(*(seen[id(node)] for node in tree.walk() if node.rule in GROUP_RULES))
    for token, within in (*iter_unbound_in_queries(tree, seen), *iter_unbound_in_groups(tree, seen)):
        near = next((one for one in sorted(within) if differ_by_one_edit(variable_name(token), one)), None)
        meant = f" Did you mean ?{near}?" if near else ""
        if variable_name(token) in everywhere:
            yield (
                token,
                f"{token.text} has no value here; the pattern that gives it one is out of reach.{meant}",
            )
        else:
            yield token, f"No pattern gives {token.text} a value.{meant}"


def differ_by_one_edit(one: str, other: str) -> bool:
    """Whether two names differ by one slip: a letter too many, too few, another, or two swapped."""
    for _ in range(2):  # what they share at the front, then at the end
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
        one, other = one[alike:][::-1], other[alike:][::-1]
    return max(len(one), len(other)) == 1 or (len(one) == 2 and one == other[::-1])


# The variable, and those that have a value in its place.
UnboundVariables = Iterator[tuple[SparqlToken, frozenset[str]]]


def iter_unbound_in_queries(tree: SyntaxNode, seen: VisibleVariables) -> UnboundVariables:
    """Variables that a query shows, makes or sorts by."""
    for parent in tree.walk():
        for query in parent.nodes("Select", "Construct", "Describe"):
            parts = [*query.nodes("Where"), *parent.nodes("Values")]
            has = frozenset().union(*(seen[id(part)] for part in parts))
            if any(True for _ in query.nodes("Where")):
                yield from iter_unbound_outside_pattern(query, has)


def iter_unbound_outside_pattern(query: SyntaxNode, has: frozenset[str]) -> UnboundVariables:
    """Variables that a query names outside of its pattern, where the pattern has those of `has`."""
    has |= frozenset(iter_group_variables(query)) if query.rule == "Select" else NO_VARIABLES
    for token in query.tokens("variable"):  # of DESCRIBE
        if variable_name(token) not in has:
            yield token, has
    for part in query.nodes("Projection", "Template", *MODIFIER_RULES):
        computed = [token for one in part.nodes("As") for token in one.tokens("variable")]
        has |= frozenset(map(variable_name, computed))
        for node in iter_own_nodes(part):
            for token in node.tokens("variable"):
                if variable_name(token) not in has:
                    yield token, has


def iter_unbound_in_groups(tree: SyntaxNode, seen: VisibleVariables) -> UnboundVariables:
    """Variables that a FILTER or BIND uses."""
    todo = [ScopedNode(tree)]
    while todo:
        node, lent, given = todo.pop()
        before = given
        for part in node.parts:
            if not isinstance(part, SyntaxNode):
                continue
            if part.rule in ("Filter", "Bind"):
                has = seen[id(node)] | lent | given if part.rule == "Filter" else before
                for inner in iter_own_nodes(part):
                    if inner is not part or part.rule == "Filter":
                        yield from (
                            (token, has)
                            for token in inner.tokens("variable")
                            if variable_name(token) not in has
                        )
                    if inner.rule == "Exists":
                        todo += [ScopedNode(group, NO_VARIABLES, has) for group in inner.nodes("Group")]
            elif part.rule == "Optional":
                todo += [ScopedNode(group, before, given) for group in part.nodes("Group")]
            elif part.rule not in MODIFIER_RULES:
                todo.append(ScopedNode(part, NO_VARIABLES, given))
            before |= seen.get(id(part), NO_VARIABLES)


WARNING_FIELD = "WGIG-Warning"
MAX_HINTED_QUERY_CHARS = 4000  # characters of a query that is looked through, in 1 to 5 µs each
MAX_HINT_COUNT = 10  # hints for a query
MAX_WARNING_FIELD_CHARS = 4000  # characters of the field
MAX_COMPARED_VARIABLES = 40  # variables that are compared with one another
MIN_COMPARED_NAME_CHARS = 5  # letters of a variable that may be a slip of another


class QueryHint(NamedTuple):
    """A sentence about a place of the query; line and column are counted from 1, and 0 beside the query."""

    sentence: str
    line: int = 0
    column: int = 0


def find_query_hints(
    query: ParsedSparqlText, store: Store, base: str, near: NearTermFinder = find_near_terms
) -> list[QueryHint]:
    """What is probably not meant in a query that parses, by place; none for a long one.

    Nothing is said of terms where the store is empty. Else it is asked at most 60 times whether it has a
    statement, each time for the first that it finds. Terms that are `near` are shown where they are in it.
    """
    tree = query.tree if len(query.text.rstrip()) <= MAX_HINTED_QUERY_CHARS else None
    if not isinstance(tree, SyntaxNode):
        return []
    found = {
        place.start: (place, sentence)
        for place, sentence in islice(iter_unbound_variables(tree), MAX_HINT_COUNT)
    }
    lacking = {variable_name(place) for place, _ in found.values()}
    for place, sentence in (
        *find_absent_terms(tree, store, base, near),
        *iter_lookalike_variables(tree, lacking),
        *iter_path_alternatives(tree),
    ):
        found.setdefault(place.start, (place, sentence))
    lines = TextLines(query.text)
    return [QueryHint(found[start][1], *lines.locate(start)) for start in sorted(found)[:MAX_HINT_COUNT]]


def find_absent_terms(
    tree: SyntaxNode, store: Store, base: str, near: NearTermFinder
) -> Iterable[tuple[SparqlToken, str]]:
    """Terms that the graph does not have."""
    try:
        return (
            list(UnknownTermFinder(TriplePatternReader(tree, base), store, base, near).find_hints())
            if store
            else []
        )
    except SyntaxError:  # an escape that SPARQL has and Turtle has not
        return []


def iter_lookalike_variables(tree: SyntaxNode, lacking: Collection[str]) -> Iterator[tuple[SparqlToken, str]]:
    """Variables that stand once, and are spelt nearly as one that stands before them or more often.

    Those that are `lacking` a value are named elsewhere.
    """
    variables = [token for token in tree.all_tokens("variable") if variable_name(token) not in lacking]
    times = Counter(map(variable_name, variables))
    met = {one for one, count in times.items() if count > 1}
    for token in variables if len(times) <= MAX_COMPARED_VARIABLES else ():
        one = variable_name(token)
        if times[one] == 1 and len(one) >= MIN_COMPARED_NAME_CHARS:
            near = [
                other
                for other in sorted(met)
                if differ_by_one_edit(one, other) and not are_related_names(one, other)
            ]
            if near:
                yield token, f"{token.text} stands here alone. Did you mean ?{near[0]}?"
        met.add(one)


def iter_path_alternatives(tree: SyntaxNode) -> Iterator[tuple[SparqlToken, str]]:
    """Alternatives of a path, of which the engine makes one solution where both sides lead to it.

    SPARQL makes two (SPARQL 1.1 Query, section 18.4).
    """
    said = "What both sides of | lead to counts once here, not twice. Where you count, write UNION."
    paths = (node for node in tree.walk() if node.rule == "Path")
    return ((token, said) for node in paths for token in node.tokens("mark") if token.text == "|")


def are_related_names(one: str, other: str) -> bool:
    """Whether two names differ as those of like things do: by a number, or by one and many."""
    return one.strip("0123456789_") == other.strip("0123456789_") or one in (
        f"{other}s",
        other.removesuffix("s"),
    )


def build_warning_field(found: Iterable[QueryHint]) -> dict[str, str]:
    """The hints as a field of the response: Display Strings, with `line` and `column` if it has (RFC 9651).

    There is none without hints. What does not fit is left out, each hint whole.
    """
    items: list[str] = []
    for hint in found:
        encoded = "".join(map(encode_display_string_byte, hint.sentence.encode()))
        place = f";line={hint.line};column={hint.column}" if hint.line else ""
        item = f'%"{encoded}"{place}'
        if len(", ".join([*items, item])) <= MAX_WARNING_FIELD_CHARS:
            items.append(item)
    return {WARNING_FIELD: ", ".join(items)} if items else {}


def encode_display_string_byte(byte: int) -> str:
    """A byte of UTF-8 in a Display String."""
    return chr(byte) if 0x20 <= byte < 0x7F and byte not in b'%"' else f"%{byte:02x}"
