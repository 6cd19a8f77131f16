"""Which variables a part of a SPARQL text gives values, and what breaks the rules beside the grammar.

The rules are the notes of SPARQL 1.1 Query, sections 18.2.1, 18.2.4 and 19.8.
"""

import re
from collections.abc import Collection, Iterator

import pyoxigraph as ox

from ...problems import Problem
from ...rdf.sparql_lexer import ABSOLUTE_IRI_PATTERN, SparqlToken, sparql_syntax_problem
from .parser import SyntaxNode

# What binds the variables right below it, and what passes on those that are bound further down.
VARIABLE_BINDING_RULES = frozenset({"Term", "Verb", "Name", "Names", "Bind"})
VARIABLE_PASSING_RULES = VARIABLE_BINDING_RULES | {
    *("text", "Select", "Construct", "Describe", "Ask", "Where", "SubSelect"),
    *("Group", "Union", "Optional", "Graph", "Service", "Lateral", "Values"),
    *("Triples", "Properties", "Objects", "Object", "Square", "List", "Quoted"),
}
UNGROUPED_RULES = frozenset({"Filter", "Bind", "GroupBy"})  # where nothing is there to be counted
REBINDING_SUGGESTION = "Take another name."

_UNKNOWN_ESCAPE_PATTERN = re.compile(r"""\\(?!u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})[^tbnrf"'\\]""")

ScopeFault = tuple[SparqlToken, str, str]  # where, the cause, how to mend it
VisibleVariables = dict[int, frozenset[str]]  # the variables of a node, by its `id`


def variable_name(token: SparqlToken) -> str:
    """The name of a variable, which may begin with ? or $."""
    return token.text[1:]


def find_visible_variables(tree: SyntaxNode) -> VisibleVariables:
    """The variables that each node below (by its `id`) can have values for."""
    found: VisibleVariables = {}
    for node in reversed(list(tree.walk())):  # what is within a node comes before it
        names = (
            {variable_name(one) for one in node.tokens("variable")}
            if node.rule in VARIABLE_BINDING_RULES
            else set()
        )
        for part in node.parts:
            if isinstance(part, SyntaxNode) and part.rule in VARIABLE_PASSING_RULES:
                names |= found[id(part)]
        chosen = list_projected_variables(node) if node.rule == "Select" else None
        found[id(node)] = frozenset(names if chosen is None else map(variable_name, chosen))
    return found


def list_projected_variables(select: SyntaxNode) -> list[SparqlToken] | None:
    """The variables that a SELECT names, also those that it computes; None for *."""
    (projection,) = select.nodes("Projection")
    if any(True for _ in projection.tokens("mark")):
        return None
    named = [*projection.tokens("variable")]
    for computed in projection.nodes("As"):
        named += computed.tokens("variable")
    return sorted(named, key=lambda token: token.start)


def find_scope_problem(text: str, tree: SyntaxNode) -> Problem | None:
    """The 400 for the first place where a text fits the grammar and not the rules beside it."""
    seen = find_visible_variables(tree)
    nodes = list(tree.walk())
    faults = [*iter_token_faults(tree), *iter_aggregate_faults(tree), *iter_blank_node_faults(nodes)]
    for node in nodes:
        match node.rule:
            case "Select":
                faults += iter_select_faults(node, seen)
            case "Group":
                faults += iter_bind_faults(node, seen)
            case "Values":
                faults += iter_values_faults(node)
            case "Insert" | "Delete":
                faults += iter_fixed_data_faults(node)
    if not faults:
        return None
    token, cause, mend = min(faults, key=lambda one: one[0].start)
    return sparql_syntax_problem(text, token.start, cause, mend)


def iter_token_faults(tree: SyntaxNode) -> Iterator[ScopeFault]:
    """Tokens that are none after all."""
    for token in tree.all_tokens():
        if token.word in ("TRUE", "FALSE") and token.text != token.text.lower():
            yield token, f"{token.text} is written in small letters.", f"Write {token.text.lower()}."
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
                yield token, "This is no absolute IRI.", "Write it in full, or declare a BASE."


def iter_escape_faults(token: SparqlToken) -> Iterator[ScopeFault]:
    """The first escape of a string that SPARQL does not know."""
    found = _UNKNOWN_ESCAPE_PATTERN.search(token.text.replace("\\\\", "  "))
    if found:
        place = token._replace(start=token.start + found.start())
        yield place, f"SPARQL has no {found[0]} in a text.", f"Write \\{found[0]} where a backslash is meant."


def iter_aggregate_faults(tree: SyntaxNode) -> Iterator[ScopeFault]:
    """Aggregates where no groups are."""
    todo = [(tree, "")]
    while todo:
        node, within = todo.pop()
        if node.rule == "Aggregate" and within:
            token = next(iter(node.all_tokens()))
            cause = f"{token.text} sums up what a whole group holds, and {within} looks at one row."
            mend = "Write HAVING (...) after the pattern, or compute it in a query within: "
            yield token, cause, f"{mend}{{ SELECT ({token.word}(...) AS ?n) {{ ... }} }}."
        if node.rule in UNGROUPED_RULES:
            within = node.rule.upper().replace("BY", " BY")
        elif node.rule == "Select":
            within = ""
        todo += [(part, within) for part in reversed(node.parts) if isinstance(part, SyntaxNode)]


