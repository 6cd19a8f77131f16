"""Continues a database of an older version of wgig, whose states have derived quads and are only in the
pages.

The members that are published stay as they are. From now on a state has only the stated quads; a resource
gets no new version for this reason alone. A resource of which nothing is stated is no longer listed.
"""

from collections.abc import Iterable, Iterator

from ... import zstd
from .database import ResourceVersions
from .members import ACTIVITY_DELETE, iter_member_states
from .states import StatePacker

PublishedState = tuple[str, int, Iterable[str]]  # the IRI of a resource, the number of its version, its lines


def migrate_database(versions: ResourceVersions) -> None:
    """Fill the tables of the current format from those of the older one, which are then dropped."""
    with versions.transaction(must_sync=True):
        execute = versions.connection.execute
        select = "SELECT iri, kind, number, at, known, what, x'' FROM things WHERE what = ?"
        execute(f"INSERT INTO resources {select}", (ACTIVITY_DELETE,))
        for state in iter_closed_pages(versions):
            add_published_state(versions, state, is_closed=True)
        rows = execute("SELECT number, iri, at, what, state FROM members ORDER BY number").fetchall()
        packer = StatePacker()
        for number, iri, changed_at, activity, n_quads in rows:
            lines = n_quads.split("\n")
            content = packer.pack(lines)[1] if n_quads else b""
            execute(
                "INSERT INTO versions VALUES (?, ?, ?, ?, ?)", (number, iri, changed_at, activity, content)
            )
            add_published_state(versions, (iri, number, lines), is_closed=False)
        for table in ("things", "found", "later", "members"):
            execute(f"DROP TABLE {table}")
        execute("DELETE FROM about WHERE name IN ('mark', 'position')")
        versions.write_format()


def iter_closed_pages(versions: ResourceVersions) -> Iterator[PublishedState]:
    """The members of all closed pages."""
    for (page,) in versions.select_rows("SELECT page FROM pages ORDER BY page"):
        ((body,),) = versions.select_rows("SELECT body FROM pages WHERE page = ?", page)
        yield from iter_member_states(f"{versions.base}changes", zstd.decompress(body).decode())


def add_published_state(versions: ResourceVersions, state: PublishedState, *, is_closed: bool) -> None:
    """Add a resource with its state, if this is its last version and something is stated of it."""
    iri, number, lines = state
    select = "SELECT kind, at, known, what FROM things WHERE iri = ? AND number = ? AND what <> ?"
    rows = versions.select_rows(select, iri, number, ACTIVITY_DELETE)
    stated_lines = [line for line in lines if line and not versions.states.is_derived(line)]
    if not rows or not stated_lines:
        return
    ((kind, changed_at, is_time_known, activity),) = rows
    digest, content = versions.packer.pack(stated_lines)
    execute = versions.connection.execute
    execute(
        "INSERT INTO resources VALUES (?, ?, ?, ?, ?, ?, ?)",
        (iri, kind, number, changed_at, is_time_known, activity, digest),
    )
    if is_closed:
        execute("INSERT INTO versions VALUES (?, ?, ?, ?, ?)", (number, iri, changed_at, activity, content))
