"""Whether what is written at the places found can be what the triples say."""

import re
from collections.abc import Sequence

import pyoxigraph as ox

from .spot import FIRST, NIL, REST, TYPE, Offsets
from .tokens import BLANK, LOCAL

SHOWN = 12  # characters of a literal that are compared

# A prefixed name or an IRI reference with its last part, in which nothing but characters of names is escaped.
WRITTEN = re.compile(rf"[{BLANK}.]*+:({LOCAL})|<(?:[^<>]*[/#:])?(?!\.\.?>)([^<>/#:\\]*)>", re.DOTALL)


def fit(text: str, found: Sequence[Offsets], triples: Sequence[ox.Triple]) -> bool:
    """Whether each triple can be written where it was found in Turtle or a relative."""
    subjects: dict[int, object] = {}
    if len(found) != len(triples):
        return False
    for (at, predicate_at, object_at), (subject, predicate, value) in zip(found, triples, strict=True):
        if text[predicate_at] == "(":
            if predicate.value not in (FIRST, REST):
                return False
        elif subjects.setdefault(at, subject) != subject or not fits_iri(text, predicate_at, predicate.value):
            return False
        if predicate.value != REST and not FITS[type(value)](text, object_at, value.value):
            return False
    return True


def fits_iri(text: str, at: int, iri: str) -> bool:
    """Whether an IRI can be written at an offset; whatever its reference is resolved against."""
    if written := WRITTEN.match(text, at):
        return iri.endswith(written[written.lastindex or 0].replace("\\", ""))
    return text[at] == "<" or iri == (NIL if text[at] in "()" else TYPE)


def fits_blank(text: str, at: int, label: str) -> bool:
    """Whether a blank node can be written at an offset; its label may be new."""
    del label
    return text[at] in "[(_"


def fits_literal(text: str, at: int, value: str) -> bool:
    """Whether a literal can be written at an offset, by how it begins up to the first escape."""
    if text[at] not in "\"'":
        return text.startswith(value, at)
    begin = at + (3 if text.startswith(text[at] * 3, at) else 1)
    shown = text[begin : begin + SHOWN].partition("\\")[0]
    return text.startswith(value[:SHOWN], begin) or value.startswith(shown)


FITS = {ox.NamedNode: fits_iri, ox.BlankNode: fits_blank, ox.Literal: fits_literal}
