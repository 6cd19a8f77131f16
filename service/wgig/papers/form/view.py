"""The page with the form: sections, parts and fields, each with its messages.

The views are read by the templates write.html and form.html.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import pyoxigraph as ox
from fastapi import Response

from ...http.auth import TokenStore, is_paper_writing_open
from ...http.language import current_language, gettext
from ...http.responses import NO_STORE_HEADERS, respond_with_body, respond_with_json
from ...pages import rendering
from ...pages.dependencies import RequestContext
from ...pages.names import KIND_TITLES, criterion_name, is_criterion_shortened
from ...problems import Problem
from ...rdf.formats import HTML
from ...rdf.namespaces import ID_NAMESPACE
from ...shacl.rules import CHECK_PROFILES, rules_by_code, section_headings
from ...text import natural_sort_key, shorten_untrusted_text
from ..background import BackgroundHint, iter_broader_criteria, list_background_hints
from ..markdown.template import CRITERION_HEADINGS, SECTION_HEADINGS
from ..markdown.values import concept_iri, local_name, passage_iri
from .check import FormCheckResult
from .choices import MAX_NAME_CHARACTERS, FieldChoice, choice_name
from .fields import (
    ASSESSMENT_PART,
    BOOLEAN_FIELD,
    CHECKBOX_FIELD,
    CITED_PASSAGES_FIELD,
    CITED_PASSAGES_LABEL,
    CRITERION_FIELD,
    DATALIST_FIELD,
    FIELD_LABELS,
    FILE_ITEMS,
    FORM_SECTIONS,
    MECHANISM_PART,
    PAPER_PART,
    PAPER_TITLE_FIELD,
    PERSON_FIELD,
    SECTION_HINTS,
    SELECT_FIELD,
    TEXT_FIELD,
    YES_NO_LABELS,
    FormField,
    FormPart,
    form_version,
)
from .messages import SECTION_NAME_PREFIX, FieldMessage, shipped_resource_iris
from .original import agent_choices_by_iri
from .prefilled import FORM_STATE_SYMBOLS, Prefilled, SectionStatus, find_prefilled
from .request import ROW_NAME_PATTERN
from .state import FieldValue, FormRow, FormState, field_group_name, form_row_name, parse_field_value

# Fields with so many choices that /write/choices has them, for datalists that the fields share.
DRAFTER_FIELD = FormField("", "wgig:drafter")
ABOUT_FIELD = FormField("wgig:mechanism", "wgig:about")
MEMBERS_DATALIST = "members"
# The passages that the paper itself cites: also those of hints, which an assessment cannot be based on.
CITED_DATALIST = "cited"
DATALISTS_BY_FIELD = {ABOUT_FIELD: ABOUT_FIELD.key, CITED_PASSAGES_FIELD: CITED_DATALIST}
DATALIST_IDS = (DATALIST_FIELD, ABOUT_FIELD.key, MEMBERS_DATALIST, PERSON_FIELD)
MAX_HEADING_CHARACTERS = 120  # of the summary of a row, and of the label of an option
LONG_TEXT_CHARACTERS = 1000  # characters; a longer text has a higher text area
# The keys of the hints that are judgments: the criteria of section 7, and the section.
JUDGMENT_HINT_KEYS = (*(heading.key for heading in CRITERION_HEADINGS), "adequacy")
EMPTY_VALUE = FieldValue(1, "")  # shown for a field without values


class ControlView(NamedTuple):
    """An HTML input. `language` is the value of the language input beside it; None if there is none.

    `meaning` is the full name of what the text means; None if it is not shown.
    """

    name: str
    text: str
    meaning: str | None
    language: str | None
    removable: bool
    messages: Sequence[FieldMessage]


class FieldView(NamedTuple):
    """A field with all its inputs. The options whose value is in `selected_values` are selected.

    `add_label` is that of the button that adds a value, empty without one. If `prefilled`, the form filled in
    the value; if `kept`, the author wants to keep it.
    """

    name: str
    label: str
    reason: str
    hint: str
    kind: str
    datalist_id: str
    required: bool
    add_label: str
    controls: Sequence[ControlView]
    options: Sequence[FieldChoice]
    selected_values: frozenset[str]
    messages: Sequence[FieldMessage]
    prefilled: bool
    kept: bool

    @property
    def anchor(self) -> str:
        """The HTML id to which a link to the field refers."""
        return f"{self.name}-1" if self.kind == CHECKBOX_FIELD else self.controls[0].name

    @property
    def shows_new_names(self) -> bool:
        """Whether the options are named by other fields of the form: mechanisms."""
        return self.name.endswith("-judges")

    @property
    def has_messages(self) -> bool:
        """Whether there is a message at the field or one of its inputs."""
        return any((self.messages, *(control.messages for control in self.controls)))

    @property
    def text_area_lines(self) -> int:
        """The height of the text area, in lines: high for a long text, low for a short point or name."""
        longest = max((len(control.text) for control in self.controls), default=0)
        return (
            12
            if longest > LONG_TEXT_CHARACTERS
            else 2
            if self.add_label or self.name.endswith("-label")
            else 5
        )


class HintView(NamedTuple):
    """A hint from the Background Report, with the names of its resources in the language of the page.

    `criterion` is empty if the hint is shown at its criterion, `holder` if there is none.
    """

    hint: BackgroundHint
    kind: str
    holder: str
    criterion: str

    @property
    def address(self) -> str:
        """The path of the page on the mechanism, judgment or recommendation."""
        return f"/doc/{self.hint.node.value.removeprefix(ID_NAMESPACE)}"


class RowView(NamedTuple):
    """A row of a part. If `folded`, its fields are collapsed below the title and summary.

    The title is empty if the row is the whole section, whose heading is enough.
    """

    name: str
    title: str
    summary: str
    required: bool
    fields: Sequence[FieldView]
    removable: bool
    folded: bool
    hints: Sequence[HintView]


class PartView(NamedTuple):
    """A part with its rows. `add_button_label` is empty if no row can be added."""

    name: str
    rows: Sequence[RowView]
    add_button_label: str
    messages: Sequence[FieldMessage]

    @property
    def anchor(self) -> str:
        """The HTML id to which a link to the part refers."""
        return self.rows[0].fields[0].anchor if self.rows else f"add-{self.name}"

    @property
    def has_messages(self) -> bool:
        """Whether there is a message at the part or one of its fields."""
        return bool(self.messages) or any(field.has_messages for row in self.rows for field in row.fields)


class SectionView(NamedTuple):
    """A section of the template with its fields and parts. The status is none before the first check.

    `file_items` are shown below the others, folded unless `is_file_open`.
    """

    number: int
    title: str
    hint: str
    status: SectionStatus | None
    items: Sequence[FieldView | PartView]
    file_items: Sequence[FieldView | PartView]
    is_file_open: bool
    messages: Sequence[FieldMessage]
    hints: Sequence[HintView]


class LinkedMessage(NamedTuple):
    """A message in a list, with the HTML id of its field, and the title of its row or an empty string."""

    anchor: str
    row_title: str
    message: FieldMessage


class ChoiceList(NamedTuple):
    """The choices of fields with one datalist. If the values are paths, `prefix` completes them to IRIs."""

    id: str
    title: str
    prefix: str
    choices: Sequence[FieldChoice]


def list_shared_choices(language: str) -> list[ChoiceList]:
    """The choices of fields with a datalist: passages, mechanisms, members, all people and organizations."""
    agents = agent_choices_by_iri()
    member_iris = [f"{ID_NAMESPACE}agent/{choice.value}" for choice in DRAFTER_FIELD.choices(language)]
    members = sorted(agents[iri] for iri in member_iris)
    return [
        ChoiceList(
            DATALIST_FIELD,
            gettext(CITED_PASSAGES_LABEL),
            f"{ID_NAMESPACE}document/",
            [
                choice._replace(label=choice_name(passage_iri(choice.value), language, MAX_NAME_CHARACTERS))
                for choice in CITED_PASSAGES_FIELD.choices(language)
            ],
        ),
        ChoiceList(
            ABOUT_FIELD.key, gettext(FIELD_LABELS["wgig:about"]), ID_NAMESPACE, ABOUT_FIELD.choices(language)
        ),
        ChoiceList(MEMBERS_DATALIST, gettext(FIELD_LABELS["member"]), "", members),
        ChoiceList(PERSON_FIELD, gettext(KIND_TITLES["agent"]), "", sorted(agents.values())),
    ]


class FormView:
    """The content of the form for the template write.html. An anchor is an HTML id to which links refer."""

    def __init__(
        self,
        form_state: FormState,
        messages: Iterable[FieldMessage],
        check_result: FormCheckResult | None,
        focus: str,
        prefilled: Prefilled,
    ) -> None:
        """Build the views of all sections, with messages by field.

        `focus` is the name of the row or value that was just added, or of the part or field from which one
        was just removed; else empty.
        """
        self.prefilled = prefilled
        self.form_state, self.language = form_state, current_language()
        self.check_result, self.changed_name = check_result, focus
        self.messages_by_field: dict[str, list[FieldMessage]] = {}
        for message in messages:
            self.messages_by_field.setdefault(message.field, []).append(message)
        # Messages about a whole row, by the name of its first field.
        self.row_messages_by_field: dict[str, list[FieldMessage]] = {}
        self.row_titles: dict[str, str] = {}  # with the summary of the row, by the name of the row
        statuses = prefilled.list_statuses(check_result, self.language)
        self.statuses = {status.number: status for status in statuses}
        self.hints = list_background_hints(concept_iri("issue", form_state.paper.first_text("issue")))
        self.hints_by_row = self.assign_judgments_to_rows()
        self.sections = [self.build_section_view(number) for number in range(len(FORM_SECTIONS))]
        self.anchors = dict(self.iter_anchors())
        self.focus_anchor = self.anchors.get(focus, focus)

    def build_section_view(self, number: int) -> SectionView:
        """The view of a section of the template."""
        items, file_items = (
            [
                self.build_part_view(item)
                if isinstance(item, FormPart)
                else self.build_field_view(PAPER_PART, self.form_state.paper, item)
                for item in FORM_SECTIONS[number]
                if (item in FILE_ITEMS) == is_on_file
            ]
            for is_on_file in (False, True)
        )
        # `name` is no field of the paper.
        has_file_message = "name" in self.messages_by_field or any(item.has_messages for item in file_items)
        return SectionView(
            number,
            section_headings()[number].title_in(self.language),
            gettext(SECTION_HINTS[number]) if number in SECTION_HINTS else "",
            self.statuses.get(number),
            items,
            file_items,
            has_file_message or any(self.is_changed(item.name) for item in file_items),
            self.messages_by_field.get(f"{SECTION_NAME_PREFIX}{number}", []),
            self.build_section_hints(number),
        )

    def is_changed(self, name: str) -> bool:
        """Whether the item that was just added or removed is in the field, part or row with this name."""
        # With hyphens, `forum-1` is not a prefix of `forum-10`.
        return f"{self.changed_name}-".startswith(f"{name}-")

    def assign_judgments_to_rows(self) -> dict[str, list[BackgroundHint]]:
        """The judgments of the Background Report by the name of a row: the first one by their criterion.

        Judgments by a criterion without a row have an empty name.
        """
        row_names: dict[str, str] = {}
        for row in self.form_state.rows[ASSESSMENT_PART.key]:
            row_names.setdefault(row.first_text("criterion"), form_row_name(ASSESSMENT_PART, row))
        hints_by_row: dict[str, list[BackgroundHint]] = {}
        for hint in chain.from_iterable(self.hints.get(key, []) for key in JUDGMENT_HINT_KEYS):
            criteria = (local_name(node, "principle") for node in iter_broader_criteria(hint.criterion))
            row_name = next((row_names[name] for name in criteria if name in row_names), "")
            hints_by_row.setdefault(row_name, []).append(hint)
        return hints_by_row

    def build_section_hints(self, number: int) -> list[HintView]:
        """The hints at a section: in section 7, judgments by a criterion for which there is no assessment."""
        key = SECTION_HEADINGS[number - 1].key if number else ""
        hints = self.hints_by_row.get("", []) if key == "adequacy" else self.hints.get(key, []) if key else []
        return [self.build_hint_view(hint, "") for hint in hints]

    def build_hint_view(self, hint: BackgroundHint, criterion: str) -> HintView:
        """The view of a hint at the fields of an assessment by a criterion, or at a section."""
        own_criterion = hint.criterion if hint.criterion != concept_iri("principle", criterion) else None
        kind, holder, own_name = (
            choice_name(node, self.language) if node else ""
            for node in (hint.kind, hint.holder, own_criterion)
        )
        if own_criterion:
            own_name = criterion_name(own_criterion.value, own_name)
        return HintView(hint, kind, holder, own_name)

    def build_part_view(self, part: FormPart) -> PartView:
        """The view of a part. Messages about a row or the part are shown at the first field of the row."""
        rows = self.form_state.rows[part.key]
        for row in rows:
            field_name = field_group_name(part, row, part.fields[0])
            row_messages = self.messages_by_field.get(form_row_name(part, row), []) + (
                self.messages_by_field.get(part.key, []) if row is rows[0] else []
            )
            self.row_messages_by_field[field_name] = row_messages
        views = [self.build_row_view(part, row, position, len(rows)) for position, row in enumerate(rows, 1)]
        add_label = gettext(part.add_label) if part.is_repeatable or not rows else ""
        self.row_titles |= {view.name: ": ".join(filter(None, (view.title, view.summary))) for view in views}
        return PartView(part.key, views, add_label, [] if rows else self.messages_by_field.get(part.key, []))

    def build_row_view(self, part: FormPart, row: FormRow, position: int, row_count: int) -> RowView:
        """The view of the row at a position from 1 among `row_count` rows of a part.

        It is folded if it is one of several rows, is blank, has no messages, and was not just added.
        """
        row_name, title = form_row_name(part, row), gettext(part.title)
        # The fields of an assessment that is offered but not required are required once it is filled in.
        is_required = part is ASSESSMENT_PART and is_assessment_required(row)
        has_required_fields = is_required or part is not ASSESSMENT_PART or not row.is_blank
        fields = [
            self.build_field_view(part, row, field, can_be_required=has_required_fields)
            for field in part.fields
        ]
        is_whole_section = row_count == 1 and (part,) in FORM_SECTIONS and not part.is_repeatable
        return RowView(
            name=row_name,
            title=""
            if is_whole_section
            else f"{title} {position}"
            if part.is_repeatable or row_count > 1
            else title,
            summary=self.row_summary(part, row),
            required=is_required,
            fields=fields,
            removable=part.is_repeatable or row_count > 1,
            folded=row_count > 1
            and row.is_blank
            and not self.is_changed(row_name)
            and not any(field.has_messages for field in fields),
            hints=[
                self.build_hint_view(hint, row.first_text("criterion"))
                for hint in (self.hints_by_row.get(row_name, []) if part is ASSESSMENT_PART else ())
            ],
        )

    def row_summary(self, part: FormPart, row: FormRow) -> str:
        """The summary of a row: the value of its first field, unless this is a long text."""
        first_field = part.fields[0]
        value = (
            row.first_text(first_field.key).strip()
            if first_field.kind != TEXT_FIELD or first_field.key == "label"
            else ""
        )
        labels = (
            {choice.value: choice.label for choice in first_field.choices(self.language)} if value else {}
        )
        return shorten_untrusted_text(labels.get(value, value), MAX_HEADING_CHARACTERS)

    def build_field_view(
        self, part: FormPart, row: FormRow, field: FormField, *, can_be_required: bool = True
    ) -> FieldView:
        """The view of a field in a row."""
        field_name = field_group_name(part, row, field)
        values = row.values.get(field.key, [])
        is_drafter = field.kind == PERSON_FIELD and part.path == "wgig:drafter"
        return FieldView(
            name=field_name,
            label=field.label(self.language),
            reason=field.reason,
            hint=field.hint,
            kind=field.kind,
            datalist_id=MEMBERS_DATALIST if is_drafter else DATALISTS_BY_FIELD.get(field, field.kind),
            required=field.required and can_be_required,
            add_label=field.add_label,
            controls=[
                self.build_control_view(field_name, field, value, len(values))
                for value in values or [EMPTY_VALUE]
            ],
            options=self.list_options(field, values),
            selected_values=frozenset(value.text for value in values),
            messages=[
                *self.row_messages_by_field.get(field_name, []),
                *self.messages_by_field.get(field_name, []),
            ],
            prefilled=field_name in self.prefilled.fields,
            kept=field_name in self.prefilled.kept_fields,
        )

    def build_control_view(
        self, field_name: str, field: FormField, value: FieldValue, value_count: int
    ) -> ControlView:
        """The view of the input for one value of a field that has `value_count` values."""
        name = f"{field_name}-{value.number}"
        return ControlView(
            name=name,
            text=value.text,
            meaning=describe_meaning(field, value.text, self.language) if field.explains_values else None,
            language=self.shown_language(field, value),
            removable=field.is_repeatable and value_count > 1,
            messages=self.messages_by_field.get(name, []),
        )

    def list_options(self, field: FormField, values: Sequence[FieldValue]) -> list[FieldChoice]:
        """The choices of a field, and for selects and checkboxes also the other values that it has."""
        options = [*self.iter_options(field)]
        if field.kind not in (SELECT_FIELD, CHECKBOX_FIELD, BOOLEAN_FIELD):
            return options
        option_values = {option.value for option in options}
        other_values = (value.text for value in values if value.text and value.text not in option_values)
        return options + [
            FieldChoice(value, shorten_untrusted_text(value, MAX_HEADING_CHARACTERS))
            for value in dict.fromkeys(other_values)
        ]

    def iter_options(self, field: FormField) -> Iterator[FieldChoice]:
        """The choices of a field; empty for a long list, which is a shared datalist of the page."""
        if field.kind == BOOLEAN_FIELD:
            yield from (FieldChoice(value, gettext(label)) for value, label in YES_NO_LABELS.items())
        elif field.path == "wgig:judges":
            for position, row in enumerate(self.form_state.rows[MECHANISM_PART.key], 1):
                label = shorten_untrusted_text(row.first_text("label").strip(), MAX_HEADING_CHARACTERS)
                yield FieldChoice(
                    form_row_name(MECHANISM_PART, row), label or f"{gettext(MECHANISM_PART.title)} {position}"
                )
            judged = {
                value.text
                for row in self.form_state.rows[ASSESSMENT_PART.key]
                for value in row.values.get(field.key, ())
            }
            yield from (choice for choice in ABOUT_FIELD.choices(self.language) if choice.value in judged)
        elif field.kind != DATALIST_FIELD:
            yield from field.choices(self.language)

    def shown_language(self, field: FormField, value: FieldValue) -> str | None:
        """The value of the language input; None if it is not shown.

        It is shown if there are several titles, and for texts in another language than the paper.
        """
        has_several_titles = (
            field == PAPER_TITLE_FIELD and len(self.form_state.paper.values.get(field.key, ())) > 1
        )
        is_shown = field.kind == TEXT_FIELD and (has_several_titles or value.language)
        return value.language if is_shown else None

    def iter_anchors(self) -> Iterator[tuple[str, str]]:
        """The name of each section, part, row and field, with the HTML id to which a link to it refers."""
        for section in self.sections:
            yield f"{SECTION_NAME_PREFIX}{section.number}", f"{SECTION_NAME_PREFIX}{section.number}"
            for item in (*section.items, *section.file_items):
                yield item.name, item.anchor
                for row in item.rows if isinstance(item, PartView) else ():
                    yield row.name, row.fields[0].anchor
                    yield from ((field.name, field.anchor) for field in row.fields)

    def iter_background_passages(self) -> Iterator[FieldChoice]:
        """The passages of the Background Report that the hints are from, as choices for citations."""
        hints = chain.from_iterable(self.hints.values())
        passages = {passage for hint in hints for passage in hint.passages}
        for passage in sorted(passages, key=natural_sort_key):
            yield FieldChoice(passage, choice_name(passage_iri(passage), self.language))

    @property
    def blocking_messages(self) -> list[LinkedMessage]:
        """The messages because of which the paper does not conform."""
        return self.list_linked_messages(blocks=True)

    @property
    def note_messages(self) -> list[LinkedMessage]:
        """The messages that do not affect conformance."""
        return self.list_linked_messages(blocks=False)

    def list_linked_messages(self, *, blocks: bool) -> list[LinkedMessage]:
        """The messages that block conformance or not, in order. Equal ones have the title of their row."""
        messages = [
            message
            for field_messages in self.messages_by_field.values()
            for message in field_messages
            if message.blocks == blocks
        ]
        counts = Counter(message.text for message in messages)
        return [
            LinkedMessage(
                self.anchors.get(message.field, message.field),
                self.find_row_title(message.field) if counts[message.text] > 1 else "",
                message,
            )
            for message in self.sort_messages(messages)
        ]

    def find_row_title(self, field_name: str) -> str:
        """The title of the row with this name, or with a field of this name; empty if there is none."""
        row_name = ROW_NAME_PATTERN.match(field_name)
        return self.row_titles.get(row_name[0], "") if row_name else ""

    def sort_messages(self, messages: Sequence[FieldMessage]) -> list[FieldMessage]:
        """The messages in the order of the fields on the page."""
        positions = {name: position for position, name in enumerate(self.anchors)}
        return sorted(
            messages,
            key=lambda message: positions.get(
                message.field, positions.get(message.field.rpartition("-")[0], -1)
            ),
        )


def describe_meaning(field: FormField, text: str, language: str) -> str:
    """The name of the resource that a text in a field means; empty if there is none.

    It is also empty for a criterion whose name in the list says as much.
    """
    node = parse_field_value(field, text, language)
    is_known = isinstance(node, ox.NamedNode) and node.value in shipped_resource_iris()
    is_explained = field != CRITERION_FIELD or is_criterion_shortened(text)
    return choice_name(node, language, MAX_NAME_CHARACTERS) if is_known and is_explained else ""


def list_meanings(form_state: FormState, language: str) -> dict[str, str]:
    """The name of what each value of a field with a list means, by the name of the input."""
    return {
        f"{field_group_name(part, row, field)}-{value.number}": describe_meaning(field, value.text, language)
        for part, row in form_state.iter_rows()
        for field in part.fields
        if field.explains_values
        for value in row.values.get(field.key, ())
    }


def is_assessment_required(row: FormRow) -> bool:
    """Whether the template requires an assessment by the criterion of this row."""
    criterion = concept_iri("principle", row.first_text("criterion")).value
    return any(rule.required and rule.counted_criterion == criterion for rule in rules_by_code().values())


MAX_SHOWN_STATEMENTS = 200  # of the statements without a field
# Headers of a response to a submitted form, which must not be cached.
FORM_HEADERS = {"Vary": "Accept, Accept-Encoding", **NO_STORE_HEADERS}


@dataclass(frozen=True)
class FormPage:
    """The content of the page with the form.

    `original_n_triples` is the paper as it was opened, `version` the version of its graph at that time.
    `extra_statements` have no field. `refusal` is the reason why an action was refused; if
    `is_field_refused`, it is shown at a field instead of at the top. `focus` is that of `FormView`. `saved`
    is shown once, after saving. If `has_unsaved_input`, the page shows submitted values that are not saved;
    if `is_restored`, they are a draft of the browser. `kept_fields` and `address` are those of `FormRequest`.
    """

    form_state: FormState
    original_n_triples: str
    version: str = ""
    profile: str = "complete"
    messages: Sequence[FieldMessage] = ()
    check_result: FormCheckResult | None = None
    extra_statements: Sequence[str] = ()
    focus: str = ""
    refusal: Problem | None = None
    is_field_refused: bool = False
    saved: bool = False
    has_unsaved_input: bool = False
    is_restored: bool = False
    kept_fields: frozenset[str] = frozenset()
    address: str = ""

    @property
    def prefilled(self) -> Prefilled:
        """The fields whose values the form filled in."""
        return find_prefilled(self.address, self.form_state.paper, self.kept_fields)

    @property
    def opened_name(self) -> str:
        """The name of the edited paper in the graph; empty for a new paper."""
        return self.form_state.name if self.version else ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.refusal.status if self.refusal else 200

    @property
    def headers(self) -> Mapping[str, str]:
        """The HTTP headers of the refusal; empty without one."""
        return self.refusal.headers if self.refusal else {}


def respond_with_form_page(context: RequestContext, tokens: TokenStore, page: FormPage) -> Response:
    """The response with the form as a page. For a POST request it must not be cached."""
    base = context.base
    view = FormView(page.form_state, page.messages, page.check_result, page.focus, page.prefilled)
    body = rendering.render_template(
        "write.html",
        base=base,
        view=view,
        datalist_ids=DATALIST_IDS,
        source=page.original_n_triples,
        version=page.version,
        profile=page.profile,
        profiles=CHECK_PROFILES,
        extra_statements=page.extra_statements,
        most_shown=MAX_SHOWN_STATEMENTS,
        refusal=page.refusal,
        is_field_refused=page.is_field_refused,
        opened=page.opened_name,
        saved=page.saved,
        has_unsaved_input=page.has_unsaved_input,
        is_restored=page.is_restored,
        paper_title=page.form_state.paper.first_text("title"),
        address=page.address,
        form_version=form_version(),
        symbols=FORM_STATE_SYMBOLS,
        takes_papers=is_paper_writing_open(tokens),
    )
    post_headers = FORM_HEADERS if context.request.method == "POST" else {}
    return respond_with_body(
        context.request, body, HTML, status=page.status, headers={**page.headers, **post_headers}
    )


def respond_with_form_json(context: RequestContext, page: FormPage) -> Response:
    """The response with the result of the check as JSON, for scripts."""
    check_result, refusal, prefilled = page.check_result, page.refusal, page.prefilled
    body: dict[str, Any] = {
        "profile": page.profile,
        "conforms": bool(check_result and check_result.conforms),
        "met": check_result.requirements_met if check_result else 0,
        "parts": check_result.requirements if check_result else 0,
        "prefilled": sorted(prefilled.fields),
        "unconfirmed": prefilled.required_fields_to_check if check_result else [],
        "sections": [
            {"number": status.number, "state": status.state, "summary": status.text}
            for status in prefilled.list_statuses(check_result, current_language())
        ],
        "messages": [message._asdict() for message in page.messages],
        "names": list_meanings(page.form_state, current_language()),
    }
    if refusal:
        body["problem"] = refusal.document(context.base, context.request.url.path)
    return respond_with_json(
        context.request, body, status=page.status, headers={**page.headers, **NO_STORE_HEADERS}
    )
