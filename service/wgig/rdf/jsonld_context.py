"""JSON-LD that names the context of the ontology by its IRI: the package has it, so nothing is fetched."""

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
# Times that a document may name it: each takes the room and the time of the whole context.
MAX_CONTEXT_MENTIONS = 50
# What the engine misses where it would have to fetch a context.
REMOTE_CONTEXT_MESSAGE = "LoadDocumentCallback"

Parsed = TypeVar("Parsed")


class RemoteContextError(SyntaxError):
    """A document names a context that would have to be fetched."""

    def __init__(self) -> None:
        """Say what to do instead."""
        super().__init__(
            "the document names a remote @context, and contexts are not fetched here; put the context into "
            f"the document. Only {CONTEXT_IRI} is known, as a @context of its own or in an array"
        )


def parse_inlining_context(source: str, parse: Callable[[str], Parsed]) -> Parsed:
    """What is parsed from a text, or else from the text with our context written out where it is named.

    Raises SyntaxError, among them RemoteContextError.
    """
    try:
        return parse(source)
    except SyntaxError as error:
        if REMOTE_CONTEXT_MESSAGE not in error.msg:
            raise
    whole = InlinedDocument(source)
    try:
        return parse(whole.text)
    except SyntaxError as error:
        raise (
            RemoteContextError if REMOTE_CONTEXT_MESSAGE in error.msg else whole.locate_error(error)
        ) from error


class InlinedDocument:
    """A document with the context written out wherever it is named, which is its `text`."""

    def __init__(self, source: str) -> None:
        """Look for the names. Raises SyntaxError, with its place, for more than MAX_CONTEXT_MENTIONS."""
        self.source = source
        self.mentions = [
            one.span(1) for one in islice(iter_context_mentions(source), MAX_CONTEXT_MENTIONS + 1)
        ]
        if len(self.mentions) > MAX_CONTEXT_MENTIONS:
            place = TextLines(source).locate(self.mentions[-1][0])
            what = (
                f"the context is named more than {MAX_CONTEXT_MENTIONS} times; name it once, around all nodes"
            )
            raise SyntaxError(what, (None, *place, None))
        self.text = "".join(self.iter_pieces())

    def iter_pieces(self) -> Iterator[str]:
        """What the text is made of."""
        end = 0
        for start, after in self.mentions:
            yield self.source[end:start]
            yield serialize_ontology_context()
            end = after
        yield self.source[end:]

    def locate_error(self, error: SyntaxError) -> SyntaxError:
        """The engine's error about the text, with its place in the source and none in its message."""
        if not error.lineno:
            return error
        lines = TextLines(self.text)
        # The engine counts the bytes of JSON.
        before = (
            lines.line(error.lineno)
            .encode(errors="replace")[: (error.offset or 1) - 1]
            .decode(errors="ignore")
        )
        at = self.source_offset(lines.line_starts[error.lineno - 1] + len(before))
        message = error.msg.partition(": ")[2]
        return SyntaxError(message, (None, *TextLines(self.source).locate(at), None))

    def source_offset(self, at: int) -> int:
        """The offset in the source of the character at an offset in the text."""
        for start, end in self.mentions:
            if at > start:
                at = max(start, at - len(serialize_ontology_context()) + end - start)
        return at


def iter_context_mentions(source: str) -> Iterator[Match[str]]:
    """The tokens that name the context in a `@context` or in an array there, up to where JSON is broken."""
    arrays = [False]  # of each bracket that is open, whether it is an array of contexts
    last, expected = "", False  # the string before, and whether a context may come
    for token in iter_json_tokens(source):
        match token[1]:
            case "[" | "{" as bracket:
                expected = expected and bracket == "["
                arrays.append(expected)
            case "]" | "}" if len(arrays) > 1:
                arrays.pop()
            case ",":
                expected = arrays[-1]
            case ":":
                expected = is_json_string(last, "@context")
            case word:
                if expected and is_json_string(word, CONTEXT_IRI):
                    yield token
                last = word


def iter_json_tokens(source: str) -> Iterator[Match[str]]:
    """The tokens of JSON up to where it is broken."""
    at = 0
    while token := JSON_TOKEN_PATTERN.match(source, at):
        yield token
        at = token.end()


def is_json_string(word: str, meant: str) -> bool:
    """Whether a token is a string of JSON, be it with escapes."""
    try:
        return bool(json.loads(word) == meant)
    except ValueError:
        return False


@cache
def serialize_ontology_context() -> str:
    """The context of the shipped ontology as JSON; on one line, so that those of a document stay the same."""
    from . import shipped, vocabulary  # noqa: PLC0415  few documents name it
    from .jsonld import build_jsonld_context  # noqa: PLC0415

    return json.dumps(
        build_jsonld_context(vocabulary.list_vocabulary_terms(shipped.shipped_ontology()), Settings.base)
    )


@cache
def parse_ontology_context() -> JsonValue:
    """The context, read."""
    return parse_positioned_json(serialize_ontology_context())


KNOWN_CONTEXTS = {CONTEXT_IRI: parse_ontology_context}
