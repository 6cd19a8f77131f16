"""The page of the form: sections, parts and fields, each with its messages, and the response with it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastapi import Response

from ...http.auth import TokenStore, is_paper_writing_open
from ...http.language import current_language, gettext
from ...http.responses import NO_STORE_HEADERS, respond_with_body, respond_with_json
from ...pages import rendering
from ...pages.dependencies import RequestContext
from ...problems import Problem
from ...rdf.formats import HTML
from ...rdf.namespaces import ID_NAMESPACE
from ...shacl.reports.phrases import format_report_phrase
from ...shacl.rules import CHECK_PROFILES, section_headings
from ...text import shorten_untrusted_text
from .check import FormCheckResult
from .choices import FieldChoice
from .fields import (
    BOOLEAN_FIELD,
    CHECKBOX_FIELD,
    DATALIST_FIELD,
    FORM_SECTIONS,
    MECHANISM_PART,
    PAPER_PART,
    PERSON_FIELD,
    SELECT_FIELD,
    TEXT_FIELD,
    YES_NO_LABELS,
    FormField,
    FormPart,
)
from .messages import SECTION_NAME_PREFIX, FieldMessage
from .original import agent_choices_by_iri
from .state import FieldValue, FormRow, FormState, field_group_name, form_row_name

# Their choices are long lists.
CITES_FIELD, DRAFTER_FIELD = FormField("", "cito:cites"), FormField("", "wgig:drafter")
MAX_HEADING_CHARACTERS = 60  # characters of a name in a heading
LONG_TEXT_CHARACTERS = 1000  # characters; a longer text gets a higher box
EMPTY_VALUE = FieldValue(1, "")  # of a field with nothing in it


class ControlView(NamedTuple):
    """One field of HTML: its name, what it holds, the language beside it (None: it is not asked)."""

    name: str
    words: str
    language: str | None
    removable: bool
    messages: Sequence[FieldMessage]


class FieldView(NamedTuple):
    """A field with all its values; `options` are what can be chosen, `checked` the words of what is."""

    name: str
    label: str
    reason: str
    hint: str
    kind: str
    list: str
    required: bool
    several: bool
    controls: Sequence[ControlView]
    options: Sequence[FieldChoice]
    checked: frozenset[str]
    messages: Sequence[FieldMessage]

    @property
    def anchor(self) -> str:
        """The id of what a link to the field leads to."""
        return f"{self.name}-1" if self.kind == CHECKBOX_FIELD else self.controls[0].name

    @property
    def has_messages(self) -> bool:
        """Whether something is said at it."""
        return any((self.messages, *(one.messages for one in self.controls)))

    @property
    def rows(self) -> int:
        """The height of a box for a text, in lines."""
        longest = max((len(one.words) for one in self.controls), default=0)
        return (
            12 if longest > LONG_TEXT_CHARACTERS else 2 if self.several or self.name.endswith("-label") else 5
        )


class RowView(NamedTuple):
    """A part: its name, what it is and what it is called, its fields; `folded`: they are out of sight."""

    name: str
    title: str
    summary: str
    fields: Sequence[FieldView]
    removable: bool
    folded: bool


class PartView(NamedTuple):
    """The parts of a kind, and what the button says that adds one (empty: none can be added)."""

    name: str
    rows: Sequence[RowView]
    add: str
    messages: Sequence[FieldMessage]

    @property
    def anchor(self) -> str:
        """The id of what a link to the parts leads to."""
        return self.rows[0].fields[0].anchor if self.rows else f"add-{self.name}"


class SectionView(NamedTuple):
    """A section of the template: number, title, how it stands (empty: not checked yet), what is in it."""

    number: int
    title: str
    state: str
    items: Sequence[FieldView | PartView]
    messages: Sequence[FieldMessage]


class FormView:
    """The form as a page shows it."""

    def __init__(
        self, filled: FormState, messages: Iterable[FieldMessage], done: FormCheckResult | None, focus: str
    ) -> None:
        """Take what is filled in, what is said, and what a check found.

        `focus` is the name of what was just added, or of what something was removed from.
        """
        self.form_state, self.language = filled, current_language()
        self.check_result, self.added_name = done, focus
        self.messages_by_field: dict[str, list[FieldMessage]] = {}
        for one in messages:
            self.messages_by_field.setdefault(one.field, []).append(one)
        self.part_messages: dict[str, list[FieldMessage]] = {}  # what is said of a part
        states = done.sections if done else ()
        self.section_states = {one.number: format_report_phrase(one.state, self.language) for one in states}
        self.sections = [self.build_section_view(number) for number in range(len(FORM_SECTIONS))]
        self.anchors = dict(self.iter_anchors())
        self.focus = self.anchors.get(focus, focus)

    def build_section_view(self, number: int) -> SectionView:
        """A section of the template, with its fields and parts."""
        items = [
            self.build_part_view(one)
            if isinstance(one, FormPart)
            else self.build_field_view(PAPER_PART, self.form_state.paper, one)
            for one in FORM_SECTIONS[number]
        ]
        return SectionView(
            number,
            section_headings()[number].title_in(self.language),
            self.section_states.get(number, ""),
            items,
            self.messages_by_field.get(f"{SECTION_NAME_PREFIX}{number}", []),
        )

    def build_part_view(self, part: FormPart) -> PartView:
        """The parts of a kind; what is said of all of them, or of one, is said at its first field."""
        rows = self.form_state.rows[part.key]
        for row in rows:
            of_field = field_group_name(part, row, part.fields[0])
            found = self.messages_by_field.get(form_row_name(part, row), []) + (
                self.messages_by_field.get(part.key, []) if row is rows[0] else []
            )
            self.part_messages[of_field] = found
        views = [self.build_row_view(part, row, at, len(rows)) for at, row in enumerate(rows, 1)]
        add = gettext(part.add_label) if part.several or not rows else ""
        return PartView(part.key, views, add, [] if rows else self.messages_by_field.get(part.key, []))

    def build_row_view(self, part: FormPart, row: FormRow, at: int, many: int) -> RowView:
        """The part that stands at a place among so many of its kind.

        Of several, those are folded in which nothing is written, nothing is told, and nothing was just added.
        """
        row_name, title = form_row_name(part, row), gettext(part.title)
        fields = [self.build_field_view(part, row, one) for one in part.fields]
        added = f"{self.added_name}-".startswith(f"{row_name}-")
        return RowView(
            row_name,
            f"{title} {at}" if part.several or many > 1 else title,
            self.row_summary(part, row),
            fields,
            part.several or many > 1,
            many > 1 and row.is_blank and not added and not any(one.has_messages for one in fields),
        )

    def row_summary(self, part: FormPart, row: FormRow) -> str:
        """What a part says of itself: its name, or what it is about."""
        first = part.fields[0]
        words = row.words(first.key).strip() if first.kind != TEXT_FIELD or first.key == "label" else ""
        labels = {one.words: one.label for one in first.choices(self.language)} if words else {}
        return shorten_untrusted_text(labels.get(words, words), MAX_HEADING_CHARACTERS)

    def build_field_view(self, part: FormPart, row: FormRow, field: FormField) -> FieldView:
        """A field of a part."""
        of_field = field_group_name(part, row, field)
        values = row.values.get(field.key, [])
        is_drafter = field.kind == PERSON_FIELD and part.path == "wgig:drafter"
        return FieldView(
            of_field,
            field.label(self.language),
            field.reason,
            field.hint,
            field.kind,
            "people" if is_drafter else field.kind,
            field.required,
            field.several,
            [self.build_control_view(of_field, field, one, len(values)) for one in values or [EMPTY_VALUE]],
            self.list_options(field, values),
            frozenset(one.words for one in values),
            [*self.part_messages.get(of_field, []), *self.messages_by_field.get(of_field, [])],
        )

    def build_control_view(
        self, of_field: str, field: FormField, value: FieldValue, count: int
    ) -> ControlView:
        """The field of HTML for one value, of so many that the field has."""
        name = f"{of_field}-{value.number}"
        return ControlView(
            name,
            value.words,
            self.shown_language(field, value),
            field.several and count > 1,
            self.messages_by_field.get(name, []),
        )

    def list_options(self, field: FormField, values: Sequence[FieldValue]) -> list[FieldChoice]:
        """What can be chosen in a field; what it holds beside that can be chosen again."""
        options = [*self.iter_options(field)]
        if field.kind not in (SELECT_FIELD, CHECKBOX_FIELD, BOOLEAN_FIELD):
            return options
        there = {one.words for one in options}
        others = (one.words for one in values if one.words and one.words not in there)
        return options + [
            FieldChoice(one, shorten_untrusted_text(one, MAX_HEADING_CHARACTERS))
            for one in dict.fromkeys(others)
        ]

    def iter_options(self, field: FormField) -> Iterator[FieldChoice]:
        """What can be chosen in a field, but for long lists, which stand once on the page."""
        if field.kind == BOOLEAN_FIELD:
            yield from (FieldChoice(one, gettext(said)) for one, said in YES_NO_LABELS.items())
        elif field.path == "wgig:judges":
            for at, row in enumerate(self.form_state.rows[MECHANISM_PART.key], 1):
                said = shorten_untrusted_text(row.words("label").strip(), MAX_HEADING_CHARACTERS)
                yield FieldChoice(
                    form_row_name(MECHANISM_PART, row), said or f"{gettext(MECHANISM_PART.title)} {at}"
                )
        elif field.kind != DATALIST_FIELD:
            yield from field.choices(self.language)

    def shown_language(self, field: FormField, value: FieldValue) -> str | None:
        """The language beside a text: of a title always, of another text where it says one of its own."""
        asked = field.kind == TEXT_FIELD and (field.path == "dcterms:title" or value.language)
        return value.language if asked else None

    def iter_anchors(self) -> Iterator[tuple[str, str]]:
        """Where a link to each name leads."""
        for section in self.sections:
            yield f"{SECTION_NAME_PREFIX}{section.number}", f"{SECTION_NAME_PREFIX}{section.number}"
            for item in section.items:
                yield item.name, item.anchor
                for row in item.rows if isinstance(item, PartView) else ():
                    yield row.name, row.fields[0].anchor
                    yield from ((one.name, one.anchor) for one in row.fields)

    @property
    def lists(self) -> dict[str, Sequence[FieldChoice]]:
        """What can be typed in fields with a long list: paths of passages, names of people and bodies."""
        everybody = agent_choices_by_iri()
        members = [f"{ID_NAMESPACE}agent/{one.words}" for one in DRAFTER_FIELD.choices(self.language)]
        return {
            DATALIST_FIELD: CITES_FIELD.choices(self.language),
            "people": sorted(everybody[one] for one in members),
            PERSON_FIELD: sorted(everybody.values()),
        }

    @property
    def problems(self) -> list[tuple[str, FieldMessage]]:
        """What keeps the paper from its profile, each with where a link to it leads."""
        every = [one for found in self.messages_by_field.values() for one in found if one.blocks]
        return [(self.anchors.get(one.field, one.field), one) for one in self.sort_messages(every)]

    def sort_messages(self, messages: Sequence[FieldMessage]) -> list[FieldMessage]:
        """Messages in the order of the fields on the page."""
        order = {one: at for at, one in enumerate(self.anchors)}
        return sorted(
            messages, key=lambda one: order.get(one.field, order.get(one.field.rpartition("-")[0], -1))
        )

    @property
    def note_count(self) -> int:
        """How many messages keep the paper from nothing."""
        return sum(not one.blocks for found in self.messages_by_field.values() for one in found)


MAX_SHOWN_STATEMENTS = 200  # statements without a field that are shown
FORM_HEADERS = {"Vary": "Accept, Accept-Encoding", **NO_STORE_HEADERS}


@dataclass(frozen=True)
class FormPage:
    """What the page shows: what is filled in, the statements behind it, what is said at the fields.

    `version` is that of the graph when the paper was opened, `refusal` is why something was not done,
    `is_field_refused` whether a field says so, `focus` the name of what was added. `saved` is said once,
    right after; `unsaved` is what was sent in the form.
    """

    form_state: FormState
    source: str
    version: str = ""
    profile: str = "complete"
    messages: Sequence[FieldMessage] = ()
    check_result: FormCheckResult | None = None
    extra_statements: Sequence[str] = ()
    focus: str = ""
    refusal: Problem | None = None
    is_field_refused: bool = False
    saved: bool = False
    unsaved: bool = False

    @property
    def opened_name(self) -> str:
        """The name of the paper of the graph that is edited; empty where it is not there yet."""
        return self.form_state.name if self.version else ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.refusal.status if self.refusal else 200

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields that a refusal brings."""
        return self.refusal.headers if self.refusal else {}


