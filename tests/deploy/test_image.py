"""The image is built from existing files and hashed packages, and does not run as root."""

import re
import subprocess

import pytest
from wgig._version import __version__
from wgig.cli.parser import build_command_parser
from wgig.settings import CHECKOUT_FOLDER

from tests.deploy.places import DEPLOY, assert_known_settings, find_tool, load_yaml

CONTAINERFILE = DEPLOY / "Containerfile"
CONTAINERFILE_TEXT = CONTAINERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
DOCKERIGNORE_LINES = (CHECKOUT_FOLDER / ".dockerignore").read_text(encoding="utf-8").splitlines()
LAST_STAGE = CONTAINERFILE_TEXT.rpartition("\nFROM ")[2]


def test_hadolint_reports_nothing() -> None:
    process = subprocess.run(
        [find_tool("hadolint"), str(CONTAINERFILE)], capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (0, "")


def test_each_package_is_installed_by_its_hash() -> None:
    for line in re.findall(r"pip (?:--python \S+ )?install [^&\n]*", CONTAINERFILE_TEXT):
        assert "--require-hashes --only-binary :all:" in line or "--no-deps --no-index" in line, line


def test_the_last_stage_has_no_tools_and_is_not_root() -> None:
    assert "pip uninstall" in LAST_STAGE
    assert not re.search(r"apt-get|pip install|COPY \. ", LAST_STAGE)
    assert re.search(r"^USER 10001:10001$", LAST_STAGE, re.MULTILINE)
    assert "\nSTOPSIGNAL SIGTERM\n" in LAST_STAGE
    assert "\nHEALTHCHECK " in LAST_STAGE


def test_the_command_of_the_image_can_be_parsed_and_its_settings_are_known() -> None:
    (command,) = re.findall(r'^CMD \["(\w+)"\]$', LAST_STAGE, re.MULTILINE)
    build_command_parser().parse_args([command])
    assert_known_settings(re.findall(r"\b(WGIG_[A-Z_]+)=", LAST_STAGE))


@pytest.mark.parametrize(
    "name", ["client", "data", "ontology", "service", "shapes", "README.md", "pyproject.toml"]
)
def test_the_sources_of_the_wheel_are_in_the_build_context(name: str) -> None:
    assert f"!{name}" in DOCKERIGNORE_LINES
    assert (CHECKOUT_FOLDER / name).exists()


def test_all_files_have_the_version_of_the_package() -> None:
    chart = load_yaml(DEPLOY / "helm" / "wgig" / "Chart.yaml")
    images = {
        service["image"]
        for name in ("compose.yaml", "compose.embedded.yaml")
        for service in load_yaml(DEPLOY / name)["services"].values()
        if service["image"].startswith("wgig:")
    }
    assert f"ARG VERSION={__version__}\n" in CONTAINERFILE_TEXT
    assert chart["appVersion"] == __version__
    assert images == {f"wgig:{__version__}"}
