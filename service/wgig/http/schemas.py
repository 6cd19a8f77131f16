"""Base classes for models of JSON responses. The models only document the responses in OpenAPI.

The service neither builds nor validates responses with them; tests validate responses against their schemas.
So their validators are not built (`defer_build`), which would take 50 ms of each start.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.json_schema import SkipJsonSchema

Absent = SkipJsonSchema[None]  # `str | Absent`: the member may be missing, but not null
Count = Annotated[int, Field(ge=0)]
TextsByLanguage = Annotated[
    dict[str, Annotated[list[str], Field(min_length=1)]],
    Field(description="Texts by language tag; `@none` has the texts without a language."),
]


def drop_null_defaults(schema: dict[str, Any]) -> None:
    """Remove the default None of optional members from a schema."""
    for member in schema.get("properties", {}).values():
        if member.get("default", ...) is None:
            del member["default"]


class ResponseModel(BaseModel):
    """Base of models of JSON objects that have no members other than those of the model."""

    model_config = ConfigDict(defer_build=True, extra="forbid", json_schema_extra=drop_null_defaults)


class ExtensibleResponseModel(BaseModel):
    """Base of models of JSON objects that may have other members."""

    model_config = ConfigDict(defer_build=True, extra="allow", json_schema_extra=drop_null_defaults)


class ProblemDocument(ExtensibleResponseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: str
    suggestion: str | Absent = Field(None, description="The name that the client probably meant.")


class JsonLdDocument(RootModel[dict[str, Any] | list[Any]]):
    """A JSON-LD document (JSON-LD 1.1, section 9): an object or an array."""
