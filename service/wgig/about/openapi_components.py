"""Components of the OpenAPI description: what several operations share is defined once.

Generators of clients make a named type of each schema among the components, and an unnamed one of each other
schema; tools for people show the `example` of a parameter, not the examples in its schema.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

OpenApiObject = dict[str, Any]

KEY_PATTERN = re.compile(r"[^\w.-]")  # characters that the key of a component cannot have


def refer_to(component: str) -> OpenApiObject:
    """The reference to a component, such as `schemas/Thing`."""
    return {"$ref": f"#/components/{component}"}


def share_components(description: OpenApiObject) -> None:
    """Move schemas, and parameters of several operations, to the components of a description."""
    components: dict[str, Any] = description["components"]
    schemas: dict[str, OpenApiObject] = {}
    problem_response = components["responses"]["Problem"]
    operations = list(iter_operations(description))
    for operation in operations:
        for parameter in operation.get("parameters", []):
            finish_parameter(parameter)
        for media_type in operation.get("requestBody", {}).get("content", {}).values():
            schemas |= media_type["schema"].pop("$defs", {})
            drop_titles(media_type["schema"])
    names: dict[str, str] = {}
    for operation in operations:
        for response in (*operation["responses"].values(), problem_response):
            for name, media_type in response.get("content", {}).items():
                schemas |= media_type["schema"].pop("$defs", {})
                if "json" in name and "$ref" not in media_type["schema"]:
                    key = json.dumps(media_type["schema"])
                    model_name = names.setdefault(key, name_response_model(operation["operationId"]))
                    schemas[model_name] = media_type["schema"]
                    media_type["schema"] = refer_to(f"schemas/{model_name}")
    for schema in schemas.values():
        drop_property_titles(schema)
    components["schemas"] = dict(sorted(schemas.items()))
    components["parameters"] = share_parameters(operations)


def iter_operations(description: OpenApiObject) -> Iterator[OpenApiObject]:
    """All operations of a description, by path."""
    for path_item in description["paths"].values():
        yield from path_item.values()


def name_response_model(operation_id: str) -> str:
    """The name of the model of a response that can be one of several models: `PapersResponse`."""
    name = operation_id.removeprefix("get")
    return f"{name[0].upper()}{name[1:]}Response"


def finish_parameter(parameter: OpenApiObject) -> None:
    """Move what pydantic puts into the schema of a parameter to the parameter, as OpenAPI requires.

    These are `explode`, the description and the example.
    """
    schema = parameter["schema"]
    if "explode" in schema:
        parameter |= {"style": "form", "explode": schema.pop("explode")}
    schema.pop("description", None)
    examples = schema.pop("examples", None)
    item_examples = schema.get("items", {}).pop("examples", None)
    if item_examples:  # of a parameter that may be repeated
        examples = [item_examples[:1]]
    if examples:
        parameter["example"] = examples[0]
    drop_titles(schema)
    for alternative in schema.get("items", {}).get("anyOf", []):
        alternative.pop("examples", None)


def drop_titles(schema: OpenApiObject) -> None:
    """Remove the titles of a schema and of its properties, which pydantic derives from their names."""
    schema.pop("title", None)
    drop_property_titles(schema)


def drop_property_titles(schema: OpenApiObject) -> None:
    """Remove the titles of the properties of a schema."""
    for member in schema.get("properties", {}).values():
        member.pop("title", None)


def share_parameters(operations: list[OpenApiObject]) -> dict[str, OpenApiObject]:
    """Replace parameters of several operations by references; returns the parameters by key.

    The key is the name of the parameter. If parameters of this name differ, the most frequent one has it, and
    the keys of the others name an operation that has the parameter, such as `getPapers.q`.
    """
    uses: dict[str, dict[str, list[tuple[OpenApiObject, int]]]] = defaultdict(lambda: defaultdict(list))
    for operation in operations:
        for index, parameter in enumerate(operation.get("parameters", [])):
            uses[parameter["name"]][json.dumps(parameter, sort_keys=True)].append((operation, index))
    components = {}
    for name, variants in uses.items():
        most_frequent = max(variants.values(), key=len)
        for places in variants.values():
            first_operation, first_index = places[0]
            if len(places) > 1:
                prefix = "" if places is most_frequent else f"{first_operation['operationId']}."
                key = KEY_PATTERN.sub("-", f"{prefix}{name}")
                components[key] = first_operation["parameters"][first_index]
                for operation, index in places:
                    operation["parameters"][index] = refer_to(f"parameters/{key}")
    return dict(sorted(components.items()))
