"""Parser for SPARQL: the syntax tree of a text, or the first unexpected token with the expected ones.

The engine provides neither: it reports the furthest position that it reached, and its API has no syntax tree.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

from ...rdf.sparql_lexer import (
    CLOSING_BRACKETS,
    OPENING_BRACKETS,
    SPARQL_WHITESPACE,
    SparqlText,
    SparqlToken,
    tokenize_sparql,
)
from .grammar import GRAMMAR_TOKENS, SPARQL_KEYWORDS, GrammarItem, compute_first_set, parse_grammar_rules

CLOSE_NODE = GrammarItem("close_node")


@dataclass(slots=True)
class SyntaxNode:
    """A node of the syntax tree: the name of its grammar rule, its offset, its child nodes and tokens."""

    rule: str
    start: int
    parts: list["SyntaxNode | SparqlToken"] = field(default_factory=list)

    def nodes(self, *names: str) -> Iterator["SyntaxNode"]:
        """The child nodes of these rules."""
        return (part for part in self.parts if isinstance(part, SyntaxNode) and part.rule in names)

    def tokens(self, *kinds: str) -> Iterator[SparqlToken]:
        """The child tokens of these kinds."""
        return (part for part in self.parts if isinstance(part, SparqlToken) and part.kind in kinds)

    def walk(self) -> Iterator["SyntaxNode"]:
        """This node and all nodes below it, in the order of the text."""
        pending = [self]
        while pending:
            node = pending.pop()
            yield node
            pending += [part for part in reversed(node.parts) if isinstance(part, SyntaxNode)]

    def all_tokens(self, *kinds: str) -> Iterator[SparqlToken]:
        """All tokens below this node, of these kinds if any are given, in the order of the text."""
        pending: list[SyntaxNode | SparqlToken] = [self]
        while pending:
            part = pending.pop()
            if isinstance(part, SparqlToken):
                if not kinds or part.kind in kinds:
                    yield part
            else:
                pending += reversed(part.parts)


class GrammarMismatch(NamedTuple):
    """The first place in a text that does not match the grammar.

    `token` is the unexpected token (with kind `end_of_text` and empty text at the end), and `before` has the
    tokens before it. `open_rules` are the incomplete rules, outermost first. `expected` has the grammar
    tokens that are allowed here, `open_brackets` the unclosed brackets.
    """

    token: SparqlToken
    before: list[SparqlToken]
    open_rules: tuple[str, ...]
    expected: frozenset[str]
    open_brackets: list[SparqlToken]

    @property
    def start(self) -> int:
        """The offset of the unexpected token."""
        return self.token.start


class ParsedSparqlText(SparqlText):
    """A SPARQL text with its tokens and its syntax tree, both computed on first use and cached."""

    @cached_property
    def tree(self) -> SyntaxNode | GrammarMismatch:
        """The syntax tree, or the mismatch if the text does not match the grammar, in linear time.

        Raises Problem 400 for an unclosed string.
        """
        return SparqlParser(self).parse()


class SparqlParser:
    """Parses a text in one pass. It has a stack instead of recursion, so that nesting has no limit."""

    def __init__(self, source: SparqlText) -> None:
        """Set the position before the first token."""
        end = len(source.text.rstrip(SPARQL_WHITESPACE))
        self.tokens = [*source.tokens, SparqlToken("end_of_text", "", end)]
        self.position = 0
        self.root = SyntaxNode("text", 0)
        self.open_nodes = [self.root]
        self.closed_nodes: list[SyntaxNode] = []  # closed after the last token
        self.pending_items = [parse_grammar_rules()["text"]]
        self.skipped_items: list[GrammarItem] = []  # optional ones, before the next token
        self.open_brackets: list[SparqlToken] = []
        self.next_terminals = self.find_next_terminals()

    def parse(self) -> SyntaxNode | GrammarMismatch:
        """Match the pending items until all are done or a token does not match."""
        while self.pending_items:
            item = self.pending_items.pop()
            if item.kind == "close_node":
                self.closed_nodes.append(self.open_nodes.pop())
            elif item.kind == "token":
                if item.name not in self.next_terminals:
                    return self.build_mismatch(item)
                self.take_token()
            elif item.kind == "rule":
                self.enter_rule(item)
            elif item.kind == "sequence":
                self.pending_items += reversed(item.parts)
            elif not self.choose_part(item):
                return self.build_mismatch(item)
        return (
            self.root if self.tokens[self.position].kind == "end_of_text" else self.build_mismatch(CLOSE_NODE)
        )

    def find_next_terminals(self) -> tuple[str, ...]:
        """The terminals of the grammar that the next token matches, such as `SELECT` or `@variable`."""
        token = self.tokens[self.position]
        terminals: tuple[str, ...] = (f"@{token.kind}",)
        if token.kind == "word":
            terminals = (token.word,) if token.word in SPARQL_KEYWORDS else (token.text,)
        elif token.kind == "mark":
            terminals = ("@sign",) if token.text in "+-" and self.is_number_sign() else (token.text,)
        elif token.kind == "name" and token.text.endswith(":"):
            terminals = ("@name", "@prefix")
        elif token.kind == "number" and token.text.isdigit():
            terminals = ("@number", "@integer")
        # All tokens outside the grammar become "", which limits the cache of find_fitting_part.
        return terminals if terminals[0] in GRAMMAR_TOKENS else ("",)

    def is_number_sign(self) -> bool:
        """Whether the next token is the sign of a number directly after it."""
        sign, following = self.tokens[self.position : self.position + 2]
        return following.kind == "number" and following.start == sign.start + 1

    def take_token(self) -> None:
        """Consume the next token, which matches the grammar."""
        token = self.tokens[self.position]
        self.open_nodes[-1].parts.append(token)
        if token.kind == "mark":
            if token.text in OPENING_BRACKETS:
                self.open_brackets.append(token)
            elif token.text in CLOSING_BRACKETS and self.open_brackets:
                self.open_brackets.pop()
        self.position += 1
        self.next_terminals = self.find_next_terminals()
        self.skipped_items.clear()
        self.closed_nodes.clear()

    def enter_rule(self, item: GrammarItem) -> None:
        """Begin a rule. Only a rule with a capitalized name gets a node."""
        if item.name[0].isupper():
            node = SyntaxNode(item.name, self.tokens[self.position].start)
            self.open_nodes[-1].parts.append(node)
            self.open_nodes.append(node)
            self.pending_items.append(CLOSE_NODE)
        self.pending_items.append(parse_grammar_rules()[item.name])

    def choose_part(self, item: GrammarItem) -> bool:
        """Continue with the alternative that can start with the next token.

        Returns False if there is none and the item is not optional.
        """
        if self.next_terminals == ("@iri",) and "<" in compute_first_set(item).tokens:
            self.split_iri()
        part = find_fitting_part(item, self.next_terminals)
        if part is None:
            self.skipped_items.append(item)
            return compute_first_set(item).is_nullable
        if item.kind == "repeat":
            self.pending_items.append(item)
        self.pending_items.append(part)
        return True

    def split_iri(self) -> None:
        """Split the next token into < and the tokens after it: after an operand, < is less-than."""
        iri = self.tokens[self.position]
        following = (
            token._replace(start=token.start + iri.start + 1) for token in tokenize_sparql(iri.text[1:])
        )
        self.tokens[self.position : self.position + 1] = [SparqlToken("mark", "<", iri.start), *following]
        self.next_terminals = self.find_next_terminals()

    def build_mismatch(self, item: GrammarItem) -> GrammarMismatch:
        """The mismatch at the next token, where `item` was expected."""
        token = self.tokens[self.position]
        first_sets = map(compute_first_set, (item, *self.skipped_items))
        expected = frozenset[str]().union(*(first_set.tokens for first_set in first_sets))
        # A rule that starts at the unexpected token has matched no token yet.
        open_rules = (
            node.rule
            for node in (*self.open_nodes, *reversed(self.closed_nodes))
            if node.start != token.start
        )
        return GrammarMismatch(
            token, self.tokens[: self.position], tuple(open_rules), expected, self.open_brackets
        )


@cache
def find_fitting_part(item: GrammarItem, terminals: tuple[str, ...]) -> GrammarItem | None:
    """The part of an item that can begin with one of the terminals; None if no part can."""
    return next(
        (part for part in item.parts if not compute_first_set(part).tokens.isdisjoint(terminals)), None
    )
