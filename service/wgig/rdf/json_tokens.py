"""JSON whose values know where they are written."""

import re
from collections.abc import Iterator
from json import loads
from typing import NamedTuple

MAX_JSON_DEPTH = 100  # brackets within one another
JSON_TOKEN_PATTERN = re.compile(r'[\ufeff \t\r\n]*+("(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++)')

JsonTokens = Iterator[re.Match[str]]


class JsonValue(NamedTuple):
    """A JSON value and the offset at which it begins."""

    offset: int
    value: "str | int | float | bool | list[JsonValue] | dict[str, JsonMember] | None"


class JsonMember(NamedTuple):
    """The offset of the key of a member of an object, and the value."""

    offset: int
    value: JsonValue


def parse_positioned_json(text: str) -> JsonValue:
    """The value that a whole text is. Raises ValueError where it is too deep or has a key twice."""
    tokens = JSON_TOKEN_PATTERN.finditer(text)
    return parse_json_value(tokens, next(tokens), MAX_JSON_DEPTH)


def parse_json_value(tokens: JsonTokens, token: re.Match[str], depth: int) -> JsonValue:
    """The value that begins with a token."""
    if not depth:
        raise ValueError("too many brackets within one another")
    match token[1]:
        case "[":
            return JsonValue(token.start(1), list(iter_json_items(tokens, depth - 1)))
        case "{":
            return JsonValue(token.start(1), parse_json_members(tokens, depth - 1))
        case word:
            return JsonValue(token.start(1), loads(word))


def iter_json_items(tokens: JsonTokens, depth: int) -> Iterator[JsonValue]:
    """The items of an array."""
    for token in tokens:
        if token[1] == "]":
            return
        if token[1] != ",":
            yield parse_json_value(tokens, token, depth)


def parse_json_members(tokens: JsonTokens, depth: int) -> dict[str, JsonMember]:
    """The members of an object by their keys."""
    found: dict[str, JsonMember] = {}
    for token in tokens:
        if token[1] == "}":
            break
        if token[1] == ",":
            continue
        key = loads(token[1])
        if key in found:
            raise ValueError("a key twice")
        next(tokens)  # the colon
        found[key] = JsonMember(token.start(1), parse_json_value(tokens, next(tokens), depth))
    return found
