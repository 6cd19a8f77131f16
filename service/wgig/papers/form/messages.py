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
    """A message at a field: name of the field, severity (`Violation`, `Warning`, `Info`), text.

    `language` is that of the text; `code` is that of the rule, empty for a message of the form itself;
    `blocks`: it keeps the paper from conforming to the profile. The name may be that of a part or a section,
    where no field matches.
    """

    field: str
    severity: str
    text: str
    language: str
    code: str = ""
    blocks: bool = True


def build_finding_message(
    finding: Finding, form_graph: FormToGraph, profile: str, language: str
) -> FieldMessage:
    """A finding as a message at its field."""
    rule = finding.rule
    hint = f" {finding.suggestion}" if finding.suggestion else ""
    field = next(iter_finding_fields(finding, form_graph), f"{SECTION_NAME_PREFIX}{rule.section}")
    return FieldMessage(
        field,
        rule.severity,
        f"{rule.message_in(language)}{hint}",
        language,
        rule.code,
        finding.is_blocking(profile),
    )


def iter_finding_fields(finding: Finding, form_graph: FormToGraph) -> Iterator[str]:
    """The names of the fields that a finding may be about, the most specific first."""
    rule, field_names = finding.rule, form_graph.field_names
    if isinstance(finding.focus, ox.Literal):
        return
    if finding.value not in (None, finding.focus):
        yield from iter_value_fields(finding, form_graph)
    if rule.counted_criterion.startswith(DEFAULT_NAMESPACES["principle"]):
        yield from iter_criterion_fields(finding, form_graph)
    yield from (
        field_names[key] for key in ((finding.focus, path) for path in rule.predicates) if key in field_names
    )
    if rule.code == "WGIG-2-CATEGORY-INVENTORY":  # its path is in its SPARQL query
        yield "category"
    for path in rule.predicates:
        yield from (
            part_key for part_key in form_graph.original.nodes if part_key and path.endswith(f"#{part_key}")
        )
    if finding.focus != form_graph.paper and finding.focus in field_names:
        yield field_names[finding.focus]


def iter_value_fields(finding: Finding, form_graph: FormToGraph) -> Iterator[str]:
    """The names of the fields that make the statement with the value of a finding."""
    for triple in form_graph.graph.statements_about(finding.focus):
        has_property = triple.predicate.value in finding.rule.predicates
        has_value = triple.object == finding.value or (
            is_blank_text(finding.value) and is_blank_text(triple.object)
        )
        if has_property and has_value and triple in form_graph.field_names:
            yield form_graph.field_names[triple]
    if not isinstance(finding.value, ox.Literal):
        yield from filter(None, [form_graph.field_names.get(finding.value)])


def iter_criterion_fields(finding: Finding, form_graph: FormToGraph) -> Iterator[str]:
    """The names of fields in the assessments that a rule counts: in the last one if there are too many."""
    criterion = finding.rule.counted_criterion.removeprefix(f"{ID_NAMESPACE}principle/")
    rows = [row for row in form_graph.rows(ASSESSMENT_PART) if row.words("criterion") == criterion]
    if rows and finding.rule.component == "QualifiedMaxCount":
        yield f"{form_row_name(ASSESSMENT_PART, rows[-1])}-judges"
    yield from (f"{form_row_name(ASSESSMENT_PART, row)}-verdict" for row in rows if row.is_blank)


UNSUPPORTED_TEXT_MESSAGE = gettext_noop(
    "%(field)s: this text cannot stand in Markdown as it is. Headings, comments, leading spaces and last "
    "words in brackets mean something else there. Change it, or download Turtle, which holds all of it."
)
TEXT_LANGUAGE_MESSAGE = gettext_noop(
    "%(field)s: the text here is in another language (%(text)s) than the paper (%(paper)s), which Markdown "
    "cannot hold. Write it anew, or download Turtle, which holds all of it."
)


def list_unsupported_messages(form_graph: FormToGraph, statements: Iterable[ox.Triple]) -> list[FieldMessage]:
    """Messages at the fields whose statements Markdown cannot hold; only at texts if there are any."""
    field_statements = [
        (field, triple) for triple in statements if (field := find_statement_field(form_graph, triple))
    ]
    text_statements = [
        (field, triple) for field, triple in field_statements if isinstance(triple.object, ox.Literal)
    ]
    return [*iter_unsupported_messages(form_graph, dict(text_statements or field_statements).items())]


def find_statement_field(form_graph: FormToGraph, triple: ox.Triple) -> str:
    """The name of the field that makes a statement, or an empty string."""
    return form_graph.field_names.get(triple) or form_graph.field_names.get(
        (triple.subject, triple.predicate.value), ""
    )