def iter_select_faults(select: SyntaxNode, seen: VisibleVariables) -> Iterator[ScopeFault]:
    """What a SELECT may not name: a variable twice, one that has a value, one that the groups do not have."""
    (projection,) = select.nodes("Projection")
    (where,) = select.nodes("Where")
    names = list_projected_variables(select)
    if names is None:
        if is_grouped_select(select):
            mark = next(projection.tokens("mark"))
            yield mark, "* and groups do not go together.", "Name the variables of GROUP BY instead."
        return
    for token in iter_repeated_variables(names):
        yield token, f"{token.text} is named twice in SELECT.", "Name each variable once."
    grouped = is_grouped_select(select)
    known = set(iter_group_variables(select)) if grouped else set(seen[id(where)])
    for token in projection.tokens("variable"):
        if grouped and variable_name(token) not in known:
            mend = f"Add it to GROUP BY, or put an aggregate around it: (SAMPLE({token.text}) AS ?some)."
            yield token, f"SELECT asks for {token.text}, and the groups do not have it.", mend
    for computed in projection.nodes("As"):
        for token in iter_unaggregated_variables(computed) if grouped else ():
            if variable_name(token) not in known:
                mend = f"Add it to GROUP BY, or put an aggregate around it: SAMPLE({token.text})."
                yield token, f"SELECT computes with {token.text}, and the groups do not have it.", mend
        for token in computed.tokens("variable"):
            if variable_name(token) in known:
                yield token, f"{token.text} has a value already.", REBINDING_SUGGESTION
            known.add(variable_name(token))


def is_grouped_select(select: SyntaxNode) -> bool:
    """Whether a SELECT yields groups, by GROUP BY or by an aggregate."""
    parts = select.nodes("GroupBy", "Projection", "Having", "OrderBy")
    return any(node.rule in ("GroupBy", "Aggregate") for part in parts for node in iter_own_nodes(part))


def iter_group_variables(select: SyntaxNode) -> Iterator[str]:
    """The variables that the groups of a SELECT have."""
    for by in select.nodes("GroupBy"):
        yield from map(variable_name, by.tokens("variable"))
        for key in by.nodes("Key"):
            plain = (
                token
                for part in key.nodes("Expression")
                if len(part.parts) == 1
                for token in part.tokens("variable")
            )
            yield from map(variable_name, (*key.tokens("variable"), *plain))


def iter_repeated_variables(variables: list[SparqlToken]) -> Iterator[SparqlToken]:
    """The variables that were named before."""
    met: set[str] = set()
    for token in variables:
        if variable_name(token) in met:
            yield token
        met.add(variable_name(token))


def iter_own_nodes(node: SyntaxNode, leave: Collection[str] = ("Group",)) -> Iterator[SyntaxNode]:
    """A node and those below it, but for what is within the rules to `leave`."""
    todo = [node]
    while todo:
        one = todo.pop()
        yield one
        todo += [
            part for part in reversed(one.parts) if isinstance(part, SyntaxNode) and part.rule not in leave
        ]


def iter_unaggregated_variables(computed: SyntaxNode) -> Iterator[SparqlToken]:
    """The variables of an expression with a name that stand in no aggregate."""
    for expression in computed.nodes("Expression"):
        for node in iter_own_nodes(expression, ("Aggregate", "Group")):
            yield from node.tokens("variable")


def iter_bind_faults(group: SyntaxNode, seen: VisibleVariables) -> Iterator[ScopeFault]:
    """A BIND to a variable that has a value before it in the group."""
    known: set[str] = set()
    for part in group.parts:
        if isinstance(part, SyntaxNode) and part.rule in VARIABLE_PASSING_RULES:
            for token in part.tokens("variable") if part.rule == "Bind" else ():
                if variable_name(token) in known:
                    cause = f"{token.text} has a value already, and BIND gives each variable one."
                    yield token, cause, "Take another name, or compare by FILTER."
            known |= seen[id(part)]


def iter_values_faults(values: SyntaxNode) -> Iterator[ScopeFault]:
    """A row of VALUES that is too short or too long."""
    for names in values.nodes("Names"):
        variables = list(names.tokens("variable"))
        for token in iter_repeated_variables(variables):
            yield token, f"{token.text} is named twice in VALUES.", "Name each variable once."
        for row in values.nodes("Row"):
            held = len(row.parts) - 2
            if held != len(variables):
                first = next(row.tokens("mark"))
                cause = f"The row has {held} value{'' if held == 1 else 's'} for {len(variables)} variables."
                yield first, cause, "Write UNDEF where a value is open."


def iter_fixed_data_faults(node: SyntaxNode) -> Iterator[ScopeFault]:
    """What fixed data, and what is deleted, cannot hold."""
    word = next(node.tokens("word"))
    fixed = any(token.word == "DATA" for token in node.tokens("word"))
    for token in node.all_tokens():
        if fixed and token.kind == "variable":
            cause = f"{word.text} DATA holds fixed statements, and {token.text} is a variable."
            yield token, cause, f"Write {word.text} {{ ... }} WHERE {{ ... }}."
        if token.kind == "blank" and word.word == "DELETE":
            mend = "Write a variable, and DELETE { ... } WHERE { ... }."
            yield token, "A blank node cannot be named to be deleted.", mend


def iter_blank_node_faults(nodes: list[SyntaxNode]) -> Iterator[ScopeFault]:
    """A blank node that stands in two patterns: its name is known in one of them alone."""
    homes: dict[str, int] = {}
    pattern = 0
    for group in nodes:
        if group.rule != "Group":
            continue
        pattern += 1
        for part in group.parts:
            if not isinstance(part, SyntaxNode) or part.rule == "Filter":
                continue
            if part.rule != "Triples":
                pattern += 1
                continue
            for token in part.all_tokens():
                if token.kind == "blank" and homes.setdefault(token.text, pattern) != pattern:
                    cause = f"{token.text} stands in two patterns, and a blank node belongs to one."
                    yield token, cause, f"Write a variable, such as ?{token.text[2:]}."
