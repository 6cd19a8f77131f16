"""Frames: JSON with a thing at the top and what it leads to inside of it (JSON-LD 1.1 Framing)."""

from collections.abc import Iterator
from typing import Any

from fastapi import Request

from .bodies import parameters, values
from .compact import Context, listed
from .problems import Problem

# The types of the things at the top, by the name of the frame.
FRAMES = {
    "paper": ("IssuePaper", "AssessmentPaper"),
    "document": ("Document",),
    "issue": ("Issue",),
    "meeting": ("Meeting",),
}
DEEPEST = 40  # levels; readers of JSON give up somewhere


def asked(request: Request) -> str:
    """The frame that `?_frame=` names, which is there once, or nothing. Raises Problem 400."""
    given = values(parameters(request), "_frame")
    if not given:
        return ""
    if given[0] not in FRAMES:
        raise Problem(400, f"The parameter _frame names one of the frames: {', '.join(FRAMES)}.")
    return given[0]


def framed(document: dict[str, Any], iri: str, frame: str, context: Context) -> dict[str, Any]:
    """What a compact document says of the thing `iri`, each node once, where it is reached first.

    What is reached by no property from the thing is left out. Raises Problem 406 where the frame is not for
    things of this type, or the nodes stand too deep.
    """
    nodes = {one["id"]: one for one in document["@graph"]}
    root = nodes.get(iri, {})
    types = root.get("type", [])
    fitting = [name for name, kinds in FRAMES.items() if not {*kinds}.isdisjoint(listed(types))]
    if frame not in fitting:
        raise unframed(iri, frame, fitting)
    links = {key for key, one in context.items() if isinstance(one, dict) and one.get("@type") == "@id"}
    seen, level = {iri}, [root]
    for _ in range(DEEPEST):
        level = [one for node in level for one in embed(node, nodes, links, seen)]
        if not level:
            return {"@context": document["@context"], **root}
    raise Problem(406, f"What <{iri}> leads to stands too deep to be framed. Ask without _frame.")


def embed(
    node: dict[str, Any], nodes: dict[str, dict[str, Any]], links: set[str], seen: set[str]
) -> Iterator[dict[str, Any]]:
    """Put the nodes that a node names into it, but for those that were seen before; what was put.

    They stand below the properties of the ontology rather than below those that follow from them.
    """
    for key in sorted(node.keys() - {"id", "type"}, key=lambda key: (key not in links, key)):
        value = node[key]
        ends = listed(value)
        for place, end in enumerate(ends):
            name = end["id"] if isinstance(end, dict) and "id" in end else end
            is_link = key in links or name is not end
            if is_link and isinstance(name, str) and name in nodes and name not in seen:
                seen.add(name)
                ends[place] = nodes[name]
                yield nodes[name]
        node[key] = ends if isinstance(value, list) else ends[0]


def unframed(iri: str, frame: str, fitting: list[str]) -> Problem:
    """The 406 for a thing that is of another type than the frame is for."""
    mend = f"Ask for _frame={' or '.join(fitting)}." if fitting else "Ask without _frame."
    return Problem(406, f"The frame {frame} is not for <{iri}>. {mend}", frames=fitting)
