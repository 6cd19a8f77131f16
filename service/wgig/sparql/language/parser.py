"""Read a SPARQL text by the grammar: its tree, or the first token that does not fit and what could be there.

The engine says neither: it takes the furthest place that it reached for the fault, and gives no tree away.
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


@dataclass(slots=True)
class SyntaxNode:
    """A piece of the text that a rule of the grammar fits, with the nodes and tokens within."""

    rule: str
    start: int
    parts: list["SyntaxNode | SparqlToken"] = field(default_factory=list)

    def nodes(self, *names: str) -> Iterator["SyntaxNode"]:
        """The nodes right below, of these rules."""
        return (part for part in self.parts if isinstance(part, SyntaxNode) and part.rule in names)

    def tokens(self, *kinds: str) -> Iterator[SparqlToken]:
        """The tokens right below, of these kinds."""
        return (part for part in self.parts if isinstance(part, SparqlToken) and part.kind in kinds)

    def walk(self) -> Iterator["SyntaxNode"]:
        """This node and all below it, in the order of the text."""
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            todo += [part for part in reversed(node.parts) if isinstance(part, SyntaxNode)]

    def all_tokens(self, *kinds: str) -> Iterator[SparqlToken]:
        """The tokens of this node and those below, of these kinds or all, in the order of the text."""
        todo: list[SyntaxNode | SparqlToken] = [self]
        while todo:
            part = todo.pop()
            if isinstance(part, SparqlToken):
                if not kinds or part.kind in kinds:
                    yield part
            else:
                todo += reversed(part.parts)


class GrammarMismatch(NamedTuple):
    """Where a text leaves the grammar.

    The `token` that does not fit (of kind `end` and without text where the text is over), the tokens `before`
    it, the rules that were open when the last of them was read, the innermost last, what could stand here as
    tokens of the grammar, and the brackets that are open.
    """

    token: SparqlToken
    before: list[SparqlToken]
    open_rules: tuple[str, ...]
    expected: frozenset[str]
    open_brackets: list[SparqlToken]

    @property
    def start(self) -> int:
        """Where the token begins."""
        return self.token.start


class ParsedSparqlText(SparqlText):
    """A SPARQL text with its tokens and its tree, each made once, when it is first asked for."""

    @cached_property
    def tree(self) -> SyntaxNode | GrammarMismatch:
        """The tree, or where the text leaves the grammar, in time that grows with its length.

        Raises Problem 400 for a string without an end.
        """
        return SparqlParser(self).parse()


class SparqlParser:
    """One pass over a text, by a stack of what is still to come, so that no depth is too deep."""

    def __init__(self, source: SparqlText) -> None:
        """Begin before the first token."""
        end = len(source.text.rstrip(SPARQL_WHITESPACE))
        self.tokens = [*source.tokens, SparqlToken("end", "", end)]
        self.position = 0
        self.root = SyntaxNode("text", 0)
        self.open_nodes = [self.root]
        self.closed_nodes: list[SyntaxNode] = []  # since the last token
        self.pending_items = [parse_grammar_rules()["text"]]
        self.skipped_tokens: set[str] = set()  # what could have stood here, beside what is to come
        self.open_brackets: list[SparqlToken] = []
        self.next_names = self.token_names()

    def parse(self) -> SyntaxNode | GrammarMismatch:
        """Take what is to come from the stack until all is read or something does not fit."""
        while self.pending_items:
            item = self.pending_items.pop()
            if item.kind == "end":
                self.closed_nodes.append(self.open_nodes.pop())
            elif item.kind == "token":
                if item.name not in self.next_names:
                    return self.build_mismatch(item)
                self.take_token()
            elif item.kind == "rule":
                self.enter_rule(item)
            elif item.kind == "all":
                self.pending_items += reversed(item.parts)
            elif not self.choose_part(item):
                return self.build_mismatch(item)
        return (
            self.root if self.tokens[self.position].kind == "end" else self.build_mismatch(GrammarItem("end"))
        )

    def token_names(self) -> tuple[str, ...]:
        """The names under which the grammar knows the next token."""
        token = self.tokens[self.position]
        known: tuple[str, ...] = (f"@{token.kind}",)
        if token.kind == "word":
            known = (token.word,) if token.word in SPARQL_KEYWORDS else (token.text,)
        elif token.kind == "mark":
            known = ("@sign",) if token.text in "+-" and self.is_number_sign() else (token.text,)
        elif token.kind == "name" and token.text.endswith(":"):
            known = ("@name", "@prefix")
        elif token.kind == "number" and token.text.isdigit():
            known = ("@number", "@integer")
        return known if known[0] in GRAMMAR_TOKENS else ("",)  # few, so that they can be kept

    def is_number_sign(self) -> bool:
        """Whether the next token is the sign of a number that follows at once."""
        sign, following = self.tokens[self.position : self.position + 2]
        return following.kind == "number" and following.start == sign.start + 1

    def take_token(self) -> None:
        """Read the next token, which fits."""
        token = self.tokens[self.position]
        self.open_nodes[-1].parts.append(token)
        if token.kind == "mark":
            if token.text in OPENING_BRACKETS:
                self.open_brackets.append(token)
            elif token.text in CLOSING_BRACKETS and self.open_brackets:
                self.open_brackets.pop()
        self.position += 1
        self.next_names = self.token_names()
        self.skipped_tokens.clear()
        self.closed_nodes.clear()

    def enter_rule(self, item: GrammarItem) -> None:
        """Begin a rule, as a node where it has a capital."""
        if item.name[0].isupper():
            node = SyntaxNode(item.name, self.tokens[self.position].start)
            self.open_nodes[-1].parts.append(node)
            self.open_nodes.append(node)
            self.pending_items.append(GrammarItem("end"))
        self.pending_items.append(parse_grammar_rules()[item.name])

    def choose_part(self, item: GrammarItem) -> bool:
        """Go on with the part of an item that the next token fits; whether there is one, or need be none."""
        if self.next_names == ("@iri",) and "<" in compute_first_set(item).tokens:
            self.split_iri()
        part = find_fitting_part(item, self.next_names)
        if part is None:
            self.skipped_tokens |= compute_first_set(item).tokens
            return compute_first_set(item).is_nullable
        if item.kind == "many":
            self.pending_items.append(item)
        self.pending_items.append(part)
        return True

    def split_iri(self) -> None:
        """Cut the next token anew: after an operand, < is less-than and begins no IRI."""
        iri = self.tokens[self.position]
        rest = (one._replace(start=one.start + iri.start + 1) for one in tokenize_sparql(iri.text[1:]))
        self.tokens[self.position : self.position + 1] = [SparqlToken("mark", "<", iri.start), *rest]
        self.next_names = self.token_names()

    def build_mismatch(self, item: GrammarItem) -> GrammarMismatch:
        """Say what could stand here instead of the next token."""
        token = self.tokens[self.position]
        expected = frozenset(self.skipped_tokens) | compute_first_set(item).tokens
        inside = (
            node.rule
            for node in (*self.open_nodes, *reversed(self.closed_nodes))
            if node.start != token.start
        )
        return GrammarMismatch(
            token, self.tokens[: self.position], tuple(inside), expected, self.open_brackets
        )


@cache
def find_fitting_part(item: GrammarItem, keys: tuple[str, ...]) -> GrammarItem | None:
    """The part of an item that begins with one of these tokens."""
    return next((part for part in item.parts if not compute_first_set(part).tokens.isdisjoint(keys)), None)
