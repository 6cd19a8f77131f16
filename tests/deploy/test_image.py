"""The image is built of what is there, by hashes, and runs as nobody in particular."""

import re
import subprocess

import pytest
from wgig._version import __version__
from wgig.cli.parser import build_command_parser
from wgig.settings import CHECKOUT_FOLDER

from tests.deploy.places import DEPLOY, document, need, refuse_unknown

FILE = DEPLOY / "Containerfile"
TEXT = FILE.read_text(encoding="utf-8").replace("\\\n", " ")
IGNORED = (CHECKOUT_FOLDER / ".dockerignore").read_text(encoding="utf-8").splitlines()
LAST = TEXT.rpartition("\nFROM ")[2]


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([need("hadolint"), str(FILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_each_package_is_installed_by_its_hash() -> None:
    for line in re.findall(r"pip (?:--python \S+ )?install [^&\n]*", TEXT):
        assert "--require-hashes --only-binary :all:" in line or "--no-deps --no-index" in line, line


def test_the_last_stage_has_no_tools_and_another_user_than_root() -> None:
    assert "pip uninstall" in LAST
    assert not re.search(r"apt-get|pip install|COPY \. ", LAST)
    assert re.search(r"^USER 10001:10001$", LAST, re.MULTILINE)
    assert "\nSTOPSIGNAL SIGTERM\n" in LAST
    assert "\nHEALTHCHECK " in LAST


def test_what_it_runs_can_be_called_and_its_settings_are_known() -> None:
    (command,) = re.findall(r'^CMD \["(\w+)"\]$', LAST, re.MULTILINE)
    build_command_parser().parse_args([command])
    refuse_unknown(re.findall(r"\b(WGIG_[A-Z_]+)=", LAST))


@pytest.mark.parametrize("name", ["data", "ontology", "service", "shapes", "README.md", "pyproject.toml"])
def test_what_the_wheel_is_built_of_is_sent(name: str) -> None:
    assert f"!{name}" in IGNORED
    assert (CHECKOUT_FOLDER / name).exists()


def test_all_places_speak_of_this_version() -> None:
    chart = document(DEPLOY / "helm" / "wgig" / "Chart.yaml")
    images = {
        one["image"]
        for name in ("compose.yaml", "compose.embedded.yaml")
        for one in document(DEPLOY / name)["services"].values()
        if one["image"].startswith("wgig:")
    }
    assert f"ARG VERSION={__version__}\n" in TEXT
    assert chart["appVersion"] == __version__
    assert images == {f"wgig:{__version__}"}
