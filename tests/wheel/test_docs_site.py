"""The build of the package builds the docs site if its sources have changed, and fails at a broken link."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import pytest
from wgig.settings import CHECKOUT_FOLDER

from docs.site import stamp
from docs.site.build import build_site, install_site
from tests.fixtures.build_hook import load_build_hook, make_build_hook


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The module of the build hook."""
    return load_build_hook()


@pytest.fixture(autouse=True)
def _no_scripts(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests do not build the browser code."""
    monkeypatch.setenv(hook.SKIP, "1")


class BuildAbortedError(Exception):
    """The message of a build that ends."""


def abort_build(message: str) -> NoReturn:
    raise BuildAbortedError(message)


def make_aborting_hook(hook: ModuleType, root: Path) -> Any:
    """The hook for a checkout, with an application that records warnings, and raises when it aborts."""
    build_hook = make_build_hook(hook, root)
    build_hook.warnings = list[str]()
    application = SimpleNamespace(display_warning=build_hook.warnings.append, abort=abort_build)
    build_hook.app.__dict__.update(vars(application))
    return build_hook


def test_a_changed_page_is_built_again(hook: ModuleType, small_project: Callable[[str], Path]) -> None:
    root = small_project("# A page\n")
    requirements = stamp.read_docs_requirements(CHECKOUT_FOLDER)
    assert any(requirement.startswith("zensical") for requirement in requirements)
    assert make_build_hook(hook, root).dependencies() == requirements
    install_site(root, build_site(root))
    assert make_build_hook(hook, root).dependencies() == []
    (root / "docs" / "how-to" / "page.md").write_text("# Another title\n", encoding="utf-8")
    make_build_hook(hook, root).initialize_docs("standard")
    assert "Another title" in (root / stamp.SITE / "how-to" / "page.html").read_text(encoding="utf-8")
    assert make_build_hook(hook, root).dependencies() == []


def test_a_build_without_docs_or_their_sources_needs_nothing(
    hook: ModuleType, small_project: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make_build_hook(hook, tmp_path / "empty").dependencies() == []
    root = small_project("# A page\n")
    monkeypatch.setenv(hook.SKIP_DOCS, "1")
    assert make_build_hook(hook, root).dependencies() == []
    make_build_hook(hook, root).initialize_docs("standard")
    assert not (root / stamp.SITE).exists()


def test_a_broken_link_ends_the_build_but_not_an_editable_install(
    hook: ModuleType, small_project: Callable[[str], Path]
) -> None:
    root = small_project("# A page\n\n[A link](missing.md)\n")
    build_hook = make_aborting_hook(hook, root)
    with pytest.raises(BuildAbortedError, match=r"links to missing\.md"):
        build_hook.initialize_docs("standard")
    build_hook.initialize_docs("editable")
    assert ["links to missing.md" in warning for warning in build_hook.warnings] == [True]
