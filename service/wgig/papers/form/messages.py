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

from ...http.language import current_language, gettext, translate_message
from ...i18n import gettext_noop
from ...rdf import shipped
from ...rdf.namespaces import DEFAULT_NAMESPACES, ID_NAMESPACE, PAPER_NAMESPACE, expand_curie
from ...shacl.findings import Finding
from ...shacl.locations import is_blank_text
from ...text import shorten_untrusted_text
from .fields import ASSESSMENT_PART, FORM_PARTS, PAPER_PART, find_form_field
from .original import OriginalPaper
from .request import FIELD_NAME_PATTERN
from .state import FormRow, field_group_name, form_row_name
from .statements import FormToGraph

SECTION_NAME_PREFIX = "section-"


class FieldMessage(NamedTuple):
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


def build_finding_message(
    finding: Finding, stating: FormToGraph, profile: str, language: str
) -> FieldMessage:
    """A finding as a message at its field."""
    rule = finding.rule
    hint = f" {finding.suggestion}" if finding.suggestion else ""
    field = next(iter_finding_fields(finding, stating), f"{SECTION_NAME_PREFIX}{rule.section}")
    return FieldMessage(
        field,
        rule.severity,
        f"{rule.message_in(language)}{hint}",
        language,
        rule.code,
        finding.is_blocking(profile),
    )


def iter_finding_fields(finding: Finding, stating: FormToGraph) -> Iterator[str]:
    """The names of fields that a finding may be about, the most exact first."""
    rule, there = finding.rule, stating.field_names
    if isinstance(finding.focus, ox.Literal):
        return
    if finding.value not in (None, finding.focus):
        yield from iter_value_fields(finding, stating)
    if rule.counted_criterion.startswith(DEFAULT_NAMESPACES["principle"]):
        yield from iter_criterion_fields(finding, stating)
    yield from (there[one] for one in ((finding.focus, path) for path in rule.predicates) if one in there)
    if rule.code == "WGIG-2-CATEGORY-INVENTORY":  # whose path stands in its query
        yield "category"
    for path in rule.predicates:
        yield from (one for one in stating.original.nodes if one and path.endswith(f"#{one}"))
    if finding.focus != stating.paper and finding.focus in there:
        yield there[finding.focus]


def iter_value_fields(finding: Finding, stating: FormToGraph) -> Iterator[str]:
    """The names of the fields that make the statement whose value a finding is about."""
    for triple in stating.graph.statements_about(finding.focus):
        along = triple.predicate.value in finding.rule.predicates
        same = triple.object == finding.value or (
            is_blank_text(finding.value) and is_blank_text(triple.object)
        )
        if along and same and triple in stating.field_names:
            yield stating.field_names[triple]
    if not isinstance(finding.value, ox.Literal):
        yield from filter(None, [stating.field_names.get(finding.value)])


def iter_criterion_fields(finding: Finding, stating: FormToGraph) -> Iterator[str]:
    """The names of the assessments by the criterion that a rule counts: the last where there are too many."""
    criterion = finding.rule.counted_criterion.removeprefix(f"{ID_NAMESPACE}principle/")
    rows = [one for one in stating.rows(ASSESSMENT_PART) if one.words("criterion") == criterion]
    if rows and finding.rule.component == "QualifiedMaxCount":
        yield f"{form_row_name(ASSESSMENT_PART, rows[-1])}-judges"
    yield from (f"{form_row_name(ASSESSMENT_PART, one)}-verdict" for one in rows if one.is_blank)


UNSUPPORTED_TEXT_MESSAGE = gettext_noop(
    "%(field)s: this text cannot stand in Markdown as it is. Headings, comments, leading spaces and last "
    "words in brackets mean something else there. Change it, or download Turtle, which holds all of it."
)
TEXT_LANGUAGE_MESSAGE = gettext_noop(
    "%(field)s: the text here is in another language (%(text)s) than the paper (%(paper)s), which Markdown "
    "cannot hold. Write it anew, or download Turtle, which holds all of it."
)


def list_unsupported_messages(stating: FormToGraph, statements: Iterable[ox.Triple]) -> list[FieldMessage]:
    """What is said at the fields that make statements which Markdown cannot hold; texts before links."""
    named = [(field, one) for one in statements if (field := find_statement_field(stating, one))]
    texts = [(field, one) for field, one in named if isinstance(one.object, ox.Literal)]
    return [*iter_unsupported_messages(stating, dict(texts or named).items())]


def find_statement_field(stating: FormToGraph, one: ox.Triple) -> str:
    """The name of the field that makes a statement, or an empty one."""
    return stating.field_names.get(one) or stating.field_names.get((one.subject, one.predicate.value), "")


