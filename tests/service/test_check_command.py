"""The shell's check: what it looks at, what it says, and how it ends."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from wgig import workers
from wgig.cli import LANGUAGES, PAPERS, PROFILES, REPORTS, main
from wgig.commands import check
from wgig.documents import SUFFIXES
from wgig.reports import WRITERS
from wgig.rules import LANGUAGES as SPOKEN
from wgig.rules import PROFILES as KEPT
from wgig.settings import SHIPPED

EXAMPLES = SHIPPED / "data" / "examples"
GOOD = (EXAMPLES / "community-networks.ttl").read_text(encoding="utf-8")
BAD = GOOD.replace("wgig:strength", "wgig:opportunity")
Shell = Callable[..., SimpleNamespace]


@pytest.fixture
def shell(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Call the command in a folder of its own: `shell("good.ttl")` is `wgig check good.ttl`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")

    def call(*words: str, stdin: str = "") -> SimpleNamespace:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main(["check", *words])
        said = capfd.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return call


def fill(folder: Path, **files: str) -> None:
    """Write Turtle files of these names."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.ttl").write_text(text, encoding="utf-8")


def test_the_choices_of_the_help_are_those_that_there_are() -> None:
    assert set(REPORTS) == {one.suffix for one in WRITERS}
    assert set(PAPERS) == {one.suffix for one in SUFFIXES.values()}
    assert set(LANGUAGES) == set(SPOKEN)
    assert PROFILES == KEPT


def test_the_exit_code_is_that_of_the_worst_file(shell: Shell, tmp_path: Path) -> None:
    fill(tmp_path, good=GOOD, bad=BAD, torn=GOOD[:3000], other="<urn:a> a <urn:b> .")
    assert shell("good.ttl").code == 0
    assert shell("good.ttl", "bad.ttl").code == 1
    for unread in ("torn.ttl", "other.ttl", "missing.ttl"):
        done = shell(unread, "bad.ttl", "good.ttl")
        assert done.code == 2
        assert unread in done.out
        assert "Traceback" not in done.err


def test_a_profile_asks_for_less_or_more(shell: Shell, tmp_path: Path) -> None:
    fill(tmp_path, late=GOOD.replace("2005-01-20", "2005-06-20"), started=BAD)
    assert shell("started.ttl", "--profile", "draft").code == 0
    assert shell("started.ttl").code == 1
    assert shell("late.ttl").code == 0
    assert shell("late.ttl", "--profile", "final").code == 1


def test_a_folder_is_walked_in_order_without_what_is_hidden_or_no_paper(shell: Shell, tmp_path: Path) -> None:
    fill(tmp_path / "papers", b=GOOD, a=GOOD)
    fill(tmp_path / "papers" / "sub", c=GOOD)
    fill(tmp_path / "papers" / ".git", hidden="torn")
    for name in ("README.md", "notes.txt", "package.json", ".hidden.ttl"):
        (tmp_path / "papers" / name).write_text("# Read me")
    (tmp_path / "papers" / "loop").symlink_to(".")
    done = shell("papers")
    assert done.code == 0
    found = [line.split(":")[0] for line in done.out.splitlines() if line.startswith("✓")]
    assert found == [f"✓ papers/{name}.ttl" for name in ("a", "b", "sub/c")]
    assert done.err == "wgig: Passed over: Markdown without a head that names a paper (1).\n"


