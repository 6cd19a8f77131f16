"""The form: the sections of the template in order, the fields in each, and what a field holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from ...http.language import gettext
from ...i18n import marked
from ..markdown.values import iri
from .choices import Asked, Choice, codes, find_constraint, list_choices

MOST = 50  # parts of a kind, and values of one field
FEW = 20  # choices that are shown as boxes to check

# What a field holds, and so how it is shown.
TEXT, LINE, ONE, SOME, LISTED, TRUTH, WHO = "text", "line", "one", "some", "listed", "truth", "who"

# What the shapes do not say, or say of a rule and not of the field: how it is called, how it is filled in.
NAMES = {
    "rdfs:label": marked("Name"),
    "schema:version": marked("Version"),
    "schema:creativeWorkStatus": marked("Status"),
    "wgig:illustrative": marked("Made up"),
    "dcterms:source": marked("Source"),
    "who": marked("Name"),
    "member": marked("Member of the group"),
    "wgig:stakeholderGroup": marked("Stakeholder group"),
    "wgig:judges": marked("Mechanisms that are judged"),
    "wgig:waives": marked("Rule"),
    "wgig:reason": marked("Reason"),
    "wgig:participants": marked("Who participates"),
    "wgig:nature": marked("Nature of the forum"),
    "wgig:makesDecisions": marked("Does it make decisions?"),
    "wgig:objectives": marked("Objectives"),
    "wgig:content": marked("Content: principles, norms, rules"),
    "wgig:additionalComments": marked("Comments"),
}
HINTS = {
    "schema:inLanguage": marked(
        "A tag such as en, fr or zh-Hans: the language of all texts that say no other."
    ),
    "wgig:posted": marked("Year, month and day, such as 2005-01-20."),
    "bibo:numPages": marked("A whole number; the template asks for three to five."),
    "cito:cites": marked("A path such as declaration/48; type a number or a word to find it in the list."),
    "schema:creativeWorkStatus": marked(
        "In your words, such as draft, complete or final. Saving fills it in."
    ),
    "wgig:illustrative": marked("Whether paper and people are an example and no record."),
    "dcterms:source": marked(
        "Where the paper is from: a web address, or a document such as document/declaration."
    ),
    "who": marked("Choose from the list, or write the name of somebody else."),
    "wgig:judges": marked("Those of section 6; a new one is listed here by its name after the next check."),
    "wgig:decisionProcedure": marked("If it makes decisions: how."),
    "wgig:strength": marked("What is good in the present system? One point in each box."),
    "wgig:weakness": marked("What is bad in the present system?"),
    "wgig:opportunity": marked("What from outside could make it better?"),
    "wgig:threat": marked("What from outside could make it worse?"),
}
KINDS = {
    "who": WHO,
    "member": TRUTH,
    "wgig:judges": SOME,
    "wgig:waives": ONE,
    "rdfs:label": TEXT,
    "wgig:illustrative": TRUTH,
}
OF_DATATYPE = {"langString": TEXT, "boolean": TRUTH}
SEVERAL = frozenset(
    ("dcterms:title", "cito:cites", "wgig:strength", "wgig:weakness", "wgig:opportunity", "wgig:threat")
)
PASSAGES = "declaration/"  # those that section 7 measures against
YES_NO = {"yes": marked("yes"), "no": marked("no")}


@dataclass(frozen=True)
class Field:
    """A field of the paper (its `step` is empty), or of the parts that a property leads to."""

    step: str
    path: str

    @property
    def key(self) -> str:
        """What the names of its fields have in common."""
        return self.path.rpartition(":")[2]

    @cached_property
    def asked(self) -> Asked | None:
        """What the shapes ask of it."""
        return (
            find_constraint(self.step and iri(self.step).value, iri(self.path).value)
            if self.is_said
            else None
        )

    @property
    def is_said(self) -> bool:
        """Whether it is a property, and not one of the questions by which people are told."""
        return ":" in self.path

    @cached_property
    def kind(self) -> str:
        """What it holds."""
        if self.path in KINDS:
            return KINDS[self.path]
        if self.asked and self.asked.things:
            many = LISTED if len(self.things("en")) > FEW else SOME
            return ONE if self.asked.once else many
        return OF_DATATYPE.get(self.asked.datatype, LINE) if self.asked else LINE

    @property
    def several(self) -> bool:
        """Whether the form offers another value below the last."""
        return self.path in SEVERAL

    @property
    def required(self) -> bool:
        """Whether the template asks for it."""
        return self.asked is not None and self.asked.required

    @cached_property
    def folder(self) -> str:
        """What the addresses of all things begin with that can be chosen, below id/."""
        found = list_choices(self.asked.things, "", "en") if self.asked and self.asked.things else ()
        return found[0].words.partition("/")[0] + "/" if found else ""

    def things(self, language: str) -> tuple[Choice, ...]:
        """What can be chosen, with labels in a language, but for what only the paper knows."""
        if self.path == "wgig:waives":
            return codes(language)
        if not (self.asked and self.asked.things):
            return ()
        found = list_choices(self.asked.things, self.folder, language)
        listed = [one for one in found if one.words.startswith(PASSAGES)]
        return tuple(listed) if self.path == "cito:cites" else found

    def name(self, language: str) -> str:
        """How it is called."""
        if self.path in NAMES:
            return gettext(NAMES[self.path])
        name = self.asked.naming.name if self.asked else {"en": self.key}
        said = name.get(language, name["en"])
        return said[:1].upper() + said[1:]

    @property
    def reason(self) -> str:
        """Why it is asked for, as the shapes say it: in English, which pages translate."""
        return self.asked.naming.reason if self.asked and self.path not in NAMES else ""

    @property
    def hint(self) -> str:
        """How it is filled in."""
        return gettext(HINTS[self.path]) if self.path in HINTS else ""


@dataclass(frozen=True)
class Part:
    """A kind of parts of the paper, or the paper itself: the property that leads there, class, fields.

    `title` is what one of them is called, `adding` what is said on the button that adds one; `several`: the
    form offers another one.
    """

    path: str
    kind: str
    title: str
    adding: str
    fields: tuple[Field, ...]
    several: bool = True
    people: bool = False

    @property
    def key(self) -> str:
        """What the names of its fields begin with."""
        return self.path.rpartition(":")[2]


def fields(step: str, *properties: str) -> tuple[Field, ...]:
    """Fields of the parts that a property leads to."""
    return tuple(Field(step, one) for one in properties)


def part(property_: str, title: str, adding: str, *properties: str, several: bool = True) -> Part:
    """A kind of parts with these fields, whose class has the name of the property."""
    kind = f"wgig:{property_.rpartition(':')[2].capitalize()}"
    return Part(property_, kind, title, adding, fields(property_, *properties), several)


def people(property_: str, kind: str, title: str, adding: str, *more: str, several: bool = True) -> Part:
    """A kind of people or bodies with a name and groups, which the shapes know of actors."""
    step = "wgig:mainActor" if property_ == "wgig:mainActor" else "wgig:otherActor"
    found = fields(step, "who", "wgig:stakeholderGroup", *more)
    return Part(property_, kind, title, adding, found, several, people=True)


DRAFTER = people("wgig:drafter", "foaf:Person", marked("Drafter"), marked("Add drafter"), "member")
WAIVER = part("wgig:waiver", marked("Waiver"), marked("Add waiver"), "wgig:waives", "wgig:reason")
SWOT = part(
    "wgig:swot",
    marked("SWOT analysis"),
    marked("Add SWOT analysis"),
    "wgig:strength",
    "wgig:weakness",
    "wgig:opportunity",
    "wgig:threat",
    several=False,
)
MAIN = people(
    "wgig:mainActor", "org:Organization", marked("Main actor"), marked("Add main actor"), several=False
)
OTHER = people("wgig:otherActor", "org:Organization", marked("Other actor"), marked("Add other actor"))
FORUM = part(
    "wgig:forum",
    marked("Forum"),
    marked("Add forum"),
    "rdfs:label",
    "wgig:participants",
    "wgig:nature",
    "wgig:makesDecisions",
    "wgig:decisionProcedure",
)
MECHANISM = part(
    "wgig:mechanism",
    marked("Mechanism"),
    marked("Add mechanism"),
    "rdfs:label",
    "wgig:objectives",
    "wgig:content",
)
ASSESSMENT = part(
    "wgig:assessment",
    marked("Assessment"),
    marked("Add assessment"),
    "wgig:criterion",
    "wgig:verdict",
    "wgig:judges",
    "cito:cites",
    "wgig:rationale",
)
FIRST = fields("", "dcterms:title", "schema:inLanguage")
MORE = fields(
    "",
    "wgig:posted",
    "bibo:numPages",
    "cito:cites",
    "schema:creativeWorkStatus",
    "schema:version",
    "dcterms:source",
    "wgig:illustrative",
)
SECTIONS: tuple[Sequence[Field | Part], ...] = (
    (*FIRST, DRAFTER, *MORE, WAIVER),
    fields("", "wgig:issue", "wgig:issueDescription"),
    fields("", "wgig:category"),
    (SWOT,),
    (MAIN, OTHER),
    (FORUM,),
    (MECHANISM,),
    (ASSESSMENT,),
    fields("", "wgig:additionalComments"),
)
PAPER = Part(
    "",
    "wgig:IssuePaper",
    "Paper",
    "",
    tuple(one for items in SECTIONS for one in items if isinstance(one, Field)),
    several=False,
)
# Mechanisms stand before what judges them.
PARTS: dict[str, Part] = {
    one.key: one for one in (PAPER, *(one for items in SECTIONS for one in items if isinstance(one, Part)))
}


@cache
def field_of(part_key: str, key: str) -> Field | None:
    """The field of a kind of parts with this key, or none."""
    found = (one for one in PARTS[part_key].fields if one.key == key) if part_key in PARTS else ()
    return next(iter(found), None)
