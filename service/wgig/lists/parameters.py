"""Query parameters of lists. The model of the parameters is made from the definition of the list."""

import re
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema, create_model

from ..http.parameter_models import NotGiven, Text, describe_media_type, describe_names, describe_parameter
from ..http.parameters import MAX_PARAMETER_VALUES
from ..rdf.formats import CSV, HTML, JSON, JSON_LD, TURTLE
from ..rdf.values import MAX_VALUE_CHARACTERS, PARTIAL_DATE_REGEX, json_schema_of
from ..resources.parameters import ProfileParameters
from ..sparql.parameters import build_model_name
from .fields import LABEL_FIELD, ListDefinition, ListField
from .filters import FILTER_VALUE_TYPES, NO_VALUE_TEXT, RANGE_SEPARATOR, RANGE_TYPES

LIST_FORMATS = (JSON, JSON_LD, CSV, TURTLE, HTML)
DEFAULT_LIST_PAGE_SIZE, MAX_LIST_PAGE_SIZE = 50, 500  # items on a page
MAX_SORT_KEYS = 5  # fields to sort by
BACKGROUND_REPORT_FILE = (
    "https://github.com/dotnet/Open-XML-SDK/blob/cd2b359ef824737edb93f1c6157c19551aae1e52/test/"
    "DocumentFormat.OpenXml.Tests.Assets/assets/TestDataStorage/v2FxTestFiles/wordprocessing/"
    "footer%20%26%20header/BackgroundReport%20-%20THE%20WORKING%20GROUP%20ON%20INTERNET%20GOVERNANCE.docx"
)
# Example values by list and parameter, if the example of the type matches nothing in the bundled data.
PARAMETER_EXAMPLES: dict[str, dict[str, object]] = {
    "papers": {
        "q": "spam",
        "round": 1,
        "drafter": "banks",
        "criterion": "coordination-capacity",
        "dcterms:source": "http://www.wgig.org/working-papers.html",
        "dcterms:title": "domain",
        "evidence": "not seen",
        "partsMet": NO_VALUE_TEXT,
        "mainActor": NO_VALUE_TEXT,
        "verdict": NO_VALUE_TEXT,
        "cito:cites": NO_VALUE_TEXT,
        "schema:creativeWorkStatus": NO_VALUE_TEXT,
    },
    "issues": {
        "q": "spam",
        "cluster": "cluster-3",
        "skos:broader": "names-and-ip-addresses",
        "inventoryStatus": "yes",
        "measuredAgainst": "coordination-capacity",
        "dcterms:source": "http://wgig.org/docs/inventory-issues.html",
        "skos:definition": "domain",
        "priorityHint": "named among the highest priorities in the members' poll, Dec 2004",
        "skos:note": "press release",
        "papers": 0,
        "judgments": "1..",
    },
    "categories": {
        "q": "access",
        "skos:inScheme": "clusters-2005",
        "order": 2,
        "skos:broader": "cluster-1",
        "skos:closeMatch": "category:area-c",
        "dcterms:source": "summary:4",
        "skos:definition": "Internet",
        "skos:notation": "1a",
        "issues": "5..",
        "papers": "1..",
    },
    "principles": {
        "q": "development",
        "skos:broader": "involvement",
        "skos:exactMatch": NO_VALUE_TEXT,
        "dcterms:source": "summary:5",
        "skos:altLabel": "democratic",
        "skos:definition": "report",
        "texts": "10..",
        "measured": 0,
        "judgments": "1..",
    },
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
        "venue": "Medina Conference Center",
        "skos:note": "Geneva",
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
        "deliveryBasis": "UN media advisory",
        "skos:note": "members",
    },
    "agreements": {
        "q": "report",
        "order": 1,
        "topic": "development",
        "concerns": "principle:development",
        "outcome": "session:m2-3",
        "dcterms:source": "summary:5",
        "outcomeBasis": "members chose issues to write on",
        "dcterms:description": "report",
    },
    "declaration": {
        "q": "48",
        "order": 1,
        "partOf": "declaration:A",
        "dcterms:source": "http://www.itu.int/net/wsis/docs/geneva/official/dop.html",
        "number": "48",
        "dcterms:title": "Society",
        "dcterms:description": "Internet",
        "evidence": "full text",
        "citing": "1..",
    },
    "background-report": {
        "q": "75",
        "order": 1,
        "partOf": "bg:I",
        "bearsOn": "issue:spam",
        "dcterms:source": BACKGROUND_REPORT_FILE,
        "number": "101",
        "dcterms:title": "governance",
        "dcterms:description": "spam",
        "skos:note": "Declaration",
        "judgments": "1..",
        "recommendations": "2..5",
    },
    "judgments": {
        "q": "ICANN",
        "cluster": "cluster-2",
        "judges": "agent:icann",
        "position": 110,
        "secondReading": "agree",
        "dcterms:source": "bg:101",
        "dcterms:identifier": "bga-001",
        "dcterms:description": "network",
        "quotation": "democratic",
        "judgedAsNamed": "institutions",
    },
    "disputes": {
        "q": "ICANN",
        "issue": "internet-names",
        "paragraph": "box2",
        "dcterms:source": "bg:box2",
        "skos:note": "one side",
        "judgments": "3..",
    },
    "mechanisms": {
        "q": "registry",
        "dcterms:source": "http://www.wgig.org/Meeting-June.html",
        "skos:altLabel": "ASO",
        "dcterms:identifier": "bgm-aso",
        "mechanismRole": "registry",
        "skos:note": "Wikidata",
        "judgments": "1..",
    },
    "recommendations": {
        "q": "forum",
        "paragraph": "19",
        "position": 21,
        "dcterms:source": "bg:19",
        "dcterms:identifier": "bgr-001",
        "dcterms:description": "institutions",
        "number": "2",
    },
    "definitions": {
        "q": "Box 1",
        "number": 1,
        "dcterms:creator": "drake",
        "dcterms:date": "2004-11",
        "namesActors": True,
        "byMember": True,
        "definedTerm": "concept:internet-governance",
        "dcterms:source": "https://mail.lacnic.net/pipermail/politicas/2005-July/000452.html",
        "dcterms:description": "development",
        "occasion": "Tunis",
        "namesScope": "evolution",
        "skos:note": "wording",
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
        "partsMet": NO_VALUE_TEXT,
        "partsAsked": 28,
        "missing": NO_VALUE_TEXT,
        "dcterms:source": "doc:form/issue-paper",
    },
}
INTEGER_VALUE_REGEX = "[+-]?[0-9]{1,18}"
Q_DESCRIPTION = "Text that the name or the description contains. Upper and lower case count as the same."
NAME_SCHEMA: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_CHARACTERS}
PAGE_SCHEMA = {"type": "integer", "minimum": 1, "default": 1, "examples": [1]}
SIZE_SCHEMA = {
    "type": "integer",
    "minimum": 1,
    "maximum": MAX_LIST_PAGE_SIZE,
    "default": DEFAULT_LIST_PAGE_SIZE,
    "examples": [10],
}

