"""Scope of variables in a SPARQL text, and violations of rules that the grammar cannot express.

The rules are in SPARQL 1.1 Query, sections 18.2.1, 18.2.4 and 19.8.
"""

import re
from collections.abc import Collection, Iterator

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.sparql_lexer import ABSOLUTE_IRI_PATTERN, SparqlToken, sparql_syntax_problem
from .parser import SyntaxNode

# The rules of nodes that bind the variables among their tokens, and of nodes that also make these variables
# visible in their parents.
VARIABLE_BINDING_RULES = frozenset({"Term", "Verb", "Name", "Names", "Bind"})
VARIABLE_PASSING_RULES = VARIABLE_BINDING_RULES | {
    *("text", "Select", "Construct", "Describe", "Ask", "Where", "SubSelect"),
    *("Group", "Union", "Optional", "Graph", "Service", "Lateral", "Values"),
    *("Triples", "Properties", "Objects", "Object", "Square", "List", "Quoted"),
}
UNGROUPED_RULES = frozenset({"Filter", "Bind", "GroupBy"})  # aggregates are not allowed in these
REBINDING_SUGGESTION = "Use another name."

_UNKNOWN_ESCAPE_PATTERN = re.compile(r"""\\(?!u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})[^tbnrf"'\\]""")

ScopeFault = tuple[SparqlToken, str, str]  # the token, the cause, the fix
VisibleVariables = dict[int, frozenset[str]]  # the in-scope variables of a node, by its `id()`


def variable_name(token: SparqlToken) -> str:
    """The name of a variable, without its ? or $."""
    return token.text[1:]


def find_visible_variables(tree: SyntaxNode) -> VisibleVariables:
    """The in-scope variables of each node."""
    visible: VisibleVariables = {}
    for node in reversed(list(tree.walk())):  # children before their parents
        names = (
            {variable_name(token) for token in node.tokens("variable")}
            if node.rule in VARIABLE_BINDING_RULES
            else set()
        )
        for part in node.parts:
            if isinstance(part, SyntaxNode) and part.rule in VARIABLE_PASSING_RULES:
                names |= visible[id(part)]
        projected = list_projected_variables(node) if node.rule == "Select" else None
        visible[id(node)] = frozenset(names if projected is None else map(variable_name, projected))
    return visible


def list_projected_variables(select: SyntaxNode) -> list[SparqlToken] | None:
    """The variables that a SELECT names, including those of AS; None for *."""
    (projection,) = select.nodes("Projection")
    if any(True for _ in projection.tokens("mark")):
        return None
    variables = [*projection.tokens("variable")]
    for computed in projection.nodes("As"):
        variables += computed.tokens("variable")
    return sorted(variables, key=lambda token: token.start)


def find_scope_problem(text: str, tree: SyntaxNode) -> Problem | None:
    """The Problem 400 for the first violation of the rules in a text that matches the grammar; else None."""
    visible = find_visible_variables(tree)
    nodes = list(tree.walk())
    faults = [*iter_token_faults(tree), *iter_aggregate_faults(tree), *iter_blank_node_faults(nodes)]
    for node in nodes:
        match node.rule:
            case "Select":
                faults += iter_select_faults(node, visible)
            case "Group":
                faults += iter_bind_faults(node, visible)
            case "Values":
                faults += iter_values_faults(node)
            case "Insert" | "Delete":
                faults += iter_fixed_data_faults(node)
    if not faults:
        return None
    token, cause, suggestion = min(faults, key=lambda fault: fault[0].start)
    return sparql_syntax_problem(text, token.start, cause, suggestion)


def iter_token_faults(tree: SyntaxNode) -> Iterator[ScopeFault]:
    """Invalid tokens: TRUE in capitals, unknown escapes in strings, IRIs that are not absolute."""
    for token in tree.all_tokens():
        if token.word in ("TRUE", "FALSE") and token.text != token.text.lower():
            yield token, f"{token.text} must be in lowercase.", f"Write {token.text.lower()}."
        if token.kind == "string" and "\\" in token.text:
            yield from iter_escape_faults(token)
        if (
            token.kind == "iri"
            and ABSOLUTE_IRI_PATTERN.fullmatch(token.text[1:-1])
            and "\\" not in token.text
        ):
            try:
                ox.NamedNode(token.text[1:-1])
            except ValueError:
                yield token, "This is not an absolute IRI.", "Write it in full, or declare a BASE."


