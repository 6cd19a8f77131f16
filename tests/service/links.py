"""What a Link field says, for tests (RFC 8288, section 3)."""

import re
from dataclasses import dataclass

import httpx

ITEM = re.compile(r'<([^>]*)>((?:\s*;\s*[\w*]+="[^"]*")*)(?:,\s*|$)')
ATTRIBUTE = re.compile(r';\s*([\w*]+)="([^"]*)"')


@dataclass(frozen=True)
class Link:
    """A link: its target, the words of its relation, and its other attributes."""

    target: str
    relations: tuple[str, ...]
    attributes: dict[str, str]


def links(answer: httpx.Response, *relations: str) -> list[Link]:
    """The links of an answer, of these relations or of all; a field that is malformed fails."""
    field = answer.headers.get("link", "")
    items = list(ITEM.finditer(field))
    assert "".join(item[0] for item in items) == field
    found = [
        Link(item[1], tuple(attributes.pop("rel").split()), attributes)
        for item in items
        if (attributes := dict(ATTRIBUTE.findall(item[2])))
    ]
    return [one for one in found if not relations or set(relations) & set(one.relations)]
