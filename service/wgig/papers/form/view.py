"""The page of the form: sections, parts and fields, each with its messages, and the response with it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastapi import Request, Response

from ...http.auth import takes_papers
from ...http.language import gettext, language
from ...http.responses import answer
from ...pages import rendering
from ...problems import Problem
from ...rdf.formats import HTML, JSON
from ...shacl.reports.phrases import phrase
from ...shacl.rules import PROFILES, headings
from ...text import cut
from ..markdown.values import ID
from .check import Done
from .choices import Choice
from .fields import LISTED, MECHANISM, ONE, PAPER, SECTIONS, SOME, TEXT, TRUTH, WHO, YES_NO, Field, Part
from .messages import SECTION, Message
from .original import choices_by_name
from .state import Filled, Row, Value, group, name

CITING, DRAFTED = Field("", "cito:cites"), Field("", "wgig:drafter")  # whose choices are long lists
SHORT = 60  # characters of a name in a heading
LONG = 1000  # characters; a longer text gets a higher box


class Control(NamedTuple):
    """One field of HTML: its name, what it holds, the language beside it (None: it is not asked)."""

    name: str
    words: str
    language: str | None
    removable: bool
    messages: Sequence[Message]


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
    controls: Sequence[Control]
    options: Sequence[Choice]
    checked: frozenset[str]
    messages: Sequence[Message]

    @property
    def anchor(self) -> str:
        """The id of what a link to the field leads to."""
        return f"{self.name}-1" if self.kind == SOME else self.controls[0].name

    @property
    def is_told(self) -> bool:
        """Whether something is said at it."""
        return any((self.messages, *(one.messages for one in self.controls)))

    @property
    def rows(self) -> int:
        """The height of a box for a text, in lines."""
        longest = max((len(one.words) for one in self.controls), default=0)
        return 12 if longest > LONG else 2 if self.several or self.name.endswith("-label") else 5


class RowView(NamedTuple):
    """A part: its name, what it is and what it is called, its fields; `folded`: they are out of sight."""

    name: str
    title: str
    called: str
    fields: Sequence[FieldView]
    removable: bool
    folded: bool


class PartView(NamedTuple):
    """The parts of a kind, and what the button says that adds one (empty: none can be added)."""

    name: str
    rows: Sequence[RowView]
    add: str
    messages: Sequence[Message]

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
    messages: Sequence[Message]


class View:
    """The form as a page shows it."""

    def __init__(self, filled: Filled, messages: Iterable[Message], done: Done | None, focus: str) -> None:
        """Take what is filled in, what is said, and what a check found.

        `focus` is the name of what was just added, or of what something was removed from.
        """
        self.filled, self.language, self.done, self.added = filled, language(), done, focus
        self.said: dict[str, list[Message]] = {}
        for one in messages:
            self.said.setdefault(one.field, []).append(one)
        self.at_field: dict[str, list[Message]] = {}  # what is said of a part
        self.states = {one.number: phrase(one.state, self.language) for one in done.sections} if done else {}
        self.sections = [
            SectionView(
                number,
                headings()[number].says(self.language),
                self.states.get(number, ""),
                [
                    self.part(one) if isinstance(one, Part) else self.field(PAPER, filled.paper, one)
                    for one in items
                ],
                self.said.get(f"{SECTION}{number}", []),
            )
            for number, items in enumerate(SECTIONS)
        ]
        self.anchors = dict(self.targets())
        self.focus = self.anchors.get(focus, focus)

    def part(self, part: Part) -> PartView:
        """The parts of a kind; what is said of all of them, or of one, is said at its first field."""
        rows = self.filled.rows[part.key]
        for row in rows:
            of_field = group(part, row, part.fields[0])
            found = self.said.get(name(part, row), []) + (
                self.said.get(part.key, []) if row is rows[0] else []
            )
            self.at_field[of_field] = found
        views = [self.row(part, row, at, len(rows)) for at, row in enumerate(rows, 1)]
        add = gettext(part.adding) if part.several or not rows else ""
        return PartView(part.key, views, add, [] if rows else self.said.get(part.key, []))

    def row(self, part: Part, row: Row, at: int, many: int) -> RowView:
        """The part that stands at a place among so many of its kind.

        Of several, those are folded in which nothing is written, nothing is told, and nothing was just added.
        """
        row_name, title = name(part, row), gettext(part.title)
        fields = [self.field(part, row, one) for one in part.fields]
        added = f"{self.added}-".startswith(f"{row_name}-")
        return RowView(
            row_name,
            f"{title} {at}" if part.several or many > 1 else title,
            self.called(part, row),
            fields,
            part.several or many > 1,
            many > 1 and row.is_blank and not added and not any(one.is_told for one in fields),
        )

    def called(self, part: Part, row: Row) -> str:
        """What a part says of itself: its name, or what it is about."""
        first = part.fields[0]
        words = row.words(first.key).strip() if first.kind != TEXT or first.key == "label" else ""
        labels = {one.words: one.label for one in first.things(self.language)} if words else {}
        return cut(labels.get(words, words), SHORT)

    def field(self, part: Part, row: Row, field: Field) -> FieldView:
        """A field of a part."""
        of_field = group(part, row, field)
        values = row.values.get(field.key, [])
        options = [*self.options(field)]
        there = {one.words for one in options}
        if field.kind in (ONE, SOME, TRUTH):  # what else is said can be chosen again
            options += [
                Choice(one, cut(one, SHORT))
                for one in dict.fromkeys(v.words for v in values)
                if one and one not in there
            ]
        controls = [
            Control(
                f"{of_field}-{one.number}",
                one.words,
                self.tag(field, one),
                field.several and len(values) > 1,
                self.said.get(f"{of_field}-{one.number}", []),
            )
            for one in values or [Value(1, "")]
        ]
        return FieldView(
            of_field,
            field.name(self.language),
            field.reason,
            field.hint,
            field.kind,
            "people" if field.kind == WHO and part.path == "wgig:drafter" else field.kind,
            field.required,
            field.several,
            controls,
            options,
            frozenset(one.words for one in values),
            [*self.at_field.get(of_field, []), *self.said.get(of_field, [])],
        )

    def options(self, field: Field) -> Iterator[Choice]:
        """What can be chosen in a field, but for long lists, which stand once on the page."""
        if field.kind == TRUTH:
            yield from (Choice(one, gettext(said)) for one, said in YES_NO.items())
        elif field.path == "wgig:judges":
            for at, row in enumerate(self.filled.rows[MECHANISM.key], 1):
                said = cut(row.words("label").strip(), SHORT)
                yield Choice(name(MECHANISM, row), said or f"{gettext(MECHANISM.title)} {at}")
        elif field.kind != LISTED:
            yield from field.things(self.language)

    def tag(self, field: Field, value: Value) -> str | None:
        """The language beside a text: of a title always, of another text where it says one of its own."""
        asked = field.kind == TEXT and (field.path == "dcterms:title" or value.language)
        return value.language if asked else None

    def targets(self) -> Iterator[tuple[str, str]]:
        """Where a link to each name leads."""
        for section in self.sections:
            yield f"{SECTION}{section.number}", f"{SECTION}{section.number}"
            for item in section.items:
                yield item.name, item.anchor
                for row in item.rows if isinstance(item, PartView) else ():
                    yield row.name, row.fields[0].anchor
                    yield from ((one.name, one.anchor) for one in row.fields)

    @property
    def lists(self) -> dict[str, Sequence[Choice]]:
        """What can be typed in fields with a long list: paths of passages, names of people and bodies."""
        everybody = choices_by_name()
        members = [f"{ID}agent/{one.words}" for one in DRAFTED.things(self.language)]
        return {
            LISTED: CITING.things(self.language),
            "people": sorted(everybody[one] for one in members),
            WHO: sorted(everybody.values()),
        }

    @property
    def problems(self) -> list[tuple[str, Message]]:
        """What keeps the paper from its profile, each with where a link to it leads."""
        every = [one for found in self.said.values() for one in found if one.blocks]
        return [(self.anchors.get(one.field, one.field), one) for one in self.in_order(every)]

    def in_order(self, messages: Sequence[Message]) -> list[Message]:
        """Messages in the order of the fields on the page."""
        order = {one: at for at, one in enumerate(self.anchors)}
        return sorted(
            messages, key=lambda one: order.get(one.field, order.get(one.field.rpartition("-")[0], -1))
        )

    @property
    def notes(self) -> int:
        """How many messages keep the paper from nothing."""
        return sum(not one.blocks for found in self.said.values() for one in found)


MOST_SHOWN = 200  # statements without a field that are shown
UNKEPT = {"Vary": "Accept, Accept-Encoding", "Cache-Control": "no-store"}


@dataclass
class Page:
    """What the page shows: what is filled in, the statements behind it, what is said at the fields.

    `version` is that of the graph when the paper was opened, `refused` is why something was not done,
    `at_field` whether a field says so, `focus` the name of what was added. `saved` is said once, right after;
    `unsaved` is what was sent in the form.
    """

    filled: Filled
    source: str
    version: str = ""
    profile: str = "complete"
    messages: Sequence[Message] = ()
    done: Done | None = None
    rest: Sequence[str] = ()
    focus: str = ""
    refused: Problem | None = None
    at_field: bool = False
    saved: bool = False
    unsaved: bool = False

    @property
    def opened(self) -> str:
        """The name of the paper of the graph that is edited; empty where it is not there yet."""
        return self.filled.name if self.version else ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.refused.status if self.refused else 200

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields that a refusal brings."""
        return self.refused.headers if self.refused else {}