def iter_unsupported_messages(
    stating: FormToGraph, named: Iterable[tuple[str, ox.Triple]]
) -> Iterator[FieldMessage]:
    """A sentence at each field, which names it."""
    paper = stating.form_state.language.lower()
    for field, one in named:
        tongue = getattr(one.object, "language", None)
        sentence, spoken = translate_message(
            TEXT_LANGUAGE_MESSAGE if tongue not in (None, paper) else UNSUPPORTED_TEXT_MESSAGE
        )
        said = sentence % {
            "field": form_field_label(field),
            "text": localized_language_name(tongue or ""),
            "paper": localized_language_name(paper),
        }
        yield FieldMessage(field, "Violation", said, spoken)


def form_field_label(name: str) -> str:
    """How the field or part with a name is called."""
    found = FIELD_NAME_PATTERN.fullmatch(name)
    assert found, name
    field = find_form_field(found["part"] or PAPER_PART.key, found["key"])
    return field.label(current_language()) if field else gettext(FORM_PARTS[found["key"]].title)


def localized_language_name(tag: str) -> str:
    """The name of a language in the language of now, or its tag where it has none."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(current_language()) or tag
    except (ValueError, UnknownLocaleError):
        return tag


INVALID_NAME_MESSAGE = gettext_noop(
    "The name of the paper in addresses has small letters, digits and single hyphens, such as my-paper."
)
INVALID_SOURCE_MESSAGE = gettext_noop(
    "This is no web address and no document of the graph. "
    "Write an address with https:// in front, or a name such as document/declaration."
)


def iter_form_messages(stating: FormToGraph) -> Iterator[FieldMessage]:
    """What is to be said of a form in the language of now."""
    if stating.form_state.name != stating.original.name:  # a new name that is none
        yield build_field_message("name", INVALID_NAME_MESSAGE)
    for one in stating.graph.statements_about(stating.paper):
        if (
            one.predicate == expand_curie("dcterms:source")
            and one in stating.field_names
            and is_unknown_source(one.object)
        ):
            # A graph may hold more things than were shipped.
            yield build_field_message(
                stating.field_names[one], INVALID_SOURCE_MESSAGE, blocks=isinstance(one.object, ox.Literal)
            )


def build_field_message(field: str, sentence: str, *, blocks: bool = True) -> FieldMessage:
    """A sentence at a field, which keeps the paper from every profile, or is a warning."""
    return FieldMessage(
        field, "Violation" if blocks else "Warning", *translate_message(sentence), blocks=blocks
    )


def is_unknown_source(source: Any) -> bool:
    """Whether a source is a text, or a thing of ours that was not shipped; papers come and go."""
    if not isinstance(source, ox.NamedNode):
        return True
    return source.value.startswith(ID_NAMESPACE) and not (
        source.value.startswith(PAPER_NAMESPACE) or source.value in shipped_resource_iris()
    )


@cache
def shipped_resource_iris() -> frozenset[str]:
    """The IRIs of all that the shipped graphs describe."""
    return frozenset(
        one.subject.value for one in shipped.shipped_facts() if isinstance(one.subject, ox.NamedNode)
    )


CONFLICT_VALUE_MESSAGE = gettext_noop("In the version that was saved since you opened the paper: %(words)s")
CONFLICT_REMOVED_MESSAGE = gettext_noop(
    "In the version that was saved since you opened the paper, there is nothing here."
)
CONFLICT_ADDED_MESSAGE = gettext_noop("The version that was saved since has more of them: %(count)s in all.")


def iter_conflict_notes(opened: OriginalPaper, theirs: OriginalPaper) -> Iterator[FieldMessage]:
    """A note at each field whose values are others in their version than when the paper was opened."""
    for key, part in FORM_PARTS.items():
        before = {one.number: one for one in opened.form_state.rows[key]}
        after = {one.number: one for one in theirs.form_state.rows[key]}
        for number, row in before.items():
            for field in part.fields:
                old, new = (
                    one.values.get(field.key, []) for one in (row, after.get(number, FormRow(number, {})))
                )
                if old != new:
                    said = "; ".join(one.words for one in new)
                    yield build_conflict_note(
                        field_group_name(part, row, field),
                        CONFLICT_VALUE_MESSAGE if said else CONFLICT_REMOVED_MESSAGE,
                        words=said,
                    )
        if after.keys() - before.keys():
            yield build_conflict_note(key, CONFLICT_ADDED_MESSAGE, count=str(len(after)))


def build_conflict_note(field: str, sentence: str, **values: str) -> FieldMessage:
    """A sentence with its values at a field, which keeps the paper from nothing."""
    text, language = translate_message(sentence)
    return FieldMessage(field, "Info", shorten_untrusted_text(text % values), language, blocks=False)
