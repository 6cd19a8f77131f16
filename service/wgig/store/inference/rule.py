"""A rule of inference in parts: what it yields, the patterns that it asks for, and what it consults beside.

A rule is a SPARQL CONSTRUCT. The triple patterns that stand directly in its WHERE are its premises. Whatever
else it asks the graph for, by a path or within inner brackets (EXISTS, a subquery), it consults.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import pyoxigraph as ox

from ...rdf.sparql_lexer import CLOSING, Token, tokens, walk

Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
Pattern = tuple[Term | ox.Variable, Term | ox.Variable, Term | ox.Variable]
Bound = Mapping[ox.Variable, Term]

HEAD = re.compile(r"CONSTRUCT\s*\{(.*?)\}", re.DOTALL)
# What may give a variable a term that stands in no triple: a value, or a path of no length.
CALCULATING = ("AS", "VALUES", "*", "?")
MARK = "urn:variable:"  # before the name of a variable, while Turtle is read


class Rule:
    """A rule: its text, what it yields and its premises as patterns, and the properties that it consults."""

    def __init__(self, text: str) -> None:
        """Take the text. Raises ValueError for one that cannot be taken apart."""
        head = HEAD.search(text)
        if not head:
            raise ValueError(f"a rule is a CONSTRUCT with a template, unlike: {text}")
        self.text = text
        self.template = head[1]
        words = {token.word or token.text for token in tokens(text)}
        self.asks_for_absence = "EXISTS" in words
        prologue = text[: head.start()]
        try:
            direct, inner = statements(text[head.end() :])
            paths = [one for one in direct if is_path(one)]
            self.yields = patterns(prologue, statements(f"{{{self.template}}}")[0])
            self.premises = patterns(prologue, [one for one in direct if one not in paths])
            self.consulted = properties(prologue, [*paths, *inner])
        except SyntaxError as error:
            raise ValueError(
                f"a rule is made of triples, FILTER, BIND and VALUES (), unlike: {text}"
            ) from error
        within = {ox.Variable(token.text[1:]) for one in paths for token in one if token.kind == "variable"}
        beside = variables(self.yields) - variables(self.premises)
        # Variables that stand for nothing but terms of what is consulted.
        self.tied = within | beside if words.isdisjoint(CALCULATING) else set()

    @property
    def only_new(self) -> str:
        """The rule as a query for what is not there yet, so that nobody needs to sort out the rest."""
        body, brace, rest = self.text.rpartition("}")
        return f"{body}FILTER NOT EXISTS {{ {self.template} }} {brace}{rest}"


def construct(rule: str, quads: ox.Store) -> Iterator[ox.Triple]:
    """What one rule yields over the union of all graphs."""
    triples = quads.query(rule, use_default_graph_as_union=True)
    assert isinstance(triples, ox.QueryTriples)
    return triples


def statements(where: str) -> tuple[list[list[Token]], list[list[Token]]]:
    """The statements of a WHERE as tokens: those directly in it, and those within inner braces.

    What stands in parentheses calculates and asks for nothing. Raises SyntaxError for blank nodes.
    """
    direct: list[list[Token]] = [[]]
    inner: list[list[Token]] = [[]]
    for step in walk(where):
        token = step.token
        if token.kind == "blank" or token.text in ("[", "<<", "{|"):
            raise SyntaxError("a variable says as much as a blank node")
        if token.text in (".", "{", "(", *CLOSING) or (token.kind == "word" and token.text != "a"):
            direct.append([])
            inner.append([])
        elif step.brackets[-1] == "{":
            (direct if len(step.brackets) == 1 else inner)[-1].append(token)
    return list(filter(None, direct)), list(filter(None, inner))


def is_path(statement: Iterable[Token]) -> bool:
    """Whether a statement has a property path."""
    return any(token.kind == "mark" and token.text not in ";,^^" for token in statement)


def patterns(prologue: str, statements: Iterable[Iterable[Token]]) -> list[Pattern]:
    """The statements as patterns. Raises SyntaxError where they are no plain triples."""
    text = "".join(f"{' '.join(map(in_turtle, one))} . " for one in statements)
    return [(term(one.subject), term(one.predicate), term(one.object)) for one in turtle(prologue, text)]


def properties(prologue: str, statements: Iterable[list[Token]]) -> set[ox.NamedNode]:
    """All properties that the statements may ask for. Raises ValueError where one is a variable."""
    names = set()
    for one in statements:
        for before, token in pairwise(one):
            asks = len(one) > 2 and token.kind == "variable" and (before is one[0] or before.text == ";")
            if asks or token.text == "!":
                raise ValueError(f"a rule may not ask for any property within braces or paths: {token.text}")
        names |= {token.text for token in one if token.kind in ("iri", "name") or token.text == "a"}
    return {
        one.predicate for one in turtle(prologue, "".join(f"<urn:s> {name} <urn:o> . " for name in names))
    }


def variables(patterns: Iterable[Pattern]) -> set[ox.Variable]:
    """All variables of the patterns."""
    return {one for pattern in patterns for one in pattern if isinstance(one, ox.Variable)}


def turtle(prologue: str, text: str) -> Iterator[ox.Triple]:
    """The triples of a text in Turtle, with the prefixes of a query."""
    return (one.triple for one in ox.parse(f"{prologue}\n{text}", format=ox.RdfFormat.TURTLE))


def in_turtle(token: Token) -> str:
    """A token as Turtle has it, a variable as an IRI."""
    return f"<{MARK}{token.text[1:]}>" if token.kind == "variable" else token.text


def term(read: Term) -> Term | ox.Variable:
    """The term, or the variable that it stands for."""
    if isinstance(read, ox.NamedNode) and read.value.startswith(MARK):
        return ox.Variable(read.value.removeprefix(MARK))
    return read


def bind(pattern: Pattern, triple: ox.Triple, known: Bound) -> Bound | None:
    """What the variables of a pattern are if a triple fits it, with those that are known; None if not."""
    bound = dict(known)
    for asked, given in zip(pattern, triple, strict=True):
        if asked != given and (not isinstance(asked, ox.Variable) or bound.setdefault(asked, given) != given):
            return None
    return bound
