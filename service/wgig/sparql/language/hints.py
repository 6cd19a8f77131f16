"""Hints on probable mistakes in valid queries: unbound variables, similar names, terms not in the store.

Queries of up to 4000 characters get up to 10 hints; the analysis takes 1 to 5 µs for each character. Hints
are sent in the response header WGIG-Warning as Display Strings (RFC 9651) with line and column.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from itertools import islice, takewhile
from typing import NamedTuple
from urllib.parse import unquote

from ...rdf.sparql_lexer import SparqlToken, replace_token
from ...store.store import Store
from ...text import TextEdit, TextLines
from .label_languages import iter_label_language_hints
from .parser import ParsedSparqlText, SyntaxNode
from .patterns import TriplePatternReader
from .scope import (
    VisibleVariables,
    find_visible_variables,
    iter_group_variables,
    iter_nodes_excluding,
    variable_name,
)
from .unknown_terms import NearTermFinder, TokenHint, UnknownTermFinder, find_near_terms

NO_VARIABLES: frozenset[str] = frozenset()
# The names of grammar rules: nodes that bind variables, and clauses after the pattern.
GROUP_RULES = ("Group", "Values")
MODIFIER_RULES = ("Having", "OrderBy", "GroupBy")


class ScopedNode(NamedTuple):
    """A node with variables of the groups around it.

    FILTERs directly in the node can use `filter_variables`, all its expressions `outer_variables`.
    """

    node: SyntaxNode
    filter_variables: frozenset[str] = NO_VARIABLES
    outer_variables: frozenset[str] = NO_VARIABLES


def iter_unbound_variables(tree: SyntaxNode) -> Iterator[TokenHint]:
    """The occurrences of variables that cannot have a value, each with a hint."""
    visible = find_visible_variables(tree)
    bound_anywhere = frozenset().union(
        *(visible[id(node)] for node in tree.walk() if node.rule in GROUP_RULES)
    )
    for token, bound in (*iter_unbound_in_queries(tree, visible), *iter_unbound_in_groups(tree, visible)):
        similar = next(
            (name for name in sorted(bound) if differ_by_one_edit(variable_name(token), name)), None
        )
        replacement = f"?{similar}" if similar else ""
        suggestion = f" Did you mean {replacement}?" if similar else ""
        if variable_name(token) in bound_anywhere:
            cause = f"{token.text} has no value here; the pattern that binds it is in another scope."
        else:
            cause = f"No pattern binds {token.text}."
        yield TokenHint(token, f"{cause}{suggestion}", replacement)


def differ_by_one_edit(name: str, other_name: str) -> bool:
    """Whether one edit turns one name into the other: a letter added, removed or replaced, or two swapped."""
    for _ in range(2):  # remove the common prefix, then the common suffix
        common_chars = sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(name, other_name, strict=False))
        )
        name, other_name = name[common_chars:][::-1], other_name[common_chars:][::-1]
    return max(len(name), len(other_name)) == 1 or (len(name) == 2 and name == other_name[::-1])


# Occurrences of unbound variables, each with the variables that are bound there.
UnboundVariables = Iterator[tuple[SparqlToken, frozenset[str]]]


def iter_unbound_in_queries(tree: SyntaxNode, visible: VisibleVariables) -> UnboundVariables:
    """Unbound variables in the projection, template and modifiers of queries."""
    for parent in tree.walk():
        for query in parent.nodes("Select", "Construct", "Describe"):
            parts = [*query.nodes("Where"), *parent.nodes("Values")]
            bound = frozenset().union(*(visible[id(part)] for part in parts))
            if any(True for _ in query.nodes("Where")):
                yield from iter_unbound_outside_pattern(query, bound)


def iter_unbound_outside_pattern(query: SyntaxNode, bound: frozenset[str]) -> UnboundVariables:
    """Unbound variables of a query outside its pattern; the pattern binds the variables in `bound`."""
    bound |= frozenset(iter_group_variables(query)) if query.rule == "Select" else NO_VARIABLES
    for token in query.tokens("variable"):  # of DESCRIBE
        if variable_name(token) not in bound:
            yield token, bound
    for part in query.nodes("Projection", "Template", *MODIFIER_RULES):
        computed = [token for projected in part.nodes("As") for token in projected.tokens("variable")]
        bound |= frozenset(map(variable_name, computed))
        for node in iter_nodes_excluding(part):
            for token in node.tokens("variable"):
                if variable_name(token) not in bound:
                    yield token, bound


def iter_unbound_in_groups(tree: SyntaxNode, visible: VisibleVariables) -> UnboundVariables:
    """Unbound variables in FILTER and BIND."""
    pending = [ScopedNode(tree)]
    while pending:
        node, filter_variables, outer_variables = pending.pop()
        bound_before = outer_variables
        for part in node.parts:
            if not isinstance(part, SyntaxNode):
                continue
            if part.rule in ("Filter", "Bind"):
                bound = (
                    visible[id(node)] | filter_variables | outer_variables
                    if part.rule == "Filter"
                    else bound_before
                )
                for inner in iter_nodes_excluding(part):
                    if inner is not part or part.rule == "Filter":
                        yield from (
                            (token, bound)
                            for token in inner.tokens("variable")
                            if variable_name(token) not in bound
                        )
                    if inner.rule == "Exists":
                        pending += [ScopedNode(group, NO_VARIABLES, bound) for group in inner.nodes("Group")]
            elif part.rule == "Optional":
                pending += [ScopedNode(group, bound_before, outer_variables) for group in part.nodes("Group")]
            elif part.rule not in MODIFIER_RULES:
                pending.append(ScopedNode(part, NO_VARIABLES, outer_variables))
            bound_before |= visible.get(id(part), NO_VARIABLES)


WARNING_FIELD = "WGIG-Warning"  # the response header with the hints
MAX_HINTED_QUERY_CHARS = 4000  # longer queries get no hints, because each character takes 1 to 5 µs
MAX_HINT_COUNT = 10
MAX_WARNING_FIELD_CHARS = 4000  # of the response header
MAX_COMPARED_VARIABLES = 40  # in a query with more variables, names are not compared
MIN_COMPARED_NAME_CHARS = 5  # shorter names are not compared


class QueryHint(NamedTuple):
    """A hint on a position in the query. Line and column start at 1; both are 0 for the whole request.

    `edit` changes the query into what was probably meant, if that is known.
    """

    sentence: str
    line: int = 0
    column: int = 0
    edit: TextEdit | None = None


def find_query_hints(
    query: ParsedSparqlText, store: Store, base: str, find_near: NearTermFinder = find_near_terms
) -> list[QueryHint]:
    """Hints on probable mistakes in a valid query, in the order of the text; none for a long query.

    If the store is empty, there are no hints on terms. The store is searched for a statement at most 60
    times. `find_near` returns similar terms, which are suggested if they are in the store.
    """
    tree = query.tree if len(query.text.rstrip()) <= MAX_HINTED_QUERY_CHARS else None
    if not isinstance(tree, SyntaxNode):
        return []
    hints = {hint.token.start: hint for hint in islice(iter_unbound_variables(tree), MAX_HINT_COUNT)}
    unbound = {variable_name(hint.token) for hint in hints.values()}
    for hint in (
        *find_data_hints(tree, store, base, find_near),
        *iter_lookalike_variables(tree, unbound),
        *iter_path_alternatives(tree),
    ):
        hints.setdefault(hint.token.start, hint)
    lines = TextLines(query.text)
    return [
        QueryHint(hint.sentence, *lines.locate(start), build_hint_edit(hint))
        for start, hint in sorted(hints.items())[:MAX_HINT_COUNT]
    ]


def build_hint_edit(hint: TokenHint) -> TextEdit | None:
    """The edit that changes the text into what was probably meant; None if that is unknown."""
    return replace_token(hint.token, hint.replacement) if hint.replacement else hint.edit


def find_data_hints(
    tree: SyntaxNode, store: Store, base: str, find_near: NearTermFinder
) -> Iterable[TokenHint]:
    """Hints on terms that are not in the store, and on labels that it has in several languages."""
    try:
        reader = TriplePatternReader(tree, base)
        return (
            [
                *UnknownTermFinder(reader, store, base, find_near).find_hints(),
                *iter_label_language_hints(reader, store),
            ]
            if store
            else []
        )
    except SyntaxError:  # an escape that is valid in SPARQL but not in Turtle
        return []


def iter_lookalike_variables(tree: SyntaxNode, unbound: Collection[str]) -> Iterator[TokenHint]:
    """Hints on variables that occur once, if a similar name occurs earlier or more often.

    The variables in `unbound` already have a hint.
    """
    variables = [token for token in tree.all_tokens("variable") if variable_name(token) not in unbound]
    counts = Counter(map(variable_name, variables))
    known_names = {name for name, count in counts.items() if count > 1}
    for token in variables if len(counts) <= MAX_COMPARED_VARIABLES else ():
        name = variable_name(token)
        if counts[name] == 1 and len(name) >= MIN_COMPARED_NAME_CHARS:
            similar = [
                known_name
                for known_name in sorted(known_names)
                if differ_by_one_edit(name, known_name) and not are_related_names(name, known_name)
            ]
            if similar:
                replacement = f"?{similar[0]}"
                sentence = f"{token.text} occurs only once. Did you mean {replacement}?"
                yield TokenHint(token, sentence, replacement)
        known_names.add(name)


def iter_path_alternatives(tree: SyntaxNode) -> Iterator[TokenHint]:
    """Hints on | in property paths: the engine merges equal solutions of both alternatives into one.

    By the standard there are two solutions (SPARQL 1.1 Query, section 18.4).
    """
    sentence = (
        "A solution that matches both sides of | counts once, not twice. To count it twice, write UNION."
    )
    paths = (node for node in tree.walk() if node.rule == "Path")
    return (
        TokenHint(token, sentence) for node in paths for token in node.tokens("mark") if token.text == "|"
    )


def are_related_names(name: str, other_name: str) -> bool:
    """Whether two names differ only by a number or a plural s, as `date1` and `date2` do."""
    return name.strip("0123456789_") == other_name.strip("0123456789_") or name in (
        f"{other_name}s",
        other_name.removesuffix("s"),
    )


def build_warning_field(hints: Iterable[QueryHint]) -> dict[str, str]:
    """The response header with the hints as Display Strings (RFC 9651), with line and column if known.

    Empty if there are no hints. Hints above MAX_WARNING_FIELD_CHARS are left out.
    """
    items: list[str] = []
    for hint in hints:
        encoded = "".join(map(encode_display_string_byte, hint.sentence.encode()))
        position = f";line={hint.line};column={hint.column}" if hint.line else ""
        item = f'%"{encoded}"{position}'
        if len(", ".join([*items, item])) <= MAX_WARNING_FIELD_CHARS:
            items.append(item)
    return {WARNING_FIELD: ", ".join(items)} if items else {}


# A Display String with its parameters (RFC 9651, section 3.3.8).
WARNING_ITEM_PATTERN = re.compile(r'%"([^"]*)"(?:;line=([0-9]+);column=([0-9]+))?')


def parse_warning_field(field: str) -> list[QueryHint]:
    """The hints in a response header that `build_warning_field` built."""
    return [
        QueryHint(unquote(sentence), int(line or 0), int(column or 0))
        for sentence, line, column in WARNING_ITEM_PATTERN.findall(field)
    ]


def encode_display_string_byte(byte: int) -> str:
    """A byte of UTF-8 in the encoding of Display Strings."""
    return chr(byte) if 0x20 <= byte < 0x7F and byte not in b'%"' else f"%{byte:02x}"
