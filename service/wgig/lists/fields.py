"""`ListDefinition`, a list of the resources of some classes, and `ListField`, a field of these resources.

`definitions.LIST_DEFINITIONS` holds the definitions. The query, JSON and its schema, CSV, RDF, page and
OpenAPI of a list are made from its definition. `ListField.type` decides how values are written, filtered and
sorted (`rdf.values`).
"""

from dataclasses import dataclass
from functools import cached_property

from ..i18n import gettext_noop

COUNT_TYPE = "count"  # of fields whose values are counted
NAME_PATH = "rdfs:label|skos:prefLabel|foaf:name"  # the properties that hold the name of a resource
# What pages say for no value of a field, by its name. Of other fields, the value is not known. Other counts
# are 0, as they count all that there is.
NOT_KNOWN_TEXT, NONE_KNOWN_TEXT, NONE_TEXT = (
    gettext_noop("not known"),
    gettext_noop("none known"),
    gettext_noop("none"),
)
MISSING_VALUE_TEXTS = {
    "bearsOn": NONE_TEXT,
    "category": NONE_KNOWN_TEXT,
    "cito:cites": NONE_KNOWN_TEXT,
    "cluster": NONE_KNOWN_TEXT,
    "concerns": NONE_KNOWN_TEXT,
    "dcterms:isReferencedBy": NONE_KNOWN_TEXT,
    "dispute": NONE_TEXT,
    "governs": NONE_KNOWN_TEXT,
    "issue": NONE_KNOWN_TEXT,
    "judges": NONE_TEXT,
    "measured": NONE_KNOWN_TEXT,
    "measuredAgainst": NONE_KNOWN_TEXT,
    "namesPrinciple": NONE_TEXT,
    "org:memberOf": NONE_KNOWN_TEXT,
    "org:role": NONE_KNOWN_TEXT,
    "outcome": NONE_KNOWN_TEXT,
    "papers": NONE_KNOWN_TEXT,
    "skos:broader": NONE_TEXT,
    "skos:relatedMatch": NONE_TEXT,
}
ILLUSTRATIVE_PATTERN = "?id wgig:illustrative true"  # of what was made up as an example
DESCRIPTION_FIELDS = ("skos:definition", "dcterms:description", "mechanismRole")


@dataclass(frozen=True)
class ListField:
    """A field of the resources of a list.

    `name` is the CURIE of its property without `wgig:`, as in the JSON-LD context. If the values are not
    those of one property of the resource, they are found by `path` (a SPARQL property path) or `pattern` (a
    SPARQL pattern with `?id` and `?value`), and the name need not be a property. Other variables of a pattern
    begin with `?value_`, so that `value_pattern` renames them, too. With a `language`, the values are the
    texts at the end of the path in that language, without it.

    `type` is `text` (with languages), `name` (one of few values, such as a region), `string` (any text
    without a language), `integer`, `boolean`, `date` (a day, month or year), `class`, or the type of a
    resource (`rdf.values.RESOURCE_KINDS`). A field has one value unless `many` is set.

    A field of the type `count` has the number of resources that link to the resource, or of its papers. Its
    values are counted by projections (`count_fields`), so it has no property, and a resource without any
    has 0.
    """

    name: str
    type: str
    description: str
    many: bool = False
    path: str = ""
    pattern: str = ""
    language: str = ""

    @property
    def missing_text(self) -> str:
        """What pages say for no value, in English."""
        return MISSING_VALUE_TEXTS.get(self.name, "0" if self.type == COUNT_TYPE else NOT_KNOWN_TEXT)

    @property
    def property_path(self) -> str:
        """The SPARQL property path from the resource to the values; empty for a count, or with a pattern."""
        return self.path or self.property

    @property
    def property(self) -> str:
        """The prefixed name of the property; empty for a count, or a field with a path or pattern."""
        if self.path or self.pattern or self.type == COUNT_TYPE:
            return ""
        return self.name if ":" in self.name else f"wgig:{self.name}"

    def value_pattern(self, variable: str) -> str:
        """The SPARQL pattern that binds `variable` to the values of the field of `?id`."""
        if self.language:
            return (
                f"?id {self.property_path} {variable}_text . FILTER (LANG({variable}_text) = "
                f"'{self.language}') BIND (STR({variable}_text) AS {variable})"
            )
        pattern = self.pattern or f"?id {self.property_path} ?value ."
        return pattern.replace("?value", variable)


@dataclass(frozen=True)
class ListDefinition:
    """A list of the resources of some classes.

    Its resources match the SPARQL pattern `required_pattern`, have a value of the field `required_field`, and
    do not match `excluded_pattern`. `sort` has the names of the fields by which it is sorted by default,
    `date_fields` of those that the query parameter `year` filters.

    With `is_indexed`, all values of its fields are kept in memory (`list_index`), as the list grows with the
    papers. Then its fields have paths, and it has no other patterns than ILLUSTRATIVE_PATTERN.
    """

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    fields: tuple[ListField, ...]
    sort: tuple[str, ...] = ("label",)
    required_pattern: str = ""
    required_field: str = ""
    excluded_pattern: str = ""
    date_fields: tuple[str, ...] = ()
    is_indexed: bool = False

    @cached_property
    def by_name(self) -> dict[str, ListField]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}

    @property
    def class_names(self) -> tuple[str, ...]:
        """The prefixed names of its classes."""
        return tuple(name if ":" in name else f"wgig:{name}" for name in self.classes)

    @property
    def member_pattern(self) -> str:
        """The SPARQL pattern that its resources match besides their class; empty if there is none."""
        field = self.by_name.get(self.required_field)
        return field.value_pattern("?required") if field else self.required_pattern

    @cached_property
    def description_properties(self) -> tuple[str, ...]:
        """The properties that hold descriptions of its resources."""
        return tuple(self.by_name[name].property for name in DESCRIPTION_FIELDS if name in self.by_name)


TYPE_FIELD = ListField("type", "class", gettext_noop("Its classes."), many=True, path="a")
LABEL_FIELD = ListField("label", "text", gettext_noop("Its name, by language."), path=NAME_PATH)
