"""Admission of SPARQL texts: what may run, rewritten so that the engine reads it as the grammar does.

The engine has no switch against outbound calls, no limit on recursion, and reads some texts differently from
the grammar: `trueSERVICE<x>{}` is a call, and a `<` after an operand never begins an IRI. Decisions must hold
for its reading too: where the two could differ, the text is refused or made unambiguous.

A fast path recognizes most queries by regular expression, as the full analysis takes longer than many
evaluations. What it accepts is left as it is by the full analysis, which a test checks; what it does not
accept may be harmless as well.
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
_SUSPECT_KEYWORDS = ("service", "load", "from")  # keywords that are looked at, wherever they stand
_NESTING_SIGNS = ("(", "[", "{", "<<", "!")  # what adds to the depth
_COMMENT_PATTERN = re.compile(r"(?:^|[\s;.,{}()\[\]])#")
# An IRI that the engine may take for less-than and something, but for where no operand stands before it.
_MISREAD_IRI_PATTERN = re.compile(
    rf"""(?:^|[^\s(,=;{{]){_WHITESPACE_PATTERN}*+<[^<>"{{}}|^`\\\x00-\x20]*[#'(\[!]"""
)


def simple_query_form(text: str, nesting: int) -> str:
    """The form of a query that needs no closer look; empty for any other text.

    Such a query calls nobody, names no graphs of its own, nests no deeper than `nesting`, and is not misread.
    """
    begin = _QUERY_BEGIN_PATTERN.match(text)
    if begin is None:
        return ""
    lowered = text.lower()
    if any(word in lowered for word in _SUSPECT_KEYWORDS) or sum(map(text.count, _NESTING_SIGNS)) > nesting:
        return ""
    rest = text[begin.end() :]
    if "(" in rest and (_COMMENT_PATTERN.search(rest) or _MISREAD_IRI_PATTERN.search(rest)):
        return ""
    return begin["form"].upper()


OUTBOUND_KEYWORDS = ("SERVICE", "LOAD")
_OPERAND_KINDS = ("variable", "string", "number", "name", "iri", "language", "blank")

# What an IRI may hold that the engine would read as the begin of something else after a less-than sign.
_MISREAD_SIGN_PATTERN = re.compile(r"[#'(\[!]")

UNREACHABLE_IRI = "<about:nowhere>"  # no scheme that the engine could request


def admit_sparql_text(source: ParsedSparqlText, settings: Settings) -> ParsedSparqlText:
    """The text as the engine may have it: the same, but for IRIs that the engine would misread.

    SERVICE and LOAD stay where the settings allow their target, and SERVICE of our own search does. The
    target is marked as one that the engine cannot ask: `federation` does it. LOAD SILENT may fail in silence
    (SPARQL 1.1 Update 3.1.4), so it stays, with an address that always fails. Raises Problem 403 for all
    other SERVICE and LOAD, 400 for undeclared prefixes and for too deep nesting.
    """
    text, declared, called = source.text, find_declared_prefixes(source.tokens), find_call_targets(source)
    permitted = {start: iri for start, aim in called.items() if (iri := aim.replacement(settings))}
    iris = {called[start].token.start: iri for start, iri in permitted.items()}
    for step in walk_tokens(source.tokens):
        token = step.token
        if step.depth > settings.query_nesting:
            raise sparql_syntax_problem(
                text,
                token.start,
                f"More than {settings.query_nesting} brackets are open here.",
                "Write it flatter.",
            )
        if token.kind == "name" and step.previous.word != "PREFIX" and token_prefix(token) not in declared:
            raise diagnose_earlier_error(source, token.start) or undeclared_prefix_problem(
                source, token, namespaces_by_prefix(settings.base)
            )
        if makes_outbound_call(step, declared) and token.start not in permitted:
            raise Problem(
                403,
                describe_call_refusal(called.get(token.start), settings),
                **locate_offset(text, token.start),
            )
        if is_misread_iri(step):
            escaped = _MISREAD_SIGN_PATTERN.sub(lambda found: f"\\u{ord(found[0]):04X}", token.text)
            iris.setdefault(token.start, escaped)
    return source.with_iris(iris) if iris else source


class CallTarget(NamedTuple):
    """What a SERVICE or LOAD asks for: its keyword, whether SILENT follows, the token of the target."""

    keyword: str
    silent: bool
    token: SparqlToken

    def replacement(self, settings: Settings) -> str:
        """What stands in an admitted text for a target; empty where it may not be asked for."""
        if self.keyword == "SERVICE" and is_own_search_url(self.token.iri, settings.base):
            return f"<{OWN_SERVICE_SCHEME}{self.token.iri}>"
        url = find_allowed_url(self.token.iri, settings.allow)
        if url is not None:
            return f"<{OUTBOUND_SCHEME}{url}>"
        return UNREACHABLE_IRI if (self.keyword, self.silent) == ("LOAD", True) else ""


def find_call_targets(source: SparqlText) -> dict[int, CallTarget]:
    """What each SERVICE and LOAD with a fixed target asks for, by the offset of its keyword."""
    end = SparqlToken("", "", len(source.text))
    steps = (islice(source.tokens, skipped, None) for skipped in range(3))
    calls = {
        word.start: CallTarget(word.word, first.word == "SILENT", second if first.word == "SILENT" else first)
        for word, first, second in zip_longest(*steps, fillvalue=end)
        if word.word in OUTBOUND_KEYWORDS
    }
    return {start: aim for start, aim in calls.items() if aim.token.kind in ("iri", "name")}


def describe_call_refusal(aim: CallTarget | None, settings: Settings) -> str:
    """Why a SERVICE or LOAD is refused, and what to do instead; others need not know what is allowed."""
    elsewhere = "Load the other data into a store of yours and query it there."
    if not parse_allowed_addresses(settings.allow):
        return (
            "SERVICE and LOAD are refused: this service makes no requests of its own, unless its operator "
            f"allows addresses by WGIG_ALLOW. {elsewhere}"
        )
    if aim and aim.token.iri:
        return (
            f"{aim.keyword} <{shorten_untrusted_text(aim.token.iri)}> is refused: "
            "the operator of this service allows addresses by WGIG_ALLOW, and this is none of them. "
            f"{elsewhere}"
        )
    return (
        "SERVICE and LOAD are refused here, as no address is written out in full behind the word. "
        "The operator of this service allows addresses by WGIG_ALLOW. Write one of them out, as in <https://…>."
    )


def token_prefix(token: SparqlToken) -> str:
    """The prefix of a prefixed name."""
    return token.text.partition(":")[0]


def makes_outbound_call(step: TokenStep, declared: set[str]) -> bool:
    """Whether the engine would make a request here, even where a keyword is glued to its neighbors."""
    token, previous = step.token, step.previous
    if any(keyword in token.word for keyword in OUTBOUND_KEYWORDS):
        return True
    if token.text == "{" and previous.kind == "name":
        return any(rest in declared for rest in iter_prefixes_behind_keyword(previous, "SERVICE"))
    if (
        token.kind == "name"
        and not step.brackets
        and (previous.kind in ("", "iri", "string") or previous.text == ";")
    ):
        return any(rest in declared for rest in iter_prefixes_behind_keyword(token, "LOAD"))
    return False


def iter_prefixes_behind_keyword(token: SparqlToken, keyword: str) -> Iterator[str]:
    """The prefixes that remain of a prefixed name when the engine takes the keyword off its front."""
    prefix = token_prefix(token)
    for match in re.finditer(keyword, prefix, re.IGNORECASE):
        rest = prefix[match.end() :]
        yield rest
        if rest.upper().startswith("SILENT"):
            yield rest[len("SILENT") :]


def is_misread_iri(step: TokenStep) -> bool:
    """Whether the engine may take the < of this IRI for less-than and read on inside of it."""
    token, previous = step.token, step.previous
    operand = (
        previous.kind in _OPERAND_KINDS
        or previous.text in CLOSING_BRACKETS
        or previous.word in ("TRUE", "FALSE")
    )
    return (
        token.kind == "iri"
        and operand
        and step.brackets[-1:] == ["("]
        and bool(_MISREAD_SIGN_PATTERN.search(token.text))
    )


def undeclared_prefix_problem(query: SparqlText, token: SparqlToken, known: Mapping[str, str]) -> Problem:
    """The 400 for a prefix without declaration, with the line to add when it is a `known` one."""
    prefix = token_prefix(token)
    near = find_near_name(prefix, sorted({*find_declared_prefixes(query.tokens), *known}))
    meant = prefix if prefix in known else near
    asked = "" if prefix in known or not near else f"Did you mean {meant}:?"
    if meant in known:
        suggestion = f"{asked} Put this line first: PREFIX {meant}: <{known[meant]}>".strip()
    else:
        suggestion = asked or f"Put a line first that says what it stands for: PREFIX {prefix}: <...>"
    return sparql_syntax_problem(
        query.text, token.start, f"The prefix {prefix}: is not declared.", suggestion
    )
