"""A rule of inference in parts: what it yields, the patterns that it asks for, and what it consults beside.

A rule is a SPARQL CONSTRUCT. The triple patterns that stand directly in its WHERE are its premises. Whatever
else it asks the graph for, by a path or within inner brackets (EXISTS, a subquery), it consults.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import pyoxigraph as ox

from ...rdf.sparql_lexer import CLOSING_BRACKETS, SparqlToken, tokenize_sparql, walk_tokens

RdfTerm = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
RulePattern = tuple[RdfTerm | ox.Variable, RdfTerm | ox.Variable, RdfTerm | ox.Variable]
Bindings = Mapping[ox.Variable, RdfTerm]

CONSTRUCT_HEAD_PATTERN = re.compile(r"CONSTRUCT\s*\{(.*?)\}", re.DOTALL)
# What may give a variable a term that stands in no triple: a value, or a path of no length.
CALCULATING_TOKENS = ("AS", "VALUES", "*", "?")
VARIABLE_IRI_PREFIX = "urn:variable:"  # before the name of a variable, while Turtle is read


class InferenceRule:
    """A rule: its text, what it yields and its premises as patterns, and the properties that it consults."""

    def __init__(self, text: str) -> None:
        """Take the text. Raises ValueError for one that cannot be taken apart."""
        head = CONSTRUCT_HEAD_PATTERN.search(text)
        if not head:
            raise ValueError(f"a rule is a CONSTRUCT with a template, unlike: {text}")
        self.text = text
        self.template = head[1]
        words = {token.word or token.text for token in tokenize_sparql(text)}
        self.asks_for_absence = "EXISTS" in words
        prologue = text[: head.start()]
        try:
            direct, inner = split_statements(tokenize_sparql(text[head.end() :]))
            paths = [one for one in direct if has_property_path(one)]
            template = tokenize_sparql(f"{{{self.template}}}")
            self.conclusions = parse_triple_patterns(prologue, split_statements(template)[0])
            self.premises = parse_triple_patterns(prologue, [one for one in direct if one not in paths])
            self.consulted_properties = find_asked_properties(prologue, [*paths, *inner])
        except SyntaxError as error:
            raise ValueError(
                f"a rule is made of triples, FILTER, BIND and VALUES (), unlike: {text}"
            ) from error
        within = {ox.Variable(token.text[1:]) for one in paths for token in one if token.kind == "variable"}
        beside = collect_variables(self.conclusions) - collect_variables(self.premises)
        # Variables that stand for nothing but terms of what is consulted.
        self.consulted_variables = within | beside if words.isdisjoint(CALCULATING_TOKENS) else set()

    @property
    def new_only_query(self) -> str:
        """The rule as a query for what is not there yet, so that nobody needs to sort out the rest."""
        body, brace, rest = self.text.rpartition("}")
        return f"{body}FILTER NOT EXISTS {{ {self.template} }} {brace}{rest}"


def run_construct_rule(rule: str, quads: ox.Store) -> Iterator[ox.Triple]:
    """What one rule yields over the union of all graphs."""
    triples = quads.query(rule, use_default_graph_as_union=True)
    assert isinstance(triples, ox.QueryTriples)
    return triples


def split_statements(where: Iterable[SparqlToken]) -> tuple[list[list[SparqlToken]], list[list[SparqlToken]]]:
    """The statements of the tokens of a WHERE: those directly in it, and those within inner braces.

    What stands in parentheses calculates and asks for nothing. Raises SyntaxError for blank nodes.
    """
    direct: list[list[SparqlToken]] = [[]]
    inner: list[list[SparqlToken]] = [[]]
    for step in walk_tokens(where):
        token = step.token
        if token.kind == "blank" or token.text in ("[", "<<", "{|"):
            raise SyntaxError("a variable says as much as a blank node")
        if token.text in (".", "{", "(", *CLOSING_BRACKETS) or (token.kind == "word" and token.text != "a"):
            direct.append([])
            inner.append([])
        elif step.brackets[-1] == "{":
            (direct if len(step.brackets) == 1 else inner)[-1].append(token)
    return list(filter(None, direct)), list(filter(None, inner))


def has_property_path(statement: Iterable[SparqlToken]) -> bool:
    """Whether a statement has a property path."""
    return any(token.kind == "mark" and token.text not in ";,^^" for token in statement)


def parse_triple_patterns(prologue: str, statements: Iterable[Iterable[SparqlToken]]) -> list[RulePattern]:
    """The statements as patterns. Raises SyntaxError where they are no plain triples."""
    text = "".join(f"{' '.join(map(token_in_turtle, one))} . " for one in statements)
    return [
        (restore_variable(one.subject), restore_variable(one.predicate), restore_variable(one.object))
        for one in parse_rule_turtle(prologue, text)
    ]


def find_asked_properties(prologue: str, statements: Iterable[list[SparqlToken]]) -> set[ox.NamedNode]:
    """All properties that the statements may ask for. Raises ValueError where one is a variable."""
    names = set()
    for one in statements:
        for before, token in pairwise(one):
            asks = len(one) > 2 and token.kind == "variable" and (before is one[0] or before.text == ";")
            if asks or token.text == "!":
                raise ValueError(f"a rule may not ask for any property within braces or paths: {token.text}")
        names |= {token.text for token in one if token.kind in ("iri", "name") or token.text == "a"}
    return {
        one.predicate
        for one in parse_rule_turtle(prologue, "".join(f"<urn:s> {name} <urn:o> . " for name in names))
    }


def collect_variables(patterns: Iterable[RulePattern]) -> set[ox.Variable]:
    """All variables of the patterns."""
    return {one for pattern in patterns for one in pattern if isinstance(one, ox.Variable)}


def parse_rule_turtle(prologue: str, text: str) -> Iterator[ox.Triple]:
    """The triples of a text in Turtle, with the prefixes of a query."""
    return (one.triple for one in ox.parse(f"{prologue}\n{text}", format=ox.RdfFormat.TURTLE))


def token_in_turtle(token: SparqlToken) -> str:
    """A token as Turtle has it, a variable as an IRI."""
    return f"<{VARIABLE_IRI_PREFIX}{token.text[1:]}>" if token.kind == "variable" else token.text


def restore_variable(read: RdfTerm) -> RdfTerm | ox.Variable:
    """The term, or the variable that it stands for."""
    if isinstance(read, ox.NamedNode) and read.value.startswith(VARIABLE_IRI_PREFIX):
        return ox.Variable(read.value.removeprefix(VARIABLE_IRI_PREFIX))
    return read


def bind_pattern(pattern: RulePattern, triple: ox.Triple, known: Bindings) -> Bindings | None:
    """What the variables of a pattern are if a triple fits it, with those that are known; None if not."""
    bound = dict(known)
    for asked, given in zip(pattern, triple, strict=True):
        if asked != given and (not isinstance(asked, ox.Variable) or bound.setdefault(asked, given) != given):
            return None
    return bound
