"""A JSON parser that keeps the offset of each key and value, in characters."""

import re
from collections.abc import Iterator
from json import loads
from typing import NamedTuple

MAX_JSON_DEPTH = 100  # nested arrays and objects
# White space, and in the group a string, a punctuation character, or another value such as a number.
JSON_TOKEN_PATTERN = re.compile(r'[\ufeff \t\r\n]*+("(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++)')

JsonTokens = Iterator[re.Match[str]]


class JsonValue(NamedTuple):
    """A JSON value and the offset of its first character."""

    offset: int
    value: "str | int | float | bool | list[JsonValue] | dict[str, JsonMember] | None"


class JsonMember(NamedTuple):
    """A member of a JSON object: the offset of its key, and the value."""

    offset: int
    value: JsonValue


def parse_positioned_json(text: str) -> JsonValue:
    """The value of a JSON text. Raises ValueError if it is nested too deeply or an object repeats a key.

    The text must be valid JSON: for other texts, it may raise StopIteration or return a wrong value.
    """
    tokens = JSON_TOKEN_PATTERN.finditer(text)
    return parse_json_value(tokens, next(tokens), MAX_JSON_DEPTH)


def parse_json_value(tokens: JsonTokens, token: re.Match[str], depth: int) -> JsonValue:
    """The value whose first token is `token`, with at most `depth` levels of nesting."""
    if not depth:
        raise ValueError("too many nested arrays and objects")
    match token[1]:
        case "[":
            return JsonValue(token.start(1), list(iter_json_items(tokens, depth - 1)))
        case "{":
            return JsonValue(token.start(1), parse_json_members(tokens, depth - 1))
        case scalar:
            return JsonValue(token.start(1), loads(scalar))


def iter_json_items(tokens: JsonTokens, depth: int) -> Iterator[JsonValue]:
    """The items of an array, up to its closing bracket."""
    for token in tokens:
        if token[1] == "]":
            return
        if token[1] != ",":
            yield parse_json_value(tokens, token, depth)


def parse_json_members(tokens: JsonTokens, depth: int) -> dict[str, JsonMember]:
    """The members of an object by key, up to its closing bracket."""
    members: dict[str, JsonMember] = {}
    for token in tokens:
        if token[1] == "}":
            break
        if token[1] == ",":
            continue
        key = loads(token[1])
        if key in members:
            raise ValueError("a repeated key")
        next(tokens)  # the colon
        members[key] = JsonMember(token.start(1), parse_json_value(tokens, next(tokens), depth))
    return members
