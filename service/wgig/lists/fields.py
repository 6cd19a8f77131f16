"""Definitions of lists: `ListDefinition`, the things of some classes, and `ListField`, one of their values.

`definitions.LIST_DEFINITIONS` holds the lists. The query, JSON and its schema, CSV, RDF, page and OpenAPI of
each are made from its `ListDefinition`. `ListField.type` decides how a value is written, filtered and sorted
(`rdf.values`).
"""

from dataclasses import dataclass
from functools import cached_property

from ..i18n import gettext_noop

NAME_PATH = "rdfs:label|skos:prefLabel|foaf:name"  # the properties that hold the name of a thing


@dataclass(frozen=True)
class ListField:
    """What a list says of a thing, under the name that the JSON-LD context has for the property.

    `type` is `text` (in languages), `name` (one of few texts), `string`, `integer`, `boolean`, `date` (or
    only its year or month), `class`, or that of a thing (`rdf.values.RESOURCE_KINDS`). A field has one
    value unless it has `many`. One that is no property of the thing itself has a `path` or `pattern` that
    leads to its values.
    """

    name: str
    type: str
    description: str
    many: bool = False
    path: str = ""
    pattern: str = ""

    @property
    def property(self) -> str:
        """The property of the thing that it shows, with prefix; empty where it is computed."""
        if self.path or self.pattern:
            return ""
        return self.name if ":" in self.name else f"wgig:{self.name}"

    def value_pattern(self, variable: str) -> str:
        """The pattern that binds a variable to the values of `?id`, in SPARQL with our prefixes."""
        pattern = self.pattern or f"?id {self.path or self.property} ?value ."
        return pattern.replace("?value", variable)


@dataclass(frozen=True)
class ListDefinition:
    """A list of the things of some classes.

    `required_pattern` is a pattern that they fit beside, `excluded_pattern` one that they do not fit, `sort`
    the fields that they are sorted by where nobody asks for another order, and `date_fields` the fields with
    the dates that `year` looks at.
    """

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    fields: tuple[ListField, ...]
    sort: tuple[str, ...] = ("label",)
    required_pattern: str = ""
    excluded_pattern: str = ""
    date_fields: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, ListField]:
        """The fields by their names."""
        return {one.name: one for one in self.fields}


TYPE_FIELD = ListField("type", "class", gettext_noop("The classes that it is of."), many=True, path="a")
LABEL_FIELD = ListField("label", "text", gettext_noop("What it is called, by language."), path=NAME_PATH)
