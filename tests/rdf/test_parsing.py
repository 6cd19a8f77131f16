"""XML with expanding entities and JSON-LD with large contexts are refused before pyoxigraph parses them."""

import json

import pytest
from wgig.rdf import parsing
from wgig.rdf.parsing import XmlChecker, check_xml

DOCUMENT_WITH_ENTITY = "<a>&x;</a>"
LONG_TEXT = "v" * 6000


@pytest.mark.parametrize(
    "document",
    [
        "<a/>",
        f'<!DOCTYPE a [<!ENTITY x "urn:&#233;&amp;">]>{DOCUMENT_WITH_ENTITY}',
        f'<!DOCTYPE a [<!ENTITY x "short">]>{DOCUMENT_WITH_ENTITY}',
        '<!DOCTYPE a SYSTEM "file:///nowhere"><a/>',
    ],
)
def test_plain_entities_are_accepted_and_not_fetched(document: str) -> None:
    check_xml(document.encode())


@pytest.mark.parametrize(
    "declaration",
    [
        '[<!ENTITY y "v"> <!ENTITY x "&y;&y;">]',
        '[<!-- <!ENTITY y "v"> <!ENTITY x "&y;&y;"> -->]',
        '[<?hidden <!ENTITY y "v"> <!ENTITY x "&y;&y;"> ?>]',
        """SYSTEM '<!ENTITY y "v"> <!ENTITY x "&y;&y;">'""",
        '[<!ENTITY % p "v"> %p; <!ENTITY x "&y;&y;">]',
    ],
    ids=["plain", "in a comment", "in an instruction", "in a system identifier", "behind a parameter"],
)
def test_an_entity_that_refers_to_another_is_refused(declaration: str) -> None:
    with pytest.raises(SyntaxError, match="an entity must not refer to another") as error:
        check_xml(f"<!DOCTYPE a {declaration}><a/>".encode())
    assert error.value.lineno == 1


def test_long_declarations_are_refused() -> None:
    with pytest.raises(SyntaxError, match="the DOCTYPE is longer"):
        check_xml(f'<!DOCTYPE a [<!ENTITY x "{LONG_TEXT * 11}">]>{DOCUMENT_WITH_ENTITY}'.encode())


def test_an_entity_with_too_many_references_is_refused() -> None:
    with pytest.raises(SyntaxError, match="amplification"):
        check_xml(f'<!DOCTYPE a [<!ENTITY x "{LONG_TEXT}">]><a>{"&x;" * 100_000}</a>'.encode())


def test_a_document_can_be_fed_in_chunks() -> None:
    checker = XmlChecker()
    for chunk in (b"<a>\n<b", b"/>"):
        checker.feed(chunk)
    with pytest.raises(SyntaxError, match="no element found") as error:
        checker.feed(b"")
    assert (error.value.lineno, error.value.offset) == (2, 5)


def chain_terms(length: int) -> dict[str, str]:
    """A context in which the definition of each term refers to the next term."""
    return {f"k{number}": f"k{number + 1}:a" for number in range(length)}


@pytest.mark.parametrize(
    "document",
    [
        {"@context": chain_terms(parsing.MAX_CONTEXT_TERMS + 1)},
        {"@context": [{"x": {"@id": "x", "@context": chain_terms(parsing.MAX_CONTEXT_TERMS)}}]},
        {"a": [{"@context": {"b": "c"}, "d": [{}]} for _ in range(parsing.MAX_CONTEXT_TERMS + 1)]},
    ],
    ids=["long", "nested", "many"],
)
def test_too_many_terms_are_refused(document: object) -> None:
    for text in (json.dumps(document), json.dumps(document).replace("@context", "\\u0040context")):
        with pytest.raises(SyntaxError, match="more than 3000 terms"):
            parsing.check_jsonld_contexts(text)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"@context": null}', json.dumps({"@context": chain_terms(100), "a": [chain_terms(5000)]})],
    ids=["invalid", "empty", "no context", "many members outside the context"],
)
def test_other_documents_are_accepted(text: str) -> None:
    parsing.check_jsonld_contexts(text)
