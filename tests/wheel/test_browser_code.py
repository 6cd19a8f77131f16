"""The browser code is built where it is not that of the sources, and what is lacking is said."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from wgig.settings import CHECKOUT_FOLDER

HOOK = CHECKOUT_FOLDER / "service" / "web" / "hatch_build.py"
NOT_SENT = shutil.ignore_patterns(
    ".*", "node_modules", "built", "dist", "tests", "bench", "docs", "__pycache__"
)
# A port at which nobody listens, asked once.
OFFLINE = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0"}


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The module of the build hook."""
    found = importlib.util.spec_from_file_location("hatch_build", HOOK)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The sources without anything that was built or installed."""
    shutil.copytree(CHECKOUT_FOLDER, tmp_path / "checkout", ignore=NOT_SENT)
    return tmp_path / "checkout"


def of(hook: ModuleType, root: Path) -> Any:
    return hook.BrowserCode(str(root), {}, cast(Any, None), cast(Any, None), "", "wheel", SimpleNamespace())


def test_what_is_built_from_the_same_sources_is_not_built_again(hook: ModuleType, checkout: Path) -> None:
    code = of(hook, checkout)
    assert code.dependencies() == [hook.NODE]
    code.built.mkdir()
    (code.built / hook.STAMP).write_text(code.digest(), encoding="ascii")
    assert code.dependencies() == []
    code.initialize("standard", {})  # which would need an installer
    with (code.web / "src" / "editor.ts").open("a", encoding="utf-8") as source:
        source.write("\n")
    assert code.dependencies() == [hook.NODE]


def test_who_wants_no_scripts_needs_no_node(
    hook: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hook.SKIP, "1")
    assert of(hook, checkout).dependencies() == []
    of(hook, checkout).initialize("standard", {})
    assert not of(hook, checkout).built.exists()


def test_no_wheel_is_built_without_what_cannot_be_fetched(
    hook: ModuleType, checkout: Path, tmp_path: Path
) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    environment = os.environ | OFFLINE | {"npm_config_cache": str(tmp_path / "cache")}
    done = subprocess.run(
        [*build, str(checkout)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert hook.LACKING in done.stdout + done.stderr
    assert not list(tmp_path.glob("*.whl"))


def test_an_editable_install_goes_without_what_cannot_be_fetched(
    hook: ModuleType, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (OFFLINE | {"npm_config_cache": str(tmp_path / "cache")}).items():
        monkeypatch.setenv(name, value)
    warnings: list[str] = []
    code = of(hook, checkout)
    code.app.display_warning = warnings.append
    code.initialize("editable", {})
    assert warnings == [hook.LACKING]