def iter_escape_faults(token: SparqlToken) -> Iterator[ScopeFault]:
    """The first invalid escape in a string."""
    match = _UNKNOWN_ESCAPE_PATTERN.search(token.text.replace("\\\\", "  "))
    if match:
        escape = token._replace(start=token.start + match.start())
        yield escape, f"SPARQL has no escape {match[0]} in strings.", f"Write \\{match[0]} for a backslash."


def iter_aggregate_faults(tree: SyntaxNode) -> Iterator[ScopeFault]:
    """Aggregates in FILTER, BIND and GROUP BY."""
    pending = [(tree, "")]
    while pending:
        node, clause = pending.pop()
        if node.rule == "Aggregate" and clause:
            token = next(iter(node.all_tokens()))
            cause = f"{token.text} is computed over a whole group, but {clause} applies to a single row."
            suggestion = "Write HAVING (...) after the pattern, or compute it in a subquery: "
            yield token, cause, f"{suggestion}{{ SELECT ({token.word}(...) AS ?n) {{ ... }} }}."
        if node.rule in UNGROUPED_RULES:
            clause = node.rule.upper().replace("BY", " BY")
        elif node.rule == "Select":
            clause = ""
        pending += [(part, clause) for part in reversed(node.parts) if isinstance(part, SyntaxNode)]


def iter_select_faults(select: SyntaxNode, visible: VisibleVariables) -> Iterator[ScopeFault]:
    """Variables that a SELECT must not name: repeated, bound before AS, or not in the groups."""
    (projection,) = select.nodes("Projection")
    (where,) = select.nodes("Where")
    projected = list_projected_variables(select)
    if projected is None:
        if is_grouped_select(select):
            mark = next(projection.tokens("mark"))
            yield mark, "SELECT * cannot be combined with groups.", "List the variables of GROUP BY instead."
        return
    for token in iter_repeated_variables(projected):
        yield token, f"{token.text} appears twice in SELECT.", "List each variable once."
    grouped = is_grouped_select(select)
    bound = set(iter_group_variables(select)) if grouped else set(visible[id(where)])
    for token in projection.tokens("variable"):
        if grouped and variable_name(token) not in bound:
            suggestion = (
                f"Add it to GROUP BY, or put an aggregate around it: (SAMPLE({token.text}) AS ?some)."
            )
            yield token, f"SELECT contains {token.text}, which is not in GROUP BY.", suggestion
    for computed in projection.nodes("As"):
        for token in iter_unaggregated_variables(computed) if grouped else ():
            if variable_name(token) not in bound:
                suggestion = f"Add it to GROUP BY, or put an aggregate around it: SAMPLE({token.text})."
                yield (
                    token,
                    f"An expression in SELECT uses {token.text}, which is not in GROUP BY.",
                    suggestion,
                )
        for token in computed.tokens("variable"):
            if variable_name(token) in bound:
                yield token, f"{token.text} is already bound.", REBINDING_SUGGESTION
            bound.add(variable_name(token))


def is_grouped_select(select: SyntaxNode) -> bool:
    """Whether a SELECT has GROUP BY or an aggregate."""
    parts = select.nodes("GroupBy", "Projection", "Having", "OrderBy")
    return any(node.rule in ("GroupBy", "Aggregate") for part in parts for node in iter_nodes_excluding(part))


def iter_group_variables(select: SyntaxNode) -> Iterator[str]:
    """The names of the variables of GROUP BY."""
    for group_by in select.nodes("GroupBy"):
        yield from map(variable_name, group_by.tokens("variable"))
        for key in group_by.nodes("Key"):
            bare_variables = (
                token
                for part in key.nodes("Expression")
                if len(part.parts) == 1
                for token in part.tokens("variable")
            )
            yield from map(variable_name, (*key.tokens("variable"), *bare_variables))


