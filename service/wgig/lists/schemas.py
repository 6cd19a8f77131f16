"""Pydantic models of the JSON of lists, the coverage matrix, seats, example queries and tables."""

from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from ..http.schemas import Absent, Count, ExtensibleResponseModel, ResponseModel, TextsByLanguage
from ..rdf.formats import FORMATS_BY_FORM
from ..rdf.values import is_resource_type
from ..resources.schemas import Thing
from ..sparql.parameters import build_model_name
from .fields import COUNT_TYPE, ListDefinition, ListField
from .parameters import MAX_LIST_PAGE_SIZE

JSON_VALUE_TYPES: dict[str, type] = {
    "integer": int,
    COUNT_TYPE: int,
    "boolean": bool,
}  # values of other types are strings


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


class IssueRow(NamedThing):
    """An issue, with the number of its papers if the layer of the papers is requested."""

    papers: Count | None = Field(default=None, description="All papers of the issue.")


class MatrixCell(ResponseModel):
    """A cell of the matrix: the number of papers, in total and by verdict."""

    criterion: str
    papers: Count
    verdicts: dict[str, Annotated[int, Field(ge=1)]]


class JudgedCellEntry(ResponseModel):
    """The judgments of the Background Report in a cell."""

    state: str = Field(
        description="The name of the verdict if all judgments agree, `mixed` if they differ, `disputed` if "
        "one is a side of a dispute, `named` if the criterion is named without a verdict."
    )
    verdicts: dict[str, Annotated[int, Field(ge=1)]]
    view_holders: dict[str, Annotated[int, Field(ge=1)]] = Field(
        alias="viewHolders", description="The judgments by view holder."
    )
    disputed: Count = Field(description="The judgments that are sides of a dispute.")
    cluster_only: bool = Field(
        alias="clusterOnly", description="Whether all judgments are on a whole cluster of issues."
    )


class IssueCell(ResponseModel):
    """A cell of the matrix by issue, with the members of the requested layers."""

    issue: str
    criterion: str
    papers: Count | None = None
    verdicts: dict[str, Annotated[int, Field(ge=1)]] | None = None
    judgments: Count | None = Field(
        default=None, description="The judgments of the Background Report; omitted without this layer."
    )
    judged: JudgedCellEntry | None = Field(default=None, description="Omitted without judgments.")


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

    view_holders: list[NamedThing] | None = Field(default=None, alias="viewHolders")
    issues: list[IssueRow]
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


class LabeledThing(ExtensibleResponseModel):
    """A resource with its label in English if there is one."""

    id: str
    label: str


class SeatedPerson(LabeledThing):
    """A person with a seat."""

    derived: bool = Field(description="Whether the value of the seat is derived because no source states it.")


class SeatCount(ResponseModel):
    """Seats with a common value, and the people in them."""

    id: str | None
    label: str | None = Field(description="The common value of the seats.")
    state: Literal["known", "unknown", "unseen"] = Field(
        description="Whether the value is known. For unseen seats, only the number is known."
    )
    seats: Count
    derived: Count = Field(description="The number of these seats whose value no source states.")
    people: list[SeatedPerson]


class SeatTotals(ResponseModel):
    """The number of known seats, the number that a source claims, and the total."""

    known: Count
    claimed: int | None
    total: Count


class MemberPost(ResponseModel):
    """A post of a member at the time."""

    title: str
    organization: LabeledThing | None


class SeatEntry(ResponseModel):
    """A known seat; each value is a list, as sources can differ."""

    id: str
    person: list[LabeledThing]
    role: list[LabeledThing]
    posts: list[MemberPost]
    country: list[LabeledThing]
    stakeholder_group: list[LabeledThing] = Field(alias="stakeholderGroup")
    region: list[str]
    developing_country: list[str] = Field(alias="developingCountry")
    stakeholder_group_basis: list[str] = Field(alias="stakeholderGroupBasis")
    country_basis: list[str] = Field(alias="countryBasis")
    developing_basis: list[str] = Field(alias="developingBasis")
    derived: list[str] = Field(description="The names of the values that no source states.")


class PeopleDocument(ResponseModel):
    """The distribution of the seats of the group, and the known seats."""

    seats: SeatTotals
    stakeholder_group: list[SeatCount] = Field(alias="stakeholderGroup")
    region: list[SeatCount]
    developing_country: list[SeatCount] = Field(alias="developingCountry")
    members: list[SeatEntry]


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
    subject: str
    path: str
    form: Annotated[str, Field(json_schema_extra={"enum": [*FORMATS_BY_FORM]})]
    parameters: list[ExampleParameterEntry]


class ExampleQueryList(ResponseModel):
    """All example queries, by name."""

    queries: list[ExampleQueryEntry]


class ComparedPassageEntry(Thing):
    """A passage, and how it is related to the chosen issue or paragraph."""

    summary: TextsByLanguage | Absent = Field(None, description="A summary by the editors, not its text.")
    evidence: str | Absent = Field(None, description="How much of its text we have seen.")
    relations: list[str] = Field(
        description="`cites`, `citedBy`, `answers` or `answeredBy`, from the passage to the chosen paragraph."
    )
    topics: list[Thing] = Field(description="The issues, categories and principles that both passages share.")
    sources: list[str]


class ComparedDocumentEntry(Thing):
    """A text with its related passages."""

    total: Count = Field(description="The number of related passages; the list may have only the first ones.")
    passages: list[ComparedPassageEntry]


class ComparedIssueEntry(Thing):
    """An issue with its number of passages in each text."""

    passages: dict[str, Count]


class ComparisonDocument(ResponseModel):
    """The passages of four texts that are related to an issue or a paragraph."""

    chosen: Thing | None
    documents: list[ComparedDocumentEntry]
    issues: list[ComparedIssueEntry] = Field(description="All issues, if nothing is chosen.")


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
