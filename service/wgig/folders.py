"""The things of the graph by kind: their IRIs sort them into folders, as a path does.

The log of versions has them in that order, so that nobody has to look at all.
"""

from typing import NamedTuple

import pyoxigraph as ox

from .kinds import title
from .labels import labels, natural
from .near import near as near_name
from .store import Store
from .stream.last import below, following, numbers
from .stream.log import Log

MOST = 1000  # things at once
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
    names = [one.iri.removeprefix(start) for one in below(log, start + name[:1], (), 0, MOST)]
    meant = near_name(name, [one for one in names if "/" not in one])
    return start + meant if meant else ""


def listing(log: Log, store: Store, iri: str, after: str = "", ranges: tuple[str, ...] = ()) -> Folder:
    """What is right below an IRI, up to MOST things after a name.

    The labels are in the languages of these ranges, where there are such.
    """
    start, here, folders = f"{iri}/", dict[str, None](), list[str]()
    at = following(log, start, f"{start}{after}{NEXT if after else ''}")
    while at and len(here) < MOST:
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
