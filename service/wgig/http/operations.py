"""`Route`, a row of the table of routes, and `Operation`, its OpenAPI description.

FastAPI derives parameters and summary from the signature and docstring of a handler. An `Operation` next to
the handler adds media types, types of JSON, request bodies, tokens and header fields.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel

from ..rdf.formats import Format
from .parameter_models import ParameterModel, find_parameter_model, make_parameter_check


@dataclass(frozen=True)
class HeaderParameter:
    """A request header field that only some operations read."""

    name: str
    description: str
    example: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The description of a route in OpenAPI, in addition to the signature and docstring of its handler.

    `name` is the operationId, from which client generators make the name of a function; the default is the
    method with the resource in the name of the handler, such as `getSearch` for `get_search`.
    `formats` are the response formats, `listing_formats` those of the list of profiles (`_profile=all`).
    `json` is the type of an `application/json` response; standard JSON formats have a media type instead.
    `bodies` are media types of request bodies, and `form` is the model of a form in the body. `parameters` is
    the model of the query parameters, if the handler does not accept it, or accepts only a base class of the
    model. `early_dependencies` run before the query parameters are checked. If `is_self_checked`, the handler
    checks the query parameters, because it is called without FastAPI, or because they depend on the path, the
    request body or the token.
    """

    name: str = ""
    formats: tuple[Format, ...] = ()
    listing_formats: tuple[Format, ...] = ()
    json: Any = None
    status: int = 200
    is_creation: bool = False  # whether the status may also be 201
    bodies: tuple[str, ...] = ()
    form: type[BaseModel] | None = None
    is_body_required: bool = True
    needs_token: bool = False
    parameters: type[ParameterModel] | None = None
    is_self_checked: bool = False
    headers: tuple[HeaderParameter, ...] = ()
    early_dependencies: tuple[Callable[..., Any], ...] = ()
    summary: str = ""  # default: the first line of the docstring
    description: str = ""  # default: the rest of the docstring


NO_BODY_OPERATION = Operation(status=204)


class Route(NamedTuple):
    """A row of the table of routes."""

    path: str
    methods: Sequence[str]
    handler: Callable[..., Any]
    operation: Operation = Operation()


def list_route_checks(route: Route) -> tuple[Callable[..., Any], ...]:
    """The dependencies that run before a handler: those of its operation, and the parameter check."""
    operation = route.operation
    if operation.is_self_checked:
        return operation.early_dependencies
    return (
        *operation.early_dependencies,
        make_parameter_check(operation.parameters or find_parameter_model(route.handler)),
    )
