"""Join groups: the triple patterns of a query that may be joined in another order than that of the engine.

The engine begins with the pattern that has most constants, and with the first of them in the text. In EXISTS
it keeps the order of the text, and reads all matches of each pattern for each row. LATERAL, an extension of
SPARQL, prescribes an order: what follows it is evaluated for each row so far.

Join groups are the group of WHERE, in a query or subquery, and that of EXISTS, if they have nothing but
triples and FILTER, and after these OPTIONAL, MINUS and BIND. All other groups are left as they are.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import count, pairwise
from typing import NamedTuple

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.sparql_lexer import SparqlToken
from ...text import TextEdit
from .parser import ParsedSparqlText, SyntaxNode
from .patterns import PatternTerm, TriplePatternReader
from .scope import variable_name

MAX_JOINED_TEXT_CHARS = 5000  # longer texts are not parsed
MAX_GROUP_PATTERNS = 12
MAX_JOINED_TEXTS = 128  # parsed texts, as clients repeat their queries after each write

_IRI_TEXT_PATTERN = re.compile(r"<[^<>\s]*>")
# What is between two patterns in a text without IRIs; in an EXISTS, a path may be several patterns.
_SEPARATOR_PATTERN = re.compile(r"[.;]\s+(?!FILTER|OPTIONAL|MINUS|BIND)[^\s}]", re.IGNORECASE)
_EXISTS_PATTERN = re.compile(
    r"\bEXISTS\s*\{[^{}]*?(?:[/[]|[.;]\s+(?!FILTER|OPTIONAL|MINUS|BIND)[^\s}])", re.IGNORECASE
)
_QUERY_RULES = ("Select", "Construct", "Describe", "Ask")
_GROUP_RULES = frozenset(("Triples", "Filter", "Optional", "Minus", "Bind"))
_BINDING_RULES = ("Triples", "Graph", "Union", "SubSelect", "Values", "Bind")
# A group in one of these is evaluated for each row of the group around it.
_INHERITING_RULES = ("Optional", "Exists")
# Nodes without groups. Another server, to which SERVICE sends a query, may not know LATERAL.
_SKIPPED_RULES = frozenset(("Base", "Prefix", "Projection", "Triples", "Values", "Service"))


class JoinPattern(NamedTuple):
    """A triple pattern without blank nodes."""

    subject: PatternTerm
    predicate: PatternTerm
    object: PatternTerm

    def __str__(self) -> str:
        """The pattern as in SPARQL."""
        return f"{self.subject} {self.predicate} {self.object}"


class JoinGroup(NamedTuple):
    """The patterns of a group, of which there are at least two.

    `outer` has the names of the variables that are bound before the patterns of an EXISTS. `ranges` are the
    offsets of the patterns in the text, and of the dots between them.
    """

    patterns: Sequence[JoinPattern]
    is_exists: bool
    outer: frozenset[str]
    ranges: Sequence[tuple[int, int]]

    def list_edits(self, order: Sequence[JoinPattern]) -> list[TextEdit]:
        """The changes of the text that prescribe an order of the patterns."""
        first, *others = order
        chain = " ".join([str(first), *(f"LATERAL {{ {pattern} }}" for pattern in others)])
        return [TextEdit(*self.ranges[0], chain), *(TextEdit(*span, " ") for span in self.ranges[1:])]


class JoinHints(NamedTuple):
    """Whether a text may have several patterns that can be joined: in an EXISTS, and anywhere."""

    in_exists: bool
    anywhere: bool


def find_join_hints(text: str) -> JoinHints:
    """What a text may have, to decide if it is worth parsing, which takes 0.1 ms for 150 characters."""
    if len(text) > MAX_JOINED_TEXT_CHARS:
        return JoinHints(False, False)
    text = _IRI_TEXT_PATTERN.sub("<>", text)
    in_exists = _EXISTS_PATTERN.search(text) is not None
    return JoinHints(in_exists, in_exists or _SEPARATOR_PATTERN.search(text) is not None)


@lru_cache(MAX_JOINED_TEXTS)
def find_join_groups(text: str, base: str) -> Sequence[JoinGroup]:
    """The join groups of a query. Relative IRIs in its text are resolved against `base`."""
    try:
        tree = ParsedSparqlText(text).tree
        found = [*iter_groups(tree)] if isinstance(tree, SyntaxNode) else []
        if not found:
            return ()
        assert isinstance(tree, SyntaxNode)
        reader = JoinReader(text, TriplePatternReader(tree, base))
    except (Problem, SyntaxError, ValueError):  # an unclosed string; an unknown prefix; an escape
        return ()
    return [group for place in found if (group := reader.read_group(place))]


class GroupPlace(NamedTuple):
    """The syntax node of a join group, with the groups around it whose rows it gets.

    If `is_closed`, variables that are added to it are not visible in the result.
    """

    node: SyntaxNode
    around: tuple[SyntaxNode, ...]
    is_exists: bool
    is_closed: bool


def iter_groups(tree: SyntaxNode) -> Iterator[GroupPlace]:
    """The groups of a text that have the form of a join group, perhaps of a single pattern."""
    pending: list[tuple[SyntaxNode, str, tuple[SyntaxNode, ...], bool]] = [(tree, "", (), False)]
    while pending:
        node, parent_rule, around, is_closed = pending.pop()
        if node.rule in _QUERY_RULES:
            is_closed = not selects_all(node)
        elif node.rule == "Group":
            if parent_rule not in _INHERITING_RULES:
                around = ()
            is_exists = parent_rule == "Exists"
            if (is_exists or parent_rule == "Where") and is_join_group(node):
                yield GroupPlace(node, around, is_exists, is_closed or is_exists)
            around = (*around, node)
        pending += [
            (part, node.rule, around, is_closed)
            for part in node.parts
            if isinstance(part, SyntaxNode) and part.rule not in _SKIPPED_RULES
        ]


def selects_all(query: SyntaxNode) -> bool:
    """Whether a query may use all variables, as in SELECT * or COUNT(DISTINCT *)."""
    outside = SyntaxNode("", 0, [part for part in query.parts if getattr(part, "rule", "") != "Where"])
    return any(token.text == "*" for token in outside.all_tokens())


def is_join_group(group: SyntaxNode) -> bool:
    """Whether a group has triples with simple terms, and nothing else that is joined with them."""
    rules = [part.rule for part in group.parts if isinstance(part, SyntaxNode)]
    if "Triples" not in rules or not _GROUP_RULES.issuperset(rules):
        return False
    last = len(rules) - rules[::-1].index("Triples")
    return {"Triples", "Filter"}.issuperset(rules[:last]) and all(map(is_simple, group.nodes("Triples")))


def is_simple(triples: SyntaxNode) -> bool:
    """Whether triples have no paths but a/^b, no triple terms, and no blank nodes with a label.

    Labels are left alone as it is an error if another group has the same.
    """
    for node in triples.walk():
        texts = [part.text for part in node.parts if isinstance(part, SparqlToken)]
        if (
            node.rule == "Quoted"
            or (node.rule == "Object" and len(node.parts) > 1)  # an annotation
            or (node.rule == "Path" and "|" in texts)
            or (node.rule == "Step" and (len(node.parts) > len(texts) or len(texts) > 1 + (texts[0] == "^")))
            or any(node.tokens("blank"))
        ):
            return False
    return True


def find_bound_variables(groups: Iterable[SyntaxNode]) -> frozenset[str]:
    """The names of the variables that groups bind in most rows."""
    parts = (part for group in groups for part in group.nodes(*_BINDING_RULES))
    return frozenset(variable_name(token) for part in parts for token in part.all_tokens("variable"))


class JoinReader:
    """Reads the join groups of a text."""

    def __init__(self, text: str, patterns: TriplePatternReader) -> None:
        """`patterns` reads the patterns of the text."""
        self.patterns = patterns
        self.stem = next(name for number in count() if (name := f"node{number}_") not in text)
        self.numbers = count()

    def add_variable(self) -> ox.Variable:
        """A variable that the text does not have."""
        return ox.Variable(f"{self.stem}{next(self.numbers)}")

    def read_group(self, place: GroupPlace) -> JoinGroup | None:
        """A group as a join group; None if it has too few or too many patterns."""
        triples = [*place.node.nodes("Triples")]
        patterns = self.read_patterns(triples)
        if not 1 < len(patterns) <= MAX_GROUP_PATTERNS:
            return None
        if not place.is_closed and any(f"?{self.stem}" in str(pattern) for pattern in patterns):
            return None
        dots = (token for token in place.node.tokens("mark") if token.text == ".")
        ranges = [*map(find_range, triples), *map(find_range, dots)]
        return JoinGroup(patterns, place.is_exists, find_bound_variables(place.around), ranges)

    def read_patterns(self, triples: Sequence[SyntaxNode]) -> list[JoinPattern]:
        """The patterns of triples, with new variables for blank nodes, also for those within paths."""
        variables, patterns = dict[PatternTerm, PatternTerm](), list[JoinPattern]()
        for pattern in (pattern for node in triples for pattern in self.patterns.read_patterns(node)):
            for term in (pattern.subject, pattern.object):
                if isinstance(term, ox.BlankNode) and term not in variables:
                    variables[term] = self.add_variable()
            steps = [*self.iter_steps(pattern.predicate)]
            nodes = [
                variables.get(pattern.subject, pattern.subject),
                *(self.add_variable() for _ in steps[1:]),
                variables.get(pattern.object, pattern.object),
            ]
            for (start, end), (predicate, is_inverse) in zip(pairwise(nodes), steps, strict=True):
                subject, value = (end, start) if is_inverse else (start, end)
                patterns.append(JoinPattern(subject, predicate, value))
        return patterns

    def iter_steps(self, predicate: PatternTerm | SyntaxNode) -> Iterator[tuple[PatternTerm, bool]]:
        """The properties of a simple path, and whether each is inverse."""
        if not isinstance(predicate, SyntaxNode):
            yield predicate, False
            return
        for path in predicate.nodes("Path"):
            for step in path.nodes("Step"):
                *inverse, token = step.all_tokens()
                yield self.patterns.read_property(token), bool(inverse)


def find_range(part: SyntaxNode | SparqlToken) -> tuple[int, int]:
    """The offsets of a part in the text."""
    last = part if isinstance(part, SparqlToken) else [*part.all_tokens()][-1]
    return part.start, last.start + len(last.text)