def respond_with_form_page(context: RequestContext, tokens: TokenStore, page: FormPage) -> Response:
    """The form as a page; one that was sent is kept nowhere."""
    base = context.base
    view = FormView(page.form_state, page.messages, page.check_result, page.focus)
    body = rendering.render_template(
        "write.html",
        base=base,
        view=view,
        source=page.source,
        version=page.version,
        profile=page.profile,
        profiles=CHECK_PROFILES,
        rest=page.extra_statements,
        most_shown=MAX_SHOWN_STATEMENTS,
        refused=page.refusal,
        at_field=page.is_field_refused,
        opened=page.opened_name,
        saved=page.saved,
        unsaved=page.unsaved,
        takes_papers=is_paper_writing_open(tokens),
    )
    sent = FORM_HEADERS if context.request.method == "POST" else {}
    return respond_with_body(
        context.request, body, HTML, status=page.status, headers={**page.headers, **sent}
    )


def respond_with_form_json(context: RequestContext, page: FormPage) -> Response:
    """What the check found, for a script: messages by the names of the fields."""
    done, refused = page.check_result, page.refusal
    found: dict[str, Any] = {
        "profile": page.profile,
        "conforms": bool(done and done.conforms),
        "met": done.met if done else 0,
        "parts": done.parts if done else 0,
        "sections": [one._asdict() for one in done.sections] if done else [],
        "messages": [one._asdict() for one in page.messages],
    }
    if refused:
        found["problem"] = refused.document(context.base, context.request.url.path)
    return respond_with_json(
        context.request, found, status=page.status, headers={**page.headers, **NO_STORE_HEADERS}
    )