def test_markdown_of_a_folder_is_a_paper_when_its_head_names_one(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.md").write_bytes((EXAMPLES / "community-networks.md").read_bytes())
    assert shell("papers").code == 0
    (tmp_path / "papers" / "a.md").write_text("---\ntitle: X\n---\npaper: y\n")
    done = shell("papers")
    assert done.code == 2
    assert "There is no paper in papers." in done.err
    assert shell("papers/a.md").code == 2


def test_a_folder_without_papers_is_told(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = shell("empty")
    assert done.code == 2
    assert done.err.startswith("wgig: There is no paper in empty.")


def test_what_is_no_file_is_told_and_never_waited_for(shell: Shell, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ttl")
    (tmp_path / "round.ttl").symlink_to("round.ttl")
    (tmp_path / "paper.txt").write_text("x")
    for name, said in {
        "pipe.ttl": "This is a pipe, no file.",
        "/dev/null": "This is a device, no file.",
        "round.ttl": "The file cannot be read: Too many levels of symbolic links.",
        "paper.txt": "The ending of the name does not tell the format.",
        "missing.ttl": "There is no such file.",
    }.items():
        done = shell(name)
        assert done.code == 2
        assert said in " ".join(done.out.split())


def test_a_large_file_is_refused_before_it_is_read(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, good=GOOD)
    monkeypatch.setenv("WGIG_PAPER_BYTES", "1000")
    for done in (shell("good.ttl"), shell("-", "--input-format", "ttl", stdin=GOOD)):
        assert done.code == 2
        assert "The file is larger than 1000 bytes." in done.out


def test_standard_input_is_a_paper_in_a_format_that_is_told(shell: Shell, tmp_path: Path) -> None:
    fill(tmp_path, bad=BAD)
    assert shell("-", "--input-format", "ttl", stdin=GOOD).code == 0
    done = shell("bad.ttl", "-", "bad.ttl", "--input-format", "ttl", "--format", "json", stdin=GOOD)
    assert [one["name"] for one in json.loads(done.out)["files"]] == ["bad.ttl", "standard input", "bad.ttl"]
    assert "Say how standard input is written" in shell("-", stdin=GOOD).err
    assert "only once" in shell("-", "-", "--input-format", "ttl", stdin=GOOD).err
    assert "cannot be watched" in shell("-", "--watch", stdin=GOOD).err


def test_the_report_goes_where_it_should_in_the_form_of_the_name(shell: Shell, tmp_path: Path) -> None:
    fill(tmp_path, bad=BAD)
    assert shell("bad.ttl", "-o", "report.json").out == ""
    assert not json.loads((tmp_path / "report.json").read_text())["conforms"]
    assert shell("bad.ttl", "-o", "report.json", "--format", "csv").code == 1
    assert (tmp_path / "report.json").read_text().startswith("file")
    assert "There is no folder nowhere." in shell("bad.ttl", "-o", "nowhere/report.html").err
    assert "would replace bad.ttl" in shell("bad.ttl", "-o", "bad.ttl").err


@pytest.mark.parametrize("form", REPORTS)
def test_every_form_can_be_had(shell: Shell, tmp_path: Path, form: str) -> None:
    fill(tmp_path, good=GOOD, bad=BAD)
    done = shell("good.ttl", "bad.ttl", "missing.ttl", "--format", form)
    assert done.code == 2
    assert "WGIG-3-STRENGTH-MISSING" in done.out


def test_the_language_is_that_of_the_surroundings_or_the_one_asked_for(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, bad=BAD)
    assert "Strengths" in shell("bad.ttl").out or "strength" in shell("bad.ttl").out
    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    french = shell("bad.ttl").out
    assert "non conforme" in french
    assert shell("bad.ttl", "--lang", "fr").out == french
    monkeypatch.setenv("LC_ALL", "de_DE")
    assert "non conforme" not in shell("bad.ttl").out


def test_colors_are_for_terminals_and_for_those_who_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))
    to_terminal, to_file = SimpleNamespace(output=None), SimpleNamespace(output=Path("report.txt"))
    assert check.wants_color(to_terminal)  # type: ignore[arg-type]
    assert not check.wants_color(to_file)  # type: ignore[arg-type]
    monkeypatch.setenv("NO_COLOR", "1")
    assert not check.wants_color(to_terminal)  # type: ignore[arg-type]


def test_quiet_leaves_the_exit_code_alone(shell: Shell, tmp_path: Path) -> None:
    fill(tmp_path, good=GOOD, bad=BAD)
    for names, code in ((["good.ttl"], 0), (["bad.ttl"], 1), (["missing.ttl"], 2)):
        done = shell(*names, "--quiet")
        assert (done.code, done.out, done.err) == (code, "", "")


def test_several_processes_find_the_same_in_the_same_order(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "papers", **{f"p{number}": (GOOD, BAD, "torn")[number % 3] for number in range(9)})
    one = shell("papers", "--jobs", "1", "--format", "json")
    monkeypatch.setattr(workers, "BATCH", 2)
    monkeypatch.setattr(workers, "FEW", 1)
    assert shell("papers", "--jobs", "2", "--format", "json").out == one.out
    assert one.code == 2


def test_no_processes_are_none(shell: Shell) -> None:
    assert "--jobs is 0" in shell("papers", "--jobs", "0").err


def test_ctrl_c_stops_without_a_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "outcomes", interrupted)
    done = shell("papers")
    assert (done.code, done.err) == (130, "wgig: Stopped.\n")


def test_a_reader_that_goes_away_is_no_mistake(tmp_path: Path) -> None:
    fill(tmp_path, **{f"p{number}": GOOD for number in range(20)})
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m wgig check . | true"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""


def test_watching_checks_again_when_a_file_changes_and_ends_with_its_last_state(tmp_path: Path) -> None:
    fill(tmp_path, paper=GOOD)
    command = [sys.executable, "-m", "wgig", "check", "paper.ttl", "--watch", "--format", "csv"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr
        assert process.stdout
        assert process.stdout.readline().startswith(b"file,")
        assert b"Watching files (1)." in process.stderr.readline()
        fill(tmp_path, other=BAD)
        (tmp_path / "other.ttl").replace(tmp_path / "paper.ttl")  # at once, so that no half of it is seen
        assert process.stdout.readline().startswith(b"file,")
        assert b"WGIG-3-STRENGTH-MISSING" in process.stdout.readline()
        assert b"Watching files (1)." in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 1
        assert process.stderr.read() == b""
