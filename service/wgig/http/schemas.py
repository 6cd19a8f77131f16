"""Base classes of models of JSON responses, which document them in OpenAPI.

No response is built or validated with them at run time; tests validate responses against their schemas.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic.json_schema import SkipJsonSchema

Absent = SkipJsonSchema[None]  # of a member that may be missing
Count = Annotated[int, Field(ge=0)]
TextsByLanguage = Annotated[
    dict[str, Annotated[list[str], Field(min_length=1)]],
    Field(description="Texts by language; `@none` are those without one."),
]


def drop_null_defaults(schema: dict[str, Any]) -> None:
    """Remove the default None of members that may be missing."""
    for member in schema.get("properties", {}).values():
        if member.get("default", ...) is None:
            del member["default"]


class ResponseModel(BaseModel):
    """Base of JSON objects with exactly these members."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=drop_null_defaults)


class ExtensibleResponseModel(BaseModel):
    """Base of JSON objects that may have other members."""

    model_config = ConfigDict(extra="allow", json_schema_extra=drop_null_defaults)


class ProblemDocument(ExtensibleResponseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: str
    suggestion: str | Absent = Field(None, description="The name that was probably meant.")


class JsonLdDocument(RootModel[dict[str, Any] | list[Any]]):
    """A JSON-LD document (JSON-LD 1.1, section 9): an object or an array."""
