"""XML that breaks off, or that could grow without bound, is refused before anybody expands it.

JSON-LD whose contexts are too large for the engine is refused before the engine sees it.
"""

import json

import pytest
from wgig.rdf import parsing
from wgig.rdf.parsing import XmlChecker, check_xml

USED = "<a>&x;</a>"
LARGE = "v" * 6000


@pytest.mark.parametrize(
    "document",
    [
        "<a/>",
        f'<!DOCTYPE a [<!ENTITY x "urn:&#233;&amp;">]>{USED}',
        f'<!DOCTYPE a [<!ENTITY x "short">]>{USED}',
        '<!DOCTYPE a SYSTEM "file:///nowhere"><a/>',
    ],
)
def test_plain_entities_are_fine_and_nothing_is_fetched(document: str) -> None:
    check_xml(document.encode())


@pytest.mark.parametrize(
    "declared",
    [
        '[<!ENTITY y "v"> <!ENTITY x "&y;&y;">]',
        '[<!-- <!ENTITY y "v"> <!ENTITY x "&y;&y;"> -->]',
        '[<?hidden <!ENTITY y "v"> <!ENTITY x "&y;&y;"> ?>]',
        """SYSTEM '<!ENTITY y "v"> <!ENTITY x "&y;&y;">'""",
        '[<!ENTITY % p "v"> %p; <!ENTITY x "&y;&y;">]',
    ],
    ids=["plain", "in a comment", "in an instruction", "in an address", "behind a parameter"],
)
def test_an_entity_that_refers_to_another_is_refused(declared: str) -> None:
    with pytest.raises(SyntaxError, match="an entity must not refer to another") as caught:
        check_xml(f"<!DOCTYPE a {declared}><a/>".encode())
    assert caught.value.lineno == 1


def test_long_declarations_are_refused() -> None:
    with pytest.raises(SyntaxError, match="the DOCTYPE is longer"):
        check_xml(f'<!DOCTYPE a [<!ENTITY x "{LARGE * 11}">]>{USED}'.encode())


def test_an_entity_that_is_used_too_often_is_refused() -> None:
    with pytest.raises(SyntaxError, match="amplification"):
        check_xml(f'<!DOCTYPE a [<!ENTITY x "{LARGE}">]><a>{"&x;" * 100_000}</a>'.encode())


def test_a_document_may_come_in_pieces() -> None:
    watch = XmlChecker()
    for piece in (b"<a>\n<b", b"/>"):
        watch.feed(piece)
    with pytest.raises(SyntaxError, match="no element found") as caught:
        watch.feed(b"")
    assert (caught.value.lineno, caught.value.offset) == (2, 5)


def chain(length: int) -> dict[str, str]:
    """Each term stands for one below the next."""
    return {f"k{number}": f"k{number + 1}:a" for number in range(length)}


@pytest.mark.parametrize(
    "document",
    [
        {"@context": chain(parsing.MAX_CONTEXT_TERMS + 1)},
        {"@context": [{"x": {"@id": "x", "@context": chain(parsing.MAX_CONTEXT_TERMS)}}]},
        {"a": [{"@context": {"b": "c"}, "d": [{}]} for _ in range(parsing.MAX_CONTEXT_TERMS + 1)]},
    ],
    ids=["long", "nested", "many"],
)
def test_too_many_terms_are_refused(document: object) -> None:
    for text in (json.dumps(document), json.dumps(document).replace("@context", "\\u0040context")):
        with pytest.raises(SyntaxError, match="more than 3000 terms"):
            parsing.check_jsonld_contexts(text)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"@context": null}', json.dumps({"@context": chain(100), "a": [chain(5000)]})]
)
def test_other_documents_are_let_through(text: str) -> None:
    parsing.check_jsonld_contexts(text)
