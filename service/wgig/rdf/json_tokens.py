"""JSON whose values know where they are written."""

import re
from collections.abc import Iterator
from json import loads
from typing import NamedTuple

DEEPEST = 100  # brackets within one another
TOKEN = re.compile(r'[\ufeff \t\r\n]*+("(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++)')

Tokens = Iterator[re.Match[str]]


class Value(NamedTuple):
    """A JSON value and the offset at which it begins."""

    at: int
    value: "str | int | float | bool | list[Value] | dict[str, Member] | None"


class Member(NamedTuple):
    """The offset of the key of a member of an object, and the value."""

    at: int
    value: Value


def read(text: str) -> Value:
    """The value that a whole text is. Raises ValueError where it is too deep or has a key twice."""
    tokens = TOKEN.finditer(text)
    return value(tokens, next(tokens), DEEPEST)


def value(tokens: Tokens, token: re.Match[str], depth: int) -> Value:
    """The value that begins with a token."""
    if not depth:
        raise ValueError("too many brackets within one another")
    match token[1]:
        case "[":
            return Value(token.start(1), list(items(tokens, depth - 1)))
        case "{":
            return Value(token.start(1), members(tokens, depth - 1))
        case word:
            return Value(token.start(1), loads(word))


def items(tokens: Tokens, depth: int) -> Iterator[Value]:
    """The items of an array."""
    for token in tokens:
        if token[1] == "]":
            return
        if token[1] != ",":
            yield value(tokens, token, depth)


def members(tokens: Tokens, depth: int) -> dict[str, Member]:
    """The members of an object by their keys."""
    found: dict[str, Member] = {}
    for token in tokens:
        if token[1] == "}":
            break
        if token[1] == ",":
            continue
        key = loads(token[1])
        if key in found:
            raise ValueError("a key twice")
        next(tokens)  # the colon
        found[key] = Member(token.start(1), value(tokens, next(tokens), depth))
    return found
