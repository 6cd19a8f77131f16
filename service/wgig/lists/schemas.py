"""Pydantic models of the JSON of lists, the coverage matrix, seats, example queries and tables."""

from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from ..http.schemas import Absent, Count, ExtensibleResponseModel, ResponseModel, TextsByLanguage
from ..rdf.formats import FORMATS_BY_FORM
from ..rdf.values import is_resource_type
from ..resources.schemas import Thing
from ..sparql.parameters import build_model_name
from .fields import ListDefinition, ListField
from .parameters import MAX_LIST_PAGE_SIZE

JSON_VALUE_TYPES: dict[str, type] = {"integer": int, "boolean": bool}  # values of other types are strings


class ListPageLinks(ResponseModel):
    """The URLs of pages by link relation."""

    self_: str = Field(alias="self")
    first: str
    prev: str | Absent = None
    next: str | Absent = None
    last: str


class ListPageDocument(ResponseModel):
    """A page of a list."""

    total: Count = Field(description="The number of matching resources.")
    page: int = Field(ge=1)
    pages: int = Field(ge=1)
    size: int = Field(ge=1, le=MAX_LIST_PAGE_SIZE)
    links: ListPageLinks


def build_list_page_model(definition: ListDefinition) -> type[ListPageDocument]:
    """The model of a page of a list. An item omits the members of fields without values."""
    name = build_model_name(definition.name)
    members: dict[str, Any] = {
        f"field_{number}": (
            field_type(field) | Absent,
            Field(None, alias=field.name, description=field.description),
        )
        for number, field in enumerate(definition.fields)
    }
    item: Any = create_model(
        f"{name}Item", __base__=ResponseModel, __doc__=definition.description, id=(str, ...), **members
    )
    items = Annotated[list[item], Field(max_length=MAX_LIST_PAGE_SIZE)]
    page: type[ListPageDocument] = create_model(
        f"{name}Page",
        __base__=ListPageDocument,
        __doc__=f"A page of the list {definition.name}.",
        items=(items, ...),
    )
    return page


def field_type(field: ListField) -> Any:
    """The type of the value of a field; a single-valued field has several values if sources differ."""
    if field.type == "text":
        return TextsByLanguage
    single: Any = Thing if is_resource_type(field.type) else JSON_VALUE_TYPES.get(field.type, str)
    if field.many:
        return Annotated[list[single], Field(min_length=1)]
    return single | Annotated[list[single], Field(min_length=2)]


class NamedThing(Thing):
    """A resource that always has labels."""

    label: TextsByLanguage


class MatrixRow(NamedThing):
    """A row of the matrix, with the number of its papers."""

    papers: Count = Field(description="All papers of the row.")


class MatrixCell(ResponseModel):
    """A cell of the matrix: the number of papers, in total and by verdict."""

    criterion: str
    papers: Count
    verdicts: dict[str, Annotated[int, Field(ge=1)]]


class IssueCell(MatrixCell):
    """A cell of the matrix by issue."""

    issue: str


class CategoryCell(MatrixCell):
    """A cell of the matrix by category."""

    category: str


class StakeholderGroupCell(MatrixCell):
    """A cell of the matrix by stakeholder group."""

    stakeholder_group: str = Field(alias="stakeholderGroup")


class MatrixColumns(ResponseModel):
    """The columns of the matrix, and the verdicts in its cells."""

    criteria: list[NamedThing]
    verdicts: list[NamedThing]


class IssueMatrix(MatrixColumns):
    """The matrix by issue."""

    issues: list[MatrixRow]
    cells: list[IssueCell]


class CategoryMatrix(MatrixColumns):
    """The matrix by category."""

    categories: list[MatrixRow]
    cells: list[CategoryCell]


class StakeholderGroupMatrix(MatrixColumns):
    """The matrix by stakeholder group."""

    stakeholder_groups: list[MatrixRow] = Field(alias="stakeholderGroups")
    cells: list[StakeholderGroupCell]


CoverageMatrixDocument = IssueMatrix | CategoryMatrix | StakeholderGroupMatrix


class SeatedPerson(ExtensibleResponseModel):
    """A person with a seat."""

    id: str
    label: str


class SeatCount(ResponseModel):
    """Seats with a common value, and the people in them."""

    id: str | None
    label: str | None = Field(description="The common value of the seats.")
    state: Literal["known", "unknown", "unseen"] = Field(
        description="Whether the value is known. Of unseen seats, only the number is known."
    )
    seats: Count
    people: list[SeatedPerson]


class SeatTotals(ResponseModel):
    """The number of known seats, the number that a source claims, and the total."""

    known: Count
    claimed: int | None
    total: Count


class PeopleDocument(ResponseModel):
    """The distribution of the seats of the group."""

    seats: SeatTotals
    stakeholder_group: list[SeatCount] = Field(alias="stakeholderGroup")
    region: list[SeatCount]
    developing_country: list[SeatCount] = Field(alias="developingCountry")


class ExampleParameterEntry(ResponseModel):
    """A parameter of an example query."""

    name: str
    type: str
    default: str | None
    says: str


class ExampleQueryEntry(ResponseModel):
    """An example query with its question and path."""

    name: str
    title: str
    question: str
    path: str
    form: Annotated[str, Field(json_schema_extra={"enum": [*FORMATS_BY_FORM]})]
    parameters: list[ExampleParameterEntry]


class ExampleQueryList(ResponseModel):
    """All example queries, by name."""

    queries: list[ExampleQueryEntry]


class TableSchema(ExtensibleResponseModel):
    """The columns of a table (Metadata Vocabulary for Tabular Data, section 5.5)."""

    columns: list[dict[str, Any]]


class TableDescription(ExtensibleResponseModel):
    """A table (Metadata Vocabulary for Tabular Data, section 5.4)."""

    url: str
    table_schema: TableSchema = Field(alias="tableSchema")


class TableGroup(ExtensibleResponseModel):
    """Several tables (Metadata Vocabulary for Tabular Data, section 5.3)."""

    context: Any = Field(alias="@context")
    tables: list[TableDescription]


class TableMetadata(TableDescription):
    """The metadata of one table."""

    context: Any = Field(alias="@context")


TableMetadataDocument = TableGroup | TableMetadata
