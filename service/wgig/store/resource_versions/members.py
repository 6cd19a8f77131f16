"""Members of the event stream, which are versions of resources, in N-Quads.

The IRI of a member is that of its page with a fragment. Its statements in the default graph are the resource,
the time, and the activity (created, updated or deleted), in terms of Activity Streams. No resource of the
store uses these terms, so they cannot be confused with statements of the resource. The statements of the
resource follow, in the graphs where they are in the store, with the member as their subject.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wgig_client.namespaces import ACTIVITY_STREAMS_NAMESPACE, TREE_NAMESPACE

from ...rdf.namespaces import RDF_TYPE_IRI, XSD_DATE_TIME

# The names of the classes in Activity Streams 2.0.
ACTIVITY_CREATE, ACTIVITY_UPDATE, ACTIVITY_DELETE = "Create", "Update", "Delete"
TIME_PUNCTUATION = str.maketrans("", "", "-:.")  # left out in the fragment of a member
ENVELOPE_LINES = 4  # of a member, before the lines of its state
NUMBER_IN_FRAGMENT = re.compile(r"#[0-9TZ]+-([0-9]+)[^#]*$")


class ResourceVersion(NamedTuple):
    """A version of a resource; `activity` is one of the ACTIVITY constants.

    `n_quads` are the lines of the state. The versions of all resources are numbered from 1.
    """

    number: int
    iri: str
    changed_at: str
    activity: str
    n_quads: str


def serialize_members(stream_iri: str, page: str, versions: Iterable[ResourceVersion]) -> str:
    """The members on a page as N-Quads; `page` is the path of the page below `stream_iri`."""
    return "".join(line for version in versions for line in iter_member_lines(stream_iri, page, version))


def iter_member_lines(stream_iri: str, page: str, version: ResourceVersion) -> Iterator[str]:
    """The N-Quads lines of a member."""
    timestamp = version.changed_at.translate(TIME_PUNCTUATION)  # a tenth of the time of strftime
    # If the newest versions are lost and cannot be replayed, others may get numbers that clients have seen
    # already; the digest makes their IRIs different.
    iri_digest = hashlib.blake2b(version.iri.encode(), digest_size=4).hexdigest()
    member_iri = f"<{stream_iri}/{page}#{timestamp}-{version.number}-{iri_digest}>"
    yield f"<{stream_iri}> <{TREE_NAMESPACE}member> {member_iri} .\n"
    yield f"{member_iri} <{RDF_TYPE_IRI}> <{ACTIVITY_STREAMS_NAMESPACE}{version.activity}> .\n"
    yield f"{member_iri} <{ACTIVITY_STREAMS_NAMESPACE}object> <{version.iri}> .\n"
    time = f'"{version.changed_at}"^^<{XSD_DATE_TIME.value}>'
    yield f"{member_iri} <{ACTIVITY_STREAMS_NAMESPACE}published> {time} .\n"
    yield from (f"{member_iri} {line}\n" for line in filter(None, version.n_quads.split("\n")))


def iter_member_states(stream_iri: str, body: str) -> Iterator[tuple[str, int, list[str]]]:
    """The IRI of the resource, the number and the lines of each member on a page of `serialize_members`."""
    start = f"<{stream_iri}> <{TREE_NAMESPACE}member> "
    members = list[list[str]]()
    for line in body.split("\n"):
        if line.startswith(start):
            members.append([])
        if members and line:
            members[-1].append(line)
    for lines in members:
        match = NUMBER_IN_FRAGMENT.search(lines[0])
        assert match
        iri = lines[2].split(" ")[2][1:-1]
        yield iri, int(match[1]), [line.partition(" ")[2] for line in lines[ENVELOPE_LINES:]]
