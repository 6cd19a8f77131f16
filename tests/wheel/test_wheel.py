"""The packages, installed without the checkout, have all data and licenses, and serve the same graphs."""

import json
import os
import subprocess
import sys
import tarfile
import time
import venv
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen
from zipfile import ZipFile

import pytest
from bs4 import BeautifulSoup
from readme_renderer import markdown
from wgig._version import __version__
from wgig.pages.rendering import BUILT_SCRIPTS_FOLDER
from wgig.settings import CHECKOUT_FOLDER

from tests.fixtures.processes import ServiceStarter

COUNT_QUERY = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archives of both packages, and the wheels that are built from them."""
    folder = tmp_path_factory.mktemp("packages")
    # If the npm registry cannot be reached, the checkout was installed without scripts, too.
    environment = os.environ | ({} if BUILT_SCRIPTS_FOLDER.is_dir() else {"BUILD_WITHOUT_SCRIPTS": "1"})
    for source in (CHECKOUT_FOLDER / "client", CHECKOUT_FOLDER):
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)]
        subprocess.run(command, check=True, capture_output=True, env=environment)
    return folder


@pytest.fixture(scope="module")
def wgig_command(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `wgig` as installed from the wheels, with the dependencies of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    pip_arguments = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([python, *pip_arguments, *packages.glob("*.whl")], check=True, capture_output=True)
    (installed,) = (folder / "venv/lib").glob("python*/site-packages")
    site_packages = [path for path in sys.path if path.endswith("site-packages")]
    # Only the folders site-packages, without the checkout that an editable install adds to the path.
    (installed / "dependencies.pth").write_text("\n".join(site_packages))
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


LICENSES_BY_PACKAGE = {
    "wgig": {"Apache-2.0.txt": "LICENSES/Apache-2.0.txt", "CC-BY-4.0.txt": "LICENSES/CC-BY-4.0.txt"},
    "wgig_client": {"LICENSE": "LICENSES/Apache-2.0.txt"},
}


def read_package_files(archive: Path) -> dict[str, bytes]:
    """The content of each file in a wheel or source archive, by its path."""
    if archive.suffix == ".whl":
        with ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(archive) as sources:
        files = {member.name: sources.extractfile(member) for member in sources if member.isfile()}
        return {name: file.read() for name, file in files.items() if file}


def read_metadata(wheel: Path) -> Message:
    """The metadata of a wheel."""
    files = read_package_files(wheel)
    (name,) = (name for name in files if name.endswith(".dist-info/METADATA"))
    return message_from_bytes(files[name])


@pytest.mark.parametrize("name", LICENSES_BY_PACKAGE)
@pytest.mark.parametrize("suffix", ["-py3-none-any.whl", ".tar.gz"])
def test_each_archive_has_the_texts_of_its_licenses(packages: Path, name: str, suffix: str) -> None:
    files = read_package_files(packages / f"{name}-{__version__}{suffix}")
    for license_name, path in LICENSES_BY_PACKAGE[name].items():
        license_texts = {text for file, text in files.items() if file.endswith(f"/{license_name}")}
        assert license_texts == {(CHECKOUT_FOLDER / path).read_bytes()}


@pytest.mark.parametrize("name", LICENSES_BY_PACKAGE)
def test_a_package_index_can_render_the_readme_and_its_links_are_absolute(packages: Path, name: str) -> None:
    metadata = read_metadata(packages / f"{name}-{__version__}-py3-none-any.whl")
    text = metadata.get_payload()
    assert isinstance(text, str)
    assert metadata["Description-Content-Type"] == "text/markdown"
    page = BeautifulSoup(markdown.render(text) or "", "html.parser")
    targets = [str(element.get("href") or element.get("src")) for element in page.select("[href], [src]")]
    assert targets
    # The index adds an anchor to each heading.
    absolute_starts = ("https://", "http://127.0.0.1:8000/", "#user-content-")
    assert all(target.startswith(absolute_starts) for target in targets), targets
    assert name == "wgig_client" or page.select("img[alt][src$='.png']")


@pytest.mark.parametrize("name", LICENSES_BY_PACKAGE)
def test_the_metadata_has_no_upper_bound_of_python(packages: Path, name: str) -> None:
    metadata = read_metadata(packages / f"{name}-{__version__}-py3-none-any.whl")
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Homepage, https://w3id.org/wgig/" in metadata.get_all("Project-URL", [])


def test_the_service_requires_the_client_of_the_same_version(packages: Path) -> None:
    metadata = read_metadata(packages / f"wgig-{__version__}-py3-none-any.whl")
    assert f"wgig-client=={__version__}" in metadata.get_all("Requires-Dist", [])


def test_the_installed_client_is_the_same_from_both_packages(wgig_command: Path, tmp_path: Path) -> None:
    code = "import wgig, wgig_client; assert wgig.connect is wgig_client.connect; print(wgig_client.__file__)"
    process = subprocess.run(
        [wgig_command.with_name("python"), "-c", code],
        cwd=tmp_path,
        env=make_environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    assert process.stdout.strip().endswith("site-packages/wgig_client/__init__.py")


def test_the_wheel_has_the_docs_site(wgig_command: Path, tmp_path: Path) -> None:
    process = subprocess.run(
        [
            wgig_command.with_name("python"),
            "-c",
            "from wgig.pages.docs_site import read_docs_files; print(*sorted(read_docs_files()))",
        ],
        cwd=tmp_path,
        env=make_environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    )
    files = process.stdout.split()
    assert {"index.html", "search.json", "reference/settings.html", "tutorials/questions.html"} <= {*files}
