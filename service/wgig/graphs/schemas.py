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


class ReleaseEntry(ResponseModel):
    """A release of the data in the list of releases."""

    name: str = Field(description="The date, with a number from the second release of a day on.")
    iri: str
    released: str = Field(description="The time in UTC.")
    previous: str | None = Field(description="The name of the release before, null for the first one.")
    statements: Count
    graphs: Count = Field(description="The number of named graphs.")


class ReleaseList(ResponseModel):
    """The releases of the data, the newest first."""

    releases: list[ReleaseEntry]


class ReleaseFile(ResponseModel):
    """A file of a release, whose address is that of the release, a slash and its name."""

    name: str
    media_type: str = Field(alias="mediaType")
    byte_count: Count = Field(alias="bytes", description="The size in bytes.")
    sha256: str


class ReleasedGraphChange(ResponseModel):
    """How many statements of a graph (null: the unnamed graph) were added and removed."""

    graph: str | None
    added: Count
    removed: Count


class ReleasedKindChange(ResponseModel):
    """How many resources of a kind were added, changed and removed."""

    kind: str
    added: Count
    changed: Count
    removed: Count


class ChangedResources(ResponseModel):
    """The IRIs of the first thousand resources that were added, changed and removed."""

    added: list[str]
    changed: list[str]
    removed: list[str]


class ReleaseChanges(ResponseModel):
    """What changed since the release before: numbers of statements, and of resources by kind."""

    added: Count
    removed: Count
    graphs: list[ReleasedGraphChange]
    kinds: list[ReleasedKindChange]
    resources: ChangedResources


class ReleaseDocument(ReleaseEntry):
    """A release of the data: its files, and what changed since the release before."""

    license: str | None = Field(description="The license that all graphs have, else null.")
    content_sha256: str = Field(
        alias="contentSha256", description="The SHA-256 of the data without compression."
    )
    changes: ReleaseChanges | None
    files: list[ReleaseFile]


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
