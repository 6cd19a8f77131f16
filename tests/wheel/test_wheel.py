"""The wheel alone, in an environment of its own and far from the checkout, serves the same graph."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from wgig.pages.rendering import BUILT_SCRIPTS_FOLDER
from wgig.settings import CHECKOUT_FOLDER

COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"


@pytest.fixture(scope="module")
def wgig(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `wgig` as installed from the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    # Where the registry of npm cannot be reached, the install of the checkout went without scripts, too.
    wanted = os.environ | ({} if BUILT_SCRIPTS_FOLDER.is_dir() else {"BUILD_WITHOUT_SCRIPTS": "1"})
    subprocess.run([*build, str(CHECKOUT_FOLDER)], check=True, capture_output=True, env=wanted)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    (wheel,) = folder.glob("*.whl")
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([str(python), *install], check=True, capture_output=True)
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    here = [path for path in sys.path if path.endswith("site-packages")]
    # Without the checkout that an editable install adds: only what lies in site-packages itself.
    (packages / "dependencies.pth").write_text("\n".join(here))
    return folder / "venv/bin/wgig"


def environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"]}


def quads(output: str) -> int:
    count: int = json.loads(output)["quads"]
    return count


def test_the_installed_wheel_serves_as_many_quads_as_the_checkout(wgig: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    command = [str(wgig), "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=home, env=environment(home), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[2]
            with urlopen(f"{url}sparql?{urlencode({'query': COUNT})}") as response:
                served = json.load(response)["results"]["bindings"][0]["n"]["value"]
        finally:
            process.terminate()
    stats = [sys.executable, "-m", "wgig", "stats", "--format", "json", "--store", str(tmp_path / "store")]
    here = subprocess.run(stats, check=True, capture_output=True, text=True).stdout
    assert int(served) == quads(here)


def test_the_installed_wheel_knows_nothing_of_the_checkout(wgig: Path, tmp_path: Path) -> None:
    code = "import wgig.settings; print(wgig.settings.SHIPPED_FOLDER)"
    done = subprocess.run(
        [wgig.with_name("python"), "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip().endswith("site-packages/wgig/shipped")


def test_the_wheel_carries_the_example_queries(wgig: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [wgig, "queries", "coverage-matrix"],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        check=True,
    )
    assert done.stdout == (CHECKOUT_FOLDER / "data/queries/coverage-matrix.rq").read_bytes()


@pytest.mark.skipif(
    not BUILT_SCRIPTS_FOLDER.is_dir(), reason="The registry of npm cannot be reached: there are no scripts."
)
def test_the_wheel_carries_the_browser_code(wgig: Path, tmp_path: Path) -> None:
    code = """if True:
        from wgig.pages.rendering import find_script_path, read_static_files
        print(find_script_path("editor") in read_static_files())"""
    done = subprocess.run(
        [wgig.with_name("python"), "-c", code],
        cwd=tmp_path,
        env=environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True\n"
