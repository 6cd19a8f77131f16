"""Admission of SPARQL texts: which texts may run, and how they are rewritten for the engine.

The engine has no option to forbid outbound calls and no limit on recursion. It also parses some texts
differently from the grammar: it parses `trueSERVICE<x>{}` as a call, and may parse the `<` of an IRI as
less-than (see `is_misread_iri`). A text that the engine could parse differently is refused or rewritten.

A fast path recognizes most queries by regular expression, because the full analysis takes longer than the
evaluation of many queries. It accepts only texts that the full analysis would not change, as a test checks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple

from wgig_client.namespaces import namespaces_by_prefix

from ..http.outbound import OUTBOUND_SCHEME, OWN_SERVICE_SCHEME, find_allowed_url, is_own_search_url
from ..problems import Problem
from ..rdf.sparql_lexer import (
    CLOSING_BRACKETS,
    SparqlText,
    SparqlToken,
    TokenStep,
    find_declared_prefixes,
    locate_offset,
    resolve_iri_tokens,
    sparql_syntax_problem,
    walk_tokens,
)
from ..settings import Settings, parse_allowed_urls
from ..store.view import QueryDataset
from ..text import TextEdit, find_near_name, shorten_untrusted_text
from .language.diagnosis import diagnose_earlier_error
from .language.parser import ParsedSparqlText

_WHITESPACE_PATTERN = r"[ \t\r\n]"
_IRIREF_PATTERN = r'<[^<>"{}|^`\\\x00-\x20]*>'
_QUERY_BEGIN_PATTERN = re.compile(
    rf"(?:{_WHITESPACE_PATTERN}|\#[^\r\n]*+[\r\n]|BASE{_WHITESPACE_PATTERN}*+{_IRIREF_PATTERN}"
    rf"|PREFIX{_WHITESPACE_PATTERN}++[^\s:<>\#\\]*+:{_WHITESPACE_PATTERN}*+{_IRIREF_PATTERN})*+"
    rf"(?P<form>SELECT|ASK|CONSTRUCT|DESCRIBE)(?![\w:.-])",
    re.IGNORECASE | re.ASCII,
)
_SUSPECT_KEYWORDS = ("service", "load", "from")  # a text that contains one gets the full analysis
_NESTING_TOKENS = ("(", "[", "{", "<<", "!")  # these add to the nesting depth
# A comment can contain what looks like an IRI within parentheses.
_COMMENT_PATTERN = re.compile(r"(?:^|[\s;.,{}()\[\]])#")
# The start of an IRI with one of the characters below, after anything but an operator.
_MISREAD_IRI_PATTERN = re.compile(
    rf"""(?:^|[^\s(,=;{{]){_WHITESPACE_PATTERN}*+<[^<>"{{}}|^`\\\x00-\x20]*[#'(\[!]"""
)


def simple_query_form(text: str, max_nesting: int) -> str:
    """The form of a query that needs no full analysis, such as SELECT; empty for any other text.

    Such a query has no calls and no dataset clauses, is nested at most `max_nesting` deep, and has no IRI
    that the engine could misread.
    """
    start = _QUERY_BEGIN_PATTERN.match(text)
    if start is None:
        return ""
    lower_text = text.lower()
    if (
        any(keyword in lower_text for keyword in _SUSPECT_KEYWORDS)
        or sum(map(text.count, _NESTING_TOKENS)) > max_nesting
    ):
        return ""
    body = text[start.end() :]
    if "(" in body and (_COMMENT_PATTERN.search(body) or _MISREAD_IRI_PATTERN.search(body)):
        return ""
    return start["form"].upper()


OUTBOUND_KEYWORDS = ("SERVICE", "LOAD")
DATASET_CLAUSE_KEYWORDS = ("FROM", "USING")
_OPERAND_KINDS = ("variable", "string", "number", "name", "iri", "language", "blank")

# Valid in an IRI; but if the engine parses its `<` as less-than, they begin a comment, string or bracket.
_MISREAD_CHARACTER_PATTERN = re.compile(r"[#'(\[!]")

UNREACHABLE_IRI = "<about:nowhere>"  # the engine cannot request the scheme


def admit_sparql_text(source: ParsedSparqlText, settings: Settings) -> ParsedSparqlText:
    """The text that the engine may run; IRIs are changed, and repeated dataset clauses removed.

    IRIs that the engine could misread get escapes. SERVICE and LOAD are kept if the settings allow their
    target, SERVICE also if the target is the search of this service. The target gets a scheme that the
    engine cannot request; the module `federation` makes the call. Any other LOAD SILENT may fail silently
    (SPARQL 1.1 Update, section 3.1.4), so it is kept with an address that always fails. Raises Problem 403
    for all other SERVICE and LOAD, 400 for undeclared prefixes and for too deep nesting.
    """
    text, declared_prefixes = source.text, find_declared_prefixes(source.tokens)
    call_targets = find_call_targets(source, settings.base)
    replacement_iris = {
        start: iri for start, target in call_targets.items() if (iri := target.replacement(settings))
    }
    iris = {call_targets[start].token.start: iri for start, iri in replacement_iris.items()}
    has_dataset = False
    for step in walk_tokens(source.tokens):
        token = step.token
        has_dataset |= token.word in DATASET_CLAUSE_KEYWORDS
        if step.depth > settings.query_nesting:
            raise sparql_syntax_problem(
                text,
                token.start,
                f"The query is nested too deeply: more than {settings.query_nesting} brackets are open "
                "at this point.",
                "Use fewer nested brackets.",
            )
        if (
            token.kind == "name"
            and step.previous.word != "PREFIX"
            and token_prefix(token) not in declared_prefixes
        ):
            raise diagnose_earlier_error(source, token.start) or undeclared_prefix_problem(
                source, token, namespaces_by_prefix(settings.base)
            )
        if makes_outbound_call(step, declared_prefixes) and token.start not in replacement_iris:
            raise Problem(
                403,
                describe_call_refusal(call_targets.get(token.start), settings),
                **locate_offset(text, token.start),
            )
        if is_misread_iri(step):
            escaped = _MISREAD_CHARACTER_PATTERN.sub(lambda match: f"\\u{ord(match[0]):04X}", token.text)
            iris.setdefault(token.start, escaped)
    if has_dataset:
        source = drop_repeated_graphs(source, find_dataset_clauses(source), settings.base)
    return source.with_iris(iris) if iris else source


class DatasetClause(NamedTuple):
    """A FROM or USING clause: the number of its operation in an update, and the indexes of its tokens."""

    operation_number: int
    first: int
    last: int


def drop_repeated_graphs(
    source: ParsedSparqlText, clauses: Sequence[DatasetClause], base: str
) -> ParsedSparqlText:
    """The text without dataset clauses that name a graph again.

    The default graph is an RDF merge, a set (SPARQL 1.1 Query, section 13.2). The engine would count the
    triples of a repeated graph repeatedly.
    """
    targets = {clause: source.tokens[clause.last].start for clause in clauses}
    iris = resolve_iri_tokens(source, set(targets.values()), base)
    seen, repeated = set[tuple[int, int, str]](), list[tuple[int, int]]()
    for clause, offset in targets.items():
        graph = (clause.operation_number, clause.last - clause.first, iris.get(offset, ""))
        if graph in seen and graph[-1]:
            repeated.append((clause.first, clause.last + 1))
        seen.add(graph)
    return source.without_tokens(repeated) if repeated else source


def find_dataset_clauses(source: SparqlText) -> list[DatasetClause]:
    """The FROM, FROM NAMED, USING and USING NAMED clauses of a text."""
    clauses = []
    operation_number = 0
    for index, step in enumerate(walk_tokens(source.tokens)):
        if step.brackets:
            continue
        operation_number += step.token.text == ";"
        if step.token.word in DATASET_CLAUSE_KEYWORDS:
            is_named = [token.word for token in source.tokens[index + 1 : index + 2]] == ["NAMED"]
            last = index + 1 + is_named
            if last < len(source.tokens) and source.tokens[last].kind in ("iri", "name"):
                clauses.append(DatasetClause(operation_number, index, last))
    return clauses


def read_clause_dataset(source: SparqlText, base: str) -> QueryDataset:
    """The dataset of the FROM and FROM NAMED clauses of a query; without graphs if it has none."""
    offsets = {clause: source.tokens[clause.last].start for clause in find_dataset_clauses(source)}
    iris = resolve_iri_tokens(source, set(offsets.values()), base)
    default, named = (
        tuple(
            iris[offset]
            for clause, offset in offsets.items()
            if clause.last - clause.first == keyword_count and offset in iris
        )
        for keyword_count in (1, 2)  # FROM, FROM NAMED
    )
    return QueryDataset(default, named)


class CallTarget(NamedTuple):
    """A SERVICE or LOAD: the keyword, whether SILENT follows, the token of the target and its IRI."""

    keyword: str
    silent: bool
    token: SparqlToken
    iri: str

    def replacement(self, settings: Settings) -> str:
        """The IRI that replaces the target in an admitted text; empty if the call is not allowed."""
        if self.keyword == "SERVICE" and is_own_search_url(self.iri, settings.base):
            return f"<{OWN_SERVICE_SCHEME}{self.iri}>"
        url = find_allowed_url(self.iri, settings.allow)
        if url is not None:
            return f"<{OUTBOUND_SCHEME}{url}>"
        return UNREACHABLE_IRI if (self.keyword, self.silent) == ("LOAD", True) else ""


def find_call_targets(source: SparqlText, base: str) -> dict[int, CallTarget]:
    """The target of each SERVICE and LOAD whose target is an IRI, by the offset of the keyword."""
    end_token = SparqlToken("", "", len(source.text))
    token_streams = (islice(source.tokens, skipped, None) for skipped in range(3))
    calls = [
        (word, first.word == "SILENT", second if first.word == "SILENT" else first)
        for word, first, second in zip_longest(*token_streams, fillvalue=end_token)
        if word.word in OUTBOUND_KEYWORDS
    ]
    iris = resolve_iri_tokens(source, {token.start for *_, token in calls if token.kind == "name"}, base)
    return {
        word.start: CallTarget(word.word, silent, token, token.iri or iris.get(token.start, ""))
        for word, silent, token in calls
        if token.kind in ("iri", "name")
    }


def describe_call_refusal(target: CallTarget | None, settings: Settings) -> str:
    """The reason why a SERVICE or LOAD is refused, with a suggestion. Allowed addresses are not listed."""
    suggestion = "Load the other data into your own store and query it there."
    if not parse_allowed_urls(settings.allow):
        return (
            "SERVICE and LOAD are refused: this service only sends requests to addresses that its "
            f"operator allows in WGIG_ALLOW. {suggestion}"
        )
    if target and target.iri:
        return (
            f"{target.keyword} <{shorten_untrusted_text(target.iri)}> is refused: the operator of "
            f"this service does not allow this address in WGIG_ALLOW. {suggestion}"
        )
    return (
        "SERVICE and LOAD need an absolute IRI. Write one that the operator of this service "
        "allows in WGIG_ALLOW, as in <https://…>."
    )


def token_prefix(token: SparqlToken) -> str:
    """The prefix of a prefixed name."""
    return token.text.partition(":")[0]


def makes_outbound_call(step: TokenStep, declared_prefixes: set[str]) -> bool:
    """Whether the engine would make a request at this token, even if a keyword has no space around it."""
    token, previous = step.token, step.previous
    if any(keyword in token.word for keyword in OUTBOUND_KEYWORDS):
        return True
    if token.text == "{" and previous.kind == "name":
        return any(
            prefix in declared_prefixes for prefix in iter_prefixes_behind_keyword(previous, "SERVICE")
        )
    if (
        token.kind == "name"
        and not step.brackets
        and (previous.kind in ("", "iri", "string") or previous.text == ";")
    ):
        return any(prefix in declared_prefixes for prefix in iter_prefixes_behind_keyword(token, "LOAD"))
    return False


def iter_prefixes_behind_keyword(token: SparqlToken, keyword: str) -> Iterator[str]:
    """What remains of the prefix of a name if the engine parses a keyword at its start as a separate token.

    For SERVICE, `SERVICEe:x` yields `e`.
    """
    prefix = token_prefix(token)
    for match in re.finditer(keyword, prefix, re.IGNORECASE):
        remaining_prefix = prefix[match.end() :]
        yield remaining_prefix
        if remaining_prefix.upper().startswith("SILENT"):
            yield remaining_prefix[len("SILENT") :]


def is_misread_iri(step: TokenStep) -> bool:
    """Whether the engine may parse the < of an IRI as less-than."""
    token, previous = step.token, step.previous
    follows_operand = (
        previous.kind in _OPERAND_KINDS
        or previous.text in CLOSING_BRACKETS
        or previous.word in ("TRUE", "FALSE")
    )
    return (
        token.kind == "iri"
        and follows_operand
        and step.brackets[-1:] == ["("]
        and bool(_MISREAD_CHARACTER_PATTERN.search(token.text))
    )


def undeclared_prefix_problem(
    query: SparqlText, token: SparqlToken, known_prefixes: Mapping[str, str]
) -> Problem:
    """The 400 for an undeclared prefix, with the PREFIX line to add if it is one of `known_prefixes`."""
    prefix = token_prefix(token)
    near_prefix = find_near_name(prefix, sorted({*find_declared_prefixes(query.tokens), *known_prefixes}))
    suggested_prefix = prefix if prefix in known_prefixes else near_prefix
    question = "" if prefix in known_prefixes or not near_prefix else f"Did you mean {suggested_prefix}:?"
    edit = None
    if suggested_prefix in known_prefixes:
        declaration = f"PREFIX {suggested_prefix}: <{known_prefixes[suggested_prefix]}>"
        suggestion = f"{question} Add this line at the top: {declaration}".strip()
        start = query.tokens[0].start  # after the comments at the top
        edit = TextEdit(start, start, f"{declaration}\n")
    else:
        suggestion = question or f"Declare it at the top: PREFIX {prefix}: <...>"
    if near_prefix and suggested_prefix != prefix:
        edit = TextEdit(token.start, token.start + len(prefix), suggested_prefix)
    return sparql_syntax_problem(
        query.text, token.start, f"The prefix {prefix}: is not declared.", suggestion, edit
    )
