"""Bounded queries: each ASK or SELECT of a few triple patterns, whose costs the constants in them can bound.

They are recognized by a regular expression, in 7 to 16 µs, as the syntax tree takes longer than the engine.
"""

import re
from typing import Any

import pyoxigraph as ox

from ...rdf.namespaces import RDF_TYPE

MAX_BOUNDED_QUERY_CHARS, MAX_PATTERNS = 2000, 3
_VARIABLE_PATTERN, _IRI_PATTERN = (
    r"[?$][A-Za-z_][A-Za-z0-9_]*",
    r"<([A-Za-z][A-Za-z0-9+.-]*:[^<>\"{}|^`\\\x00-\x20]*)>",
)
_PREFIX_PATTERN = re.compile(rf"\s*PREFIX\s+([A-Za-z][A-Za-z0-9_-]*)?:\s*{_IRI_PATTERN}", re.IGNORECASE)
_FORM_PATTERN = re.compile(
    rf"\s*(?:ASK|SELECT\s*(?:\s(?:DISTINCT|REDUCED)\s*)?(?:\*|(?:{_VARIABLE_PATTERN}\s*)+))\s*(?:WHERE\s*)?"
    r"\{(?P<body>[^{}]*)\}\s*(?:LIMIT\s+[0-9]+\s*)?(?:#[^\r\n]*)?\Z",
    re.IGNORECASE,
)
_PATTERNS_END_PATTERN = re.compile(r"[{}]|\b(?:FILTER|OPTIONAL|MINUS|BIND)\b", re.IGNORECASE)
# A name ends before a space or one of ;,} as the others can be in a name.
_TOKEN_PATTERN = re.compile(
    rf"""\s*(?:(?P<variable>{_VARIABLE_PATTERN})|{_IRI_PATTERN}|(?P<type>a)(?=[\s<])
    |(?P<prefix>[A-Za-z][A-Za-z0-9_-]*)?:(?P<local>[A-Za-z0-9_][A-Za-z0-9_-]*)?(?=[\s;,]|\Z)
    |"(?P<string>[^"\\\r\n]*)"(?:@(?P<language>[A-Za-z]+(?:-[A-Za-z0-9]+)*))?(?!["^])|(?P<mark>[.;,]))""",
    re.VERBOSE,
)

# Subject, property and value of a triple pattern; None for variables.
TriplePattern = tuple[Any, Any, Any]


def find_bounded_patterns(text: str) -> list[TriplePattern] | None:
    """The one to three triple patterns of a query that has nothing else; None for any other query.

    Not recognized are relative IRIs, and IRIs with dot segments, as they would have to be resolved.
    """
    if len(text) > MAX_BOUNDED_QUERY_CHARS:
        return None
    prefixes, start = read_prefixes(text)
    form = _FORM_PATTERN.match(text, start)
    patterns = read_patterns(form["body"], prefixes) if form else None
    return patterns if patterns and len(patterns) <= MAX_PATTERNS else None


def find_leading_patterns(text: str) -> list[TriplePattern] | None:
    """The triple patterns at the beginning of the first group of a query, before FILTER, OPTIONAL and so on.

    None if they are not recognized, or if another group follows.
    """
    prefixes, start = read_prefixes(text)
    begin = text.find("{", start) + 1
    end = _PATTERNS_END_PATTERN.search(text, begin)
    return read_patterns(text[begin : end.start()], prefixes) if end and end[0] != "{" else None


def read_prefixes(text: str) -> tuple[dict[str, str], int]:
    """The prefixes that a query declares, and the offset at which the declarations end."""
    prefixes, start = dict[str, str](), 0
    while match := _PREFIX_PATTERN.match(text, start):
        prefixes[match[1] or ""] = match[2]
        start = match.end()
    return prefixes, start


def read_patterns(body: str, prefixes: dict[str, str]) -> list[TriplePattern] | None:
    """The triple patterns in the text of a group; None if there is anything else."""
    patterns, terms = list[TriplePattern](), list[Any]()
    position, end = 0, len(body.rstrip())
    while position < end:
        match = _TOKEN_PATTERN.match(body, position)
        if match is None:
            return None
        position = match.end()
        if mark := match["mark"]:
            if len(terms) != 3:
                return None
            patterns.append((terms[0], terms[1], terms[2]))
            del terms[{".": 0, ";": 1, ",": 2}[mark] :]
        else:
            try:
                term = read_term(match, prefixes)
            except (KeyError, ValueError):
                return None
            if len(terms) == 3 or (len(terms) < 2 and isinstance(term, ox.Literal)):
                return None
            terms.append(term)
    if len(terms) == 3:
        patterns.append((terms[0], terms[1], terms[2]))
    elif terms:
        return None
    return patterns


def read_term(match: re.Match[str], prefixes: dict[str, str]) -> Any:
    """The term of a token; None for a variable. Raises KeyError for an unknown prefix, or ValueError."""
    if match["variable"]:
        return None
    if match["type"]:
        return RDF_TYPE
    if (string := match["string"]) is not None:
        return ox.Literal(string, language=match["language"])
    iri = match[2] or prefixes[match["prefix"] or ""] + (match["local"] or "")
    if "/." in iri or ":." in iri:
        raise ValueError(iri)
    return ox.NamedNode(iri)
