"""Parsing of an inference rule into its conclusions, its premises, and the properties that it consults.

A rule is a SPARQL CONSTRUCT query. Its template has the conclusions; the triple patterns directly in its
WHERE are its premises. All other triples that it reads, by a property path or within inner braces (EXISTS, a
subquery), are consulted. After a change of triples that match premises, the rules run over just the triples
around the change; after a change of triples with a consulted property, they run over everything.
"""

import re
from collections.abc import Iterable, Iterator, Set
from itertools import pairwise
from typing import NamedTuple

import pyoxigraph as ox

from ...rdf.sparql_lexer import CLOSING_BRACKETS, SparqlToken, tokenize_sparql, walk_tokens

RdfTerm = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple
RulePattern = tuple[RdfTerm | ox.Variable, RdfTerm | ox.Variable, RdfTerm | ox.Variable]

CONSTRUCT_TEMPLATE_PATTERN = re.compile(r"CONSTRUCT\s*\{(.*?)\}", re.DOTALL)
# Tokens that can bind a variable to a term that is in no triple: by a computed value, or a path of length 0.
TOKENS_BINDING_NEW_TERMS = ("AS", "VALUES", "*", "?")
# Patterns are parsed as Turtle, in which a variable is written as an IRI: this prefix and its name.
VARIABLE_IRI_PREFIX = "urn:variable:"
TERM_TYPES = {"ISLITERAL": ox.Literal, "ISIRI": ox.NamedNode, "ISURI": ox.NamedNode, "ISBLANK": ox.BlankNode}


class TypeTest(NamedTuple):
    """A FILTER with one test of the type of a variable, such as `!isLiteral(?object)`."""

    variable: ox.Variable
    term_type: type
    is_negated: bool

    def accepts(self, term: RdfTerm) -> bool:
        """Whether a term passes the test."""
        return isinstance(term, self.term_type) is not self.is_negated

    def serialize(self, variable: str) -> str:
        """The FILTER for a variable in SPARQL syntax."""
        function = {ox.Literal: "isLiteral", ox.NamedNode: "isIRI", ox.BlankNode: "isBlank"}[self.term_type]
        return f"FILTER({'!' if self.is_negated else ''}{function}({variable}))"


class InferenceRule:
    """A rule: its text, its conclusions and premises as triple patterns, and the properties it consults."""

    def __init__(self, text: str) -> None:
        """Parse the text. Raises ValueError for a rule that is not supported."""
        template_match = CONSTRUCT_TEMPLATE_PATTERN.search(text)
        if not template_match:
            raise ValueError(f"the rule is not a CONSTRUCT with a template: {text}")
        self.text = text
        self.template = template_match[1]
        token_texts = {token.word or token.text for token in tokenize_sparql(text)}
        self.uses_exists = "EXISTS" in token_texts
        prologue = text[: template_match.start()]
        try:
            direct_statements, inner_statements = split_statements(
                tokenize_sparql(text[template_match.end() :])
            )
            paths = [statement for statement in direct_statements if has_property_path(statement)]
            template_tokens = tokenize_sparql(f"{{{self.template}}}")
            self.conclusions = parse_triple_patterns(prologue, split_statements(template_tokens)[0])
            self.premises = parse_triple_patterns(
                prologue, [statement for statement in direct_statements if statement not in paths]
            )
            self.consulted_properties = find_consulted_properties(prologue, [*paths, *inner_statements])
        except SyntaxError as error:
            raise ValueError(
                "a rule may only have triples, FILTER, BIND and VALUES with its variables in parentheses, "
                f"and no blank nodes: {text}"
            ) from error
        path_variables = {
            ox.Variable(token.text[1:]) for path in paths for token in path if token.kind == "variable"
        }
        unmatched_conclusion_variables = collect_variables(self.conclusions) - collect_variables(
            self.premises
        )
        # Variables that can only be bound to terms of consulted triples.
        binds_only_stored_terms = token_texts.isdisjoint(TOKENS_BINDING_NEW_TERMS)
        self.consulted_variables = (
            path_variables | unmatched_conclusion_variables if binds_only_stored_terms else set()
        )
        # The consulted part as a query; empty: there is none; None: only the engine can evaluate the rule.
        self.consulted_query: str | None = None
        self.type_tests: list[TypeTest] = []
        parts = split_simple_where(text[template_match.end() :])
        if parts and all(test.variable in collect_variables(self.premises) for test in parts.type_tests):
            consulted_part = " ".join(parts.consulted_texts)
            self.type_tests = parts.type_tests
            self.consulted_query = (
                f"{prologue} SELECT DISTINCT * WHERE {{ {consulted_part} }}" if consulted_part else ""
            )

    def depends_on(self, predicates: Set[RdfTerm]) -> bool:
        """Whether triples with one of these predicates may change the results of the rule."""
        return not self.consulted_properties.isdisjoint(predicates) or any(
            isinstance(property_, ox.Variable) or property_ in predicates for _, property_, _ in self.premises
        )

    @property
    def new_only_query(self) -> str:
        """The rule as a query that only returns triples that do not exist yet."""
        body, brace, modifiers = self.text.rpartition("}")
        return f"{body}FILTER NOT EXISTS {{ {self.template} }} {brace}{modifiers}"


