"""Models of the JSON responses of search and reconciliation; sections are of the Reconciliation API 0.2."""

from typing import Any

from pydantic import Field, RootModel

from ..http.schemas import Absent, Count, ExtensibleResponseModel, ResponseModel


class SearchHitEntry(ResponseModel):
    """A search hit, with a passage as HTML."""

    id: str
    url: str | None
    label: str
    language: str | None
    kind: str
    property: str | None = Field(description="The property with the passage.")
    snippet: str


class SearchResultPage(ResponseModel):
    """A page of search results, best first. `meant` is the corrected query if words were misspelled."""

    query: str
    language: str | None
    kind: str | None
    meant: str | None
    every_word: bool = Field(alias="everyWord")
    total: Count
    more: bool = Field(description="Whether there are more results than `total`.")
    page: int = Field(ge=1)
    items_per_page: int = Field(alias="itemsPerPage", ge=1)
    items: list[SearchHitEntry]
    prev: str | Absent = None
    next: str | Absent = None


class SearchSuggestions(RootModel[list[str | list[str]]]):
    """OpenSearch suggestions 1.1: the text, and the labels, descriptions and URLs of the suggestions."""


class NamedEntity(ResponseModel):
    """An entity, type or property with its name."""

    id: str
    name: str


class ServiceManifest(ExtensibleResponseModel):
    """The service manifest (section 3.1)."""

    versions: list[str]
    name: str
    identifier_space: str = Field(alias="identifierSpace")
    schema_space: str = Field(alias="schemaSpace")
    default_types: list[NamedEntity] = Field(alias="defaultTypes")


class CandidateFeature(ResponseModel):
    """The similarity of a candidate to the query by one feature, from 0 to 100."""

    id: str
    value: float


class ReconciliationCandidateEntry(ResponseModel):
    """A candidate (section 4.3)."""

    id: str
    name: str
    description: str | Absent = None
    type: list[NamedEntity]
    score: float
    match: bool
    features: list[CandidateFeature]


class CandidateList(ResponseModel):
    """The candidates for a query, best first."""

    result: list[ReconciliationCandidateEntry]


class DataExtension(ResponseModel):
    """Property values of entities (section 6.3)."""

    meta: list[NamedEntity]
    rows: dict[str, dict[str, list[dict[str, Any]]]]


class SuggestedEntity(NamedEntity):
    """A suggestion (section 5)."""

    description: str | Absent = None
    notable: list[NamedEntity] | Absent = None


class SuggestionList(ResponseModel):
    """Suggestions, best first."""

    result: list[SuggestedEntity]


class PropertyProposals(ResponseModel):
    """The properties of entities of a type, most frequent first (section 6.1)."""

    type: str
    limit: Count
    properties: list[NamedEntity]


class CandidatesByQuery(RootModel[dict[str, CandidateList]]):
    """The candidates for each query of a batch, by its key."""


ReconciliationResult = CandidatesByQuery | DataExtension
