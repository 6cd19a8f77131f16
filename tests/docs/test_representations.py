"""The commands on the pages about representations and about HTML pages print the output that is shown."""

import re
import subprocess

import pytest
from wgig.rdf.formats import HTML
from wgig.rdf.jsonld import FRAME_TYPES
from wgig.resources.profiles import profiles_by_token
from wgig.settings import Settings

from tests.docs.blocks import SHOWN_URL, parse_transcript, read_docs_page, skip_without

PAGE = read_docs_page("reference/representations.md")
# The commands of both pages, with their output.
COMMANDS = [*parse_transcript(PAGE), *parse_transcript(read_docs_page("reference/pages.md"))]


@pytest.mark.parametrize(("command", "output"), COMMANDS)
def test_a_command_prints_what_the_page_shows(command: str, output: str, service_url: str) -> None:
    skip_without("curl", "jq")
    local_command = command.replace(SHOWN_URL, service_url)
    process = subprocess.run(
        local_command, shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert process.stdout == output, process.stderr


def test_the_page_lists_every_profile_frame_and_suffix() -> None:
    known = profiles_by_token(Settings.base)
    table = PAGE.partition("| token |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)) == set(known)
    assert all(f"`{frame}`" in PAGE or f"_frame={frame}`" in PAGE for frame in FRAME_TYPES)
    suffixes = {format_.suffix for profile in known.values() for format_ in profile.formats}
    assert all(f"`.{suffix}`" in PAGE or f".{suffix}`" in PAGE for suffix in suffixes - {HTML.suffix})