def run_construct_rule(query: str, store: ox.Store) -> Iterator[ox.Triple]:
    """The results of a rule over the union of all graphs."""
    triples = store.query(query, use_default_graph_as_union=True)
    assert isinstance(triples, ox.QueryTriples)
    return triples


def split_statements(where: Iterable[SparqlToken]) -> tuple[list[list[SparqlToken]], list[list[SparqlToken]]]:
    """The statements in the tokens of a WHERE: those directly in it, and those within inner braces.

    Expressions in parentheses are skipped, as they read no triples. Raises SyntaxError for blank nodes.
    """
    direct: list[list[SparqlToken]] = [[]]
    inner: list[list[SparqlToken]] = [[]]
    for step in walk_tokens(where):
        token = step.token
        # A keyword, a dot or a bracket ends a statement; the word `a` is a predicate.
        if token.kind == "blank" or token.text in ("[", "<<", "{|"):
            raise SyntaxError("use a variable instead of a blank node")
        if token.text in (".", "{", "(", *CLOSING_BRACKETS) or (token.kind == "word" and token.text != "a"):
            direct.append([])
            inner.append([])
        elif step.brackets[-1] == "{":
            (direct if len(step.brackets) == 1 else inner)[-1].append(token)
    return list(filter(None, direct)), list(filter(None, inner))


class SimpleWhere(NamedTuple):
    """The parts of a WHERE beside its premises: property paths and inner groups, and tests of types."""

    consulted_texts: list[str]
    type_tests: list[TypeTest]


def split_simple_where(text: str) -> SimpleWhere | None:
    """The parts of a WHERE that has only triples, inner groups and tests of types; None for any other."""
    tokens = list(tokenize_sparql(text))
    parts = SimpleWhere([], [])
    position = 1 if tokens and tokens[0].word == "WHERE" else 0
    if len(tokens) < position + 2 or tokens[position].text != "{" or tokens[-1].text != "}":
        return None
    position += 1
    while position < len(tokens) - 1:
        token = tokens[position]
        if token.word == "FILTER":
            end = find_closing_bracket(tokens, position + 1)
            test = parse_type_test(tokens[position + 1 : end + 1])
            if test is None:
                return None
            parts.type_tests.append(test)
        elif token.text == "{":
            end = find_closing_bracket(tokens, position)
            parts.consulted_texts.append(text[token.start : tokens[end].start + 1])
        elif token.text == ".":
            end = position
        else:
            end = position
            while end < len(tokens) - 2 and not is_statement_end(tokens[end + 1]):
                end += 1
            statement = tokens[position : end + 1]
            if any(is_statement_end(part) or part.text in ("(", "[", "}") for part in statement):
                return None
            if has_property_path(statement):
                parts.consulted_texts.append(f"{text[token.start : tokens[end + 1].start]} .")
        position = end + 1
    return parts if position == len(tokens) - 1 else None


