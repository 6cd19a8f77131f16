"""The command `wgig forget`: permanently erase the content of old versions of graphs."""

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from ..problems import Problem
from ..seed import open_filled_store
from ..settings import Settings
from ..store.backup.backup import read_backup_time
from ..store.backup.online import request_forgetting
from ..store.change_log import SHA256_HEX_PATTERN
from ..store.files import ASIDE_FOLDER, MANIFEST_FILE, PREVIOUS_STORE_PREFIX
from ..store.folder import check_store_exists
from ..store.history import GraphHistory, read_graph_lines
from ..store.store import Store
from .console import print_message
from .parser import EXIT_NO, EXIT_OK


def run_forget(arguments: argparse.Namespace, settings: Settings) -> int:
    """Erase the content of the versions at these addresses, or with these SHA-256.

    The exit code is EXIT_NO if the store never had one with such a SHA-256; the others are erased. Raises
    Problem for an address that is no old version, StoreError and OSError.
    """
    check_store_exists(settings.store)
    digests = find_version_digests(settings, arguments.versions)
    for address, digest in digests.items():
        if digest is None:
            print_message(f"The change log has never contained {address}")
    known = {address: digest for address, digest in digests.items() if digest}
    if known:
        erase_versions(settings, known)
    return EXIT_OK if len(known) == len(digests) else EXIT_NO


def erase_versions(settings: Settings, digests: Mapping[str, str]) -> None:
    """Erase contents, whose SHA-256 are given by address, and print what was done and what remains."""
    erased = request_forgetting(settings.store, [*digests.values()])
    is_service_running = erased is not None
    if erased is None:
        with closing(open_filled_store(settings, print_message)) as store:
            erased = store.forget(digests.values())
            store.purge_quads(print_message)
    for address, digest in digests.items():
        was_erased = "Erased:" if digest in erased else "Already erased:"
        print(f"{was_erased} {address}", flush=True)
    if is_service_running:
        print(
            "Pages, queries and citations no longer contain it. The quad files, and backups made from "
            "them, still contain its text until the service is next started: restart it.",
            flush=True,
        )
    print_remaining_copies(settings.store, [*digests.values()])


def find_version_digests(settings: Settings, addresses: Sequence[str]) -> dict[str, str | None]:
    """The SHA-256 of the content of each version, by address; None for a SHA-256 that the store never had.

    Raises Problem, StoreError.
    """
    store = Store.open_read_only(settings.store)
    history = GraphHistory(settings.base, store.old_contents)
    digests = dict[str, str | None]()
    for address in addresses:
        digest = find_version_digest(store, history, address)
        digests[address] = digest if store.log.find_old_contents(digest) else None
    return digests


def print_remaining_copies(folder: Path, digests: Sequence[str]) -> None:
    """Print which copies of the store in a folder may still have erased contents."""
    backup_time = read_backup_time(folder)
    if backup_time:
        print(
            f"Backups whose {MANIFEST_FILE} does not list it as erased still contain it, such as the "
            f"latest one, of {backup_time}: delete them, too. It is listed as: {' '.join(digests)}",
            flush=True,
        )
    for path in sorted((folder / ASIDE_FOLDER).glob(f"{PREVIOUS_STORE_PREFIX}*")):
        print(
            f"The store that was replaced by a restore may still contain it: delete {path}, too.", flush=True
        )


def find_version_digest(store: Store, history: GraphHistory, address: str) -> str:
    """The SHA-256 of the content of the version at an address, such as `/graph/paper/x?version=…`.

    The address may also be the SHA-256 itself. Raises Problem 404 if there is no such version, 400 if it is
    the current one.
    """
    if SHA256_HEX_PATTERN.fullmatch(address):
        check_not_current(store, address)
        return address
    graph, name = parse_version_address(address, history.base)
    versions = history.list_versions(store, graph)
    version = next((version for version in versions if version.name == name), None)
    if version is None:
        raise Problem(404, f"There is no version at {address}. The page of the graph lists its versions.")
    if not version.content_digest:
        raise Problem(400, f"{address} is the current version. Replace or delete the graph first.")
    return version.content_digest


def check_not_current(store: Store, digest: str) -> None:
    """Raise Problem 400 if the content of a graph has this SHA-256."""
    for graph in (None, *store.graphs()):
        if hashlib.sha256(b"".join(sorted(read_graph_lines(store, graph)))).hexdigest() == digest:
            name = graph or "the unnamed graph"
            raise Problem(400, f"{digest} is the current content of {name}. Replace or delete it first.")


def parse_version_address(address: str, base: str) -> tuple[str | None, str]:
    """The IRI of the graph (None: the default graph) and the name of the version at an address.

    Raises Problem 400.
    """
    parts = urlsplit(address)
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    _, marker, name = parts.path.partition("/graph/")
    if parameters.get("version") and marker:
        return f"{base}graph/{name}", parameters["version"]
    if parameters.get("version") and parts.path.endswith("/graphs"):
        return parameters.get("graph"), parameters["version"]
    raise Problem(
        400,
        f"{address} is not the address of a version. It must be like "
        "/graph/paper/spam?version=20260101T120000000000Z",
    )
