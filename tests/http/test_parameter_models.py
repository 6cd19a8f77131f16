"""What a model says of a query string: the names that may be given, the check before it, its description."""

from typing import Annotated, Any

import httpx
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
from wgig.pages.errors import ErrorResponses
from wgig.rdf.formats import CSV, JSON
from wgig.settings import Settings

from tests.fixtures.service import client_of


class PondParameters(ParameterModel):
    """Of a pond."""

    media_type: Text = describe_media_type((JSON, CSV))
    fish: Texts = describe_parameter("Fish that swim in it.")
    deep_water: Text = describe_parameter("How deep it is.", alias="deep-water")
    saved: BareText = describe_parameter("Given bare: that it is new.")


async def get_pond(parameters: Annotated[PondParameters, Query()]) -> Response:
    return Response(parameters.model_dump_json(), media_type="application/json")


@pytest.fixture
def pond() -> httpx.Client:
    """A client of an application with one route."""
    app = FastAPI(openapi_url=None)
    route = Route("/pond", ("GET",), get_pond)
    app.add_api_route(
        route.path, route.handler, dependencies=[Depends(one) for one in list_route_checks(route)]
    )
    ErrorResponses(Settings.base).install(app)
    return client_of(app)


def test_names_are_aliases_and_those_of_negotiation_stand_last() -> None:
    assert list_parameter_names(PondParameters) == (("deep-water", "saved", "_mediatype"), ("fish",))
    assert list_parameter_names(ParameterModel) == ((), ())


def test_what_is_given_is_in_the_model_and_all_else_is_none(pond: httpx.Client) -> None:
    found = pond.get("/pond?fish=a&fish=b&deep-water=%C3%A9&saved").json()
    assert found == {"media_type": None, "fish": ["a", "b"], "deep_water": "é", "saved": ""}
    assert set(pond.get("/pond").json().values()) == {None}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("deep-water=1&deep-water=2", "The parameter deep-water is given 2 times. Give it once."),
        ("deepwater=1", "There is no parameter 'deepwater' here. Did you mean deep-water?"),
        ("deep_water=1", "There is no parameter 'deep_water' here."),
        ("fish=%zz", "'%zz' is not a percent-encoded byte."),
        ("fish=%ff", "is not UTF-8"),
        ("saved=1", "The parameter saved has no value."),
        ("&".join(["fish=a"] * 51), "The parameter fish is given 51 times. Give it 50 times at most."),
    ],
)
def test_what_the_framework_would_take_is_refused_before(pond: httpx.Client, query: str, said: str) -> None:
    answer = pond.get(f"/pond?{query}")
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


def test_the_model_of_a_handler_is_found_by_its_signature() -> None:
    async def get_none(request: Request) -> Response:
        return Response(str(request.url))

    assert find_parameter_model(get_pond) is PondParameters
    assert find_parameter_model(get_none) is ParameterModel


def test_a_handler_that_checks_itself_has_no_check_before_it() -> None:
    async def look_first() -> None: ...

    itself = Operation(is_self_checked=True, first=(look_first,))
    assert list_route_checks(Route("/pond", ("GET",), get_pond, itself)) == (look_first,)
    first, check = list_route_checks(Route("/pond", ("GET",), get_pond, Operation(first=(look_first,))))
    assert first is look_first
    assert check is not look_first


def test_a_parameter_is_bare_in_its_model_where_its_check_says_so() -> None:
    bare = {
        name
        for route in ROUTES
        for model in (route.operation.parameters or find_parameter_model(route.handler),)
        for name, field in model.model_fields.items()
        if any(getattr(one, "max_length", None) == 0 for one in field.metadata)
    }
    assert bare == {*BARE_PARAMETERS}


@pytest.mark.parametrize("route", ROUTES, ids=lambda one: f"{one.methods[0]} {one.path}")
def test_a_model_beside_a_handler_has_all_that_the_handler_reads(route: Route) -> None:
    taken = find_parameter_model(route.handler)
    said: type[Any] = route.operation.parameters or taken
    assert taken is ParameterModel or issubclass(said, taken)
