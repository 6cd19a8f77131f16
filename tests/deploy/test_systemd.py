"""The units of systemd are well formed, run commands that there are, and give them little."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from wgig.cli.parser import build_command_parser

from tests.deploy.places import DEPLOY, need, refuse_unknown

UNITS = sorted((DEPLOY / "systemd").glob("wgig*.service"))
PROGRAM = "/opt/wgig/bin/wgig"
MOST = 1.5  # of the exposure that systemd tells, from 0 to 10
every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A system with the units, a program in place of ours, and those units of systemd that they name."""
    need("systemd-analyze")
    folder = tmp_path_factory.mktemp("root")
    shutil.copytree("/usr/lib/systemd/system", folder / "usr/lib/systemd/system", symlinks=True)
    units = folder / "etc/systemd/system"
    units.mkdir(parents=True)
    for one in (*UNITS, *(DEPLOY / "systemd").glob("*.timer")):
        shutil.copy(one, units)
    (units / "wgig.service.d").mkdir()
    shutil.copy(DEPLOY / "systemd" / "remote.conf", units / "wgig.service.d")
    for name in (PROGRAM, "/bin/kill"):
        program = folder / name[1:]
        program.parent.mkdir(parents=True)
        shutil.copy("/bin/true", program)
    return folder


def analyzed(root: Path, *command: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", f"--root={root}", "--no-pager", *command],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", ["wgig.service", "wgig-backup.service", "wgig-backup.timer"])
def test_systemd_finds_nothing_wrong(root: Path, name: str) -> None:
    assert analyzed(root, "verify", name) == ""


@every_unit
def test_little_is_exposed(root: Path, unit: Path) -> None:
    said = analyzed(root, "security", "--offline=true", unit.name)
    (level,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(level) <= MOST


@every_unit
def test_its_command_can_be_called_and_its_settings_are_known(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    program, *arguments = shlex.split(line)
    assert program == PROGRAM
    build_command_parser().parse_args(arguments)
    refuse_unknown(re.findall(r"^Environment=(\w+)=", text, re.MULTILINE))


def test_both_run_as_the_same_user_on_the_same_store() -> None:
    for setting in ("User", "Environment", "EnvironmentFile", "StateDirectory"):
        values = {re.findall(rf"^{setting}=(.*)$", one.read_text("utf-8"), re.MULTILINE)[0] for one in UNITS}
        assert len(values) == 1


def test_over_a_shared_store_it_is_started_until_the_engine_is_there() -> None:
    text = (DEPLOY / "systemd" / "remote.conf").read_text("utf-8")
    unit, service = text.split("[Service]")
    assert "[Unit]\n" in unit
    assert "\nStartLimitIntervalSec=0\n" in unit
    assert "\nRestartSec=15\n" in service
