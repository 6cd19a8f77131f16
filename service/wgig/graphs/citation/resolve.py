"""What a citation is about: found as it is now, or as it was in the version that was cited."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from ...http.responses import while_there
from ...http.work_queue import Turns
from ...problems import Problem
from ...rdf.values import THING, iri
from ...resources.routes import unknown
from ...settings import Settings
from ...sparql.workers.protocol import Fault
from ...store.store import Store
from .citable import (
    Content,
    Thing,
    evaluated,
    is_term,
    job_of,
    of_answer,
    of_graph,
    of_store,
    of_thing,
    of_triples,
    problem,
    question,
    title_of,
)
from .rebuild import UNRECORDED, Past, answered, described, lines_of, past
from .versions import LostError, check, current, held_at, over

T = TypeVar("T")

ANOTHER = (
    "SHA-256 {} is that of nothing that is known here. Compare it with the citation: if it stands there, "
    "something changed the data without a record, such as wgig load."
)
HERE = re.compile(r"(?:id|doc|graph)/|(?:ontology|shapes)(?:#|$)")


class Wanted(NamedTuple):
    """What a request names: an IRI or a query, a version or none, a digest or none. What is not is empty."""

    iri: str
    query: str
    version: str
    digest: str

    def is_met_by(self, found: Content) -> bool:
        """Whether that has the digest, if there is one."""
        return self.digest in ("", found.digest)


async def find(request: Request, wanted: Wanted) -> Content:
    """What is wanted, the same bytes as were cited. Raises Problem 410 where they cannot be had.

    Raises Problem 400 where nothing or too much is named, 404 where there is no such thing or version.
    """
    if bool(wanted.iri) == bool(wanted.query):
        raise Problem(
            400, "Name what to cite: the IRI of a thing, graph or term as iri, or a SPARQL query as query."
        )
    store: Store = request.app.state.store
    await run_in_threadpool(store.catch_up)
    base = request.app.state.settings.base
    wanted = wanted._replace(iri=wanted.iri and at_home(request, iri("iri", THING, wanted.iri, base)))
    if wanted.version:
        check(request, wanted.version, proven=bool(wanted.digest))
    if wanted.version in ("", current(request)):
        found = await as_is(request, wanted)
        if not wanted.is_met_by(found):
            version = wanted.version or current(request)
            raise over(request, version, wanted.iri, ANOTHER.format(wanted.digest))
        return found
    return await as_cited(request, wanted)


async def as_cited(request: Request, wanted: Wanted) -> Content:
    """What is wanted of an old version: as it is now, where that has the digest, or as it was."""
    if wanted.digest:
        try:
            found = await as_is(request, wanted)
        except Problem as refused:
            if refused.status != 404:
                raise
        else:
            if wanted.is_met_by(found):
                return replace(found, as_of=wanted.version)
    try:
        then = await as_it_was(request, wanted)
    except LostError as lost:
        raise over(request, wanted.version, wanted.iri, str(lost)) from lost
    if not wanted.is_met_by(then):
        raise over(request, wanted.version, wanted.iri, ANOTHER.format(wanted.digest))
    return replace(then, as_of=wanted.version)


async def as_is(request: Request, wanted: Wanted) -> Content:
    """What is wanted as it is now. Raises Problem."""
    store: Store = request.app.state.store
    base: str = request.app.state.settings.base
    if wanted.query:
        asked = await question(request, wanted.query)
        body = await evaluated(request, asked)
        return await run_in_threadpool(of_answer, body, wanted.query, asked.form, base)
    if is_graph(wanted.iri, base):
        return await run_in_threadpool(of_graph, store, wanted.iri, base)
    thing = await run_in_threadpool(of_store, store, wanted.iri, base)
    if thing is None:
        raise unknown(wanted.iri)
    return of_thing(thing, wanted.iri, base)


async def as_it_was(request: Request, wanted: Wanted) -> Content:
    """What is wanted as it was in an old version. Raises LostError where that cannot be had, and Problem."""
    base: str = request.app.state.settings.base
    names_graph = bool(wanted.iri) and is_graph(wanted.iri, base)
    if names_graph and wanted.iri not in {f"{base}graph/{name}" for name in UNRECORDED}:
        lines = await run_in_threadpool(held_at, request, wanted.iri, wanted.version)
        return await run_in_threadpool(old_graph, request, wanted, lines)
    then = await run_in_threadpool(past, request, wanted.version)
    if wanted.query:
        return await old_answer(request, wanted, then)
    if names_graph:
        lines = await elsewhere(request, lines_of, then, wanted.iri)
        return await run_in_threadpool(old_graph, request, wanted, lines)
    thing: Thing | None = await elsewhere(request, described, then, wanted.iri)
    if thing is None:
        raise unknown(wanted.iri)
    return of_thing(thing, wanted.iri, base)


def old_graph(request: Request, wanted: Wanted, lines: bytes) -> Content:
    """A graph as it was in an old version, whose lines these are."""
    base: str = request.app.state.settings.base
    title = title_of(request.app.state.store, wanted.iri)
    return of_triples(lines, title, wanted.iri, wanted.iri.removeprefix(base), base)


async def old_answer(request: Request, wanted: Wanted, then: Past) -> Content:
    """The answer to a query as it was. Raises LostError and Problem."""
    settings: Settings = request.app.state.settings
    asked = await question(request, wanted.query)
    body, kind, said = await elsewhere(request, answered, then, job_of(asked, settings))
    if kind:
        raise await problem(request, Fault(kind, said), asked)
    return await run_in_threadpool(of_answer, body, wanted.query, asked.form, settings.base)


async def elsewhere(request: Request, function: Callable[..., T], *args: object) -> T:
    """What a function gives in another process. Raises LostError where that is too much, 503 where busy."""
    checks: Turns = request.app.state.checks
    try:
        async with while_there(request.receive):
            return await checks.run(function, *args)
    except Problem as refused:
        if "Retry-After" in refused.headers:
            raise
        raise LostError(f"To build it anew takes too much. {refused.detail}") from refused


def is_graph(iri: str, base: str) -> bool:
    """Whether the IRI names a graph, and not a thing or term. Raises Problem 404 where it names neither."""
    if iri.startswith(f"{base}graph/"):
        return True
    if iri.startswith(f"{base}id/") or is_term(iri, base):
        return False
    begin = ", ".join(f"{base}{one}" for one in ("id/", "graph/", "ontology"))
    raise Problem(
        404,
        f"<{iri}> is neither a thing, a graph, a term nor a rule of this service. Those begin with {begin} "
        f"or {base}shapes.",
    )


def at_home(request: Request, iri: str) -> str:
    """The IRI; an address of this host stands for the IRI below the base."""
    here = str(request.base_url)
    local = iri.removeprefix(here)
    if not iri.startswith(here) or not HERE.match(local):
        return iri
    return str(request.app.state.settings.base) + re.sub(r"^doc/", "id/", local)