# The values of a parameter that may be repeated, each the name of a resource.
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
    fields_: Text = describe_parameter("The fields to return.", alias="fields")
    page: Annotated[Text, WithJsonSchema(PAGE_SCHEMA)] = describe_parameter(
        "The number of the page, from 1. CSV is the whole list if neither page nor size is given.",
    )
    size: Annotated[Text, WithJsonSchema(SIZE_SCHEMA)] = describe_parameter("The number of items on a page.")


def filterable_fields(definition: ListDefinition) -> dict[str, ListField]:
    """The fields that a list can be filtered by: all but the name, for which there is `q`."""
    return {field.name: field for field in definition.fields if field != LABEL_FIELD}


def build_list_model(definition: ListDefinition) -> type[ListParameters]:
    """The model of the query parameters of a list."""
    names = ["id", *definition.by_name]
    sort_schema = describe_names(
        [*names, *(f"-{name}" for name in names)], maxItems=MAX_SORT_KEYS, examples=[[f"-{names[-1]}"]]
    )
    q_schema = WithJsonSchema(NAME_SCHEMA | parameter_examples(definition, "q"))
    fields: dict[str, Any] = {
        "q": (Annotated[Text, q_schema], describe_parameter(Q_DESCRIPTION)),
        "sort": (
            Annotated[Text, sort_schema],
            describe_parameter(
                "Comma-separated fields to sort by; a minus before a field sorts it in descending order. "
                f"Default: {','.join(definition.sort)}."
            ),
        ),
        "fields_": (
            Annotated[Text, describe_names(names, examples=[names[:2]])],
            describe_parameter("Comma-separated fields to return. Default: all.", alias="fields"),
        ),
    }
    if definition.date_fields:
        year_schema = WithJsonSchema(json_schema_of("year"))
        fields["year"] = (Annotated[Text, year_schema], describe_parameter("The year of one of its dates."))
    # The members are numbered, as field names such as skos:broader are not Python identifiers.
    for number, field in enumerate(filterable_fields(definition).values()):
        fields[f"filter_{number}"] = describe_filter(field, build_filter_schema(definition, field))
    name = f"{build_model_name(definition.name)}Parameters"
    model: type[ListParameters] = create_model(name, __base__=ListParameters, **fields)
    return model


def parameter_examples(definition: ListDefinition, name: str) -> dict[str, Any]:
    """The keyword `examples` for the JSON schema of a parameter; empty if PARAMETER_EXAMPLES has none."""
    examples = PARAMETER_EXAMPLES.get(definition.name, {})
    return {"examples": [examples[name]]} if name in examples else {}


def describe_filter(field: ListField, schema: dict[str, Any]) -> tuple[Any, Any]:
    """The type and the pydantic field of a filter parameter, which may be repeated."""
    value = Annotated[str, WithJsonSchema(schema)]
    values: Any = Annotated[list[value], Field(min_length=1, max_length=MAX_PARAMETER_VALUES)]
    return values | NotGiven, describe_parameter(field.description, alias=field.name)


def build_filter_schema(definition: ListDefinition, field: ListField) -> dict[str, Any]:
    """The JSON schema of a value of a filter."""
    if field.type == "class":
        names = [name.rpartition(":")[2] for name in definition.classes]
        return {"type": "string", "enum": names, "examples": names[:1]}
    schema = json_schema_of(FILTER_VALUE_TYPES.get(field.type, field.type))
    examples = {"examples": schema["examples"]} if "examples" in schema else {}
    alternatives: list[dict[str, Any]] = [schema]
    if field.type in RANGE_TYPES:
        end = PARTIAL_DATE_REGEX if field.type == "date" else INTEGER_VALUE_REGEX
        separator = re.escape(RANGE_SEPARATOR)
        pattern = f"^(({end})?{separator}({end})|({end}){separator})$"
        alternatives.append({"type": "string", "pattern": pattern})
    alternatives.append({"const": NO_VALUE_TEXT})
    return {"anyOf": alternatives} | examples | parameter_examples(definition, field.name)
