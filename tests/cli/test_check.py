"""The shell's check: what it looks at, what it says, and how it ends."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from wgig.cli import check, check_workers, files
from wgig.cli.arguments import LANGUAGE_CHOICES, PAPER_FORMAT_CHOICES, PROFILE_CHOICES, REPORT_FORMAT_CHOICES
from wgig.cli.check import iter_file_changes
from wgig.cli.main import main
from wgig.papers import readers
from wgig.rdf.formats import FORMATS_BY_SUFFIX
from wgig.settings import SHIPPED_FOLDER
from wgig.shacl.batch import check_documents
from wgig.shacl.documents import Document
from wgig.shacl.findings import CheckOutcome
from wgig.shacl.reports import REPORT_WRITERS
from wgig.shacl.rules import CHECK_PROFILES as KEPT
from wgig.shacl.rules import MESSAGE_LANGUAGES as SPOKEN

pytestmark = pytest.mark.slow

EXAMPLES = SHIPPED_FOLDER / "data" / "examples"
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
    assert set(REPORT_FORMAT_CHOICES) == {one.suffix for one in REPORT_WRITERS}
    assert set(PAPER_FORMAT_CHOICES) == {one.suffix for one in FORMATS_BY_SUFFIX.values()}
    assert set(LANGUAGE_CHOICES) == set(SPOKEN)
    assert PROFILE_CHOICES == KEPT


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
    assert done.err == "wgig: Skipped Markdown files that are not papers: 1.\n"


def test_markdown_of_a_folder_is_a_paper_when_its_head_names_one(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.md").write_bytes((EXAMPLES / "community-networks.md").read_bytes())
    assert shell("papers").code == 0


@pytest.mark.parametrize(
    "text",
    [
        "---\npapr: y\nissue: spam\n---\n",
        '\ufeff---\r\n"Paper": y\r\n---\r\n',
        "---\npapr: y\n---\n# Mine\n\n## 1. Issue\n",
        "## SWOT analysis\n",
    ],
)
def test_markdown_of_a_folder_that_looks_like_a_paper_is_not_passed_over(
    shell: Shell, tmp_path: Path, text: str
) -> None:
    fill(tmp_path / "papers", good=GOOD)
    (tmp_path / "papers" / "a.md").write_text(text, encoding="utf-8", newline="")
    assert shell("papers", "--quiet").code == 2
    assert "✗ papers/a.md" in shell("papers").out


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: X\n---\npaper: y\n",
        "# Issue\n\n## 1. Introduction\n\n## Comments\n",
        "How to write a paper:\n\n```\n---\npaper: y\n---\n\n## 1. Issue (what?)\n```\n",
    ],
)
def test_markdown_of_a_folder_that_looks_like_no_paper_is_passed_over(
    shell: Shell, tmp_path: Path, text: str
) -> None:
    fill(tmp_path / "papers", good=GOOD)
    (tmp_path / "papers" / "a.md").write_text(text)
    done = shell("papers")
    assert (done.code, "not papers: 1." in done.err) == (0, True)
    assert shell("papers/a.md").code == 2


def test_what_is_no_paper_is_passed_over_also_where_it_is_named(shell: Shell, tmp_path: Path) -> None:
    fill(tmp_path, bad=BAD)
    (tmp_path / "README.md").write_text("# hi")
    (tmp_path / "empty").mkdir()
    assert shell("README.md").code == 2
    done = shell("--skip-others", "README.md")
    assert (done.code, done.out, "not papers: 1." in done.err) == (0, "", True)
    assert shell("--skip-others", "README.md", "bad.ttl").code == 1
    assert shell("--skip-others", "empty").code == 2


def test_a_folder_that_may_not_be_read_is_told_with_its_cause(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "scandir", closed)
    done = shell("closed")
    assert done.code == 2
    assert "No permission to read the folder. Ask its owner, or change its permissions." in done.out


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
        "pipe.ttl": "This is a pipe, not a file.",
        "/dev/null": "This is a device, not a file.",
        "round.ttl": "The file cannot be read: Too many levels of symbolic links.",
        "paper.txt": "The format cannot be told from the file name.",
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
    offered = shell("-", stdin=GOOD).err.strip().removesuffix(".").partition("--input-format ")[2]
    assert offered.split(", ") == [*dict.fromkeys(one.suffix for one in FORMATS_BY_SUFFIX.values())]
    assert "only once" in shell("-", "-", "--input-format", "ttl", stdin=GOOD).err
    assert "cannot be watched" in shell("-", "--watch", stdin=GOOD).err


def test_the_report_goes_where_it_should_in_the_form_of_the_name(shell: Shell, tmp_path: Path) -> None:
    fill(tmp_path, bad=BAD)
    assert shell("bad.ttl", "-o", "report.json").out == ""
    assert not json.loads((tmp_path / "report.json").read_text())["conforms"]
    assert shell("bad.ttl", "-o", "report.json", "--format", "csv").code == 1
    assert (tmp_path / "report.json").read_text().startswith("file")
    assert "There is no folder nowhere." in shell("bad.ttl", "-o", "nowhere/report.html").err
    assert shell("bad.ttl", "-o", "report.XML").code == 1
    assert "<testsuites" in (tmp_path / "report.XML").read_text()
    for name in ("report.txt", "report"):
        assert shell("bad.ttl", "-o", name).code == 1
        assert "✗ does not conform" in (tmp_path / name).read_text()


def test_an_ending_that_tells_no_form_is_refused_unless_the_form_is_told(
    shell: Shell, tmp_path: Path
) -> None:
    fill(tmp_path, good=GOOD)
    done = shell("good.ttl", "-o", "report.foo")
    assert (done.code, ".junit, .csv, .github, .txt, .xml" in done.err) == (2, True)
    assert not (tmp_path / "report.foo").exists()
    assert shell("good.ttl", "-o", "report.foo", "--format", "csv").code == 0


@pytest.mark.parametrize(
    ("checked", "output"),
    [
        ("./papers/a.ttl", "papers/a.ttl"),
        ("papers", "./papers/a.ttl"),
        ("papers", "papers/torn.ttl"),
        ("papers/a.ttl", "symbolic.ttl"),
        ("papers", "hard.ttl"),
        ("papers/../missing.ttl", "missing.ttl"),
    ],
)
def test_no_report_replaces_a_paper(shell: Shell, tmp_path: Path, checked: str, output: str) -> None:
    fill(tmp_path / "papers", a=GOOD, torn=GOOD[:3000])
    (tmp_path / "symbolic.ttl").symlink_to("papers/a.ttl")
    (tmp_path / "hard.ttl").hardlink_to("papers/a.ttl")
    done = shell(checked, "-o", output)
    assert (done.code, "The report would overwrite" in done.err) == (2, True)
    assert (tmp_path / "papers" / "a.ttl").read_text(encoding="utf-8") == GOOD
    assert (tmp_path / "papers" / "torn.ttl").read_text(encoding="utf-8") == GOOD[:3000]
    assert not (tmp_path / "missing.ttl").exists()


def test_a_report_among_the_papers_is_none_of_them(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "papers", a=BAD)
    report = tmp_path / "papers" / "report.ttl"
    assert shell("papers", "-o", "papers/report.ttl").code == 1
    first = report.read_text(encoding="utf-8")
    monkeypatch.setenv("WGIG_PAPER_BYTES", str(len(BAD.encode())))
    assert len(first) < len(BAD)
    report.write_text(first + "#" * len(BAD), encoding="utf-8")
    assert shell("papers", "-o", "papers/../papers/report.ttl").code == 1
    assert report.read_text(encoding="utf-8") == first
    assert [*next(iter_file_changes(["papers"], Path("papers/report.ttl")))] == ["papers/a.ttl"]


def test_a_report_is_written_as_a_whole_or_not_at_all(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(*_: object) -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    fill(tmp_path, bad=BAD)
    (tmp_path / "report.txt").write_text("the last one")
    monkeypatch.setattr(check, "iter_report_parts", torn)
    assert shell("bad.ttl", "-o", "report.txt").code == 3
    assert (tmp_path / "report.txt").read_text() == "the last one"
    assert {one.name for one in tmp_path.iterdir()} == {"bad.ttl", "report.txt"}


def test_a_report_goes_into_a_pipe_or_along_a_link(shell: Shell, tmp_path: Path) -> None:
    fill(tmp_path, bad=BAD)
    (tmp_path / "link").symlink_to("linked.csv")
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    for output in ("pipe", "link"):
        assert shell("bad.ttl", "--format", "csv", "-o", output).code == 1
    assert os.read(reader, 5) == b"file,"
    os.close(reader)
    assert (tmp_path / "linked.csv").read_text().startswith("file,")


@pytest.mark.parametrize("form", REPORT_FORMAT_CHOICES)
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
    monkeypatch.setattr(check_workers, "CHECK_BATCH_FILES", 2)
    monkeypatch.setattr(check_workers, "MIN_PARALLEL_BATCHES", 1)
    assert shell("papers", "--jobs", "2", "--format", "json").out == one.out
    assert one.code == 2


def break_at_torn(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make the reading of files that are torn fail with an error that nobody foresaw."""

    def reading(name: str, data: bytes, *more: object) -> Document:
        if data == b"torn":
            raise error
        return readers.read_paper_document(name, data, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "read_paper_document", reading)
    monkeypatch.setattr(check, "read_paper_document", reading)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        OverflowError(),
        LookupError(),
        MemoryError(),
        RecursionError(),
        BaseException("panic"),
    ],
    ids=repr,
)
def test_a_mistake_with_one_file_leaves_the_others_alone(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    break_at_torn(monkeypatch, error)
    fill(tmp_path / "papers", a=GOOD, b="torn", c=BAD)
    done = shell("papers", "--format", "json")
    found = json.loads(done.out)["files"]
    assert done.code == 3
    assert [one["conforms"] for one in found] == [True, False, False]
    assert found[1]["problem"]["type"].endswith("/internal")
    assert f"This is a bug in wgig: {type(error).__name__}" in found[1]["problem"]["detail"]
    assert [one["code"] for one in found[2]["papers"][0]["findings"]] == ["WGIG-3-STRENGTH-MISSING"]
    assert done.err == ""


def test_a_mistake_in_checking_befalls_one_file_and_is_shown_when_asked_for(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asking(documents: list[Document], *more: str) -> list[CheckOutcome]:
        if any(one.name.endswith("b.ttl") for one in documents):
            raise ValueError("of the engine")
        return check_documents(documents, *more)

    monkeypatch.setattr(check_workers, "check_documents", asking)
    fill(tmp_path / "papers", a=GOOD, b=GOOD, c=GOOD)
    done = shell("papers")
    assert (done.code, done.out.count("✓"), done.out.count("✗")) == (3, 2, 1)
    monkeypatch.setenv("WGIG_DEBUG", "1")
    assert 'raise ValueError("of the engine")' in shell("papers").err


def test_a_mistake_with_standard_input_leaves_the_files_alone(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_at_torn(monkeypatch, ValueError("x"))
    fill(tmp_path, good=GOOD)
    done = shell("-", "good.ttl", "--input-format", "ttl", stdin="torn")
    assert (done.code, done.out.count("✓")) == (3, 1)


# A module that other processes can import: it checks files, and a deadly one ends the process.
DEADLY = """
import os, signal
from wgig.cli import check_workers

original = check_workers.check_file_batch

def checked(files, task):
    if any("deadly" in one.path for one in files):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(files, task)
"""


def test_a_process_that_dies_takes_one_file_with_it(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deadly.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(str(tmp_path))
    names = [f"p{number:02}" for number in range(20)]
    fill(tmp_path / "papers", **dict.fromkeys(names, GOOD), p05deadly=GOOD, p15deadly=GOOD)
    monkeypatch.setattr(check_workers, "check_file_batch", import_module("deadly").checked)
    monkeypatch.setattr(check_workers, "CHECK_BATCH_FILES", 2)
    monkeypatch.setattr(check_workers, "MIN_PARALLEL_BATCHES", 1)
    done = shell("papers", "--jobs", "2", "--format", "json")
    found = json.loads(done.out)["files"]
    assert done.code == 2
    assert [one["name"] for one in found] == sorted(one["name"] for one in found)
    assert [one["name"] for one in found if not one["conforms"]] == [
        "papers/p05deadly.ttl",
        "papers/p15deadly.ttl",
    ]
    assert all(one["conforms"] or "available memory" in one["problem"]["detail"] for one in found)
    assert len(found) == 22


TITLE = re.compile(r'dcterms:title +"')
HOSTILE = "a\n::error::pwned ##[error]\x1b[2J\u202e"


def test_what_a_paper_says_neither_steers_a_terminal_nor_commands_a_job(shell: Shell, tmp_path: Path) -> None:
    title = HOSTILE.replace("\n", "\\n").replace("\x1b", "\\u001b")
    waiver = (
        "paper:example-community-networks wgig:waiver [ a wgig:Waiver ; "
        f'wgig:waives shape:WGIG-3-STRENGTH-MISSING ; wgig:reason "{title}{" ::error::x" * 20}" ] .'
    )
    prefix = "@prefix shape: <https://w3id.org/wgig/shapes#> .\n"
    fill(tmp_path, **{HOSTILE: prefix + TITLE.sub(lambda found: found[0] + title, BAD) + waiver})
    fill(tmp_path, b=f'{GOOD}\nwgig:x wgig:unknown\n::error::pwned """::error::pwned""" .')
    for names, pwned in (([f"{HOSTILE}.ttl"], 4), (["b.ttl"], 1), ([".", "missing\n::error::pwned"], 3)):
        done = shell(*names)
        assert done.out.count("pwned") >= pwned
        assert not re.search(r"^\s*::|##\[|[\x1b\u202e]", done.out + done.err, re.MULTILINE)


def test_no_processes_are_none(shell: Shell) -> None:
    assert "--jobs is 0" in shell("papers", "--jobs", "0").err


def test_ctrl_c_stops_without_a_traceback(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "check_candidate_files", interrupted)
    done = shell("papers")
    assert (done.code, done.err) == (130, "wgig: Stopped.\n")


def test_a_rule_with_the_time_sets_watched_reports_apart_where_people_read_them(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "papers", good=GOOD)
    monkeypatch.setattr(check, "iter_file_changes", lambda *_: iter([{}, {}]))
    rule = re.compile(r"^\d\d:\d\d:\d\d ─+\n", re.MULTILINE)
    parts = rule.split(shell("papers", "--watch").out)
    assert (parts[0], len(parts), parts[1]) == ("", 3, parts[2])
    for options in (["--format", "csv"], ["--quiet"], ["-o", "report.txt"]):
        assert not rule.search(shell("papers", "--watch", *options).out)


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
