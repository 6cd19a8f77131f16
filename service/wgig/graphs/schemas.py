"""Models of the JSON of graphs, their versions, and citations."""

from typing import Annotated

from pydantic import Field, RootModel

from ..http.schemas import Count, ExtensibleResponseModel, ResponseModel


class GraphList(ResponseModel):
    """The IRIs of all graphs."""

    graphs: list[str]


class GraphVersionEntry(ResponseModel):
    """A version of a graph: its URL, its time span, and the numbers of all, added and removed triples."""

    version: str
    since: str | None
    until: str | None
    triples: Count
    added: Count
    removed: Count
    by: str = Field(description="The name of the writer.")
    erased: bool = Field(description="Whether its content was erased; its URL then gets 410.")


class GraphVersionList(ResponseModel):
    """The versions of a graph, oldest first: the response to `versions`."""

    versions: list[GraphVersionEntry]


class GraphChanges(ResponseModel):
    """The N-Triples lines that a version removed and added: the response to `changes`."""

    before: str | None = Field(alias="from", description="The previous version.")
    to: str
    removed: list[str]
    added: list[str]


class CslName(ResponseModel):
    """A name as one string, not split into given and family name."""

    literal: str


class CslDate(ResponseModel):
    """A date, as a list of [year, month, day]."""

    date_parts: Annotated[
        list[Annotated[list[int], Field(min_length=1, max_length=3)]], Field(alias="date-parts")
    ]


class CslItem(ExtensibleResponseModel):
    """A cited item (CSL-JSON 1.0)."""

    id: str
    type: str
    title: str
    author: list[CslName] = Field(default=[], description="They are omitted if none is known.")
    issued: CslDate | None = Field(default=None, description="The date; it is omitted if it is not known.")
    url: str = Field(alias="URL")


class CslItemList(RootModel[list[CslItem]]):
    """Cited items (CSL-JSON 1.0)."""
