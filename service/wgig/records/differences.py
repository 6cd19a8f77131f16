"""What a version of a graph changed: the statements that came and went since the version before."""

from dataclasses import dataclass

from fastapi import Request

from ..bodies import parameters, values
from ..problems import Problem
from ..sparql import absolute
from .history import Version
from .mementos import no_version, versions


@dataclass(frozen=True)
class Difference:
    """Two versions of a graph (None: there was none), and the lines of N-Triples that differ, sorted."""

    before: Version | None
    after: Version
    gone: list[str]
    come: list[str]


def difference(request: Request, graph: str | None) -> Difference:
    """What the version that `changes` names changed; with `about`, only of the thing of this IRI.

    Blank nodes count by their names. Raises Problem 404 for a version that there is not, 400 for no IRI.
    """
    name = values(parameters(request), "changes")[0]
    every = versions(request, graph)
    place = next((place for place, one in enumerate(every) if one.name == name), None)
    if place is None:
        raise no_version(request, graph, name)
    before = every[place - 1] if place else None
    old, new = lines(request, graph, before), lines(request, graph, every[place])
    about = "".join(f"<{absolute(one, 'about')}> " for one in values(parameters(request), "about"))
    gone, come = (sorted(one for one in those if one.startswith(about)) for those in (old - new, new - old))
    return Difference(before, every[place], gone, come)


def lines(request: Request, graph: str | None, version: Version | None) -> set[str]:
    """The lines of a version. Raises Problem 404 where it cannot be had any more."""
    if version is None:
        return set()
    found = request.app.state.history.lines(request.app.state.store, graph, version)
    if found is None:
        raise Problem(404, "What became of this version was not recorded, so it cannot be had any more.")
    return set(found.decode().splitlines())
