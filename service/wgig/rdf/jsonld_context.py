"""Parsing of JSON-LD that refers to the context of the ontology by its IRI, without fetching it.

pyoxigraph cannot resolve contexts, so each reference is replaced by the context before pyoxigraph parses it.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from re import Match
from typing import TypeVar

from ..settings import Settings
from ..text import TextLines
from .json_tokens import JSON_TOKEN_PATTERN, JsonValue, parse_positioned_json

CONTEXT_IRI = f"{Settings.base}context.jsonld"
# References in one document: each adds the size and the parsing time of the whole context.
MAX_CONTEXT_REFERENCES = 50
# Occurs in the error message of pyoxigraph for a context that it would have to fetch.
REMOTE_CONTEXT_MESSAGE = "LoadDocumentCallback"

ParseResult = TypeVar("ParseResult")


class RemoteContextError(SyntaxError):
    """A document refers to a context that would have to be fetched."""

    def __init__(self) -> None:
        """Build the message, with advice."""
        super().__init__(
            "the document refers to a remote @context, but contexts are not fetched; put the context "
            f"into the document. Only the address {CONTEXT_IRI} is supported, as the value of "
            "@context or in an array there"
        )


def parse_inlining_context(source: str, parse: Callable[[str], ParseResult]) -> ParseResult:
    """The result of `parse(source)`, if necessary with the context of the ontology inlined.

    Raises SyntaxError with a position in `source`, and RemoteContextError for other remote contexts.
    """
    try:
        return parse(source)
    except SyntaxError as error:
        if REMOTE_CONTEXT_MESSAGE not in error.msg:
            raise
    document = InlinedDocument(source)
    try:
        return parse(document.text)
    except SyntaxError as error:
        raise (
            RemoteContextError if REMOTE_CONTEXT_MESSAGE in error.msg else document.locate_error(error)
        ) from error


class InlinedDocument:
    """A document, and its `text` with each reference to the context replaced by the context."""

    def __init__(self, source: str) -> None:
        """Find the references. Raises SyntaxError with a position for more than MAX_CONTEXT_REFERENCES."""
        self.source = source
        self.reference_spans = [
            token.span(1) for token in islice(iter_context_references(source), MAX_CONTEXT_REFERENCES + 1)
        ]
        if len(self.reference_spans) > MAX_CONTEXT_REFERENCES:
            position = TextLines(source).locate(self.reference_spans[-1][0])
            message = (
                f"the document refers to the context more than {MAX_CONTEXT_REFERENCES} times; "
                "use one @context for all nodes"
            )
            raise SyntaxError(message, (None, *position, None))
        self.text = "".join(self.iter_chunks())

    def iter_chunks(self) -> Iterator[str]:
        """The chunks of `text`: those of the source, with the context between them."""
        end = 0
        for start, reference_end in self.reference_spans:
            yield self.source[end:start]
            yield serialize_ontology_context()
            end = reference_end
        yield self.source[end:]

    def locate_error(self, error: SyntaxError) -> SyntaxError:
        """An error in `text` as an error at the position in the source. Its message has no position."""
        if not error.lineno:
            return error
        lines = TextLines(self.text)
        # The column of pyoxigraph counts bytes.
        text_before_error = (
            lines.line(error.lineno)
            .encode(errors="replace")[: (error.offset or 1) - 1]
            .decode(errors="ignore")
        )
        offset = self.source_offset(lines.line_starts[error.lineno - 1] + len(text_before_error))
        message = error.msg.partition(": ")[2]
        return SyntaxError(message, (None, *TextLines(self.source).locate(offset), None))

    def source_offset(self, offset: int) -> int:
        """The offset in the source that corresponds to an offset in `text`."""
        for start, end in self.reference_spans:
            if offset > start:
                offset = max(start, offset - len(serialize_ontology_context()) + end - start)
        return offset


def iter_context_references(source: str) -> Iterator[Match[str]]:
    """The tokens with the IRI of the context as a `@context` or in an array there, up to invalid JSON."""
    context_arrays = [False]  # for each open bracket, whether it is an array of contexts
    last_value, is_expected = "", False  # the previous value; whether a context may follow
    for token in iter_json_tokens(source):
        match token[1]:
            case "[" | "{" as bracket:
                is_expected = is_expected and bracket == "["
                context_arrays.append(is_expected)
            case "]" | "}" if len(context_arrays) > 1:
                context_arrays.pop()
            case ",":
                is_expected = context_arrays[-1]
            case ":":
                is_expected = is_json_string(last_value, "@context")
            case value:
                if is_expected and is_json_string(value, CONTEXT_IRI):
                    yield token
                last_value = value


def iter_json_tokens(source: str) -> Iterator[Match[str]]:
    """The tokens of a JSON text, up to the first invalid one."""
    offset = 0
    while token := JSON_TOKEN_PATTERN.match(source, offset):
        yield token
        offset = token.end()


def is_json_string(token: str, expected: str) -> bool:
    """Whether a token is the JSON string with the value `expected`, with or without escapes."""
    try:
        return bool(json.loads(token) == expected)
    except ValueError:
        return False


@cache
def serialize_ontology_context() -> str:
    """The context of the ontology as JSON on one line, so that inlining it changes no line numbers."""
    from . import shipped, vocabulary  # noqa: PLC0415  few documents need it
    from .jsonld import build_jsonld_context  # noqa: PLC0415

    return json.dumps(
        build_jsonld_context(vocabulary.list_vocabulary_terms(shipped.shipped_ontology()), Settings.base)
    )


@cache
def parse_ontology_context() -> JsonValue:
    """The context of the ontology as a positioned JSON value."""
    return parse_positioned_json(serialize_ontology_context())


KNOWN_CONTEXTS = {CONTEXT_IRI: parse_ontology_context}  # functions, as few documents need the context
