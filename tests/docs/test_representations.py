"""What the page about representations shows is what happens."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from wgig.formats import HTML
from wgig.frames import FRAMES
from wgig.profiles.profile import profiles
from wgig.settings import CHECKOUT, Settings

from tests.docs.blocks import need

PAGE = (CHECKOUT / "docs" / "representations.md").read_text(encoding="utf-8")
CONSOLE = "\n".join(re.findall(r"```console\n(.*?```)", PAGE, re.DOTALL))
# Each command and what it prints, up to the next command or the end of the block.
SHOWN = re.findall(r"^\$ (.*)\n((?:(?!\$ |```).*\n)*)", CONSOLE, re.MULTILINE)


@pytest.fixture(scope="module")
def service(
    serving: Callable[..., AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a service with the shipped graph."""
    need("curl", "jq")
    with serving(tmp_path_factory.mktemp("store")) as url:
        yield url.rstrip("/")


@pytest.mark.parametrize(("command", "answer"), SHOWN)
def test_a_command_prints_what_the_page_shows(command: str, answer: str, service: str) -> None:
    asked = command.replace("http://127.0.0.1:8000", service)
    done = subprocess.run(asked, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == answer, done.stderr


def test_the_page_shows_commands() -> None:
    assert len(SHOWN) == 6


def test_the_page_names_every_profile_and_every_frame() -> None:
    known = profiles(Settings.base)
    table = PAGE.partition("| token |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)) == set(known)
    assert all(f"`{frame}`" in PAGE or f"_frame={frame}`" in PAGE for frame in FRAMES)
    suffixes = {one.suffix for profile in known.values() for one in profile.formats}
    assert all(f"`.{suffix}`" in PAGE or f".{suffix}`" in PAGE for suffix in suffixes - {HTML.suffix})
