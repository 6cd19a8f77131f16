"""The form: the sections of the template in order, the fields in each, and what a field holds."""

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

MAX_FORM_ITEMS = 50  # parts of a kind, and values of one field
MAX_CHECKBOX_CHOICES = 20  # choices that are shown as boxes to check

# What a field holds, and so how it is shown.
TEXT_FIELD, LINE_FIELD, SELECT_FIELD, CHECKBOX_FIELD, DATALIST_FIELD, BOOLEAN_FIELD, PERSON_FIELD = (
    "text",
    "line",
    "one",
    "some",
    "listed",
    "truth",
    "who",
)

# What the shapes do not say, or say of a rule and not of the field: how it is called, how it is filled in.
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
DECLARATION_PATH_PREFIX = "declaration/"  # those that section 7 measures against
YES_NO_LABELS = {"yes": gettext_noop("yes"), "no": gettext_noop("no")}


@dataclass(frozen=True)
class FormField:
    """A field of the paper (its `step` is empty), or of the parts that a property leads to."""

    step: str
    path: str

    @property
    def key(self) -> str:
        """What the names of its fields have in common."""
        return self.path.rpartition(":")[2]

    @cached_property
    def constraint(self) -> PropertyConstraint | None:
        """What the shapes ask of it."""
        return (
            find_property_constraint(
                self.step and expand_curie(self.step).value, expand_curie(self.path).value
            )
            if self.is_property
            else None
        )

    @property
    def is_property(self) -> bool:
        """Whether it is a property, and not one of the questions by which people are told."""
        return ":" in self.path

    @cached_property
    def kind(self) -> str:
        """What it holds."""
        if self.path in FIELD_KINDS:
            return FIELD_KINDS[self.path]
        if self.constraint and self.constraint.choice_pattern:
            many = DATALIST_FIELD if len(self.choices("en")) > MAX_CHECKBOX_CHOICES else CHECKBOX_FIELD
            return SELECT_FIELD if self.constraint.is_single else many
        return (
            DATATYPE_FIELD_KINDS.get(self.constraint.datatype, LINE_FIELD) if self.constraint else LINE_FIELD
        )

    @property
    def several(self) -> bool:
        """Whether the form offers another value below the last."""
        return self.path in REPEATABLE_PROPERTIES

    @property
    def required(self) -> bool:
        """Whether the template asks for it."""
        return self.constraint is not None and self.constraint.required

    @cached_property
    def choice_folder(self) -> str:
        """What the addresses of all things begin with that can be chosen, below id/."""
        found = (
            list_matching_choices(self.constraint.choice_pattern, "", "en")
            if self.constraint and self.constraint.choice_pattern
            else ()
        )
        return found[0].words.partition("/")[0] + "/" if found else ""

    def choices(self, language: str) -> tuple[FieldChoice, ...]:
        """What can be chosen, with labels in a language, but for what only the paper knows."""
        if self.path == "wgig:waives":
            return list_waivable_rules(language)
        if not (self.constraint and self.constraint.choice_pattern):
            return ()
        found = list_matching_choices(self.constraint.choice_pattern, self.choice_folder, language)
        listed = [one for one in found if one.words.startswith(DECLARATION_PATH_PREFIX)]
        return tuple(listed) if self.path == "cito:cites" else found

    def label(self, language: str) -> str:
        """How it is called."""
        if self.path in FIELD_LABELS:
            return gettext(FIELD_LABELS[self.path])
        name = self.constraint.naming_rule.name if self.constraint else {"en": self.key}
        said = name.get(language, name["en"])
        return said[:1].upper() + said[1:]

    @property
    def reason(self) -> str:
        """Why it is asked for, as the shapes say it: in English, which pages translate."""
        return self.constraint.naming_rule.reason if self.constraint and self.path not in FIELD_LABELS else ""

    @property
    def hint(self) -> str:
        """How it is filled in."""
        return gettext(FIELD_HINTS[self.path]) if self.path in FIELD_HINTS else ""


@dataclass(frozen=True)
class FormPart:
    """A kind of parts of the paper, or the paper itself: the property that leads there, class, fields.

    `title` is what one of them is called, `add_label` what is said on the button that adds one; `several`:
    the form offers another one.
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
    return tuple(FormField(step, one) for one in properties)


def build_form_part(
    property_: str, title: str, adding: str, *properties: str, several: bool = True
) -> FormPart:
    """A kind of parts with these fields, whose class has the name of the property."""
    kind = f"wgig:{property_.rpartition(':')[2].capitalize()}"
    return FormPart(property_, kind, title, adding, build_part_fields(property_, *properties), several)


def build_people_part(
    property_: str, kind: str, title: str, adding: str, *more: str, several: bool = True
) -> FormPart:
    """A kind of people or bodies with a name and groups, which the shapes know of actors."""
    step = "wgig:mainActor" if property_ == "wgig:mainActor" else "wgig:otherActor"
    found = build_part_fields(step, "who", "wgig:stakeholderGroup", *more)
    return FormPart(property_, kind, title, adding, found, several, is_people=True)


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
    tuple(one for items in FORM_SECTIONS for one in items if isinstance(one, FormField)),
    several=False,
)
# Mechanisms stand before what judges them.
FORM_PARTS: dict[str, FormPart] = {
    one.key: one
    for one in (PAPER_PART, *(one for items in FORM_SECTIONS for one in items if isinstance(one, FormPart)))
}


@cache
def find_form_field(part_key: str, key: str) -> FormField | None:
    """The field of a kind of parts with this key, or none."""
    found = (one for one in FORM_PARTS[part_key].fields if one.key == key) if part_key in FORM_PARTS else ()
    return next(iter(found), None)
