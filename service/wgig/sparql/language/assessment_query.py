"""Count queries over the assessments in papers: SELECTs and subqueries that kept counts can answer.

Such a SELECT joins papers with their issues and the criteria of their assessments, with or without verdicts,
and counts assessments or papers, grouped by any of these. It is recognized in the syntax tree, whatever its
names, prefixes and the order of its triples. VALUES may restrict what it is grouped by. All other SELECTs are
for the engine, also those in GRAPH, SERVICE, LATERAL or a FILTER.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from ...problems import Problem
from ...rdf.sparql_lexer import SparqlToken
from .count_query import get_as_variable, is_simple_modifier, join_token_texts, resolve_terms
from .parser import ParsedSparqlText, SyntaxNode
from .scope import variable_name

MAX_TEXT_CHARS = 10_000  # longer texts are not parsed
MAX_CACHED_TEXTS = 128  # parsed texts, as clients repeat their queries after each write
# The rules on the way from a query to a subquery that has the dataset and the solutions of its own.
_NESTING_RULES = ("Select", "Where", "Group", "Union", "Optional", "SubSelect")
_TRIPLE_RULES = {"Triples", "Term", "Properties", "Verb", "Path", "Step", "Objects", "Object"}


class AssessmentProperties(NamedTuple):
    """The IRIs of the properties of the join, in the order of JoinVariables."""

    issue: str  # of a paper
    assessment: str  # of a paper
    criterion: str  # of an assessment
    verdict: str  # of an assessment


class VerdictUse(Enum):
    """Whether the pattern of a count query has the verdicts."""

    NONE = "no verdict"
    NEEDED = "only assessments with a verdict"
    OPTIONAL = "assessments with or without a verdict"


class AssessmentFigure(Enum):
    """What is counted in each group."""

    MATCHES = "the assessments with their issues, criteria and verdicts"
    PAPERS = "the distinct papers"


class JoinVariables(NamedTuple):
    """The names of the variables of the join; `verdict` is empty if it has none."""

    paper: str
    issue: str
    assessment: str
    criterion: str
    verdict: str

    @property
    def group_names(self) -> list[str]:
        """The variables by which the counts may be grouped, in the order of the keys of the counts."""
        return [name for name in (self.issue, self.criterion, self.verdict) if name]


@dataclass(frozen=True)
class AssessmentCountQuery:
    """A count query. Positions are those in the keys of the counts: issue, criterion, verdict.

    `group` has the positions of GROUP BY. `columns` has the position or the figure of each variable that the
    result shows or is ordered by. `allowed` has the terms to which VALUES restricts a position. `selection`
    is the text from SELECT to WHERE with variables in place of COUNTs, `modifiers` the text after the groups.
    """

    verdict_use: VerdictUse
    group: Sequence[int]
    columns: Mapping[str, int | AssessmentFigure]
    allowed: Mapping[int, frozenset[str]]
    selection: str
    modifiers: str


class PlacedQuery(NamedTuple):
    """A count query with the offsets of its text in the whole text."""

    start: int
    end: int
    query: AssessmentCountQuery


def find_assessment_queries(text: str, base: str, properties: AssessmentProperties) -> Sequence[PlacedQuery]:
    """The count queries in a text, in the order of the text. Relative IRIs are resolved against `base`."""
    names = [iri.rpartition("#")[2] for iri in properties[:3]]
    # Most texts are not worth parsing, which takes 1 ms for 1,000 characters.
    if len(text) > MAX_TEXT_CHARS or "count" not in text.lower() or not all(name in text for name in names):
        return ()
    return parse_assessment_queries(text, base, properties)


@lru_cache(MAX_CACHED_TEXTS)
def parse_assessment_queries(text: str, base: str, properties: AssessmentProperties) -> Sequence[PlacedQuery]:
    """The count queries in a text, as `find_assessment_queries` returns them."""
    try:
        tree = ParsedSparqlText(text).tree
    except Problem:  # an unclosed string
        return ()
    if not isinstance(tree, SyntaxNode) or any(node.rule == "Dataset" for node in tree.walk()):
        return ()
    declarations = join_token_texts(
        token for node in tree.nodes("Base", "Prefix") for token in node.all_tokens()
    )
    placed = []
    for select in iter_selects(tree):
        reader = SelectReader(select, declarations, base, properties)
        if query := reader.read_query():
            last = list(select.all_tokens())[-1]
            placed.append(PlacedQuery(select.start, last.start + len(last.text), query))
    return placed


def iter_selects(tree: SyntaxNode) -> Iterator[SyntaxNode]:
    """The SELECT of a query and those of its subqueries."""
    pending = [*tree.nodes("Select")]
    while pending:
        node = pending.pop()
        if node.rule == "Select":
            yield node
        pending += reversed([*node.nodes(*_NESTING_RULES)])


@dataclass(frozen=True)
class SelectReader:
    """Reads a SELECT with declarations of prefixes before it."""

    select: SyntaxNode
    declarations: str
    base: str
    properties: AssessmentProperties

    def read_query(self) -> AssessmentCountQuery | None:
        """The SELECT as a count query; None if it is not one."""
        if any(self.select.nodes("Having")):
            return None
        (projection,), (where,) = self.select.nodes("Projection"), self.select.nodes("Where")
        (group_node,) = where.nodes("Group")
        read = self.read_join(group_node)
        if read is None:
            return None
        variables, verdict_use = read
        allowed = self.read_allowed_terms(group_node, variables)
        group = self.read_group(variables)
        if allowed is None or group is None:
            return None
        columns = self.read_columns(projection, variables, group, verdict_use)
        modifiers = [
            token for node in self.select.nodes("OrderBy", "Limit", "Offset") for token in node.all_tokens()
        ]
        if columns is None or not all(is_simple_modifier(token, columns) for token in modifiers):
            return None
        selected = [
            part if isinstance(part, SparqlToken) else get_as_variable(part) for part in projection.parts
        ]
        return AssessmentCountQuery(
            verdict_use,
            group,
            columns,
            allowed,
            join_token_texts([*self.select.tokens("word"), *selected]),
            join_token_texts(modifiers),
        )

    def read_join(self, group: SyntaxNode) -> tuple[JoinVariables, VerdictUse] | None:
        """The variables of the join, and whether it has verdicts; None if the group has anything else."""
        parts = [part for part in group.parts if isinstance(part, SyntaxNode) and part.rule != "Values"]
        optional_parts = [part for part in parts if part.rule == "Optional"]
        if optional_parts:
            if optional_parts != parts[-1:]:  # OPTIONAL depends on what is before it
                return None
            (optional_group,) = parts.pop().nodes("Group")
            optional_triples = self.read_triples(
                [part for part in optional_group.parts if isinstance(part, SyntaxNode)]
            )
        else:
            optional_triples = {}
        triples = self.read_triples(parts)
        if triples is None or optional_triples is None:
            return None
        issue, assessment, criterion, verdict = self.properties
        verdict_use = {
            (False, False): VerdictUse.NONE,
            (True, False): VerdictUse.NEEDED,
            (False, True): VerdictUse.OPTIONAL,
        }.get((verdict in triples, verdict in optional_triples))
        all_triples = triples | optional_triples
        if (
            verdict_use is None
            or not {issue, assessment, criterion} <= triples.keys() <= set(self.properties)
            or not optional_triples.keys() <= {verdict}
            or bool(optional_parts) != bool(optional_triples)
        ):
            return None
        variables = JoinVariables(
            all_triples[issue][0],
            all_triples[issue][1],
            all_triples[assessment][1],
            all_triples[criterion][1],
            all_triples[verdict][1] if verdict in all_triples else "",
        )
        names = [name for name in variables if name]
        is_joined = all_triples[assessment][0] == variables.paper and all(
            all_triples[iri][0] == variables.assessment for iri in (criterion, verdict) if iri in all_triples
        )
        return (variables, verdict_use) if is_joined and len(set(names)) == len(names) else None

    def read_triples(self, nodes: Sequence[SyntaxNode]) -> dict[str, tuple[str, str]] | None:
        """The variables of triples by the IRI of their property; None for other triples or other patterns."""
        triples: list[list[SparqlToken]] = []
        for node in nodes:
            if node.rule != "Triples" or not {part.rule for part in node.walk()} <= _TRIPLE_RULES:
                return None
            (term,), (properties,) = node.nodes("Term"), node.nodes("Properties")
            verbs, objects = properties.nodes("Verb"), properties.nodes("Objects")
            for verb, object_list in zip(verbs, objects, strict=True):
                triples += [
                    [*term.all_tokens(), *verb.all_tokens(), *object_.all_tokens()]
                    for object_ in object_list.nodes("Object")
                ]
        if not all(
            [token.kind for token in triple] in (["variable", kind, "variable"] for kind in ("iri", "name"))
            for triple in triples
        ):
            return None
        iris = list(resolve_terms([triple[1].text for triple in triples], self.declarations, self.base) or ())
        if len({*iris}) < len(triples):  # an invalid one, or a property twice
            return None
        return {
            iri: (variable_name(triple[0]), variable_name(triple[2]))
            for iri, triple in zip(iris, triples, strict=True)
        }

    def read_allowed_terms(
        self, group: SyntaxNode, variables: JoinVariables
    ) -> dict[int, frozenset[str]] | None:
        """The terms to which VALUES restricts variables, by position; None if they are no different IRIs.

        UNDEF alone does not restrict a variable. That of an optional verdict is not read: VALUES before
        OPTIONAL means something else.
        """
        allowed: dict[int, frozenset[str]] = {}
        seen = set[str]()
        for node in group.nodes("Values"):
            names, tokens = [*node.nodes("Name")], [*node.all_tokens()][3:-1]
            name = variable_name(next(names[0].tokens("variable"))) if names else ""
            if name in seen or name not in (variables.issue, variables.criterion):
                return None
            seen.add(name)
            if [token.word for token in tokens] == ["UNDEF"]:
                continue
            if not all(token.kind in ("iri", "name") for token in tokens):
                return None
            iris = resolve_terms([token.text for token in tokens], self.declarations, self.base)
            terms = [f"<{iri}>" for iri in iris or ()]
            if len(set(terms)) < len(tokens):  # a repeated term counts twice
                return None
            allowed[variables.group_names.index(name)] = frozenset(terms)
        return allowed

    def read_group(self, variables: JoinVariables) -> list[int] | None:
        """The positions of GROUP BY, empty without GROUP BY; None if it has anything else."""
        for group_by in self.select.nodes("GroupBy"):
            tokens = list(group_by.all_tokens())[2:]
            names = [variable_name(token) for token in tokens if token.kind == "variable"]
            if len(names) < len(tokens) or not {*names} <= {*variables.group_names}:
                return None
            return [variables.group_names.index(name) for name in dict.fromkeys(names)]
        return []

    def read_columns(
        self,
        projection: SyntaxNode,
        variables: JoinVariables,
        group: Sequence[int],
        verdict_use: VerdictUse,
    ) -> dict[str, int | AssessmentFigure] | None:
        """The position or the figure of each variable of a projection, and of GROUP BY; None for others."""
        columns: dict[str, int | AssessmentFigure] = {
            variables.group_names[position]: position for position in group
        }
        selected = [*map(variable_name, projection.tokens("variable"))]
        if any(projection.tokens("mark")) or not {*selected} <= columns.keys():  # the mark is a *
            return None
        if len({*selected}) < len(selected):
            return None
        for part in projection.nodes("As"):
            name = variable_name(get_as_variable(part))
            figure = self.read_figure(part, variables, group, verdict_use)
            if figure is None or name in columns or name in variables:
                return None
            columns[name] = figure
        return columns

    def read_figure(
        self,
        computed: SyntaxNode,
        variables: JoinVariables,
        group: Sequence[int],
        verdict_use: VerdictUse,
    ) -> AssessmentFigure | None:
        """The figure of an expression with AS; None if it is not counted."""
        match [token.word or token.text for token in computed.all_tokens()]:
            case ["(", "COUNT", "(", argument, ")", "AS", _, ")"]:
                is_distinct = False
            case ["(", "COUNT", "(", "DISTINCT", argument, ")", "AS", _, ")"]:
                is_distinct = True
            case _:
                return None
        name = argument[1:] if argument[0] in "?$" else ""
        if is_distinct:
            # The papers of a larger group are not the sum of those of its parts.
            is_counted = name == variables.paper and len(group) == len(variables.group_names)
            return AssessmentFigure.PAPERS if is_counted else None
        bound = [*variables[:4], *([variables.verdict] if verdict_use is VerdictUse.NEEDED else [])]
        return AssessmentFigure.MATCHES if argument == "*" or (name and name in bound) else None
