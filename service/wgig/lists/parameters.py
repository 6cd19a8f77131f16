"""Query parameters of lists: the model of each is made from its definition."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, create_model

from ..http.parameter_models import NotGiven, Text, describe_media_type, describe_names, describe_parameter
from ..http.parameters import MAX_PARAMETER_VALUES
from ..rdf.formats import CSV, HTML, JSON, JSON_LD, TURTLE
from ..rdf.values import MAX_VALUE_CHARACTERS, json_schema_of
from ..resources.parameters import ProfileParameters
from ..sparql.parameters import build_model_name
from .fields import ListDefinition, ListField

LIST_FORMATS = (JSON, JSON_LD, CSV, TURTLE, HTML)
DEFAULT_LIST_PAGE_SIZE, MAX_LIST_PAGE_SIZE = 50, 500  # things on a page, if nothing is said, and at most
MAX_SORT_KEYS = 5  # fields to sort by
FILTER_VALUE_TYPES = {"name": "text", "date": "moment"}  # the types of what is written for those of fields
# Example values by list and parameter, where the example of the type finds nothing in the shipped data.
PARAMETER_EXAMPLES: dict[str, dict[str, object]] = {
    "papers": {
        "q": "spam",
        "round": 1,
        "drafter": "banks",
        "criterion": "coordination-capacity",
        "dcterms:source": "http://www.wgig.org/working-papers.html",
    },
    "issues": {
        "q": "spam",
        "cluster": "cluster-3",
        "skos:broader": "names-and-ip-addresses",
        "inventoryStatus": "yes",
        "measuredAgainst": "coordination-capacity",
        "dcterms:source": "http://wgig.org/docs/inventory-issues.html",
    },
    "categories": {
        "q": "access",
        "skos:inScheme": "clusters-2005",
        "order": 2,
        "skos:broader": "cluster-1",
        "skos:closeMatch": "category:area-c",
        "dcterms:source": "summary:4",
    },
    "principles": {"q": "development", "skos:broader": "involvement", "dcterms:source": "summary:5"},
    "stakeholders": {
        "q": "desai",
        "region": "Asia",
        "developingCountry": True,
        "org:memberOf": "ietf",
        "dcterms:source": "http://circleid.com/members/2726",
    },
    "meetings": {
        "q": "meeting",
        "schema:startDate": "2005-06-14",
        "schema:endDate": "2004-11-25",
        "place": "geneva",
        "dcterms:source": "http://www.wgig.org/meeting-february.html",
    },
    "milestones": {
        "q": "report",
        "order": 1,
        "about": "doc:report",
        "responsible": "wgig",
        "dueFrom": "2005-09-19",
        "due": "2005-07",
        "daysLate": 7,
        "dcterms:source": "summary:6",
    },
    "agreements": {
        "q": "report",
        "order": 1,
        "topic": "development",
        "concerns": "principle:development",
        "outcome": "session:m2-3",
        "dcterms:source": "summary:5",
    },
    "declaration": {
        "q": "48",
        "order": 1,
        "partOf": "declaration:A",
        "dcterms:source": "http://www.itu.int/net/wsis/docs/geneva/official/dop.html",
    },
    "timeline": {
        "q": "report",
        "schema:startDate": "2005-06-14",
        "schema:endDate": "2004-11-25",
        "due": "2005-07",
        "dcterms:source": "http://www.wgig.org/Meeting-June.html",
    },
    "conformance": {
        "q": "spam",
        "partsMet": 2,
        "partsAsked": 28,
        "missing": "form/issue-paper/0",
        "dcterms:source": "doc:form/issue-paper",
    },
}
Q_DESCRIPTION = "Words that stand in what a thing is called, in any case."
NAME_SCHEMA: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_CHARACTERS}
PAGE_SCHEMA = {"type": "integer", "minimum": 1, "default": 1, "examples": [1]}
SIZE_SCHEMA = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_LIST_PAGE_SIZE,
    "default": DEFAULT_LIST_PAGE_SIZE,
    "examples": [10],
}

NameTexts = (
    Annotated[
        list[Annotated[str, WithJsonSchema(NAME_SCHEMA)]],
        Field(min_length=1, max_length=MAX_PARAMETER_VALUES),
    ]
    | NotGiven
)


class ListParameters(ProfileParameters):
    """Query parameters of every list; the model of each list adds its filters."""

    media_type: Text = describe_media_type(LIST_FORMATS)
    q: Text = describe_parameter(Q_DESCRIPTION)
    sort: Text = describe_parameter("Fields to sort by.")
    fields_: Text = describe_parameter("The fields that are given.", alias="fields")
    page: Annotated[Text, WithJsonSchema(PAGE_SCHEMA)] = describe_parameter(
        "The number of a page, from 1 on. CSV is the whole list where neither page nor size is given.",
    )
    size: Annotated[Text, WithJsonSchema(SIZE_SCHEMA)] = describe_parameter("How many things are on a page.")


def filterable_fields(one: ListDefinition) -> dict[str, ListField]:
    """The fields that things can be chosen by: all but free text."""
    return {field.name: field for field in one.fields if field.type not in ("text", "string")}


def build_list_model(one: ListDefinition) -> type[ListParameters]:
    """The model of the query parameters of a list."""
    names = ["id", *one.by_name]
    order = describe_names(
        [*names, *(f"-{name}" for name in names)], maxItems=MAX_SORT_KEYS, examples=[[f"-{names[-1]}"]]
    )
    words = WithJsonSchema(NAME_SCHEMA | list_examples(one, "q"))
    fields: dict[str, Any] = {
        "q": (Annotated[Text, words], describe_parameter(Q_DESCRIPTION)),
        "sort": (
            Annotated[Text, order],
            describe_parameter(
                "Fields to sort by, with commas between and a minus before one that falls; "
                f"without it {','.join(one.sort)}."
            ),
        ),
        "fields_": (
            Annotated[Text, describe_names(names, examples=[names[:2]])],
            describe_parameter(
                "The fields that are given, with commas between; without it all.", alias="fields"
            ),
        ),
    }
    if one.date_fields:
        year = WithJsonSchema(json_schema_of("year"))
        fields["year"] = (Annotated[Text, year], describe_parameter("A year that one of its dates is in."))
    for number, field in enumerate(filterable_fields(one).values()):
        fields[f"filter_{number}"] = describe_filter(field, build_filter_schema(one, field))
    name = f"{build_model_name(one.name)}Parameters"
    model: type[ListParameters] = create_model(name, __base__=ListParameters, **fields)
    return model


def list_examples(one: ListDefinition, name: str) -> dict[str, Any]:
    """The `examples` of a parameter, as part of a JSON schema; empty if that of its type will do."""
    examples = PARAMETER_EXAMPLES.get(one.name, {})
    return {"examples": [examples[name]]} if name in examples else {}


def describe_filter(field: ListField, schema: dict[str, Any]) -> tuple[Any, Any]:
    """The type and the pydantic field of the parameter of a filter, which may be repeated."""
    value = Annotated[str, WithJsonSchema(schema)]
    several: Any = Annotated[list[value], Field(min_length=1, max_length=MAX_PARAMETER_VALUES)]
    return several | NotGiven, describe_parameter(field.description, alias=field.name)


def build_filter_schema(one: ListDefinition, field: ListField) -> dict[str, Any]:
    """The JSON schema of a value of a filter."""
    if field.type == "class":
        names = [name.rpartition(":")[2] for name in one.classes]
        return {"type": "string", "enum": names, "examples": names[:1]}
    return json_schema_of(FILTER_VALUE_TYPES.get(field.type, field.type)) | list_examples(one, field.name)
