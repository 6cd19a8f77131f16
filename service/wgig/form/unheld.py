"""What Markdown cannot hold of a form, at the fields that say it."""

from collections.abc import Iterable, Iterator

import pyoxigraph as ox
from babel import Locale, UnknownLocaleError

from ..catalogues import marked
from ..speaking import gettext, language, translated
from .layout import PAPER, PARTS, field_of
from .placed import Message
from .sent import NAME
from .stating import Stating

AS_IT_IS = marked(
    "%(field)s: this text cannot stand in Markdown as it is. Headings, comments, leading spaces and last "
    "words in brackets mean something else there. Change it, or download Turtle, which holds all of it."
)
TONGUE = marked(
    "%(field)s: the text here is in another language (%(text)s) than the paper (%(paper)s), which Markdown "
    "cannot hold. Write it anew, or download Turtle, which holds all of it."
)


def unheld(stating: Stating, statements: Iterable[ox.Triple]) -> list[Message]:
    """What is said at the fields that make statements which Markdown cannot hold; texts before links."""
    named = [(field, one) for one in statements if (field := field_of_statement(stating, one))]
    texts = [(field, one) for field, one in named if isinstance(one.object, ox.Literal)]
    return [*messages(stating, dict(texts or named).items())]


def field_of_statement(stating: Stating, one: ox.Triple) -> str:
    """The name of the field that makes a statement, or an empty one."""
    return stating.names.get(one) or stating.names.get((one.subject, one.predicate.value), "")


def messages(stating: Stating, named: Iterable[tuple[str, ox.Triple]]) -> Iterator[Message]:
    """A sentence at each field, which names it."""
    paper = stating.filled.language.lower()
    for field, one in named:
        tongue = getattr(one.object, "language", None)
        sentence, spoken = translated(TONGUE if tongue not in (None, paper) else AS_IT_IS)
        said = sentence % {"field": label(field), "text": called(tongue or ""), "paper": called(paper)}
        yield Message(field, "Violation", said, spoken)


def label(name: str) -> str:
    """How the field or part with a name is called."""
    found = NAME.fullmatch(name)
    assert found, name
    field = field_of(found["part"] or PAPER.key, found["key"])
    return field.name(language()) if field else gettext(PARTS[found["key"]].title)


def called(tag: str) -> str:
    """The name of a language in the language of now, or its tag where it has none."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(language()) or tag
    except (ValueError, UnknownLocaleError):
        return tag
