"""How long until the first answer: of the service on the shipped data, and of the shell's help."""

import shutil
from pathlib import Path

from ..measure.commands import PYTHON, WGIG, Comparison, command, oxigraph, side_by_side
from ..measure.server import fill, first_answer

COLD_SECONDS, WARM_SECONDS, HELP_SECONDS = 2.0, 1.0, 0.3


def compare(scratch: Path, rounds: int) -> list[Comparison]:
    """The starts, cold and warm, and the help, each against what comes nearest."""
    store, dump, folder = scratch / "store", scratch / "shipped.nq", scratch / "peer"
    fill(store)
    command(oxigraph(), "dump", "--location", store / "quads", "--file", dump)

    def ours() -> float:
        return first_answer([*WGIG, "serve", "--store", str(store)], "--port", "{port}")

    def ours_cold() -> float:
        shutil.rmtree(store, ignore_errors=True)
        return ours()

    def peer() -> float:
        return first_answer([oxigraph(), "serve", "--location", str(folder)], "--bind", "127.0.0.1:{port}")

    def peer_cold() -> float:
        shutil.rmtree(folder, ignore_errors=True)
        return command(oxigraph(), "load", "--location", folder, "--file", dump) + peer()

    cold = side_by_side({"ours": ours_cold, "peer": peer_cold}, rounds)
    warm = side_by_side({"ours": ours, "peer": peer}, rounds)
    help_ = side_by_side(
        {"ours": lambda: command(*WGIG, "--help"), "peer": lambda: command(PYTHON, "-c", "pass")}, rounds
    )
    return [
        Comparison(
            "first answer, no store yet",
            "wgig serve",
            "oxigraph load + serve",
            cold["ours"],
            cold["peer"],
            goal_seconds=COLD_SECONDS,
        ),
        Comparison(
            "first answer, store exists",
            "wgig serve",
            "oxigraph serve",
            warm["ours"],
            warm["peer"],
            goal_seconds=WARM_SECONDS,
        ),
        Comparison(
            "help", "wgig --help", "python -c pass", help_["ours"], help_["peer"], goal_seconds=HELP_SECONDS
        ),
    ]