def shown(request: Request, page: Page) -> Response:
    """The form as a page; one that was sent is kept nowhere."""
    base: str = request.app.state.settings.base
    view = View(page.filled, page.messages, page.done, page.focus)
    body = rendering.render(
        "write.html",
        base=base,
        view=view,
        source=page.source,
        version=page.version,
        profile=page.profile,
        profiles=PROFILES,
        rest=page.rest,
        most_shown=MOST_SHOWN,
        refused=page.refused,
        at_field=page.at_field,
        opened=page.opened,
        saved=page.saved,
        unsaved=page.unsaved,
        takes_papers=takes_papers(request),
    )
    sent = UNKEPT if request.method == "POST" else {}
    return answer(request, body, HTML, status=page.status, headers={**page.headers, **sent})


def told(request: Request, page: Page) -> Response:
    """What the check found, for a script: messages by the names of the fields."""
    done, refused = page.done, page.refused
    found: dict[str, Any] = {
        "profile": page.profile,
        "conforms": bool(done and done.conforms),
        "met": done.met if done else 0,
        "parts": done.parts if done else 0,
        "sections": [one._asdict() for one in done.sections] if done else [],
        "messages": [one._asdict() for one in page.messages],
    }
    if refused:
        base: str = request.app.state.settings.base
        found["problem"] = refused.document(base, request.url.path)
    body = json.dumps(found, ensure_ascii=False).encode()
    return answer(request, body, JSON, status=page.status, headers={**page.headers, **UNKEPT})
