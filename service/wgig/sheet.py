"""The page of a thing, and the pages of what points to it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import Request
from pyoxigraph import Literal

from .bodies import parameters, values
from .examples import of_thing
from .facts import SIZE
from .labels import labels
from .namespaces import short
from .pages import words
from .pages.around import around
from .pages.gist import gist
from .pages.sections import sections
from .pages.thing import page
from .paging import turned
from .records.mementos import versions
from .represent import show
from .rules import headings
from .speaking import ranges as liked
from .store import Store
from .things import Description, types_of

VERSIONS = 20  # of a graph that a page lists


def thing_sheet(request: Request, description: Description, ranges: tuple[str, ...], markup: object) -> bytes:
    """The page of a thing, in the languages of these ranges, with what it tells search engines."""
    store, base = request.app.state.store, request.app.state.settings.base
    view = page(store, description, f"{base}graph/inferred")
    what = gist(store, description.iri, types_of(description.statements), base)
    named = description.labels | labels(store, what.iris - description.labels.keys(), ranges)
    in_sections = sections(store, view, base)
    there = {group.iri for one in in_sections for group in one.groups}
    return show(
        request,
        "doc.html",
        page=replace(view, facts=[one for one in view.facts if one.iri not in there]),
        gist=what,
        examples=of_thing(short(description.iri, base)),
        sections=in_sections,
        headings=headings(),
        around=around(view.title.value, view.incoming, view.facts, named, base),
        versions=versions(request, view.graph)[-VERSIONS:] if view.graph else [],
        labels=named,
        markup=markup,
    )


def inverse_sheet(request: Request, description: Description, said: Mapping[str, Any]) -> bytes:
    """A page of what points to a thing by a property, of which that is said as JSON."""
    ((name, found),) = said["inverse"].items()
    number = int((values(parameters(request), "page") or ["1"])[0])
    things = [one["id"] for one in found["items"]]
    store: Store = request.app.state.store
    return show(
        request,
        "inverse.html",
        iri=description.iri,
        title=description.labels.get(description.iri) or Literal(words(description.iri)),
        name=name,
        found=found,
        things=things,
        labels=labels(store, things, liked()),
        number=number,
        turns={
            rel: turned(request, [("inverse", name), ("page", str(number + step))])
            for rel, step in (("prev", -1), ("next", 1))
            if rel in found["links"]
        },
        first=(number - 1) * SIZE + 1,
        last=-(-found["total"] // SIZE),
    )
