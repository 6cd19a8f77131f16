"""Example queries with the values of a client in them."""

from collections.abc import Mapping
from typing import Any

from .binding import bind
from .examples import Example
from .typed import term


def terms(one: Example, given: Mapping[str, str], base: str) -> dict[str, Any]:
    """The terms for those parameters of a query that are `given`. Raises Problem 400 for what is none."""
    types = {parameter.name: parameter.type for parameter in one.parameters}
    return {name: term(name, type_, given[name], base) for name, type_ in types.items() if name in given}


def prepared(one: Example, given: Mapping[str, str], base: str) -> str:
    """The text of a query with the given values for its parameters. Raises Problem 400."""
    return bind(one.text, terms(one, given, base))
