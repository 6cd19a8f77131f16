"""Read a SPARQL text by the grammar: its tree, or the first token that does not fit and what could be there.

The engine says neither: it takes the furthest place that it reached for the fault, and gives no tree away.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from ...rdf.sparql_lexer import CLOSING, OPENING, Token, tokens
from .grammar import KEYWORDS, TOKENS, Item, first, rules


@dataclass(slots=True)
class Node:
    """A piece of the text that a rule of the grammar fits, with the nodes and tokens within."""

    rule: str
    start: int
    parts: list["Node | Token"] = field(default_factory=list)

    def nodes(self, *names: str) -> Iterator["Node"]:
        """The nodes right below, of these rules."""
        return (part for part in self.parts if isinstance(part, Node) and part.rule in names)

    def tokens(self, *kinds: str) -> Iterator[Token]:
        """The tokens right below, of these kinds."""
        return (part for part in self.parts if isinstance(part, Token) and part.kind in kinds)

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in the order of the text."""
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            todo += [part for part in reversed(node.parts) if isinstance(part, Node)]

    def all_tokens(self, *kinds: str) -> Iterator[Token]:
        """The tokens of this node and those below, of these kinds or all, in the order of the text."""
        todo: list[Node | Token] = [self]
        while todo:
            part = todo.pop()
            if isinstance(part, Token):
                if not kinds or part.kind in kinds:
                    yield part
            else:
                todo += reversed(part.parts)


class Misfit(NamedTuple):
    """Where a text leaves the grammar.

    The `token` that does not fit (of kind `end` and without text where the text is over), the tokens `before`
    it, the rules that were open when the last of them was read, the innermost last, what could stand here as
    tokens of the grammar, and the brackets that are open.
    """

    token: Token
    before: list[Token]
    inside: tuple[str, ...]
    expected: frozenset[str]
    open: list[Token]

    @property
    def start(self) -> int:
        """Where the token begins."""
        return self.token.start


def read(text: str) -> Node | Misfit:
    """The tree of a text, or where it leaves the grammar, in time that grows with its length.

    Raises Problem 400 for a string without an end.
    """
    return Reading(text).run()


class Reading:
    """One pass over a text, by a stack of what is still to come, so that no depth is too deep."""

    def __init__(self, text: str) -> None:
        """Begin before the first token."""
        self.tokens = [*tokens(text), Token("end", "", len(text))]
        self.at = 0
        self.top = Node("text", 0)
        self.nodes = [self.top]
        self.closed: list[Node] = []  # since the last token
        self.todo = [rules()["text"]]
        self.skipped: set[str] = set()  # what could have stood here, beside what is to come
        self.brackets: list[Token] = []
        self.keys = self.names()

    def run(self) -> Node | Misfit:
        """Take what is to come from the stack until all is read or something does not fit."""
        while self.todo:
            item = self.todo.pop()
            if item.how == "end":
                self.closed.append(self.nodes.pop())
            elif item.how == "token":
                if item.name not in self.keys:
                    return self.misfit(item)
                self.take()
            elif item.how == "rule":
                self.enter(item)
            elif item.how == "all":
                self.todo += reversed(item.parts)
            elif not self.choose(item):
                return self.misfit(item)
        return self.top if self.tokens[self.at].kind == "end" else self.misfit(Item("end"))

    def names(self) -> tuple[str, ...]:
        """The names under which the grammar knows the next token."""
        token = self.tokens[self.at]
        known: tuple[str, ...] = (f"@{token.kind}",)
        if token.kind == "word":
            known = (token.word,) if token.word in KEYWORDS else (token.text,)
        elif token.kind == "mark":
            known = ("@sign",) if token.text in "+-" and self.signs() else (token.text,)
        elif token.kind == "name" and token.text.endswith(":"):
            known = ("@name", "@prefix")
        elif token.kind == "number" and token.text.isdigit():
            known = ("@number", "@integer")
        return known if known[0] in TOKENS else ("",)  # few, so that they can be kept

    def signs(self) -> bool:
        """Whether the next token is the sign of a number that follows at once."""
        sign, following = self.tokens[self.at : self.at + 2]
        return following.kind == "number" and following.start == sign.start + 1

    def take(self) -> None:
        """Read the next token, which fits."""
        token = self.tokens[self.at]
        self.nodes[-1].parts.append(token)
        if token.kind == "mark":
            if token.text in OPENING:
                self.brackets.append(token)
            elif token.text in CLOSING and self.brackets:
                self.brackets.pop()
        self.at += 1
        self.keys = self.names()
        self.skipped.clear()
        self.closed.clear()

    def enter(self, item: Item) -> None:
        """Begin a rule, as a node where it has a capital."""
        if item.name[0].isupper():
            node = Node(item.name, self.tokens[self.at].start)
            self.nodes[-1].parts.append(node)
            self.nodes.append(node)
            self.todo.append(Item("end"))
        self.todo.append(rules()[item.name])

    def choose(self, item: Item) -> bool:
        """Go on with the part of an item that the next token fits; whether there is one, or need be none."""
        if self.keys == ("@iri",) and "<" in first(item).tokens:
            self.split()
        part = fitting(item, self.keys)
        if part is None:
            self.skipped |= first(item).tokens
            return first(item).empty
        if item.how == "many":
            self.todo.append(item)
        self.todo.append(part)
        return True

    def split(self) -> None:
        """Cut the next token anew: after an operand, < is less-than and begins no IRI."""
        iri = self.tokens[self.at]
        rest = (one._replace(start=one.start + iri.start + 1) for one in tokens(iri.text[1:]))
        self.tokens[self.at : self.at + 1] = [Token("mark", "<", iri.start), *rest]
        self.keys = self.names()

    def misfit(self, item: Item) -> Misfit:
        """Say what could stand here instead of the next token."""
        token = self.tokens[self.at]
        expected = frozenset(self.skipped) | first(item).tokens
        inside = (node.rule for node in (*self.nodes, *reversed(self.closed)) if node.start != token.start)
        return Misfit(token, self.tokens[: self.at], tuple(inside), expected, self.brackets)


@cache
def fitting(item: Item, keys: tuple[str, ...]) -> Item | None:
    """The part of an item that begins with one of these tokens."""
    return next((part for part in item.parts if not first(part).tokens.isdisjoint(keys)), None)
