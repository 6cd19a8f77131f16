"""The sections, parts and fields of the form.

A part is a group of fields that may occur several times, such as a forum. A row is one occurrence.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from ...http.language import gettext
from ...i18n import gettext_noop
from ...pages.names import criterion_name
from ...rdf.namespaces import expand_curie
from ...text import natural_sort_key
from .choices import (
    FieldChoice,
    PropertyConstraint,
    find_property_constraint,
    list_matching_choices,
    list_waivable_rules,
)

MAX_FORM_ITEMS = 50  # rows of a part, or values of a field
MAX_CHECKBOX_CHOICES = 20  # a field with more choices is an input with a datalist

# The control of a field: text area, input, select, checkboxes, input with a datalist, yes or no, agent name.
TEXT_FIELD, LINE_FIELD, SELECT_FIELD, CHECKBOX_FIELD, DATALIST_FIELD, BOOLEAN_FIELD, PERSON_FIELD = (
    "text",
    "line",
    "one",
    "some",
    "listed",
    "truth",
    "who",
)

# Labels and hints for fields whose labels and hints in the shapes are missing or do not fit.
FIELD_LABELS = {
    "rdfs:label": gettext_noop("Name"),
    "schema:version": gettext_noop("Version"),
    "schema:creativeWorkStatus": gettext_noop("Status"),
    "wgig:illustrative": gettext_noop("Example"),
    "dcterms:source": gettext_noop("Source"),
    "who": gettext_noop("Name"),
    "member": gettext_noop("Member of the working group"),
    "wgig:about": gettext_noop("Body or instrument"),
    "wgig:stakeholderGroup": gettext_noop("Stakeholder group"),
    "wgig:judges": gettext_noop("Mechanisms assessed"),
    "wgig:waives": gettext_noop("Rule"),
    "wgig:reason": gettext_noop("Reason"),
    "wgig:participants": gettext_noop("Who participates"),
    "wgig:nature": gettext_noop("Nature of the forum"),
    "wgig:makesDecisions": gettext_noop("Does it make decisions?"),
    "wgig:objectives": gettext_noop("Objectives"),
    "wgig:content": gettext_noop("Content"),
    "wgig:additionalComments": gettext_noop("Comments"),
}
CITED_PASSAGES_LABEL = gettext_noop("Passages the paper cites")  # of the field of the paper itself
# How to fill in a field. `FormField.reason` says why.
FIELD_HINTS = {
    "dcterms:title": gettext_noop("Enter a title that says what the paper is about."),
    "schema:inLanguage": gettext_noop("Enter a language tag, such as en, fr or zh-Hans."),
    "wgig:posted": gettext_noop("Enter the year, month and day, such as 2005-01-20."),
    "bibo:numPages": gettext_noop("Enter a whole number. The template asks for three to five pages."),
    "cito:cites": gettext_noop(
        "Type a paragraph number or a word, and choose a passage from the list. Example: declaration/48."
    ),
    "schema:creativeWorkStatus": gettext_noop(
        "Enter a status such as draft, complete or final. Saving fills it in."
    ),
    "schema:version": gettext_noop("Enter the number of the version, such as 2."),
    "wgig:illustrative": gettext_noop("Choose yes if the paper is made up, with invented people."),
    "dcterms:source": gettext_noop(
        "Enter where the paper comes from: a web address, or a document such as document/declaration."
    ),
    "wgig:issue": gettext_noop("Choose one issue."),
    "wgig:issueDescription": gettext_noop("Describe the issue in a few sentences."),
    "wgig:category": gettext_noop("Select each category that applies."),
    "wgig:additionalComments": gettext_noop("Add anything that does not fit above."),
    "who": gettext_noop("Choose from the list, or enter another name."),
    "wgig:stakeholderGroup": gettext_noop("Select each group that applies."),
    "member": gettext_noop(
        "Choose yes if the drafter was a member of the Working Group on Internet Governance."
    ),
    "wgig:waives": gettext_noop("Choose the rule that should not apply to this paper."),
    "wgig:reason": gettext_noop("Explain why the rule should not apply."),
    "rdfs:label": gettext_noop("Enter the name that readers know."),
    "wgig:participants": gettext_noop("Describe who takes part: what a forum can decide depends on it."),
    "wgig:nature": gettext_noop(
        "Describe what kind of forum it is, such as a treaty body or a mailing list."
    ),
    "wgig:decisionProcedure": gettext_noop("If the forum makes decisions, describe how."),
    "wgig:about": gettext_noop(
        "If the mechanism is in the graph, type a word of its name, and choose it from the list. Example: "
        "agent/icann."
    ),
    "wgig:objectives": gettext_noop("Describe what the rules aim to achieve."),
    "wgig:content": gettext_noop("Describe what the principles, norms and rules say."),
    "wgig:verdict": gettext_noop("Choose whether the mechanism is adequate by this criterion."),
    "wgig:judges": gettext_noop("Select the mechanisms of section 6 that you assess here."),
    "wgig:rationale": gettext_noop("Explain the verdict."),
    "wgig:strength": gettext_noop("List what works well today: one point in each box."),
    "wgig:weakness": gettext_noop("List what does not work well today."),
    "wgig:opportunity": gettext_noop("List outside developments that could improve the present system."),
    "wgig:threat": gettext_noop("List outside developments that could harm the present system."),
}
# What to do in a section whose fields are in parts, by the number of the section.
SECTION_HINTS = {
    3: gettext_noop(
        "Analyze the present system before you assess it. An analysis that leaves out one of the four "
        "parts is not balanced."
    ),
    4: gettext_noop("Name the actor that mainly handles the issue, then the others."),
    5: gettext_noop("Describe each forum in which the issue is discussed or handled."),
    6: gettext_noop(
        "Describe each governance mechanism, which is a set of rules that applies to the issue. You "
        "assess them in section 7."
    ),
    7: gettext_noop(
        "Assess the mechanisms of section 6 by each criterion. Give a verdict, the passage of the "
        "Declaration of Principles that it is based on, and your reasons."
    ),
}
# Kinds of fields that do not follow from the shapes, by path; and kinds by the datatype in the shapes.
FIELD_KINDS = {
    "who": PERSON_FIELD,
    "member": BOOLEAN_FIELD,
    "wgig:judges": CHECKBOX_FIELD,
    "wgig:waives": SELECT_FIELD,
    "rdfs:label": TEXT_FIELD,
    "wgig:illustrative": BOOLEAN_FIELD,
}
DATATYPE_FIELD_KINDS = {"langString": TEXT_FIELD, "boolean": BOOLEAN_FIELD}
# The labels of the buttons that add another value to a field; other fields have none.
ADD_VALUE_LABELS = {
    "dcterms:title": gettext_noop("Add a title in another language"),
    "cito:cites": gettext_noop("Add a passage"),
    "wgig:about": gettext_noop("Add a body or instrument"),
    "wgig:strength": gettext_noop("Add a strength"),
    "wgig:weakness": gettext_noop("Add a weakness"),
    "wgig:opportunity": gettext_noop("Add an opportunity"),
    "wgig:threat": gettext_noop("Add a threat"),
}
DECLARATION_PATH_PREFIX = "declaration/"  # of the passages that the form offers for citation
YES_NO_LABELS = {"yes": gettext_noop("yes"), "no": gettext_noop("no")}


@dataclass(frozen=True)
class FormField:
    """A field for a property or for a question about a person.

    `step` is the property from the paper to the part with the field; empty for a field of the paper. `path`
    is the property, or for a question `who` or `member`.
    """

    step: str
    path: str

    @property
    def key(self) -> str:
        """The name of the field within its row, such as `nature` in the input name `forum-2-nature-1`."""
        return self.path.rpartition(":")[2]

    @cached_property
    def constraint(self) -> PropertyConstraint | None:
        """The rules on the property, or None without rules."""
        return (
            find_property_constraint(
                self.step and expand_curie(self.step).value, expand_curie(self.path).value
            )
            if self.is_property
            else None
        )

    @property
    def is_property(self) -> bool:
        """Whether the field is for a property, not for a question about a person (`who`, `member`)."""
        return ":" in self.path

    @cached_property
    def kind(self) -> str:
        """The control of the field: one of the constants TEXT_FIELD to PERSON_FIELD."""
        if self.path in FIELD_KINDS:
            return FIELD_KINDS[self.path]
        if self.constraint and self.constraint.choice_pattern:
            multiple_kind = (
                DATALIST_FIELD if len(self.choices("en")) > MAX_CHECKBOX_CHOICES else CHECKBOX_FIELD
            )
            return SELECT_FIELD if self.constraint.is_single else multiple_kind
        return (
            DATATYPE_FIELD_KINDS.get(self.constraint.datatype, LINE_FIELD) if self.constraint else LINE_FIELD
        )

    @property
    def explains_values(self) -> bool:
        """Whether the form shows the full name of what a value means."""
        return self.kind == DATALIST_FIELD or self == CRITERION_FIELD

    @property
    def is_repeatable(self) -> bool:
        """Whether the form has a button to add another value."""
        return self.path in ADD_VALUE_LABELS

    @property
    def add_label(self) -> str:
        """The label of the button that adds another value; empty without one."""
        return gettext(ADD_VALUE_LABELS[self.path]) if self.is_repeatable else ""

    @property
    def required(self) -> bool:
        """Whether the template requires the field, or a row is of no use without it."""
        return self.kind == PERSON_FIELD or (self.constraint is not None and self.constraint.required)

    @cached_property
    def choice_folder(self) -> str:
        """The folder below id/ with all choices, such as `category/`; empty if there is none."""
        choices = (
            list_matching_choices(self.constraint.choice_pattern, "", "en")
            if self.constraint and self.constraint.choice_pattern
            else ()
        )
        folders = {choice.value.partition("/")[0] for choice in choices}
        return f"{folders.pop()}/" if len(folders) == 1 else ""

    def choices(self, language: str) -> tuple[FieldChoice, ...]:
        """The choices of the field in the bundled facts, with labels in a language."""
        if self.path == "wgig:waives":
            return list_waivable_rules(language)
        if not (self.constraint and self.constraint.choice_pattern):
            return ()
        matching = list_matching_choices(self.constraint.choice_pattern, self.choice_folder, language)
        if self.path == "cito:cites":
            return tuple(choice for choice in matching if choice.value.startswith(DECLARATION_PATH_PREFIX))
        if self == CRITERION_FIELD:
            return tuple(
                choice._replace(label=criterion_name(choice.value, choice.label)) for choice in matching
            )
        if self.path == "wgig:issue":  # a long list, in which people search by the label
            return tuple(sorted(matching, key=lambda choice: natural_sort_key(choice.label)))
        return matching

    def label(self, language: str) -> str:
        """The label of the field in a language."""
        if self.path in FIELD_LABELS:
            return gettext(FIELD_LABELS[self.path])
        if self == CITED_PASSAGES_FIELD:  # all rules on it are named after conditions
            return gettext(CITED_PASSAGES_LABEL)
        name = self.constraint.naming_rule.name if self.constraint else {"en": self.key}
        text = name.get(language, name["en"])
        return text[:1].upper() + text[1:]

    @property
    def reason(self) -> str:
        """The English sentence in the shapes on why the paper needs the field. Templates translate it.

        Empty for the fields of parts, as these may occur several times: their section has a hint.
        """
        rule = self.constraint.naming_rule if self.constraint and not self.step else None
        return rule.reason if rule and rule.code.endswith("-MISSING") else ""

    @property
    def hint(self) -> str:
        """The sentence on how to fill in the field, or an empty string."""
        return gettext(FIELD_HINTS[self.path]) if self.path in FIELD_HINTS else ""


CITED_PASSAGES_FIELD = FormField("", "cito:cites")
CRITERION_FIELD = FormField("wgig:assessment", "wgig:criterion")


@dataclass(frozen=True)
class FormPart:
    """A part of the paper, such as a forum, or the paper itself: property from the paper, class, fields.

    `title` is the title of a row, `add_label` the label of the button that adds one. If `is_repeatable`,
    there may be several rows. If `is_people`, a row is a person or organization.
    """

    path: str
    class_curie: str
    title: str
    add_label: str
    fields: tuple[FormField, ...]
    is_repeatable: bool = True
    is_people: bool = False

    @property
    def key(self) -> str:
        """The first word of the names of the inputs, such as `forum` in `forum-2-nature-1`."""
        return self.path.rpartition(":")[2]

    @property
    def required(self) -> bool:
        """Whether the template requires a row of this part."""
        return FormField("", self.path).required


def build_part_fields(step: str, *properties: str) -> tuple[FormField, ...]:
    """Fields of the part that is the value of the property `step`."""
    return tuple(FormField(step, path) for path in properties)


def build_form_part(
    property_: str, title: str, add_label: str, *paths: str, is_repeatable: bool = True
) -> FormPart:
    """A part with fields. The class has the name of the property: wgig:Forum for wgig:forum."""
    class_curie = f"wgig:{property_.rpartition(':')[2].capitalize()}"
    fields = build_part_fields(property_, *paths)
    return FormPart(property_, class_curie, title, add_label, fields, is_repeatable)


def build_people_part(
    property_: str, class_curie: str, title: str, add_label: str, *more_paths: str, is_repeatable: bool = True
) -> FormPart:
    """A part for people or organizations, with name and stakeholder groups."""
    # The shapes have rules on these fields only for actors; drafters have those for other actors.
    step = "wgig:mainActor" if property_ == "wgig:mainActor" else "wgig:otherActor"
    fields = build_part_fields(step, "who", "wgig:stakeholderGroup", *more_paths)
    return FormPart(property_, class_curie, title, add_label, fields, is_repeatable, is_people=True)


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
    is_repeatable=False,
)
MAIN_ACTOR_PART = build_people_part(
    "wgig:mainActor",
    "org:Organization",
    gettext_noop("Main actor"),
    gettext_noop("Add main actor"),
    is_repeatable=False,
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
    "wgig:about",
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
PAPER_TITLE_FIELD = FormField("", "dcterms:title")
# The items of section 0 that are on the file rather than its content, which the form shows folded.
FILE_ITEMS: tuple[FormField | FormPart, ...] = (
    *build_part_fields(
        "",
        "schema:inLanguage",
        "wgig:posted",
        "bibo:numPages",
        "schema:creativeWorkStatus",
        "schema:version",
        "dcterms:source",
        "wgig:illustrative",
    ),
    WAIVER_PART,
)
# The fields and parts of each section of the template; section 0 is the paper itself.
FORM_SECTIONS: tuple[Sequence[FormField | FormPart], ...] = (
    (PAPER_TITLE_FIELD, DRAFTER_PART, CITED_PASSAGES_FIELD, *FILE_ITEMS),
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
    is_repeatable=False,
)
# By key, which is empty for the paper itself. In this order, mechanisms are converted before the assessments
# that refer to them.
FORM_PARTS: dict[str, FormPart] = {
    part.key: part
    for part in (
        PAPER_PART,
        *(item for items in FORM_SECTIONS for item in items if isinstance(item, FormPart)),
    )
}


@cache
def find_form_field(part_key: str, key: str) -> FormField | None:
    """The field with a key in a part, or None."""
    fields = (
        (field for field in FORM_PARTS[part_key].fields if field.key == key) if part_key in FORM_PARTS else ()
    )
    return next(iter(fields), None)


@cache
def form_version() -> str:
    """A digest of the fields of the form. A draft in a browser that has another one cannot be restored."""
    names = (f"{part.key} {field.key} {field.kind}" for part in FORM_PARTS.values() for field in part.fields)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
