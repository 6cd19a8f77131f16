"""What properties of other vocabularies are called on pages, as those come without labels."""

import pyoxigraph as ox

from ..catalogues import marked
from ..namespaces import OUTSIDE
from ..speaking import ENGLISH, gettext, language
from . import words

# The ends of the IRIs of those that are said of things here, in words.
NAMES = frozenset(
    (
        marked("alt label"), marked("alternative"), marked("asserted by"), marked("broad match"),
        marked("broader"), marked("broader transitive"), marked("cites"), marked("close match"),
        marked("conforms to"), marked("creator"), marked("date"), marked("definition"),
        marked("description"), marked("end date"), marked("end time"), marked("exact match"),
        marked("focus node"), marked("has artifact"), marked("has cited entity"),
        marked("has citing entity"), marked("has part"), marked("has resource"), marked("has role"),
        marked("has token"), marked("in language"), marked("in scheme"), marked("is part of"),
        marked("is profile of"), marked("issued"), marked("job title"), marked("label"), marked("location"),
        marked("member"), marked("member of"), marked("mode"), marked("name"), marked("notation"),
        marked("note"), marked("number"), marked("organization"), marked("outcome"), marked("page"),
        marked("page start"), marked("position"), marked("pref label"), marked("references"),
        marked("related match"), marked("relation"), marked("result"), marked("result message"),
        marked("result severity"), marked("role"), marked("same as"), marked("see also"), marked("source"),
        marked("source constraint component"), marked("source shape"), marked("spatial"),
        marked("start date"), marked("start time"), marked("test"), marked("title"),
        marked("top concept of"), marked("type"), marked("value"), marked("version"),
        marked("was attributed to"), marked("was revision of"),
    )
)  # fmt: skip
# Those of which the end would say too little, or what another one means.
OTHERWISE = {
    f"{OUTSIDE['dcterms']}subject": marked("subject matter"),
    f"{OUTSIDE['earl']}subject": marked("what was tested"),
    f"{OUTSIDE['foaf']}title": marked("form of address"),
}


def name_of(iri: str) -> ox.Literal:
    """What a property without a label is called: in the language of now where its name is a known one."""
    name = OTHERWISE.get(iri) or words(iri)
    if iri in OTHERWISE or name in NAMES:
        return ox.Literal(gettext(name), language=language())
    return ox.Literal(name, language=ENGLISH)
