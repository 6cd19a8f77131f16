"""The wheel, installed without the checkout, has all data and serves the same graphs."""

import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from wgig.pages.rendering import BUILT_SCRIPTS_FOLDER
from wgig.settings import CHECKOUT_FOLDER

from tests.fixtures.processes import ServiceStarter

COUNT_QUERY = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"


@pytest.fixture(scope="module")
def wgig_command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `wgig` as installed from the wheel, with the dependencies of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build_command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    # If the npm registry cannot be reached, the checkout was installed without scripts, too.
    build_environment = os.environ | ({} if BUILT_SCRIPTS_FOLDER.is_dir() else {"BUILD_WITHOUT_SCRIPTS": "1"})
    subprocess.run(
        [*build_command, str(CHECKOUT_FOLDER)], check=True, capture_output=True, env=build_environment
    )
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    (wheel,) = folder.glob("*.whl")
    pip_arguments = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([str(python), *pip_arguments], check=True, capture_output=True)
    (packages,) = (folder / "venv/lib").glob("python*/site-packages")
    site_packages = [path for path in sys.path if path.endswith("site-packages")]
    # Only the folders site-packages, without the checkout that an editable install adds to the path.
    (packages / "dependencies.pth").write_text("\n".join(site_packages))
    return folder / "venv/bin/wgig"


def make_environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"]}


def read_quad_count(output: str) -> int:
    count: int = json.loads(output)["quads"]
    return count


def is_describing(url: str) -> bool:
    """Whether a service is not ready, or its descriptions are not up to date."""
    try:
        with urlopen(f"{url}ready") as response:
            return bool(json.load(response)["describing"])
    except HTTPError:
        return True


def test_the_installed_wheel_serves_as_many_quads_as_the_checkout(
    wgig_command: Path, start_service: ServiceStarter, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    command = [str(wgig_command), "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=home, env=make_environment(home), stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[2]  # the third word of the first line
            while is_describing(url):  # a new store is described once it is served
                time.sleep(0.05)
            with urlopen(f"{url}sparql?{urlencode({'query': COUNT_QUERY})}") as response:
                served_count = json.load(response)["results"]["bindings"][0]["n"]["value"]
        finally:
            process.terminate()
    with start_service(tmp_path / "store"):  # of the checkout, which fills the store
        pass
    stats_command = [sys.executable, "-m", "wgig", "stats", "--format", "json"]
    stats_command += ["--store", str(tmp_path / "store")]
    stats_output = subprocess.run(stats_command, check=True, capture_output=True, text=True).stdout
    assert int(served_count) == read_quad_count(stats_output)


def test_the_installed_wheel_uses_its_own_data(wgig_command: Path, tmp_path: Path) -> None:
    code = "import wgig.settings; print(wgig.settings.SHIPPED_FOLDER)"
    process = subprocess.run(
        [wgig_command.with_name("python"), "-c", code],
        cwd=tmp_path,
        env=make_environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    assert process.stdout.strip().endswith("site-packages/wgig/shipped")


def test_the_wheel_has_the_example_queries(wgig_command: Path, tmp_path: Path) -> None:
    process = subprocess.run(
        [wgig_command, "queries", "coverage-matrix"],
        cwd=tmp_path,
        env=make_environment(tmp_path),
        capture_output=True,
        check=True,
    )
    assert process.stdout == (CHECKOUT_FOLDER / "data/queries/coverage-matrix.rq").read_bytes()


@pytest.mark.skipif(
    not BUILT_SCRIPTS_FOLDER.is_dir(), reason="The npm registry cannot be reached, so there are no scripts."
)
def test_the_wheel_has_the_browser_code(wgig_command: Path, tmp_path: Path) -> None:
    # The first line allows the indentation of the others.
    code = """if True:
        from wgig.pages.rendering import find_script_path, read_static_files
        print(find_script_path("editor") in read_static_files())"""
    process = subprocess.run(
        [wgig_command.with_name("python"), "-c", code],
        cwd=tmp_path,
        env=make_environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    assert process.stdout == "True\n"
