"""The browser code is built if the sources have changed, and a build without npm fails with a message."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from wgig.settings import CHECKOUT_FOLDER

from tests.fixtures.build_hook import load_build_hook, make_build_hook

IGNORE_BUILT_FILES = shutil.ignore_patterns(
    ".*", "node_modules", "built", "dist", "tests", "bench", "docs", "__pycache__"
)
# The URL of a port without a server, which npm tries only once.
OFFLINE_ENVIRONMENT = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0"}


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The module of the build hook."""
    return load_build_hook()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources without built or installed files."""
    shutil.copytree(CHECKOUT_FOLDER, tmp_path / "checkout", ignore=IGNORE_BUILT_FILES)
    return tmp_path / "checkout"


def test_unchanged_sources_are_not_built_again(hook: ModuleType, checkout: Path) -> None:
    code = make_build_hook(hook, checkout)
    assert code.dependencies() == [hook.NODE]
    code.built.mkdir()
    (code.built / hook.STAMP).write_text(code.digest(), encoding="ascii")
    assert code.dependencies() == []
    code.initialize("standard", {})  # a build would fail without an installer
    with (code.web / "src" / "editor.ts").open("a", encoding="utf-8") as source:
        source.write("\n")
    assert code.dependencies() == [hook.NODE]


def test_an_install_without_scripts_needs_no_node(
    hook: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hook.SKIP, "1")
    assert make_build_hook(hook, checkout).dependencies() == []
    make_build_hook(hook, checkout).initialize("standard", {})
    assert not make_build_hook(hook, checkout).built.exists()


def test_a_wheel_is_not_built_offline(hook: ModuleType, checkout: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    environment = os.environ | OFFLINE_ENVIRONMENT | {"npm_config_cache": str(tmp_path / "cache")}
    process = subprocess.run(
        [*command, str(checkout)], env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    assert hook.LACKING in process.stdout + process.stderr
    assert not list(tmp_path.glob("*.whl"))


def test_an_editable_install_works_offline_with_a_warning(
    hook: ModuleType, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (OFFLINE_ENVIRONMENT | {"npm_config_cache": str(tmp_path / "cache")}).items():
        monkeypatch.setenv(name, value)
    warnings: list[str] = []
    code = make_build_hook(hook, checkout)
    code.app.display_warning = warnings.append
    code.initialize("editable", {})
    assert warnings == [hook.LACKING]
