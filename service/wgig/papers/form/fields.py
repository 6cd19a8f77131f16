"""The form: the sections of the template in order, the fields in each, and the kind of each field."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from ...http.language import gettext
from ...i18n import gettext_noop
from ...rdf.namespaces import expand_curie
from .choices import (
    FieldChoice,
    PropertyConstraint,
    find_property_constraint,
    list_matching_choices,
    list_waivable_rules,
)

MAX_FORM_ITEMS = 50  # rows of a part, and values of one field
MAX_CHECKBOX_CHOICES = 20  # choices that are shown as checkboxes

# The kinds of fields: text area, input, select, checkboxes, input with a list, yes or no, name of an agent.
TEXT_FIELD, LINE_FIELD, SELECT_FIELD, CHECKBOX_FIELD, DATALIST_FIELD, BOOLEAN_FIELD, PERSON_FIELD = (
    "text",
    "line",
    "one",
    "some",
    "listed",
    "truth",
    "who",
)

# Labels and hints that the shapes do not have, or have for a rule and not for the field.
FIELD_LABELS = {
    "rdfs:label": gettext_noop("Name"),
    "schema:version": gettext_noop("Version"),
    "schema:creativeWorkStatus": gettext_noop("Status"),
    "wgig:illustrative": gettext_noop("Made up"),
    "dcterms:source": gettext_noop("Source"),
    "who": gettext_noop("Name"),
    "member": gettext_noop("Member of the group"),
    "wgig:stakeholderGroup": gettext_noop("Stakeholder group"),
    "wgig:judges": gettext_noop("Mechanisms that are judged"),
    "wgig:waives": gettext_noop("Rule"),
    "wgig:reason": gettext_noop("Reason"),
    "wgig:participants": gettext_noop("Who participates"),
    "wgig:nature": gettext_noop("Nature of the forum"),
    "wgig:makesDecisions": gettext_noop("Does it make decisions?"),
    "wgig:objectives": gettext_noop("Objectives"),
    "wgig:content": gettext_noop("Content: principles, norms, rules"),
    "wgig:additionalComments": gettext_noop("Comments"),
}
FIELD_HINTS = {
    "schema:inLanguage": gettext_noop(
        "A tag such as en, fr or zh-Hans: the language of all texts that say no other."
    ),
    "wgig:posted": gettext_noop("Year, month and day, such as 2005-01-20."),
    "bibo:numPages": gettext_noop("A whole number; the template asks for three to five."),
    "cito:cites": gettext_noop(
        "A path such as declaration/48; type a number or a word to find it in the list."
    ),
    "schema:creativeWorkStatus": gettext_noop(
        "In your words, such as draft, complete or final. Saving fills it in."
    ),
    "wgig:illustrative": gettext_noop("Whether paper and people are an example and no record."),
    "dcterms:source": gettext_noop(
        "Where the paper is from: a web address, or a document such as document/declaration."
    ),
    "who": gettext_noop("Choose from the list, or write the name of somebody else."),
    "wgig:judges": gettext_noop(
        "Those of section 6; a new one is listed here by its name after the next check."
    ),
    "wgig:decisionProcedure": gettext_noop("If it makes decisions: how."),
    "wgig:strength": gettext_noop("What is good in the present system? One point in each box."),
    "wgig:weakness": gettext_noop("What is bad in the present system?"),
    "wgig:opportunity": gettext_noop("What from outside could make it better?"),
    "wgig:threat": gettext_noop("What from outside could make it worse?"),
}
FIELD_KINDS = {
    "who": PERSON_FIELD,
    "member": BOOLEAN_FIELD,
    "wgig:judges": CHECKBOX_FIELD,
    "wgig:waives": SELECT_FIELD,
    "rdfs:label": TEXT_FIELD,
    "wgig:illustrative": BOOLEAN_FIELD,
}
DATATYPE_FIELD_KINDS = {"langString": TEXT_FIELD, "boolean": BOOLEAN_FIELD}
REPEATABLE_PROPERTIES = frozenset(
    ("dcterms:title", "cito:cites", "wgig:strength", "wgig:weakness", "wgig:opportunity", "wgig:threat")
)
DECLARATION_PATH_PREFIX = "declaration/"  # the passages that are offered as citations
YES_NO_LABELS = {"yes": gettext_noop("yes"), "no": gettext_noop("no")}


@dataclass(frozen=True)
class FormField:
    """A field of the paper (`step` is empty), or of the parts that the property `step` leads to."""

    step: str
    path: str

    @property
    def key(self) -> str:
        """The common part of the names of its inputs."""
        return self.path.rpartition(":")[2]

    @cached_property
    def constraint(self) -> PropertyConstraint | None:
        """The rules on its property, or None."""
        return (
            find_property_constraint(
                self.step and expand_curie(self.step).value, expand_curie(self.path).value
            )
            if self.is_property
            else None
        )

    @property
    def is_property(self) -> bool:
        """Whether it is a property, and not a question about a person (`who`, `member`)."""
        return ":" in self.path

    @cached_property
    def kind(self) -> str:
        """Its kind, one of the constants above."""
        if self.path in FIELD_KINDS:
            return FIELD_KINDS[self.path]
        if self.constraint and self.constraint.choice_pattern:
            several_kind = (
                DATALIST_FIELD if len(self.choices("en")) > MAX_CHECKBOX_CHOICES else CHECKBOX_FIELD
            )
            return SELECT_FIELD if self.constraint.is_single else several_kind
        return (
            DATATYPE_FIELD_KINDS.get(self.constraint.datatype, LINE_FIELD) if self.constraint else LINE_FIELD
        )

    @property
    def several(self) -> bool:
        """Whether the form offers to add another value."""
        return self.path in REPEATABLE_PROPERTIES

    @property
    def required(self) -> bool:
        """Whether the template requires it."""
        return self.constraint is not None and self.constraint.required

    @cached_property
    def choice_folder(self) -> str:
        """The path segment below id/ that is common to all choices; empty where there are none."""
        choices = (
            list_matching_choices(self.constraint.choice_pattern, "", "en")
            if self.constraint and self.constraint.choice_pattern
            else ()
        )
        return choices[0].words.partition("/")[0] + "/" if choices else ""

    def choices(self, language: str) -> tuple[FieldChoice, ...]:
        """Its choices, with labels in a language; without those that only the paper has."""
        if self.path == "wgig:waives":
            return list_waivable_rules(language)
        if not (self.constraint and self.constraint.choice_pattern):
            return ()
        matching = list_matching_choices(self.constraint.choice_pattern, self.choice_folder, language)
        passages = [choice for choice in matching if choice.words.startswith(DECLARATION_PATH_PREFIX)]
        return tuple(passages) if self.path == "cito:cites" else matching

    def label(self, language: str) -> str:
        """Its label in a language."""
        if self.path in FIELD_LABELS:
            return gettext(FIELD_LABELS[self.path])
        name = self.constraint.naming_rule.name if self.constraint else {"en": self.key}
        text = name.get(language, name["en"])
        return text[:1].upper() + text[1:]

    @property
    def reason(self) -> str:
        """Why it is required, as the shapes say: in English, which pages translate."""
        return self.constraint.naming_rule.reason if self.constraint and self.path not in FIELD_LABELS else ""

    @property
    def hint(self) -> str:
        """How to fill it in."""
        return gettext(FIELD_HINTS[self.path]) if self.path in FIELD_HINTS else ""


@dataclass(frozen=True)
class FormPart:
    """A kind of part of the paper, or the paper itself: the property that leads there, class, fields.

    `title` is the name of one such part, `add_label` the label of the button that adds one; `several`: the
    form offers to add another one.
    """

    path: str
    kind: str
    title: str
    add_label: str
    fields: tuple[FormField, ...]
    several: bool = True
    is_people: bool = False

    @property
    def key(self) -> str:
        """What the names of its fields begin with."""
        return self.path.rpartition(":")[2]


def build_part_fields(step: str, *properties: str) -> tuple[FormField, ...]:
    """Fields of the parts that a property leads to."""
    return tuple(FormField(step, path) for path in properties)


def build_form_part(
    property_: str, title: str, add_label: str, *paths: str, several: bool = True
) -> FormPart:
    """A kind of part with these fields; its class has the name of the property."""
    class_curie = f"wgig:{property_.rpartition(':')[2].capitalize()}"
    return FormPart(property_, class_curie, title, add_label, build_part_fields(property_, *paths), several)


def build_people_part(
    property_: str, class_curie: str, title: str, add_label: str, *more_paths: str, several: bool = True
) -> FormPart:
    """A kind of part for people or bodies, with name and groups, for which the shapes have actors."""
    step = "wgig:mainActor" if property_ == "wgig:mainActor" else "wgig:otherActor"
    fields = build_part_fields(step, "who", "wgig:stakeholderGroup", *more_paths)
    return FormPart(property_, class_curie, title, add_label, fields, several, is_people=True)


DRAFTER_PART = build_people_part(
    "wgig:drafter", "foaf:Person", gettext_noop("Drafter"), gettext_noop("Add drafter"), "member"
)
WAIVER_PART = build_form_part(
    "wgig:waiver", gettext_noop("Waiver"), gettext_noop("Add waiver"), "wgig:waives", "wgig:reason"
)
SWOT_PART = build_form_part(
    "wgig:swot",
    gettext_noop("SWOT analysis"),
    gettext_noop("Add SWOT analysis"),
    "wgig:strength",
    "wgig:weakness",
    "wgig:opportunity",
    "wgig:threat",
    several=False,
)
MAIN_ACTOR_PART = build_people_part(
    "wgig:mainActor",
    "org:Organization",
    gettext_noop("Main actor"),
    gettext_noop("Add main actor"),
    several=False,
)
OTHER_ACTOR_PART = build_people_part(
    "wgig:otherActor", "org:Organization", gettext_noop("Other actor"), gettext_noop("Add other actor")
)
FORUM_PART = build_form_part(
    "wgig:forum",
    gettext_noop("Forum"),
    gettext_noop("Add forum"),
    "rdfs:label",
    "wgig:participants",
    "wgig:nature",
    "wgig:makesDecisions",
    "wgig:decisionProcedure",
)
MECHANISM_PART = build_form_part(
    "wgig:mechanism",
    gettext_noop("Mechanism"),
    gettext_noop("Add mechanism"),
    "rdfs:label",
    "wgig:objectives",
    "wgig:content",
)
ASSESSMENT_PART = build_form_part(
    "wgig:assessment",
    gettext_noop("Assessment"),
    gettext_noop("Add assessment"),
    "wgig:criterion",
    "wgig:verdict",
    "wgig:judges",
    "cito:cites",
    "wgig:rationale",
)
LEADING_PAPER_FIELDS = build_part_fields("", "dcterms:title", "schema:inLanguage")
FURTHER_PAPER_FIELDS = build_part_fields(
    "",
    "wgig:posted",
    "bibo:numPages",
    "cito:cites",
    "schema:creativeWorkStatus",
    "schema:version",
    "dcterms:source",
    "wgig:illustrative",
)
FORM_SECTIONS: tuple[Sequence[FormField | FormPart], ...] = (
    (*LEADING_PAPER_FIELDS, DRAFTER_PART, *FURTHER_PAPER_FIELDS, WAIVER_PART),
    build_part_fields("", "wgig:issue", "wgig:issueDescription"),
    build_part_fields("", "wgig:category"),
    (SWOT_PART,),
    (MAIN_ACTOR_PART, OTHER_ACTOR_PART),
    (FORUM_PART,),
    (MECHANISM_PART,),
    (ASSESSMENT_PART,),
    build_part_fields("", "wgig:additionalComments"),
)
PAPER_PART = FormPart(
    "",
    "wgig:IssuePaper",
    "Paper",
    "",
    tuple(item for items in FORM_SECTIONS for item in items if isinstance(item, FormField)),
    several=False,
)
# Mechanisms come before the assessments of them.
FORM_PARTS: dict[str, FormPart] = {
    part.key: part
    for part in (
        PAPER_PART,
        *(item for items in FORM_SECTIONS for item in items if isinstance(item, FormPart)),
    )
}


@cache
def find_form_field(part_key: str, key: str) -> FormField | None:
    """The field of a part with this key, or None."""
    matching = (
        (field for field in FORM_PARTS[part_key].fields if field.key == key) if part_key in FORM_PARTS else ()
    )
    return next(iter(matching), None)