def iter_repeated_variables(variables: list[SparqlToken]) -> Iterator[SparqlToken]:
    """The variables that already occurred earlier in the list."""
    names: set[str] = set()
    for token in variables:
        if variable_name(token) in names:
            yield token
        names.add(variable_name(token))


def iter_nodes_excluding(node: SyntaxNode, excluded: Collection[str] = ("Group",)) -> Iterator[SyntaxNode]:
    """A node and its descendants, without nodes of the rules in `excluded` and their descendants."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending += [
            part
            for part in reversed(current.parts)
            if isinstance(part, SyntaxNode) and part.rule not in excluded
        ]


def iter_unaggregated_variables(computed: SyntaxNode) -> Iterator[SparqlToken]:
    """The variables of an expression with AS that are not inside an aggregate."""
    for expression in computed.nodes("Expression"):
        for node in iter_nodes_excluding(expression, ("Aggregate", "Group")):
            yield from node.tokens("variable")


def iter_bind_faults(group: SyntaxNode, visible: VisibleVariables) -> Iterator[ScopeFault]:
    """BINDs to a variable that is already bound in the group."""
    bound: set[str] = set()
    for part in group.parts:
        if isinstance(part, SyntaxNode) and part.rule in VARIABLE_PASSING_RULES:
            for token in part.tokens("variable") if part.rule == "Bind" else ():
                if variable_name(token) in bound:
                    cause = f"{token.text} is already bound, and BIND needs a new variable."
                    yield token, cause, "Use another name, or compare with FILTER."
            bound |= visible[id(part)]


def iter_values_faults(values: SyntaxNode) -> Iterator[ScopeFault]:
    """Repeated variables in VALUES, and rows that are too short or too long."""
    for names in values.nodes("Names"):
        variables = list(names.tokens("variable"))
        for token in iter_repeated_variables(variables):
            yield token, f"{token.text} appears twice in VALUES.", "List each variable once."
        for row in values.nodes("Row"):
            value_count = len(row.parts) - 2  # without the parentheses
            if value_count != len(variables):
                first = next(row.tokens("mark"))
                plural = "" if value_count == 1 else "s"
                cause = f"The row has {value_count} value{plural} for {len(variables)} variables."
                yield first, cause, "Write UNDEF for a missing value."


def iter_fixed_data_faults(node: SyntaxNode) -> Iterator[ScopeFault]:
    """Variables in INSERT DATA and DELETE DATA, and blank nodes in DELETE."""
    keyword = next(node.tokens("word"))
    is_data = any(token.word == "DATA" for token in node.tokens("word"))
    for token in node.all_tokens():
        if is_data and token.kind == "variable":
            cause = f"{keyword.text} DATA cannot contain variables, but {token.text} is one."
            yield token, cause, f"Write {keyword.text} {{ ... }} WHERE {{ ... }}."
        if token.kind == "blank" and keyword.word == "DELETE":
            suggestion = "Use a variable, and write DELETE { ... } WHERE { ... }."
            yield token, "DELETE cannot contain blank nodes.", suggestion


def iter_blank_node_faults(nodes: list[SyntaxNode]) -> Iterator[ScopeFault]:
    """Blank node labels that are used in two basic graph patterns, which is not allowed."""
    pattern_by_label: dict[str, int] = {}
    pattern_number = 0
    for group in nodes:
        if group.rule != "Group":
            continue
        pattern_number += 1
        for part in group.parts:
            if not isinstance(part, SyntaxNode) or part.rule == "Filter":
                continue
            if part.rule != "Triples":
                pattern_number += 1
                continue
            for token in part.all_tokens():
                if (
                    token.kind == "blank"
                    and pattern_by_label.setdefault(token.text, pattern_number) != pattern_number
                ):
                    cause = f"{token.text} is in two graph patterns, but a blank node can only be in one."
                    yield token, cause, f"Use a variable, such as ?{token.text[2:]}."
