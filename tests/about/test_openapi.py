"""The service keeps what its OpenAPI description promises, whatever a client sends that fits it or not."""

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pyoxigraph as ox
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance
from wgig.app import create_app, make_service
from wgig.settings import Settings
from wgig.store.store import Store

pytestmark = pytest.mark.slow

EXAMPLES = 6  # requests to each operation
# What fits the description is refused all the same where it names nothing, or does not parse.
LEFT_OUT = [positive_data_acceptance]

api = schemathesis.openapi.from_asgi("/openapi.json", create_app(make_service(Settings(), Store.in_memory())))
OPERATIONS = [found.ok() for found in api.get_all_operations() if isinstance(found, Ok)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method.upper()} {one.path}")
def test_an_operation_answers_as_described(operation: Any, shipped: ox.Store) -> None:
    app = create_app(make_service(Settings(), Store(shipped)))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=operation.as_strategy())
    def answers(case: Any) -> None:
        case.validate_response(case.call(app=app), excluded_checks=LEFT_OUT)

    answers()


def shown(description: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each example of a parameter: path, name and value."""
    for path, item in description["paths"].items():
        for parameter in item.get("get", {}).get("parameters", []):
            schema = parameter["schema"]
            for value in [*schema.get("examples", []), *schema.get("items", {}).get("examples", [])]:
                yield path, parameter["name"], value


def test_every_example_in_the_description_runs(reader: httpx.Client) -> None:
    description = reader.get("/openapi.json").json()
    found = list(shown(description))
    assert len(found) > 100
    for path, name, value in found:
        answer = reader.get(path.replace("{suffix}", "json"), params={name: value})
        assert answer.status_code == 200, (path, name, value, answer.text)


def test_the_description_is_openapi_3_1_with_schemas_that_are_some(reader: httpx.Client) -> None:
    description = reader.get("/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    for item in description["paths"].values():
        for operation in item.values():
            for answer in operation["responses"].values():
                for body in answer.get("content", {}).values():
                    jsonschema.Draft202012Validator.check_schema(body["schema"])
