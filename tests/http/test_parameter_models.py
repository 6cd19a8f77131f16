"""Models of query parameters: names, the strict check before FastAPI, and field descriptions."""

from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Depends, FastAPI, Query, Request, Response
from wgig.app import ROUTES
from wgig.http.operations import Operation, Route, list_route_checks
from wgig.http.parameter_models import (
    BareText,
    ParameterModel,
    Text,
    Texts,
    describe_media_type,
    describe_parameter,
    find_parameter_model,
    list_parameter_names,
)
from wgig.http.parameters import BARE_PARAMETERS
from wgig.http.status import ServiceStatus
from wgig.pages.errors import ErrorResponses
from wgig.rdf.formats import CSV, JSON
from wgig.settings import Settings

from tests.fixtures.service import make_client


class PondParameters(ParameterModel):
    """The parameters of the route /pond."""

    media_type: Text = describe_media_type((JSON, CSV))
    fish: Texts = describe_parameter("Fish that swim in it.")
    deep_water: Text = describe_parameter("How deep it is.", alias="deep-water")
    saved: BareText = describe_parameter("Given bare: that it is new.")


async def get_pond(parameters: Annotated[PondParameters, Query()]) -> Response:
    return Response(parameters.model_dump_json(), media_type="application/json")


@pytest.fixture
def pond_client() -> httpx2.Client:
    """A client of an application with one route."""
    app = FastAPI(openapi_url=None)
    route = Route("/pond", ("GET",), get_pond)
    app.add_api_route(
        route.path, route.handler, dependencies=[Depends(check) for check in list_route_checks(route)]
    )
    ErrorResponses(Settings.base, ServiceStatus()).install(app)
    return make_client(app)


def test_names_are_aliases_and_underscored_ones_come_last() -> None:
    assert list_parameter_names(PondParameters) == (("deep-water", "saved", "_mediatype"), ("fish",))
    assert list_parameter_names(ParameterModel) == ((), ())


def test_missing_parameters_are_none(pond_client: httpx2.Client) -> None:
    values = pond_client.get("/pond?fish=a&fish=b&deep-water=%C3%A9&saved").json()
    assert values == {"media_type": None, "fish": ["a", "b"], "deep_water": "é", "saved": ""}
    assert set(pond_client.get("/pond").json().values()) == {None}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("deep-water=1&deep-water=2", "The parameter deep-water was sent 2 times. Send it once."),
        ("deepwater=1", "There is no parameter 'deepwater'. Did you mean deep-water?"),
        ("deep_water=1", "There is no parameter 'deep_water'."),
        ("fish=%zz", "'%zz' is not a percent-encoded byte."),
        ("fish=%ff", "is not UTF-8"),
        ("saved=1", "The parameter saved takes no value."),
        ("&".join(["fish=a"] * 51), "The parameter fish was sent 51 times. Send it at most 50 times."),
    ],
)
def test_strict_check_refuses_what_fastapi_accepts(
    pond_client: httpx2.Client, query: str, message: str
) -> None:
    response = pond_client.get(f"/pond?{query}")
    assert response.status_code == 400
    assert message in response.json()["detail"]


def test_model_is_found_in_handler_signature() -> None:
    async def get_none(request: Request) -> Response:
        return Response(str(request.url))

    assert find_parameter_model(get_pond) is PondParameters
    assert find_parameter_model(get_none) is ParameterModel


def test_self_checked_handler_has_no_parameter_check() -> None:
    async def early_dependency() -> None: ...

    operation = Operation(is_self_checked=True, early_dependencies=(early_dependency,))
    assert list_route_checks(Route("/pond", ("GET",), get_pond, operation)) == (early_dependency,)
    first, check = list_route_checks(
        Route("/pond", ("GET",), get_pond, Operation(early_dependencies=(early_dependency,)))
    )
    assert first is early_dependency
    assert check is not early_dependency


def test_bare_parameters_agree_with_models() -> None:
    names = {
        name
        for route in ROUTES
        for model in (route.operation.parameters or find_parameter_model(route.handler),)
        for name, field in model.model_fields.items()
        if any(getattr(constraint, "max_length", None) == 0 for constraint in field.metadata)
    }
    assert names == {*BARE_PARAMETERS}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route_: f"{route_.methods[0]} {route_.path}")
def test_documented_model_extends_handler_model(route: Route) -> None:
    handler_model = find_parameter_model(route.handler)
    documented_model: type[Any] = route.operation.parameters or handler_model
    assert handler_model is ParameterModel or issubclass(documented_model, handler_model)
