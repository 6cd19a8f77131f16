"""The time until the first query and page of the service with the shipped data, and that of `wgig --help`."""

import shutil
import time
from pathlib import Path

from ..measure.client import Client, build_request
from ..measure.commands import PYTHON, WGIG, Comparison, find_oxigraph, time_alternately, time_command
from ..measure.server import fill_store, run_server, time_first_response

MAX_NEW_STORE_SECONDS, MAX_EXISTING_STORE_SECONDS, MAX_HELP_SECONDS = 2.5, 1.3, 0.3
HOME_PAGE_REQUEST = build_request("/", "text/html")


def compare_starts(scratch: Path, rounds: int) -> list[Comparison]:
    """Starts with a new and with an existing store, and `--help`, each against the closest peer.

    The peer of a start is `oxigraph serve` with the same data; that of the help, `python -c pass`.
    """
    store, dump, peer_folder = scratch / "store", scratch / "shipped.nq", scratch / "peer"
    fill_store(store)
    time_command(find_oxigraph(), "dump", "--location", store / "quads", "--file", dump)

    def start_ours_with_new_store() -> float:
        shutil.rmtree(store, ignore_errors=True)
        return time_first_page(store)

    def start_peer() -> float:  # it has no pages
        command = [find_oxigraph(), "serve", "--location", str(peer_folder)]
        return time_first_response(command, "--bind", "127.0.0.1:{port}")

    def start_peer_with_new_store() -> float:
        shutil.rmtree(peer_folder, ignore_errors=True)
        load = time_command(find_oxigraph(), "load", "--location", peer_folder, "--file", dump)
        return load + start_peer()

    new = time_alternately({"ours": start_ours_with_new_store, "peer": start_peer_with_new_store}, rounds)
    existing = time_alternately({"ours": lambda: time_first_page(store), "peer": start_peer}, rounds)
    help_ = time_alternately(
        {"ours": lambda: time_command(*WGIG, "--help"), "peer": lambda: time_command(PYTHON, "-c", "pass")},
        rounds,
    )
    return [
        Comparison(
            "first query and page, new store",
            "wgig serve",
            "oxigraph load + serve",
            new["ours"],
            new["peer"],
            goal_seconds=MAX_NEW_STORE_SECONDS,
        ),
        Comparison(
            "first query and page, existing store",
            "wgig serve",
            "oxigraph serve",
            existing["ours"],
            existing["peer"],
            goal_seconds=MAX_EXISTING_STORE_SECONDS,
        ),
        Comparison(
            "help",
            "wgig --help",
            "python -c pass",
            help_["ours"],
            help_["peer"],
            goal_seconds=MAX_HELP_SECONDS,
        ),
    ]


def time_first_page(store: Path) -> float:
    """Seconds from the start of our service to its first query result and page; it is then stopped."""
    start = time.perf_counter()
    with run_server([*WGIG, "serve", "--store", str(store)], "--port", "{port}") as server:
        with Client(server.port) as client:
            status = client.send(HOME_PAGE_REQUEST).status
        seconds = time.perf_counter() - start
    if status != 200:
        raise SystemExit(f"The home page has the status {status}.")
    return seconds
