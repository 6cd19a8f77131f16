"""Messages at the fields of the form: findings, unsupported Markdown, invalid names, edit conflicts.

They are findings of the check; texts that Markdown cannot hold; errors in fields without a rule (the name of
the paper and its source); and values that somebody else changed since the paper was opened. Each is placed at
the most specific field that makes the statement.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import pyoxigraph as ox
from babel import Locale, UnknownLocaleError

from ...http.language import gettext, language, translated
from ...i18n import marked
from ...rdf import shipped
from ...shacl.findings import BLOCKING, Finding
from ...shacl.locations import is_blank
from ...text import cut
from ..markdown.values import ID, NAMES, iri
from .fields import ASSESSMENT, PAPER, PARTS, field_of
from .original import PAPERS, Source
from .request import FIELD_NAME
from .state import Row, group, name
from .statements import Stating

SECTION = "section-"


class Message(NamedTuple):
    """What is said at a field: its name, how grave it is (`Violation`, `Warning`, `Info`), the sentence.

    `language` is that of the sentence; `code` is that of the rule, empty where the form itself says it;
    `blocks`: it keeps the paper from the profile. The name may be that of a part, or of a section, where no
    field is meant.
    """

    field: str
    severity: str
    text: str
    language: str
    code: str = ""
    blocks: bool = True


def message(finding: Finding, stating: Stating, profile: str, language: str) -> Message:
    """A finding as a message at its field."""
    rule = finding.rule
    hint = f" {finding.suggestion}" if finding.suggestion else ""
    blocks = rule.severity in BLOCKING[profile] and not finding.waiver
    field = next(names(finding, stating), f"{SECTION}{rule.section}")
    return Message(field, rule.severity, f"{rule.says(language)}{hint}", language, rule.code, blocks)


def names(finding: Finding, stating: Stating) -> Iterator[str]:
    """The names of fields that a finding may be about, the most exact first."""
    rule, there = finding.rule, stating.names
    if isinstance(finding.focus, ox.Literal):
        return
    if finding.value not in (None, finding.focus):
        yield from values(finding, stating)
    if rule.counted.startswith(NAMES["principle"]):
        yield from measured(finding, stating)
    yield from (there[one] for one in ((finding.focus, path) for path in rule.predicates) if one in there)
    if rule.code == "WGIG-2-CATEGORY-INVENTORY":  # whose path stands in its query
        yield "category"
    for path in rule.predicates:
        yield from (one for one in stating.source.nodes if one and path.endswith(f"#{one}"))
    if finding.focus != stating.paper and finding.focus in there:
        yield there[finding.focus]


def values(finding: Finding, stating: Stating) -> Iterator[str]:
    """The names of the fields that make the statement whose value a finding is about."""
    for triple in stating.draft.of(finding.focus):
        along = triple.predicate.value in finding.rule.predicates
        same = triple.object == finding.value or (is_blank(finding.value) and is_blank(triple.object))
        if along and same and triple in stating.names:
            yield stating.names[triple]
    if not isinstance(finding.value, ox.Literal):
        yield from filter(None, [stating.names.get(finding.value)])


def measured(finding: Finding, stating: Stating) -> Iterator[str]:
    """The names of the assessments by the criterion that a rule counts: the last where there are too many."""
    criterion = finding.rule.counted.removeprefix(f"{ID}principle/")
    rows = [one for one in stating.rows(ASSESSMENT) if one.words("criterion") == criterion]
    if rows and finding.rule.component == "QualifiedMaxCount":
        yield f"{name(ASSESSMENT, rows[-1])}-judges"
    yield from (f"{name(ASSESSMENT, one)}-verdict" for one in rows if one.is_blank)


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
    found = FIELD_NAME.fullmatch(name)
    assert found, name
    field = field_of(found["part"] or PAPER.key, found["key"])
    return field.name(language()) if field else gettext(PARTS[found["key"]].title)


def called(tag: str) -> str:
    """The name of a language in the language of now, or its tag where it has none."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(language()) or tag
    except (ValueError, UnknownLocaleError):
        return tag


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
    return frozenset(one.subject.value for one in shipped.facts() if isinstance(one.subject, ox.NamedNode))


NOW = marked("In the version that was saved since you opened the paper: %(words)s")
GONE = marked("In the version that was saved since you opened the paper, there is nothing here.")
MORE = marked("The version that was saved since has more of them: %(count)s in all.")


def differing(opened: Source, theirs: Source) -> Iterator[Message]:
    """A note at each field whose values are others in their version than when the paper was opened."""
    for key, part in PARTS.items():
        before = {one.number: one for one in opened.filled.rows[key]}
        after = {one.number: one for one in theirs.filled.rows[key]}
        for number, row in before.items():
            for field in part.fields:
                old, new = (
                    one.values.get(field.key, []) for one in (row, after.get(number, Row(number, {})))
                )
                if old != new:
                    said = "; ".join(one.words for one in new)
                    yield note(group(part, row, field), NOW if said else GONE, words=said)
        if after.keys() - before.keys():
            yield note(key, MORE, count=str(len(after)))


def note(field: str, sentence: str, **values: str) -> Message:
    """A sentence with its values at a field, which keeps the paper from nothing."""
    text, language = translated(sentence)
    return Message(field, "Info", cut(text % values), language, blocks=False)
