"""Whether a resource or graph exists, and listings of resources by kind and IRI path.

A request for something unknown gets an error with a suggestion of a similar name, never an empty result. IRIs
group resources into folders as paths do; the change log keeps them in that order, so that no scan is needed.
"""

from typing import Any, NamedTuple

import pyoxigraph as ox
from fastapi import Request

from ..http.bodies import Pairs
from ..pages.names import title
from ..problems import Problem, unknown
from ..rdf.namespaces import OUTSIDE, namespaces
from ..rdf.values import THING, is_thing, term
from ..sparql.examples import Example, Parameter, bind
from ..sparql.service import rows
from ..store.changelog.log import Log
from ..store.changelog.queries import below, following, numbers
from ..store.store import Store
from ..text import natural
from ..text import near as near_name
from .description import known, types, types_of
from .labels import labels

MAX_THINGS_AT_ONCE = 1000  # things at once
NEXT, BEHIND = " ", "0"  # what comes before all that an IRI may go on with, and right behind a slash


class Folder(NamedTuple):
    """What is right below an IRI: some things by IRI with their labels, in their order, and further folders.

    `after` is the name after which the other things stand; empty where these are the last.
    """

    things: dict[str, ox.Literal]
    folders: list[str]
    after: str


def counts(log: Log) -> dict[str, int]:
    """How many things there are of each kind, ordered by the title of the kind."""
    return dict(sorted(numbers(log).items(), key=lambda item: title(item[0])))


def is_folder(log: Log, iri: str) -> bool:
    """Whether there is anything below an IRI."""
    return bool(following(log, f"{iri}/", f"{iri}/"))


def near(log: Log, iri: str) -> str:
    """The thing whose name is near to that of an IRI, right below the same path; empty where there is none.

    It is looked for among those that begin with the same letter.
    """
    folder, _, name = iri.rpartition("/")
    start = f"{folder}/"
    names = [one.iri.removeprefix(start) for one in below(log, start + name[:1], (), 0, MAX_THINGS_AT_ONCE)]
    meant = near_name(name, [one for one in names if "/" not in one])
    return start + meant if meant else ""


def listing(log: Log, store: Store, iri: str, after: str = "", ranges: tuple[str, ...] = ()) -> Folder:
    """What is right below an IRI, up to MOST things after a name.

    The labels are in the languages of these ranges, where there are such.
    """
    start, here, folders = f"{iri}/", dict[str, None](), list[str]()
    at = following(log, start, f"{start}{after}{NEXT if after else ''}")
    while at and len(here) < MAX_THINGS_AT_ONCE:
        name, slash, _ = at.removeprefix(start).partition("/")
        if not slash:
            here[at] = None
        elif name != after and start + name not in here:
            folders.append(start + name)
        at = following(log, start, f"{start}{name}{BEHIND}" if slash else f"{at}{NEXT}")
    found = labels(store, here, ranges)
    named = {one: found.get(one, ox.Literal(one.rpartition("/")[2])) for one in here}
    ordered = dict(sorted(named.items(), key=lambda item: natural(item[1].value)))
    return Folder(ordered, folders, next(reversed(here)).removeprefix(start) if at else "")


MAX_COMPARED_THINGS = 1_000  # things that a name is compared with
SHOWN = 10  # things that are listed where none is near
OF_GRAPHS = {f"{OUTSIDE['sd']}NamedGraph", f"{OUTSIDE['void']}Dataset", f"{OUTSIDE['dcat']}Dataset"}


async def known_term(request: Request, parameter: Parameter, text: str) -> Any:
    """The term that a text stands for as a parameter of a query. Raises Problem 400 where there is none."""
    found = term(parameter.name, parameter.type, text, request.app.state.settings.base)
    if is_thing(parameter.type):
        await check_known(request, parameter.name, parameter.type, found.value)
    return found


async def check_known(request: Request, name: str, type_: str, iri: str) -> None:
    """Raises Problem 400 where the IRI of a parameter names nothing of its type, with one that is near."""
    store: Store = request.app.state.store
    is_other = type_ != THING and is_graph(store, iri)
    if known(store, iri) and not is_other:
        return
    folder, _, end = iri.rpartition("/")
    base = request.app.state.settings.base
    start = f"{folder}/" if iri.startswith(f"{base}id/") else namespaces(base).get(type_, "")
    why = f"<{iri}> is a graph" if is_other else f"Nothing is known about <{iri}>"
    sentence = f"{why}, so {name} cannot be"
    if not start:
        raise Problem(400, f"{sentence} that. Give the IRI of a thing that is here.")
    query = (
        "SELECT DISTINCT ?thing WHERE { ?thing a ?type "
        f"FILTER (STRSTARTS(STR(?thing), {ox.Literal(start)})) }} LIMIT {MAX_COMPARED_THINGS}"
    )
    names = [thing.value.removeprefix(start) for (thing,) in await rows(request, query)]
    raise unknown(sentence, end, names, SHOWN)


def is_graph(store: Store, iri: str) -> bool:
    """Whether an IRI names a graph, and nothing else."""
    found = types_of(types(store, [iri]))
    return bool(found) and found <= OF_GRAPHS


def names(one: Example) -> tuple[str, ...]:
    """The names of the parameters of a query."""
    return tuple(parameter.name for parameter in one.parameters)


async def bound(request: Request, one: Example, pairs: Pairs) -> str:
    """A query with the values in the pairs. Raises Problem 400 for those that there are not."""
    given = dict(pairs)
    return bind(
        one.text,
        {
            parameter.name: await known_term(request, parameter, given[parameter.name])
            for parameter in one.parameters
            if parameter.name in given
        },
    )
