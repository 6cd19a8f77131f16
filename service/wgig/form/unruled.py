"""What is wrong in a field that no rule looks at: the name of the paper, and where the paper is from."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pyoxigraph as ox

from .. import known
from ..catalogues import marked
from ..markdown.values import ID, iri
from ..speaking import translated
from .placed import Message
from .source import PAPERS
from .stating import Stating

NAME = marked(
    "The name of the paper in addresses has small letters, digits and single hyphens, such as my-paper."
)
SOURCE = marked(
    "This is no web address and no document of the graph. "
    "Write an address with https:// in front, or a name such as document/declaration."
)


def unruled(stating: Stating) -> Iterator[Message]:
    """What is to be said of a form in the language of now."""
    if stating.filled.name != stating.source.name:  # a new name that is none
        yield said("name", NAME)
    for one in stating.draft.of(stating.paper):
        if one.predicate == iri("dcterms:source") and one in stating.names and leads_nowhere(one.object):
            # A graph may hold more things than were shipped.
            yield said(stating.names[one], SOURCE, blocks=isinstance(one.object, ox.Literal))


def said(field: str, sentence: str, *, blocks: bool = True) -> Message:
    """A sentence at a field, which keeps the paper from every profile, or is a warning."""
    return Message(field, "Violation" if blocks else "Warning", *translated(sentence), blocks=blocks)


def leads_nowhere(source: Any) -> bool:
    """Whether a source is a text, or a thing of ours that was not shipped; papers come and go."""
    if not isinstance(source, ox.NamedNode):
        return True
    return source.value.startswith(ID) and not (source.value.startswith(PAPERS) or source.value in things())


@cache
def things() -> frozenset[str]:
    """The IRIs of all that the shipped graphs describe."""
    return frozenset(one.subject.value for one in known.facts() if isinstance(one.subject, ox.NamedNode))
