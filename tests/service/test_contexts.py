"""JSON-LD whose contexts are too large for the engine is refused before the engine sees it."""

import json

import pytest
from wgig import contexts


def chain(length: int) -> dict[str, str]:
    """Each term stands for one below the next."""
    return {f"k{number}": f"k{number + 1}:a" for number in range(length)}


@pytest.mark.parametrize(
    "document",
    [
        {"@context": chain(contexts.MOST + 1)},
        {"@context": [{"x": {"@id": "x", "@context": chain(contexts.MOST)}}]},
        {"a": [{"@context": {"b": "c"}, "d": [{}]} for _ in range(contexts.MOST + 1)]},
    ],
    ids=["long", "nested", "many"],
)
def test_too_many_terms_are_refused(document: object) -> None:
    for text in (json.dumps(document), json.dumps(document).replace("@context", "\\u0040context")):
        with pytest.raises(SyntaxError, match="more than 3000 terms"):
            contexts.check(text)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"@context": null}', json.dumps({"@context": chain(100), "a": [chain(5000)]})]
)
def test_other_documents_are_let_through(text: str) -> None:
    contexts.check(text)
