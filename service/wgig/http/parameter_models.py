"""Pydantic models of query parameters, and the strict check of a query string before FastAPI parses it.

A handler declares its model as `Annotated[SearchParameters, Query()]`; FastAPI parses it and describes it in
OpenAPI. FastAPI would use the last of repeated values, decode invalid bytes to U+FFFD, and ignore unknown
names. Therefore `make_parameter_check` makes a dependency that checks the raw query string first.

Every parameter is parsed as a string (`Text`, `Texts`). Handlers convert it, because their error messages are
more specific than those of pydantic. `WithJsonSchema` sets the schema that OpenAPI shows.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import lru_cache
from inspect import signature
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from fastapi import Request
from fastapi.params import Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from ..rdf.formats import Format
from .parameters import MAX_PARAMETER_VALUES, check_query_parameters

NotGiven = SkipJsonSchema[None]  # None, which is not part of the JSON schema
Text = str | NotGiven
BareText = Annotated[Text, Field(max_length=0)]  # for a parameter without a value
SeveralTexts = Annotated[list[str], Field(min_length=1, max_length=MAX_PARAMETER_VALUES)]
Texts = SeveralTexts | NotGiven  # for a parameter that may be repeated
UnboundedTexts = list[str] | NotGiven  # without MAX_PARAMETER_VALUES
PageNumberText = Annotated[
    Text, WithJsonSchema({"type": "integer", "minimum": 1, "default": 1, "examples": [1]})
]


class ParameterModel(BaseModel):
    """Base class of models of query parameters; it has no parameters itself."""

    model_config = ConfigDict(frozen=True)


class ParameterNames(NamedTuple):
    """The names of the parameters that may be given only once, and of those that may be repeated."""

    once: tuple[str, ...]
    many: tuple[str, ...]


@lru_cache(1000)
def list_parameter_names(model: type[ParameterModel]) -> ParameterNames:
    """The names of the parameters of a model; names that begin with an underscore come last."""
    is_repeatable = {
        field.alias or name: is_list_type(field.annotation) for name, field in model.model_fields.items()
    }
    names = sorted(is_repeatable, key=lambda name: name.startswith("_"))
    return ParameterNames(
        once=tuple(name for name in names if not is_repeatable[name]),
        many=tuple(name for name in names if is_repeatable[name]),
    )


def is_list_type(annotation: Any) -> bool:
    """Whether a type is a list, or a union that contains a list."""
    return get_origin(annotation) is list or any(map(is_list_type, get_args(annotation)))


def find_parameter_model(handler: Callable[..., Any]) -> type[ParameterModel]:
    """The model in the signature of a handler; ParameterModel, which has no parameters, if there is none."""
    for argument in signature(handler).parameters.values():
        annotated, *metadata = get_args(argument.annotation) or (None,)
        if any(isinstance(annotation, Query) for annotation in metadata):
            model: type[ParameterModel] = annotated
            return model
    return ParameterModel


def make_parameter_check(model: type[ParameterModel]) -> Callable[[Request], Awaitable[None]]:
    """A dependency that raises Problem 400 for unknown or repeated parameters (`check_query_parameters`)."""
    names = list_parameter_names(model)

    async def check_parameters(request: Request) -> None:
        if request.scope["query_string"]:
            check_query_parameters(request, names.once, names.many)

    return check_parameters


def describe_parameter(description: str, **field_arguments: Any) -> Any:
    """A pydantic field that is None if the parameter is not given; `field_arguments` are those of `Field`.

    `default=None` would replace the `default` of the JSON schema, `default_factory` does not.
    """
    return Field(default_factory=_make_none, description=description, **field_arguments)


def _make_none() -> None:
    return None


def describe_media_type(formats: Iterable[Format]) -> Any:
    """The field of the parameter `_mediatype`, which chooses one of the formats."""
    names: list[JsonValue] = list(dict.fromkeys(format_.media_type for format_ in formats))
    return describe_parameter(
        "The media type of the response, or its suffix; takes precedence over the Accept header.",
        alias="_mediatype",
        json_schema_extra={"enum": names, "examples": names[:1]},
    )


def describe_names(names: Sequence[str], **keywords: Any) -> WithJsonSchema:
    """The JSON schema of a comma-separated list of these names, with additional schema keywords."""
    return WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "enum": [*names]},
            "minItems": 1,
            "explode": False,  # `about.openapi` moves it to the parameter
            **keywords,
        }
    )
