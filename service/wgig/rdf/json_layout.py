"""The layout of JSON documents: a line for each item, which diffs show well."""

import json
from collections.abc import Mapping

JSON_ENCODER = json.JSONEncoder(ensure_ascii=False)  # `json.dumps` makes a new one each time
JSON_LINE_SEPARATOR = ",\n    "


def serialize_json_body(document: Mapping[str, object]) -> bytes:
    """JSON with a line for each member, and for each item of a member.

    Full indentation takes four times as long.
    """
    members = ",\n".join(
        f"  {serialize_json_line(name)}: {serialize_json_member(value)}" for name, value in document.items()
    )
    return f"{{\n{members}\n}}\n".encode()


def serialize_json_member(value: object) -> str:
    """A value as JSON, with a line for each item of a list and each member of an object."""
    if isinstance(value, list) and value:
        return f"[\n    {JSON_LINE_SEPARATOR.join(map(serialize_json_line, value))}\n  ]"
    if isinstance(value, dict) and value:
        members = (
            f"{serialize_json_line(name)}: {serialize_json_line(item)}" for name, item in value.items()
        )
        return f"{{\n    {JSON_LINE_SEPARATOR.join(members)}\n  }}"
    return serialize_json_line(value)


def serialize_json_line(value: object) -> str:
    """A value as JSON on one line."""
    return JSON_ENCODER.encode(value)
