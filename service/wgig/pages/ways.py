"""The ways on from a page that could not be had: what was probably meant, what is above it, and once more."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from ..kinds import TITLES, called
from ..near import near
from ..problems import Problem
from ..speaking import gettext

WORD = re.compile(r"\w+")
LONGEST = 100  # characters of a path in which words are looked for
AGAIN = ("internal", "unavailable", "too-slow", "other-service")  # problems that may be gone the next time
THING = re.compile(r"/(?:id|doc)/(?P<kind>[\w-]+)/.+")


class Way(NamedTuple):
    """A link, and the words that say where it leads."""

    path: str
    text: str


def ways(problem: Problem, path: str, query: str, pages: Collection[str]) -> list[Way]:
    """The ways on from a problem at a path with a query string, the likeliest first; `pages` are paths."""
    return [*likely(problem, path, query, pages)]


def likely(problem: Problem, path: str, query: str, pages: Collection[str]) -> Iterator[Way]:
    """The ways on, one by one."""
    if problem.status == 400 and (mended := mend(problem, parse_qsl(query))):
        yield Way(
            f"{path}?{urlencode(mended)}",
            gettext("The same with %(value)s") % {"value": problem.members["suggestion"]},
        )
    thing = THING.fullmatch(path)
    if problem.slug in AGAIN:
        yield Way(f"{path}?{query}" if query else path, gettext("Try the same once more"))
    if problem.status in (400, 406) and query and path in pages:
        yield Way(path, gettext("The page without any condition"))
    if problem.status == 404 and (meant := near(path, pages)):
        yield Way(meant, gettext("The page %(path)s") % {"path": meant})
    if "graph" in problem.members:
        yield Way(problem.members["graph"], gettext("The graph as it is"))
    if thing and thing["kind"] in TITLES:
        yield Way(f"/doc/{thing['kind']}", gettext("The list: %(title)s") % {"title": called(thing["kind"])})


def mend(problem: Problem, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters with what was probably meant in place of what the problem quotes, if that is known."""
    meant, found = problem.members.get("suggestion"), [*pairs]
    for place, (key, value) in enumerate(pairs if meant else ()):
        if "parameters" in problem.members and repr(key) in problem.detail:
            found[place] = str(meant), value
        elif repr(value) in problem.detail:
            found[place] = key, str(meant)
    return [] if found == pairs else found


def words_of(path: str) -> str:
    """The words in the last part of a path, for a search."""
    return " ".join(WORD.findall(path.rstrip("/").rpartition("/")[2][:LONGEST].replace("_", " ")))
