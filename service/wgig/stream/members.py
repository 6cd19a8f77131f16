"""The members of the event stream: versions of things, in N-Quads.

A member is named by the page that it is on. What it is a version of, since when, and whether the thing is
new, changed or gone, it says in the unnamed graph, in terms of Activity Streams, which no thing of ours uses
itself. Beside, it says what the thing says, in the same graphs.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from ..namespaces import OUTSIDE
from ..records.history import STAMP

TREE = "https://w3id.org/tree#"
ACTIVITY = "https://www.w3.org/ns/activitystreams#"
NEW, CHANGED, GONE = "Create", "Update", "Delete"  # as Activity Streams calls them
RDF_TYPE, DATE_TIME = f"{OUTSIDE['rdf']}type", f"{OUTSIDE['xsd']}dateTime"


class Member(NamedTuple):
    """A version of a thing in the log, by its number; `what` became of the thing then."""

    number: int
    iri: str
    at: str
    what: str
    state: str


def written(stream: str, page: str, members: Iterable[Member]) -> str:
    """Members of a stream, which are on a page below it, as N-Quads."""
    return "".join(line for one in members for line in lines(stream, page, one))


def lines(stream: str, page: str, one: Member) -> Iterator[str]:
    """The lines of a member."""
    stamp = datetime.fromisoformat(one.at).strftime(STAMP)
    # A power cut may take the last members, also from those who have them, and with them their numbers.
    thing = hashlib.blake2b(one.iri.encode(), digest_size=4).hexdigest()
    member = f"<{stream}/{page}#{stamp}-{one.number}-{thing}>"
    yield f"<{stream}> <{TREE}member> {member} .\n"
    yield f"{member} <{RDF_TYPE}> <{ACTIVITY}{one.what}> .\n"
    yield f"{member} <{ACTIVITY}object> <{one.iri}> .\n"
    yield f'{member} <{ACTIVITY}published> "{one.at}"^^<{DATE_TIME}> .\n'
    yield from (f"{member} {line}\n" for line in filter(None, one.state.split("\n")))
