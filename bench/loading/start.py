"""The time until the first response of the service with the shipped data, and the time of `wgig --help`."""

import shutil
from pathlib import Path

from ..measure.commands import PYTHON, WGIG, Comparison, find_oxigraph, time_alternately, time_command
from ..measure.server import fill_store, time_first_response

MAX_NEW_STORE_SECONDS, MAX_EXISTING_STORE_SECONDS, MAX_HELP_SECONDS = 2.0, 1.0, 0.3


def compare_starts(scratch: Path, rounds: int) -> list[Comparison]:
    """Starts with a new and with an existing store, and `--help`, each against the closest peer.

    The peer of a start is `oxigraph serve` with the same data; that of the help, `python -c pass`.
    """
    store, dump, peer_folder = scratch / "store", scratch / "shipped.nq", scratch / "peer"
    fill_store(store)
    time_command(find_oxigraph(), "dump", "--location", store / "quads", "--file", dump)

    def start_ours() -> float:
        return time_first_response([*WGIG, "serve", "--store", str(store)], "--port", "{port}")

    def start_ours_with_new_store() -> float:
        shutil.rmtree(store, ignore_errors=True)
        return start_ours()

    def start_peer() -> float:
        command = [find_oxigraph(), "serve", "--location", str(peer_folder)]
        return time_first_response(command, "--bind", "127.0.0.1:{port}")

    def start_peer_with_new_store() -> float:
        shutil.rmtree(peer_folder, ignore_errors=True)
        load = time_command(find_oxigraph(), "load", "--location", peer_folder, "--file", dump)
        return load + start_peer()

    new = time_alternately({"ours": start_ours_with_new_store, "peer": start_peer_with_new_store}, rounds)
    existing = time_alternately({"ours": start_ours, "peer": start_peer}, rounds)
    help_ = time_alternately(
        {"ours": lambda: time_command(*WGIG, "--help"), "peer": lambda: time_command(PYTHON, "-c", "pass")},
        rounds,
    )
    return [
        Comparison(
            "first response, new store",
            "wgig serve",
            "oxigraph load + serve",
            new["ours"],
            new["peer"],
            goal_seconds=MAX_NEW_STORE_SECONDS,
        ),
        Comparison(
            "first response, existing store",
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
