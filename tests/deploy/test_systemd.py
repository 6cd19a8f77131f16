"""The systemd units are valid, restricted, and run existing commands."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from wgig.cli.parser import build_command_parser

from tests.deploy.places import DEPLOY, assert_known_settings, find_tool

UNITS = sorted((DEPLOY / "systemd").glob("wgig*.service"))
PROGRAM = "/opt/wgig/bin/wgig"
MAX_EXPOSURE_LEVEL = 1.5  # as systemd reports it, from 0 to 10
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with the units, the units of systemd, and a dummy in place of each program."""
    find_tool("systemd-analyze")
    folder = tmp_path_factory.mktemp("root")
    shutil.copytree("/usr/lib/systemd/system", folder / "usr/lib/systemd/system", symlinks=True)
    units = folder / "etc/systemd/system"
    units.mkdir(parents=True)
    for unit in (*UNITS, *(DEPLOY / "systemd").glob("*.timer")):
        shutil.copy(unit, units)
    (units / "wgig.service.d").mkdir()
    shutil.copy(DEPLOY / "systemd" / "remote.conf", units / "wgig.service.d")
    for name in (PROGRAM, "/bin/kill"):
        program = folder / name[1:]
        program.parent.mkdir(parents=True)
        shutil.copy("/bin/true", program)
    return folder


def run_systemd_analyze(root: Path, *command: str) -> str:
    process = subprocess.run(
        ["systemd-analyze", f"--root={root}", "--no-pager", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout + process.stderr


@pytest.mark.parametrize("name", ["wgig.service", "wgig-backup.service", "wgig-backup.timer"])
def test_systemd_verify_reports_nothing(root: Path, name: str) -> None:
    assert run_systemd_analyze(root, "verify", name) == ""


@each_unit
def test_the_exposure_level_is_low(root: Path, unit: Path) -> None:
    report = run_systemd_analyze(root, "security", "--offline=true", unit.name)
    (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", report)
    assert float(level) <= MAX_EXPOSURE_LEVEL


@each_unit
def test_the_command_of_a_unit_can_be_parsed_and_its_settings_are_known(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    program, *arguments = shlex.split(line)
    assert program == PROGRAM
    build_command_parser().parse_args(arguments)
    assert_known_settings(re.findall(r"^Environment=(\w+)=", text, re.MULTILINE))


def test_all_units_run_as_the_same_user_on_the_same_store() -> None:
    for setting in ("User", "Environment", "EnvironmentFile", "StateDirectory"):
        values = {
            re.findall(rf"^{setting}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)[0] for unit in UNITS
        }
        assert len(values) == 1


def test_the_service_with_a_shared_store_is_restarted_without_limit() -> None:
    text = (DEPLOY / "systemd" / "remote.conf").read_text("utf-8")
    unit, service = text.split("[Service]")
    assert "[Unit]\n" in unit
    assert "\nStartLimitIntervalSec=0\n" in unit
    assert "\nRestartSec=15\n" in service
