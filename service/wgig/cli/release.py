"""The command `wgig release`: make a release of the data, or list the releases."""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ..graphs.releases import (
    DATACITE_FILE,
    RESOURCE_CHANGES,
    NothingChangedError,
    Release,
    ReleaseOrigin,
    create_release,
    find_release_license,
    list_releases,
)
from ..pages.names import kind_title
from ..seed import open_store_snapshot
from ..settings import Settings
from ..store.backup.online import request_touch
from ..store.folder import check_store_exists
from .console import print_message, print_table, show_progress_bar
from .parser import EXIT_NO, EXIT_OK


def run_release(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make a release, or list all. The exit code is EXIT_NO if nothing has changed since the last one.

    Raises StoreError and OSError; then there is no new release.
    """
    check_store_exists(settings.store)
    if arguments.list:
        print_releases(list_releases(settings.store), arguments.format)
        return EXIT_OK
    store = open_store_snapshot(settings, print_message)
    origin = ReleaseOrigin(settings.base, find_release_license(store, settings.base), datetime.now(UTC))
    quads, _ = store.size()
    try:
        with show_progress_bar("Making the release", 2 * quads, "statements read and written") as report:
            release = create_release(
                store, settings.store, origin, force=arguments.force, report_progress=report
            )
    except NothingChangedError as error:
        print_message(str(error))
        return EXIT_NO
    request_touch(settings.store)  # a running service shows the release at once
    if arguments.format == "json":
        print(json.dumps(release.record, ensure_ascii=False, indent=2))
    else:
        for line in iter_release_lines(release):
            print(line, flush=True)
    return EXIT_OK


def print_releases(releases: list[Release], output_format: str) -> None:
    """Print the releases as a table, or their records as JSON."""
    if output_format == "json":
        print(json.dumps([release.record for release in releases], ensure_ascii=False, indent=2))
        return
    columns = ["release", "statements", "graphs", "added", "removed"]
    print_table(columns, (build_release_row(release.record) for release in releases))


def build_release_row(record: dict[str, Any]) -> list[str]:
    """The row of a release in the table."""
    changes = record["changes"]
    counts = (changes["added"], changes["removed"]) if changes else ("", "")
    numbers = (record["statements"], record["graphs"], *counts)
    return [record["name"], *(f"{number:,}" if number != "" else "" for number in numbers)]


def iter_release_lines(release: Release) -> Iterator[str]:
    """What a release has, and what changed since the one before, in words."""
    record = release.record
    yield (
        f"Released {record['name']}: {record['statements']:,} statements in {record['graphs']:,} named "
        f"graphs, in {release.folder}"
    )
    changes = record["changes"]
    if not changes:
        yield "It is the first release."
        return
    yield (
        f"Since {record['previous']}: {changes['added']:,} statements added, {changes['removed']:,} removed, "
        f"in {len(changes['graphs']):,} graphs"
    )
    for counts in changes["kinds"]:
        numbers = [f"{counts[change]:,} {change}" for change in RESOURCE_CHANGES if counts[change]]
        yield f"  {kind_title(counts['kind'])}: {', '.join(numbers)}"
    yield f"To register a DOI, deposit the folder with the metadata in {DATACITE_FILE}."
