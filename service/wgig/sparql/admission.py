"""Admission of SPARQL texts: which may run, rewritten where the engine would parse them differently.

The engine has no switch against outbound calls and no limit on recursion, and parses some texts differently
from the grammar: `trueSERVICE<x>{}` is a call, and a `<` after an operand never begins an IRI. The check must
hold for the engine's parser too, so a text that is ambiguous in this way is refused or rewritten.

A fast path recognizes most queries by regular expression, as the full analysis takes longer than many
evaluations. It accepts only texts that the full analysis would leave unchanged, which a test checks.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice, zip_longest
from typing import NamedTuple

from ..http.outbound import OUTBOUND_SCHEME, OWN_SERVICE_SCHEME, find_allowed_url, is_own_search_url
from ..problems import Problem
from ..rdf.namespaces import namespaces_by_prefix
from ..rdf.sparql_lexer import (
    CLOSING_BRACKETS,
    SparqlText,
    SparqlToken,
    TokenStep,
    find_declared_prefixes,
    locate_offset,
    sparql_syntax_problem,
    walk_tokens,
)
from ..settings import Settings, parse_allowed_addresses
from ..text import find_near_name, shorten_untrusted_text
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
_SUSPECT_KEYWORDS = ("service", "load", "from")  # a text with one of these anywhere is analyzed
_NESTING_SIGNS = ("(", "[", "{", "<<", "!")  # tokens that add to the nesting depth
_COMMENT_PATTERN = re.compile(r"(?:^|[\s;.,{}()\[\]])#")
# An IRI after an operand, where the engine may parse its `<` as less-than.
_MISREAD_IRI_PATTERN = re.compile(
    rf"""(?:^|[^\s(,=;{{]){_WHITESPACE_PATTERN}*+<[^<>"{{}}|^`\\\x00-\x20]*[#'(\[!]"""
)


def simple_query_form(text: str, max_nesting: int) -> str:
    """The form of a query that needs no full analysis; empty for any other text.

    Such a query has no calls and no dataset clauses, nests no deeper than `max_nesting`, and has no IRI that
    the engine would misread.
    """
    begin = _QUERY_BEGIN_PATTERN.match(text)
    if begin is None:
        return ""
    lowered = text.lower()
    if (
        any(word in lowered for word in _SUSPECT_KEYWORDS)
        or sum(map(text.count, _NESTING_SIGNS)) > max_nesting
    ):
        return ""
    rest = text[begin.end() :]
    if "(" in rest and (_COMMENT_PATTERN.search(rest) or _MISREAD_IRI_PATTERN.search(rest)):
        return ""
    return begin["form"].upper()


OUTBOUND_KEYWORDS = ("SERVICE", "LOAD")
_OPERAND_KINDS = ("variable", "string", "number", "name", "iri", "language", "blank")

# Characters that are valid in an IRI, but begin another token if the engine takes the `<` for less-than.
_MISREAD_SIGN_PATTERN = re.compile(r"[#'(\[!]")

UNREACHABLE_IRI = "<about:nowhere>"  # a scheme that the engine cannot request


def admit_sparql_text(source: ParsedSparqlText, settings: Settings) -> ParsedSparqlText:
    """The text as the engine may run it: unchanged, but for IRIs that the engine would misread.

    SERVICE and LOAD stay where the settings allow their target, and SERVICE where the target is our own
    search. The target gets a scheme that the engine cannot request; `federation` makes the call. LOAD SILENT
    may fail silently (SPARQL 1.1 Update, section 3.1.4), so it stays, with an address that always fails.
    Raises Problem 403 for all other SERVICE and LOAD, 400 for undeclared prefixes and too deep nesting.
    """
    text, declared_prefixes, call_targets = (
        source.text,
        find_declared_prefixes(source.tokens),
        find_call_targets(source),
    )
    permitted_iris = {
        start: iri for start, target in call_targets.items() if (iri := target.replacement(settings))
    }
    iris = {call_targets[start].token.start: iri for start, iri in permitted_iris.items()}
    for step in walk_tokens(source.tokens):
        token = step.token
        if step.depth > settings.query_nesting:
            raise sparql_syntax_problem(
                text,
                token.start,
                f"The query is nested too deeply: more than {settings.query_nesting} brackets are open here.",
                "Nest it less deeply.",
            )
        if (
            token.kind == "name"
            and step.previous.word != "PREFIX"
            and token_prefix(token) not in declared_prefixes
        ):
            raise diagnose_earlier_error(source, token.start) or undeclared_prefix_problem(
                source, token, namespaces_by_prefix(settings.base)
            )
        if makes_outbound_call(step, declared_prefixes) and token.start not in permitted_iris:
            raise Problem(
                403,
                describe_call_refusal(call_targets.get(token.start), settings),
                **locate_offset(text, token.start),
            )
        if is_misread_iri(step):
            escaped = _MISREAD_SIGN_PATTERN.sub(lambda match: f"\\u{ord(match[0]):04X}", token.text)
            iris.setdefault(token.start, escaped)
    return source.with_iris(iris) if iris else source


class CallTarget(NamedTuple):
    """The target of a SERVICE or LOAD: the keyword, whether SILENT follows, and the token of the target."""

    keyword: str
    silent: bool
    token: SparqlToken

    def replacement(self, settings: Settings) -> str:
        """The IRI that replaces the target in an admitted text; empty where the call is not allowed."""
        if self.keyword == "SERVICE" and is_own_search_url(self.token.iri, settings.base):
            return f"<{OWN_SERVICE_SCHEME}{self.token.iri}>"
        url = find_allowed_url(self.token.iri, settings.allow)
        if url is not None:
            return f"<{OUTBOUND_SCHEME}{url}>"
        return UNREACHABLE_IRI if (self.keyword, self.silent) == ("LOAD", True) else ""


def find_call_targets(source: SparqlText) -> dict[int, CallTarget]:
    """The target of each SERVICE and LOAD with a fixed IRI, by the offset of its keyword."""
    end_token = SparqlToken("", "", len(source.text))
    token_streams = (islice(source.tokens, skipped, None) for skipped in range(3))
    calls = {
        word.start: CallTarget(word.word, first.word == "SILENT", second if first.word == "SILENT" else first)
        for word, first, second in zip_longest(*token_streams, fillvalue=end_token)
        if word.word in OUTBOUND_KEYWORDS
    }
    return {start: target for start, target in calls.items() if target.token.kind in ("iri", "name")}


def describe_call_refusal(target: CallTarget | None, settings: Settings) -> str:
    """Why a SERVICE or LOAD is refused, and what to do instead; the allowed addresses are not listed."""
    suggestion = "Load the other data into your own store and query it there."
    if not parse_allowed_addresses(settings.allow):
        return (
            "SERVICE and LOAD are refused: this service requests no other addresses, unless its operator "
            f"allows them in WGIG_ALLOW. {suggestion}"
        )
    if target and target.token.iri:
        return (
            f"{target.keyword} <{shorten_untrusted_text(target.token.iri)}> is refused: "
            "the address is not among those that the operator of this service allows in WGIG_ALLOW. "
            f"{suggestion}"
        )
    return (
        "SERVICE and LOAD need an absolute IRI here. Write one that the operator of this service allows in "
        "WGIG_ALLOW, as in <https://…>."
    )


def token_prefix(token: SparqlToken) -> str:
    """The prefix of a prefixed name."""
    return token.text.partition(":")[0]


def makes_outbound_call(step: TokenStep, declared_prefixes: set[str]) -> bool:
    """Whether the engine would make a request here, even where a keyword has no space around it."""
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
    """The prefixes that remain of a prefixed name when the engine reads the keyword as a separate token."""
    prefix = token_prefix(token)
    for match in re.finditer(keyword, prefix, re.IGNORECASE):
        remaining_prefix = prefix[match.end() :]
        yield remaining_prefix
        if remaining_prefix.upper().startswith("SILENT"):
            yield remaining_prefix[len("SILENT") :]


def is_misread_iri(step: TokenStep) -> bool:
    """Whether the engine may parse the < of this IRI as less-than."""
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
        and bool(_MISREAD_SIGN_PATTERN.search(token.text))
    )


def undeclared_prefix_problem(
    query: SparqlText, token: SparqlToken, known_prefixes: Mapping[str, str]
) -> Problem:
    """The 400 for an undeclared prefix, with the line to add if it is one of `known_prefixes`."""
    prefix = token_prefix(token)
    near_prefix = find_near_name(prefix, sorted({*find_declared_prefixes(query.tokens), *known_prefixes}))
    meant_prefix = prefix if prefix in known_prefixes else near_prefix
    question = "" if prefix in known_prefixes or not near_prefix else f"Did you mean {meant_prefix}:?"
    if meant_prefix in known_prefixes:
        declaration = f"PREFIX {meant_prefix}: <{known_prefixes[meant_prefix]}>"
        suggestion = f"{question} Add this line at the top: {declaration}".strip()
    else:
        suggestion = question or f"Declare it at the top: PREFIX {prefix}: <...>"
    return sparql_syntax_problem(
        query.text, token.start, f"The prefix {prefix}: is not declared.", suggestion
    )
