"""Messages at form fields: findings of the check, unsupported Markdown, invalid values, edit conflicts.

Unsupported Markdown is a value that Markdown cannot hold. This module checks the values of two fields, paper
name and source; the SHACL rules check all others. An edit conflict is a value that somebody else saved since
the paper was opened. A finding is shown at the most specific field for its statement.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote

import pyoxigraph as ox

from ...http.language import current_language, format_language_name, gettext, translate_message
from ...i18n import gettext_noop
from ...rdf import shipped
from ...rdf.namespaces import DEFAULT_NAMESPACES, ID_NAMESPACE, PAPER_NAMESPACE, expand_curie
from ...shacl.findings import Finding
from ...shacl.locations import is_blank_text
from ...shacl.reports.phrases import format_report_phrase
from ...shacl.rules import Rule
from ...text import shorten_untrusted_text
from .choices import find_near_choices
from .fields import (
    ASSESSMENT_PART,
    DATALIST_FIELD,
    DRAFTER_PART,
    FORM_PARTS,
    FORUM_PART,
    MECHANISM_PART,
    PAPER_PART,
    WAIVER_PART,
    FormPart,
    find_form_field,
)
from .original import OriginalPaper
from .request import FIELD_NAME_PATTERN
from .rule_messages import FORM_MESSAGES, OTHER_DOCUMENT_MESSAGE, rule_message
from .state import FormRow, field_group_name, form_row_name
from .statements import FormToGraph

SECTION_NAME_PREFIX = "section-"  # of the name of a section, such as `section-3`


class FieldMessage(NamedTuple):
    """A message at a field, with the severity `Violation`, `Warning` or `Info`.

    `field` is the name of the field, or of a part or section if no field matches. `language` is that of the
    text. `code` is that of the rule, and empty for messages of the form itself. If `blocks` is true, the
    paper does not conform to the profile. `details` are further lines: values that were probably meant, and
    an example.
    """

    field: str
    severity: str
    text: str
    language: str
    code: str = ""
    blocks: bool = True
    details: Sequence[str] = ()


def build_finding_messages(
    finding: Finding, form_graph: FormToGraph, profile: str, language: str
) -> list[FieldMessage]:
    """A finding as messages: at its field, or at each required field of the part that the paper lacks."""
    rule = finding.rule
    if blank_fields := list(iter_blank_fields(finding, form_graph)):
        return [
            build_rule_message(field, field_rule, language, blocks=field_rule.is_blocking(profile))
            for field, field_rule in blank_fields
        ]
    field = next(iter_finding_fields(finding, form_graph), f"{SECTION_NAME_PREFIX}{rule.section}")
    details = [*iter_message_details(finding, field, language)]
    if cites_other_document(finding, form_graph):
        text, language = translate_message(OTHER_DOCUMENT_MESSAGE)
        return [FieldMessage(field, rule.severity, text, language, rule.code, finding.is_blocking(profile))]
    return [build_rule_message(field, rule, language, blocks=finding.is_blocking(profile), details=details)]


def cites_other_document(finding: Finding, form_graph: FormToGraph) -> bool:
    """Whether an assessment lacks a passage of the Declaration, but cites one of another document."""
    return finding.rule.code == "WGIG-7-CITATION-MISSING" and any(
        triple.predicate == expand_curie("cito:cites") and triple.object.value in shipped_resource_iris()
        for triple in form_graph.graph.statements_about(finding.focus)
        if isinstance(triple.object, ox.NamedNode)
    )


def build_rule_message(
    field: str, rule: Rule, language: str, *, blocks: bool, details: Sequence[str] = ()
) -> FieldMessage:
    """A message at a field of a paper that breaks a rule."""
    text, text_language = rule_message(rule, language)
    return FieldMessage(field, rule.severity, text, text_language, rule.code, blocks, details)


def iter_blank_fields(finding: Finding, form_graph: FormToGraph) -> Iterator[tuple[str, Rule]]:
    """The names of the required fields of the part that the paper lacks, with their rules.

    Without this, filling in one field of a part would raise the number of errors.
    """
    waived_codes = {row.first_text("waives") for row in form_graph.rows(WAIVER_PART)}
    for part, row in iter_missing_rows(finding, form_graph):
        for field in part.fields:
            rule = field.constraint.required_rule if field.constraint else finding.rule
            if field.required and rule and rule.code not in waived_codes:
                yield field_group_name(part, row, field), rule


def iter_missing_rows(finding: Finding, form_graph: FormToGraph) -> Iterator[tuple[FormPart, FormRow]]:
    """The blank rows of the part that the paper lacks: that of each required criterion, or the first."""
    if not finding.rule.required or finding.focus != form_graph.paper:
        return
    for part in FORM_PARTS.values():
        if part.path and expand_curie(part.path).value in finding.rule.predicates:
            rows = (
                list_criterion_rows(finding.rule, form_graph)
                if is_about_criterion(finding.rule)
                else form_graph.rows(part)[:1]
            )
            yield from ((part, row) for row in rows if row.is_blank)


def iter_message_details(finding: Finding, field_name: str, language: str) -> Iterator[str]:
    """The further lines of a message: the values that were probably meant, and the example in the rule.

    A message of the form itself needs neither the example nor a suggestion, which is written as in Turtle.
    """
    has_own_message = finding.rule.code in FORM_MESSAGES
    near_values = "; ".join(list_near_values(finding, field_name, language))
    if suggestion := near_values or ("" if has_own_message else finding.suggestion):
        yield format_report_phrase("suggestion", language, suggestion=suggestion)
    if "as in the example" in finding.rule.message["en"] and not has_own_message:
        yield f"{format_report_phrase('example', language)}: {finding.rule.example_value}"


def list_near_values(finding: Finding, field_name: str, language: str) -> list[str]:
    """The choices of a field with a list that are near an unknown value, as the field accepts them."""
    match = FIELD_NAME_PATTERN.fullmatch(field_name)
    field = find_form_field(match["part"] or PAPER_PART.key, match["key"]) if match else None
    if field is None or field.kind != DATALIST_FIELD or not isinstance(finding.value, ox.NamedNode):
        return []
    name = unquote(
        finding.value.value.removeprefix(f"{ID_NAMESPACE}{field.choice_folder}").rpartition("/")[2]
    )
    return [f"{choice.value} ({choice.label})" for choice in find_near_choices(name, field.choices(language))]


def iter_finding_fields(finding: Finding, form_graph: FormToGraph) -> Iterator[str]:
    """The names of the fields to which a finding applies, the most specific first."""
    rule, field_names = finding.rule, form_graph.field_names
    if isinstance(finding.focus, ox.Literal):
        return
    if finding.value not in (None, finding.focus):
        yield from iter_value_fields(finding, form_graph)
    if is_about_criterion(rule) and rule.component == "QualifiedMaxCount":  # too many: the last one
        yield from (
            f"{form_row_name(ASSESSMENT_PART, row)}-judges"
            for row in reversed(list_criterion_rows(rule, form_graph))
        )
    if is_about_criterion(rule) and rule.component == "QualifiedMinCount":  # none: the blank one, if any
        yield from (form_row_name(ASSESSMENT_PART, row) for row in list_criterion_rows(rule, form_graph))
    yield from (
        field_names[key] for key in ((finding.focus, path) for path in rule.predicates) if key in field_names
    )
    if rule.code == "WGIG-2-CATEGORY-INVENTORY":  # a SPARQL rule, so its path is not among `predicates`
        yield "category"
    for path in rule.predicates:
        yield from (
            part_key for part_key in form_graph.original.nodes if part_key and path.endswith(f"#{part_key}")
        )
    if finding.focus != form_graph.paper and finding.focus in field_names:
        yield field_names[finding.focus]


def iter_value_fields(finding: Finding, form_graph: FormToGraph) -> Iterator[str]:
    """The names of the fields that state the value of a finding."""
    for triple in form_graph.graph.statements_about(finding.focus):
        has_property = triple.predicate.value in finding.rule.predicates
        has_value = triple.object == finding.value or (
            is_blank_text(finding.value) and is_blank_text(triple.object)
        )
        if has_property and has_value and triple in form_graph.field_names:
            yield form_graph.field_names[triple]
    if not isinstance(finding.value, ox.Literal):
        yield from filter(None, [form_graph.field_names.get(finding.value)])


def is_about_criterion(rule: Rule) -> bool:
    """Whether a rule counts the assessments by a criterion."""
    return rule.counted_criterion.startswith(DEFAULT_NAMESPACES["principle"])


def list_criterion_rows(rule: Rule, form_graph: FormToGraph) -> list[FormRow]:
    """The rows of the assessments by the criterion that a rule counts."""
    criterion = rule.counted_criterion.removeprefix(f"{ID_NAMESPACE}principle/")
    return [row for row in form_graph.rows(ASSESSMENT_PART) if row.first_text("criterion") == criterion]


UNSUPPORTED_TEXT_MESSAGE = gettext_noop(
    "%(field)s: Markdown cannot contain this text, because headings, comments, leading spaces "
    "and a final word in parentheses have a special meaning there. Change the text, or download "
    "Turtle, which can contain the whole paper."
)
TEXT_LANGUAGE_MESSAGE = gettext_noop(
    "%(field)s: this text is in a different language (%(text)s) from the paper (%(paper)s), "
    "which Markdown does not support. Enter the text again, or download Turtle, which can "
    "contain the whole paper."
)


def list_unsupported_messages(form_graph: FormToGraph, statements: Iterable[ox.Triple]) -> list[FieldMessage]:
    """Messages at the fields whose statements Markdown cannot hold; if some are texts, only at texts."""
    field_statements = [
        (field, triple) for triple in statements if (field := find_statement_field(form_graph, triple))
    ]
    text_statements = [
        (field, triple) for field, triple in field_statements if isinstance(triple.object, ox.Literal)
    ]
    # As a dict: one message for each field.
    return [*iter_unsupported_messages(form_graph, dict(text_statements or field_statements).items())]


def find_statement_field(form_graph: FormToGraph, triple: ox.Triple) -> str:
    """The name of the field for a statement, or an empty string."""
    return form_graph.field_names.get(triple) or form_graph.field_names.get(
        (triple.subject, triple.predicate.value), ""
    )


def iter_unsupported_messages(
    form_graph: FormToGraph, field_statements: Iterable[tuple[str, ox.Triple]]
) -> Iterator[FieldMessage]:
    """A message at each field: that its text is in another language, or else that Markdown cannot hold it."""
    paper_language = form_graph.form_state.language.lower()
    for field, triple in field_statements:
        text_language = getattr(triple.object, "language", None)
        sentence, message_language = translate_message(
            TEXT_LANGUAGE_MESSAGE if text_language not in (None, paper_language) else UNSUPPORTED_TEXT_MESSAGE
        )
        text = sentence % {
            "field": form_field_label(field),
            "text": format_language_name(text_language or ""),
            "paper": format_language_name(paper_language),
        }
        yield FieldMessage(field, "Violation", text, message_language)


def form_field_label(name: str) -> str:
    """The label of the field or part with this name."""
    match = FIELD_NAME_PATTERN.fullmatch(name)
    assert match, name
    field = find_form_field(match["part"] or PAPER_PART.key, match["key"])
    return field.label(current_language()) if field else gettext(FORM_PARTS[match["key"]].title)


INVALID_NAME_MESSAGE = gettext_noop(
    "The name of the paper in web addresses can only contain lowercase letters, digits and "
    "single hyphens, such as my-paper."
)
INVALID_SOURCE_MESSAGE = gettext_noop(
    "This is neither a web address nor a document in the graph. Enter an address that starts "
    "with https://, or a name such as document/declaration."
)


UNNAMED_PART_MESSAGE = gettext_noop(
    "Without a name, this is called “%(name)s”. Enter a name that readers know."
)
MISSING_NAME_MESSAGE = gettext_noop("The name is missing. Enter it, or remove the entry.")


def replace_name_findings(form_graph: FormToGraph, findings: Iterable[FieldMessage]) -> list[FieldMessage]:
    """The findings, with one message for those that follow from a missing name of a person or organization.

    It is at the name of each person of whom only other fields are filled in, and blocks if the findings do.
    """
    name_fields: dict[str, str] = {}  # of the missing names, by the names at which their findings are
    for part, row in form_graph.form_state.iter_rows():
        if part.is_people and not row.is_blank and not row.first_text("who").strip():
            row_name = form_row_name(part, row)
            name_fields |= dict.fromkeys((row_name, f"{row_name}-who"), f"{row_name}-who-1")
            if part is DRAFTER_PART:  # the rule that somebody must be named as a drafter is about the part
                name_fields.setdefault(part.key, f"{row_name}-who-1")
    blocks = dict.fromkeys(name_fields.values(), False)
    other_findings = []
    for finding in findings:
        if name_field := name_fields.get(finding.field):
            blocks[name_field] |= finding.blocks
        else:
            other_findings.append(finding)
    return [
        *(build_field_message(field, MISSING_NAME_MESSAGE, blocks=blocks[field]) for field in blocks),
        *other_findings,
    ]


def iter_form_messages(form_graph: FormToGraph) -> Iterator[FieldMessage]:
    """The messages of the form itself, except on missing names, in the language of the request."""
    if form_graph.form_state.name != form_graph.original.name:  # else `check` gave the original this name
        yield build_field_message("name", INVALID_NAME_MESSAGE)
    yield from iter_unnamed_part_messages(form_graph)
    for triple in form_graph.graph.statements_about(form_graph.paper):
        if (
            triple.predicate == expand_curie("dcterms:source")
            and triple in form_graph.field_names
            and is_unknown_source(triple.object)
        ):
            # An unknown IRI is only a warning, as the store may have resources that are not in the bundled
            # facts.
            yield build_field_message(
                form_graph.field_names[triple],
                INVALID_SOURCE_MESSAGE,
                blocks=isinstance(triple.object, ox.Literal),
            )


def iter_unnamed_part_messages(form_graph: FormToGraph) -> Iterator[FieldMessage]:
    """A warning at the name of each forum and mechanism without one, with the name that the form gives it."""
    for part in (FORUM_PART, MECHANISM_PART):
        for row in form_graph.rows(part):
            if not row.is_blank and not row.first_text("label").strip():
                name = form_graph.graph.first_text(form_graph.nodes[part.key, row.number], "rdfs:label")
                text, language = translate_message(UNNAMED_PART_MESSAGE)
                field = f"{form_row_name(part, row)}-label-1"
                yield FieldMessage(field, "Warning", text % {"name": name}, language, blocks=False)


def build_field_message(field: str, sentence: str, *, blocks: bool = True) -> FieldMessage:
    """A message at a field: an error that blocks every profile, or a warning."""
    return FieldMessage(
        field, "Violation" if blocks else "Warning", *translate_message(sentence), blocks=blocks
    )


def is_unknown_source(source: Any) -> bool:
    """Whether a source is a text, or an IRI below id/ that is neither in the bundled facts nor a paper."""
    if not isinstance(source, ox.NamedNode):
        return True
    return source.value.startswith(ID_NAMESPACE) and not (
        source.value.startswith(PAPER_NAMESPACE) or source.value in shipped_resource_iris()
    )


@cache
def shipped_resource_iris() -> frozenset[str]:
    """The IRIs of all resources in the bundled facts."""
    return frozenset(
        triple.subject.value for triple in shipped.shipped_facts() if isinstance(triple.subject, ox.NamedNode)
    )


CONFLICT_VALUE_MESSAGE = gettext_noop("In the version saved since you opened the paper: %(words)s")
CONFLICT_REMOVED_MESSAGE = gettext_noop("In the version saved since you opened the paper, this is empty.")
CONFLICT_ADDED_MESSAGE = gettext_noop("The version saved since then has more of these: %(count)s in total.")


def iter_conflict_messages(opened: OriginalPaper, saved: OriginalPaper) -> Iterator[FieldMessage]:
    """A message at each field whose values differ between the saved and the opened version."""
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
                    text = "; ".join(value.text for value in new_values)
                    yield build_conflict_message(
                        field_group_name(part, row, field),
                        CONFLICT_VALUE_MESSAGE if text else CONFLICT_REMOVED_MESSAGE,
                        words=text,
                    )
        if saved_rows.keys() - opened_rows.keys():
            yield build_conflict_message(key, CONFLICT_ADDED_MESSAGE, count=str(len(saved_rows)))


def build_conflict_message(field: str, sentence: str, **values: str) -> FieldMessage:
    """A message at a field, with values for the placeholders. It does not block saving."""
    text, language = translate_message(sentence)
    return FieldMessage(field, "Info", shorten_untrusted_text(text % values), language, blocks=False)