def iter_unsupported_messages(
    form_graph: FormToGraph, field_statements: Iterable[tuple[str, ox.Triple]]
) -> Iterator[FieldMessage]:
    """A message at each field, with the label of the field."""
    paper_language = form_graph.form_state.language.lower()
    for field, triple in field_statements:
        text_language = getattr(triple.object, "language", None)
        sentence, message_language = translate_message(
            TEXT_LANGUAGE_MESSAGE if text_language not in (None, paper_language) else UNSUPPORTED_TEXT_MESSAGE
        )
        text = sentence % {
            "field": form_field_label(field),
            "text": localized_language_name(text_language or ""),
            "paper": localized_language_name(paper_language),
        }
        yield FieldMessage(field, "Violation", text, message_language)


def form_field_label(name: str) -> str:
    """The label of the field or part with a name."""
    match = FIELD_NAME_PATTERN.fullmatch(name)
    assert match, name
    field = find_form_field(match["part"] or PAPER_PART.key, match["key"])
    return field.label(current_language()) if field else gettext(FORM_PARTS[match["key"]].title)


def localized_language_name(tag: str) -> str:
    """The name of a language in the language of the request, or its tag where it has no name."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(current_language()) or tag
    except (ValueError, UnknownLocaleError):
        return tag


INVALID_NAME_MESSAGE = gettext_noop(
    "The name of the paper in addresses has small letters, digits and single hyphens, such as my-paper."
)
INVALID_SOURCE_MESSAGE = gettext_noop(
    "This is neither a web address nor a document of the graph. "
    "Write an address with https:// in front, or a name such as document/declaration."
)


def iter_form_messages(form_graph: FormToGraph) -> Iterator[FieldMessage]:
    """The messages of the form itself, in the language of the request."""
    if form_graph.form_state.name != form_graph.original.name:  # an invalid new name
        yield build_field_message("name", INVALID_NAME_MESSAGE)
    for triple in form_graph.graph.statements_about(form_graph.paper):
        if (
            triple.predicate == expand_curie("dcterms:source")
            and triple in form_graph.field_names
            and is_unknown_source(triple.object)
        ):
            # An unknown IRI is only a warning: the graph may have more resources than were shipped.
            yield build_field_message(
                form_graph.field_names[triple],
                INVALID_SOURCE_MESSAGE,
                blocks=isinstance(triple.object, ox.Literal),
            )


def build_field_message(field: str, sentence: str, *, blocks: bool = True) -> FieldMessage:
    """A message at a field: an error that blocks every profile, or a warning."""
    return FieldMessage(
        field, "Violation" if blocks else "Warning", *translate_message(sentence), blocks=blocks
    )


def is_unknown_source(source: Any) -> bool:
    """Whether a source is a text, or one of our IRIs that was not shipped; papers are always accepted."""
    if not isinstance(source, ox.NamedNode):
        return True
    return source.value.startswith(ID_NAMESPACE) and not (
        source.value.startswith(PAPER_NAMESPACE) or source.value in shipped_resource_iris()
    )


@cache
def shipped_resource_iris() -> frozenset[str]:
    """The IRIs of all resources that the shipped graphs describe."""
    return frozenset(
        triple.subject.value for triple in shipped.shipped_facts() if isinstance(triple.subject, ox.NamedNode)
    )


CONFLICT_VALUE_MESSAGE = gettext_noop("In the version that was saved since you opened the paper: %(words)s")
CONFLICT_REMOVED_MESSAGE = gettext_noop(
    "In the version that was saved since you opened the paper, there is nothing here."
)
CONFLICT_ADDED_MESSAGE = gettext_noop("The version that was saved since has more of them: %(count)s in all.")


def iter_conflict_notes(opened: OriginalPaper, saved: OriginalPaper) -> Iterator[FieldMessage]:
    """A note at each field whose values in the saved version differ from those in the opened one."""
    for key, part in FORM_PARTS.items():
        opened_rows = {row.number: row for row in opened.form_state.rows[key]}
        saved_rows = {row.number: row for row in saved.form_state.rows[key]}
        for number, row in opened_rows.items():
            for field in part.fields:
                old_values, new_values = (
                    version_row.values.get(field.key, [])
                    for version_row in (row, saved_rows.get(number, FormRow(number, {})))
                )
                if old_values != new_values:
                    text = "; ".join(value.words for value in new_values)
                    yield build_conflict_note(
                        field_group_name(part, row, field),
                        CONFLICT_VALUE_MESSAGE if text else CONFLICT_REMOVED_MESSAGE,
                        words=text,
                    )
        if saved_rows.keys() - opened_rows.keys():
            yield build_conflict_note(key, CONFLICT_ADDED_MESSAGE, count=str(len(saved_rows)))


def build_conflict_note(field: str, sentence: str, **values: str) -> FieldMessage:
    """A note at a field, with its placeholders filled in; it does not block saving."""
    text, language = translate_message(sentence)
    return FieldMessage(field, "Info", shorten_untrusted_text(text % values), language, blocks=False)