def is_statement_end(token: SparqlToken) -> bool:
    """Whether a token ends the triples before it."""
    return token.text in (".", "{") or (token.kind == "word" and token.text != "a")


def find_closing_bracket(tokens: list[SparqlToken], position: int) -> int:
    """The position of the bracket that closes the one at this position; of the last token if none does."""
    for step_position, step in enumerate(walk_tokens(tokens[position:]), position):
        if not step.brackets:
            return step_position
    return len(tokens) - 1


def parse_type_test(tokens: list[SparqlToken]) -> TypeTest | None:
    """The test of a type in parentheses, such as `(!isLiteral(?object))`; None for another expression."""
    texts = [token.text for token in tokens]
    is_negated = texts[1:2] == ["!"]
    words = tokens[2:] if is_negated else tokens[1:]
    if len(words) != 5 or texts[0] != "(" or words[0].word not in TERM_TYPES or words[2].kind != "variable":
        return None
    if [words[index].text for index in (1, 3, 4)] != ["(", ")", ")"]:
        return None
    return TypeTest(ox.Variable(words[2].text[1:]), TERM_TYPES[words[0].word], is_negated)


def has_property_path(statement: Iterable[SparqlToken]) -> bool:
    """Whether a statement has a property path."""
    return any(token.kind == "mark" and token.text not in {";", ",", "^^"} for token in statement)


def parse_triple_patterns(prologue: str, statements: Iterable[Iterable[SparqlToken]]) -> list[RulePattern]:
    """The statements as triple patterns. Raises SyntaxError for anything else."""
    text = "".join(f"{' '.join(map(token_in_turtle, statement))} . " for statement in statements)
    return [
        (
            restore_variable(triple.subject),
            restore_variable(triple.predicate),
            restore_variable(triple.object),
        )
        for triple in parse_rule_turtle(prologue, text)
    ]


def find_consulted_properties(prologue: str, statements: Iterable[list[SparqlToken]]) -> set[ox.NamedNode]:
    """All IRIs in the statements: each may be a property. Raises ValueError if a property is a variable."""
    iris = set()
    for statement in statements:
        for previous, token in pairwise(statement):
            is_predicate = previous is statement[0] or previous.text == ";"
            # A statement of one or two tokens has no predicate: it is from another clause, such as SELECT.
            has_variable_property = len(statement) > 2 and token.kind == "variable" and is_predicate
            if has_variable_property or token.text == "!":
                raise ValueError(f"a property within braces or paths of a rule must be an IRI: {token.text}")
        iris |= {token.text for token in statement if token.kind in ("iri", "name") or token.text == "a"}
    return {
        triple.predicate
        for triple in parse_rule_turtle(prologue, "".join(f"<urn:s> {iri} <urn:o> . " for iri in iris))
    }


def collect_variables(patterns: Iterable[RulePattern]) -> set[ox.Variable]:
    """All variables of the patterns."""
    return {term for pattern in patterns for term in pattern if isinstance(term, ox.Variable)}


def parse_rule_turtle(prologue: str, text: str) -> Iterator[ox.Triple]:
    """The triples of a Turtle text, with the prologue of a query."""
    return (quad.triple for quad in ox.parse(f"{prologue}\n{text}", format=ox.RdfFormat.TURTLE))


def token_in_turtle(token: SparqlToken) -> str:
    """A token in Turtle syntax, a variable as an IRI."""
    return f"<{VARIABLE_IRI_PREFIX}{token.text[1:]}>" if token.kind == "variable" else token.text


def restore_variable(term: RdfTerm) -> RdfTerm | ox.Variable:
    """The variable of an IRI that `token_in_turtle` made; other terms unchanged."""
    if isinstance(term, ox.NamedNode) and term.value.startswith(VARIABLE_IRI_PREFIX):
        return ox.Variable(term.value.removeprefix(VARIABLE_IRI_PREFIX))
    return term
