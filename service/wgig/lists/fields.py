"""Definitions of lists: `ListDefinition`, the resources of some classes, and `ListField`, a value of them.

`definitions.LIST_DEFINITIONS` holds the lists. The query, JSON and its schema, CSV, RDF, page and OpenAPI of
each are made from its `ListDefinition`. `ListField.type` decides how a value is written, filtered and sorted
(`rdf.values`).
"""

from dataclasses import dataclass
from functools import cached_property

from ..i18n import gettext_noop

NAME_PATH = "rdfs:label|skos:prefLabel|foaf:name"  # the properties that hold the name of a resource


@dataclass(frozen=True)
class ListField:
    """A field of the resources of a list, named after its property in the JSON-LD context.

    `type` is `text` (with languages), `name` (one of few texts), `string`, `integer`, `boolean`, `date` (or
    only a year or month), `class`, or the type of a resource (`rdf.values.RESOURCE_KINDS`). A field has one
    value unless `many` is set. A field that is no property of the resource itself has a `path` (SPARQL
    property path) or `pattern` (SPARQL, from `?id` to `?value`) that leads to its values.
    """

    name: str
    type: str
    description: str
    many: bool = False
    path: str = ""
    pattern: str = ""

    @property
    def property(self) -> str:
        """The prefixed name of the property; empty where the field is computed."""
        if self.path or self.pattern:
            return ""
        return self.name if ":" in self.name else f"wgig:{self.name}"

    def value_pattern(self, variable: str) -> str:
        """The SPARQL pattern that binds a variable to the values of `?id`."""
        pattern = self.pattern or f"?id {self.path or self.property} ?value ."
        return pattern.replace("?value", variable)


@dataclass(frozen=True)
class ListDefinition:
    """A list of the resources of some classes.

    Its resources match the SPARQL pattern `required_pattern` and do not match `excluded_pattern`. `sort` is
    the default order, as field names; `date_fields` are the fields that the parameter `year` filters.
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
        return {field.name: field for field in self.fields}


TYPE_FIELD = ListField("type", "class", gettext_noop("Its classes."), many=True, path="a")
LABEL_FIELD = ListField("label", "text", gettext_noop("Its name, by language."), path=NAME_PATH)
