"""Count queries: each SELECT that counts the matches of one triple pattern and that kept counts can answer.

Such a query is recognized in its syntax tree. It has COUNTs, at most one variable in GROUP BY, and modifiers.
The property of the pattern may be fixed, and then its value as well. All other queries are for the engine.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.namespaces import RDF_TYPE_IRI
from ...rdf.sparql_lexer import SparqlToken
from .parser import ParsedSparqlText, SyntaxNode
from .scope import variable_name

MAX_COUNT_QUERY_CHARS = 2000  # longer texts are not parsed
MAX_CACHED_QUERIES = 128  # parsed texts, as clients repeat their queries after each write

# The rules below a single triple pattern, in the order of the text, if the property is a variable or fixed.
_PATTERN_RULES = [
    ["Triples", subject, "Properties", "Verb", *verb, "Objects", "Object", "Term"]
    for subject in ("Term", "Square")
    for verb in ((), ("Path", "Step"))
]
_MODIFIER_WORDS = ("ORDER", "BY", "ASC", "DESC", "LIMIT", "OFFSET")
# All words of count queries; the empty one is for other tokens.
COUNT_QUERY_WORDS = frozenset(
    [
        *("", "BASE", "PREFIX", "SELECT", "DISTINCT", "REDUCED"),
        *("COUNT", "AS", "WHERE", "A", "GROUP", *_MODIFIER_WORDS),
    ]
)


class CountedFigure(Enum):
    """What a column of the result has, for the whole pattern or for each of its groups."""

    KEY = "the term of GROUP BY"
    MATCHES = "the number of matches; a triple in several graphs matches in each of them"
    TRIPLES = "the number of distinct triples"
    TERMS = "the number of distinct properties, or of distinct values of the property"


class CountPattern(NamedTuple):
    """A triple pattern whose subject is a variable or a blank node.

    `subject`, `predicate` and `value` are the names of the variables, empty for terms and blank nodes.
    `predicate_iri` and `value_iri` are empty for variables.
    """

    subject: str
    predicate: str
    value: str
    predicate_iri: str
    value_iri: str


@dataclass(frozen=True)
class CountQuery:
    """A count query. `group` is the name of the variable of GROUP BY, empty without GROUP BY.

    `columns` has the figure of each variable that the result shows or is ordered by. `selection` is the text
    from SELECT to WHERE with variables in place of COUNTs, `modifiers` the text after the groups.
    """

    pattern: CountPattern
    group: str
    columns: Mapping[str, CountedFigure]
    selection: str
    modifiers: str


def find_count_query(text: str, base: str) -> CountQuery | None:
    """The count query in a text; None if it has none. Relative IRIs are resolved against `base`."""
    return parse_count_query(text, base) if may_be_count_query(text) else None


def may_be_count_query(text: str) -> bool:
    """Whether a text is worth parsing, which takes 0.1 ms: a count query has COUNT, and one short group."""
    return (
        len(text) <= MAX_COUNT_QUERY_CHARS
        and text.count("{") == 1
        and ";" not in text
        and "count" in text.lower()
    )


@lru_cache(MAX_CACHED_QUERIES)
def parse_count_query(text: str, base: str) -> CountQuery | None:
    """The text as a count query, as `find_count_query` returns it."""
    source = ParsedSparqlText(text)
    try:
        # The tree takes most of the time, and most other queries with COUNT have other words.
        if not COUNT_QUERY_WORDS.issuperset(token.word for token in source.tokens):
            return None
        tree = source.tree
    except Problem:  # an unclosed string
        return None
    nodes = [*tree.nodes("Base", "Prefix", "Select")] if isinstance(tree, SyntaxNode) else []
    if not nodes or nodes[-1].rule != "Select":
        return None
    *prologue, select = nodes
    declarations = join_token_texts(token for node in prologue for token in node.all_tokens())
    (projection,), (where,) = select.nodes("Projection"), select.nodes("Where")
    pattern, group = read_count_pattern(where, declarations, base), read_group_variable(select)
    if pattern is None or group not in ("", pattern.value if pattern.predicate_iri else pattern.predicate):
        return None
    columns = read_count_columns(projection, pattern, group)
    modifiers = [token for node in select.nodes("OrderBy", "Limit", "Offset") for token in node.all_tokens()]
    if columns is None or not all(is_simple_modifier(token, columns) for token in modifiers):
        return None
    selected = [part if isinstance(part, SparqlToken) else get_as_variable(part) for part in projection.parts]
    return CountQuery(
        pattern,
        group,
        columns,
        join_token_texts([*select.tokens("word"), *selected]),
        join_token_texts(modifiers),
    )


def join_token_texts(tokens: Iterable[SparqlToken]) -> str:
    """The tokens as a text."""
    return " ".join(token.text for token in tokens)


def read_count_pattern(where: SyntaxNode, declarations: str, base: str) -> CountPattern | None:
    """The only triple pattern of a query; None if the query has anything else, or if it is not counted.

    `declarations` are those of prefixes and of the base; None as well if they are invalid.
    """
    (group,) = where.nodes("Group")
    nodes = [part for part in group.parts if isinstance(part, SyntaxNode)]
    if len(nodes) != 1 or [node.rule for node in nodes[0].walk()] not in _PATTERN_RULES:
        return None
    tokens = list(nodes[0].all_tokens())
    if [token.text for token in tokens[:2]] == ["[", "]"]:
        tokens = [tokens[0]._replace(kind="blank"), *tokens[2:]]
    if len(tokens) != 3:  # as in the path ^<urn:p>, or in a literal with a language
        return None
    subject, predicate, value = tokens
    names = [variable_name(token) if token.kind == "variable" else "" for token in tokens]
    is_counted = (
        subject.kind in ("variable", "blank")
        and (predicate.kind in ("variable", "iri", "name") or predicate.text == "a")
        and (value.kind == "variable" or (value.kind in ("iri", "name") and predicate.kind != "variable"))
    )
    variables = list(filter(None, names))
    if not is_counted or len(set(variables)) < len(variables):
        return None
    fixed_terms = ["" if token.kind == "variable" else token.text for token in (predicate, value)]
    iris = resolve_terms(filter(None, fixed_terms), declarations, base)
    if iris is None:
        return None
    return CountPattern(*names, *(next(iris) if term else "" for term in fixed_terms))


def resolve_terms(terms: Iterable[str], declarations: str, base: str) -> Iterator[str] | None:
    """The IRIs of terms; None if one of them or a declaration is invalid.

    They are parsed as Turtle, which has the same terms and declarations.
    """
    statements = (f"[] a {f'<{RDF_TYPE_IRI}>' if term == 'a' else term} ." for term in terms)
    try:
        quads = list(ox.parse(" ".join([declarations, *statements]), ox.RdfFormat.TURTLE, base_iri=base))
    except (SyntaxError, ValueError):
        return None
    return (quad.object.value for quad in quads if isinstance(quad.object, ox.NamedNode))


def read_group_variable(select: SyntaxNode) -> str | None:
    """The name of the variable of GROUP BY, empty without GROUP BY; None if it has anything else."""
    for group_by in select.nodes("GroupBy"):
        tokens = list(group_by.all_tokens())
        return variable_name(tokens[2]) if len(tokens) == 3 and tokens[2].kind == "variable" else None
    return ""


def read_count_columns(
    projection: SyntaxNode, pattern: CountPattern, group: str
) -> dict[str, CountedFigure] | None:
    """The figures of the variables of a projection, and of GROUP BY; None if one is not counted."""
    columns = {group: CountedFigure.KEY} if group else {}
    selected = [*map(variable_name, projection.tokens("variable"))]
    if any(projection.tokens("mark")) or selected not in ([], [group]):  # the mark is a *
        return None
    for part in projection.nodes("As"):
        name = variable_name(get_as_variable(part))
        figure = read_counted_figure(part, pattern, group)
        if figure is None or name in columns or name in pattern[:3]:
            return None
        columns[name] = figure
    return columns


def get_as_variable(computed: SyntaxNode) -> SparqlToken:
    """The variable after AS."""
    return next(computed.tokens("variable"))


def read_counted_figure(computed: SyntaxNode, pattern: CountPattern, group: str) -> CountedFigure | None:
    """The figure of an expression with AS; None if it is not counted."""
    match [token.word or token.text for token in computed.all_tokens()]:
        case ["(", "COUNT", "(", *distinct, argument, ")", "AS", _, ")"] if distinct in ([], ["DISTINCT"]):
            is_all, name = argument == "*", argument[1:] if argument[0] in "?$" else ""
        case _:
            return None
    free = [variable for variable in pattern[:3] if variable and variable != group]
    if not (is_all or (name and name in pattern[:3])):
        return None
    if not distinct:
        return CountedFigure.MATCHES  # a variable of the pattern is bound in each match
    if pattern.subject and (is_all or free == [pattern.subject] == [name]):
        return CountedFigure.TRIPLES
    if not group and name and name == (pattern.value if pattern.predicate_iri else pattern.predicate):
        return CountedFigure.TERMS
    return None


def is_simple_modifier(token: SparqlToken, columns: Collection[str]) -> bool:
    """Whether a token of ORDER BY, LIMIT or OFFSET means the same without the pattern and the prologue."""
    if token.kind == "variable":
        return variable_name(token) in columns
    return token.kind == "number" or token.word in _MODIFIER_WORDS or token.text in ("(", ")")
