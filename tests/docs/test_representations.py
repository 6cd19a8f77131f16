"""What the pages about representations and about HTML pages show is what happens."""

import re
import subprocess

import pytest
from wgig.rdf.formats import HTML
from wgig.rdf.jsonld import FRAME_TYPES
from wgig.resources.profiles import profiles_by_token
from wgig.settings import Settings

from tests.docs.blocks import HERE, need, page, transcript

PAGE = page("reference/representations.md")
# Pages of which each command is asked of a service with the shipped graph.
SHOWN = [*transcript(PAGE), *transcript(page("reference/pages.md"))]


@pytest.mark.parametrize(("command", "answer"), SHOWN)
def test_a_command_prints_what_the_page_shows(command: str, answer: str, served: str) -> None:
    need("curl", "jq")
    asked = command.replace(HERE, served)
    done = subprocess.run(asked, shell=True, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == answer, done.stderr


def test_the_page_names_every_profile_and_every_frame() -> None:
    known = profiles_by_token(Settings.base)
    table = PAGE.partition("| token |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)) == set(known)
    assert all(f"`{frame}`" in PAGE or f"_frame={frame}`" in PAGE for frame in FRAME_TYPES)
    suffixes = {one.suffix for profile in known.values() for one in profile.formats}
    assert all(f"`.{suffix}`" in PAGE or f".{suffix}`" in PAGE for suffix in suffixes - {HTML.suffix})
