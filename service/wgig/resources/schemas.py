"""Models of JSON responses: resources, graphs, framed resources, lists of profiles.

`Absent` is the type of a member that can be left out.
"""

from typing import Annotated, Any

from pydantic import Field

from ..http.schemas import Absent, Count, ExtensibleResponseModel, ResponseModel, TextsByLanguage


class Thing(ResponseModel):
    """A resource with its labels."""

    id: str
    label: TextsByLanguage | Absent = None


class FactValue(ResponseModel):
    """A value of a property: a resource, or a literal with its language or datatype."""

    id: str | Absent = None
    label: TextsByLanguage | Absent = None
    value: str | int | bool | Absent = None
    language: str | Absent = None
    datatype: str | Absent = None


class Fact(FactValue):
    """A value of a property, with the graphs that state it."""

    graphs: list[str] = Field(description="The graphs that state it.")


FactsByProperty = Annotated[
    dict[str, Annotated[list[Fact], Field(min_length=1)]],
    Field(description="Values by the name of the property in the JSON-LD context."),
]


class InversePageLinks(ResponseModel):
    """The URLs of the previous and the next page, if any."""

    prev: str | Absent = None
    next: str | Absent = None


class InversePage(ResponseModel):
    """The resources that refer to a resource by a property: their number, and a page of them."""

    total: Count
    items: list[Thing]
    links: InversePageLinks


class ResourceDocument(ResponseModel):
    """A resource: its statements by property, its parts, and the resources that refer to it.

    With the query parameter `inverse`, it has only `id` and `inverse`.
    """

    id: str
    type: list[str] | Absent = None
    label: TextsByLanguage | Absent = None
    sources: list[FactValue] | Absent = None
    facts: FactsByProperty | Absent = None
    parts: dict[str, FactsByProperty] | Absent = None
    inverse: dict[str, InversePage] = Field(
        description="Resources that refer to it, by the name of the property."
    )
    note: str | Absent = Field(None, description="A notice, present if some parts are left out.")


class GraphDocument(ExtensibleResponseModel):
    """Statements as JSON-LD, compacted with the context of the ontology."""

    context: Any = Field(alias="@context")
    graph: list[dict[str, Any]] = Field(alias="@graph")


class FramedDocument(ExtensibleResponseModel):
    """A framed resource: JSON-LD with the linked resources embedded."""

    context: Any = Field(alias="@context")
    id: str


class ProfileReference(ResponseModel):
    """A profile by its token, with one media type."""

    token: str
    media_type: str


class OfferedProfile(ResponseModel):
    """A profile with its media types."""

    token: str
    uri: str
    title: str
    description: str
    media_types: list[str]


class RepresentationList(ResponseModel):
    """The profiles of a resource with their media types: the response to `_profile=all`."""

    resource: str
    default: ProfileReference
    profiles: list[OfferedProfile]
