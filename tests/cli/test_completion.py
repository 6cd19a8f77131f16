"""`wgig completion`: what the script of a shell completes."""

import subprocess
from pathlib import Path

import pytest
from wgig.cli.main import main

COMPLETE_SCRIPT = """
source ./script
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_shtab_wgig 2> /dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("check peop", {"people.ttl"}),
        ("check people.ttl --shapes sha", {"shapes.ttl"}),
        ("check -o peop", {"people.ttl"}),
        ("check --profile dr", {"draft"}),
        ("infer people.ttl --rules o", {"owl2rl", "own.rq"}),
        ("query own", {"own.rq"}),
        ("dump --store fo", {"folder"}),
    ],
)
def test_bash_completes_files_folders_and_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str, completions: set[str]
) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("people.ttl", "shapes.ttl", "own.rq"):
        (tmp_path / name).touch()
    assert main(["completion", "bash"]) == 0
    (tmp_path / "script").write_text(capsys.readouterr().out)
    command = ["bash", "-c", COMPLETE_SCRIPT, "bash", "wgig", *words.split()]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert {*process.stdout.split()} == completions


def test_zsh_completes_files_and_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "zsh"]) == 0
    script = capsys.readouterr().out
    assert ":FILE:_files" in script
    assert ":RULES:{_files; compadd owl2rl}" in script
