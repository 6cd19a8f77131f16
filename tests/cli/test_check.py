"""`wgig check`: the files that it checks, its reports and messages, and its exit codes.

Exit codes: 0 all files conform, 1 a file does not, 2 a file cannot be read, 3 a bug in wgig or a full disk,
130 Ctrl-C. A "torn" file has invalid syntax, as its end is missing.
"""

import io
import json
import os
import re
import signal
import subprocess
import sys
from argparse import Namespace
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
from wgig.shacl.rules import CHECK_PROFILES, MESSAGE_LANGUAGES

pytestmark = pytest.mark.slow

EXAMPLES_FOLDER = SHIPPED_FOLDER / "data" / "examples"
CONFORMING_PAPER = (EXAMPLES_FOLDER / "community-networks.ttl").read_text(encoding="utf-8")
FAILING_PAPER = CONFORMING_PAPER.replace("wgig:strength", "wgig:opportunity")  # it lacks a strength
CheckRunner = Callable[..., SimpleNamespace]


@pytest.fixture
def run_check(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> CheckRunner:
    """Run `wgig check` in a temporary folder: `run_check("good.ttl")` is `wgig check good.ttl`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")

    def call_main(*arguments: str, stdin: str = "") -> SimpleNamespace:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main(["check", *arguments])
        output = capfd.readouterr()
        return SimpleNamespace(code=code, out=output.out, err=output.err)

    return call_main


def write_turtle_files(folder: Path, **files: str) -> None:
    """Write files with the suffix .ttl; the keywords are their names."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.ttl").write_text(text, encoding="utf-8")


def test_choices_of_arguments_are_complete() -> None:
    assert set(REPORT_FORMAT_CHOICES) == {format_.suffix for format_ in REPORT_WRITERS}
    assert set(PAPER_FORMAT_CHOICES) == {format_.suffix for format_ in FORMATS_BY_SUFFIX.values()}
    assert set(LANGUAGE_CHOICES) == set(MESSAGE_LANGUAGES)
    assert PROFILE_CHOICES == CHECK_PROFILES


def test_exit_code_is_that_of_the_worst_file(run_check: CheckRunner, tmp_path: Path) -> None:
    write_turtle_files(
        tmp_path,
        good=CONFORMING_PAPER,
        bad=FAILING_PAPER,
        torn=CONFORMING_PAPER[:3000],
        other="<urn:a> a <urn:b> .",
    )
    assert run_check("good.ttl").code == 0
    assert run_check("good.ttl", "bad.ttl").code == 1
    for unreadable_file in ("torn.ttl", "other.ttl", "missing.ttl"):
        result = run_check(unreadable_file, "bad.ttl", "good.ttl")
        assert result.code == 2
        assert unreadable_file in result.out
        assert "Traceback" not in result.err


def test_profiles_have_different_requirements(run_check: CheckRunner, tmp_path: Path) -> None:
    write_turtle_files(
        tmp_path, late=CONFORMING_PAPER.replace("2005-01-20", "2005-06-20"), started=FAILING_PAPER
    )
    assert run_check("started.ttl", "--profile", "draft").code == 0
    assert run_check("started.ttl").code == 1
    assert run_check("late.ttl").code == 0
    assert run_check("late.ttl", "--profile", "final").code == 1


def test_papers_in_a_folder_are_checked_in_order(run_check: CheckRunner, tmp_path: Path) -> None:
    write_turtle_files(tmp_path / "papers", b=CONFORMING_PAPER, a=CONFORMING_PAPER)
    write_turtle_files(tmp_path / "papers" / "sub", c=CONFORMING_PAPER)
    write_turtle_files(tmp_path / "papers" / ".git", hidden="torn")
    for name in ("README.md", "notes.txt", "package.json", ".hidden.ttl"):
        (tmp_path / "papers" / name).write_text("# Read me")
    (tmp_path / "papers" / "loop").symlink_to(".")
    result = run_check("papers")
    assert result.code == 0
    report_lines = [line.split(":")[0] for line in result.out.splitlines() if line.startswith("✓")]
    assert report_lines == [f"✓ papers/{name}.ttl" for name in ("a", "b", "sub/c")]
    assert result.err == "wgig: Skipped Markdown files that are not papers: 1.\n"


def test_markdown_paper_in_a_folder_is_checked(run_check: CheckRunner, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "a.md").write_bytes((EXAMPLES_FOLDER / "community-networks.md").read_bytes())
    assert run_check("papers").code == 0


@pytest.mark.parametrize(
    "text",
    [
        # A misspelled key beside a key of papers, and three other signs of a paper.
        "---\npapr: y\nissue: spam\n---\n",
        '\ufeff---\r\n"Paper": y\r\n---\r\n',
        "---\npapr: y\n---\n# Mine\n\n## 1. Issue\n",
        "## SWOT analysis\n",
    ],
)
def test_markdown_that_resembles_a_paper_is_not_skipped(
    run_check: CheckRunner, tmp_path: Path, text: str
) -> None:
    write_turtle_files(tmp_path / "papers", good=CONFORMING_PAPER)
    (tmp_path / "papers" / "a.md").write_text(text, encoding="utf-8", newline="")
    assert run_check("papers", "--quiet").code == 2
    assert "✗ papers/a.md" in run_check("papers").out


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: X\n---\npaper: y\n",
        "# Issue\n\n## 1. Introduction\n\n## Comments\n",
        "How to write a paper:\n\n```\n---\npaper: y\n---\n\n## 1. Issue (what?)\n```\n",
    ],
)
def test_other_markdown_in_a_folder_is_skipped(run_check: CheckRunner, tmp_path: Path, text: str) -> None:
    write_turtle_files(tmp_path / "papers", good=CONFORMING_PAPER)
    (tmp_path / "papers" / "a.md").write_text(text)
    result = run_check("papers")
    assert (result.code, "not papers: 1." in result.err) == (0, True)
    assert run_check("papers/a.md").code == 2


def test_skip_others_skips_named_files_that_are_not_papers(run_check: CheckRunner, tmp_path: Path) -> None:
    write_turtle_files(tmp_path, bad=FAILING_PAPER)
    (tmp_path / "README.md").write_text("# hi")
    (tmp_path / "empty").mkdir()
    assert run_check("README.md").code == 2
    result = run_check("--skip-others", "README.md")
    assert (result.code, result.out, "not papers: 1." in result.err) == (0, "", True)
    assert run_check("--skip-others", "README.md", "bad.ttl").code == 1
    assert run_check("--skip-others", "empty").code == 2


def test_unreadable_folder_is_reported(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_permission_error(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "scandir", raise_permission_error)
    result = run_check("closed")
    assert result.code == 2
    problem = "No permission to read the folder. Ask its owner for access, or change its permissions."
    assert problem in " ".join(result.out.split())  # the report wraps long lines


def test_folder_without_papers_is_an_error(run_check: CheckRunner, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run_check("empty")
    assert result.code == 2
    assert result.err.startswith("wgig: No papers found in empty.")


def test_pipes_devices_and_missing_files_are_errors(run_check: CheckRunner, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ttl")
    (tmp_path / "round.ttl").symlink_to("round.ttl")
    (tmp_path / "paper.txt").write_text("x")
    for name, message in {
        "pipe.ttl": "This is a pipe, not a file.",
        "/dev/null": "This is a device, not a file.",
        "round.ttl": "The file cannot be read: Too many levels of symbolic links.",
        "paper.txt": "The format cannot be determined from the file name.",
        "missing.ttl": "No such file.",
    }.items():
        result = run_check(name)
        assert result.code == 2
        assert message in " ".join(result.out.split())


def test_too_large_file_is_refused(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_turtle_files(tmp_path, good=CONFORMING_PAPER)
    monkeypatch.setenv("WGIG_PAPER_BYTES", "1000")
    for result in (run_check("good.ttl"), run_check("-", "--input-format", "ttl", stdin=CONFORMING_PAPER)):
        assert result.code == 2
        assert "The file is larger than 1000 bytes." in result.out


def test_standard_input_is_checked_with_its_format(run_check: CheckRunner, tmp_path: Path) -> None:
    write_turtle_files(tmp_path, bad=FAILING_PAPER)
    assert run_check("-", "--input-format", "ttl", stdin=CONFORMING_PAPER).code == 0
    result = run_check(
        "bad.ttl", "-", "bad.ttl", "--input-format", "ttl", "--format", "json", stdin=CONFORMING_PAPER
    )
    names = [file["name"] for file in json.loads(result.out)["files"]]
    assert names == ["bad.ttl", "standard input", "bad.ttl"]
    message = run_check("-", stdin=CONFORMING_PAPER).err.strip().removesuffix(".")
    formats = message.partition("--input-format ")[2].split(", ")
    assert formats == [*dict.fromkeys(format_.suffix for format_ in FORMATS_BY_SUFFIX.values())]
    assert "only once" in run_check("-", "-", "--input-format", "ttl", stdin=CONFORMING_PAPER).err
    assert "cannot be watched" in run_check("-", "--watch", stdin=CONFORMING_PAPER).err


def test_report_is_written_in_the_format_of_the_file_suffix(run_check: CheckRunner, tmp_path: Path) -> None:
    write_turtle_files(tmp_path, bad=FAILING_PAPER)
    assert run_check("bad.ttl", "-o", "report.json").out == ""
    assert not json.loads((tmp_path / "report.json").read_text())["conforms"]
    assert run_check("bad.ttl", "-o", "report.json", "--format", "csv").code == 1
    assert (tmp_path / "report.json").read_text().startswith("file")
    assert "There is no folder nowhere." in run_check("bad.ttl", "-o", "nowhere/report.html").err
    assert run_check("bad.ttl", "-o", "report.XML").code == 1
    assert "<testsuites" in (tmp_path / "report.XML").read_text()
    for name in ("report.txt", "report"):
        assert run_check("bad.ttl", "-o", name).code == 1
        assert "✗ not complete" in (tmp_path / name).read_text()


def test_unknown_report_suffix_is_refused_without_a_format(run_check: CheckRunner, tmp_path: Path) -> None:
    write_turtle_files(tmp_path, good=CONFORMING_PAPER)
    result = run_check("good.ttl", "-o", "report.foo")
    assert (result.code, ".junit, .csv, .github, .txt, .xml" in result.err) == (2, True)
    assert not (tmp_path / "report.foo").exists()
    assert run_check("good.ttl", "-o", "report.foo", "--format", "csv").code == 0


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
def test_report_never_overwrites_a_paper(
    run_check: CheckRunner, tmp_path: Path, checked: str, output: str
) -> None:
    write_turtle_files(tmp_path / "papers", a=CONFORMING_PAPER, torn=CONFORMING_PAPER[:3000])
    (tmp_path / "symbolic.ttl").symlink_to("papers/a.ttl")
    (tmp_path / "hard.ttl").hardlink_to("papers/a.ttl")
    result = run_check(checked, "-o", output)
    assert (result.code, "The report would overwrite" in result.err) == (2, True)
    assert (tmp_path / "papers" / "a.ttl").read_text(encoding="utf-8") == CONFORMING_PAPER
    assert (tmp_path / "papers" / "torn.ttl").read_text(encoding="utf-8") == CONFORMING_PAPER[:3000]
    assert not (tmp_path / "missing.ttl").exists()


def test_report_in_the_folder_of_papers_is_not_checked(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_turtle_files(tmp_path / "papers", a=FAILING_PAPER)
    report = tmp_path / "papers" / "report.ttl"
    assert run_check("papers", "-o", "papers/report.ttl").code == 1
    first_report = report.read_text(encoding="utf-8")
    # The old report is larger than a paper may be, but it is not read.
    monkeypatch.setenv("WGIG_PAPER_BYTES", str(len(FAILING_PAPER.encode())))
    assert len(first_report) < len(FAILING_PAPER)
    report.write_text(first_report + "#" * len(FAILING_PAPER), encoding="utf-8")
    assert run_check("papers", "-o", "papers/../papers/report.ttl").code == 1
    assert report.read_text(encoding="utf-8") == first_report
    # `--watch` does not check the report either.
    assert [*next(iter_file_changes(["papers"], Path("papers/report.ttl")))] == ["papers/a.ttl"]


def test_report_file_is_unchanged_after_an_error(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(*_: object) -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    write_turtle_files(tmp_path, bad=FAILING_PAPER)
    (tmp_path / "report.txt").write_text("old report")
    monkeypatch.setattr(check, "iter_report_chunks", write_half)
    assert run_check("bad.ttl", "-o", "report.txt").code == 3
    assert (tmp_path / "report.txt").read_text() == "old report"
    assert {path.name for path in tmp_path.iterdir()} == {"bad.ttl", "report.txt"}


def test_report_is_written_into_a_pipe_or_linked_file(run_check: CheckRunner, tmp_path: Path) -> None:
    write_turtle_files(tmp_path, bad=FAILING_PAPER)
    (tmp_path / "link").symlink_to("linked.csv")
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    for output in ("pipe", "link"):
        assert run_check("bad.ttl", "--format", "csv", "-o", output).code == 1
    assert os.read(reader, 5) == b"file,"
    os.close(reader)
    assert (tmp_path / "linked.csv").read_text().startswith("file,")


@pytest.mark.parametrize("format_", REPORT_FORMAT_CHOICES)
def test_report_has_findings_in_every_format(run_check: CheckRunner, tmp_path: Path, format_: str) -> None:
    write_turtle_files(tmp_path, good=CONFORMING_PAPER, bad=FAILING_PAPER)
    result = run_check("good.ttl", "bad.ttl", "missing.ttl", "--format", format_)
    assert result.code == 2
    assert "WGIG-3-STRENGTH-MISSING" in result.out


def test_language_is_that_of_the_environment_or_the_argument(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_turtle_files(tmp_path, bad=FAILING_PAPER)
    assert "not complete" in run_check("bad.ttl").out
    monkeypatch.setenv("LANG", "fr_CA.UTF-8")
    french_report = run_check("bad.ttl").out
    assert "erreur  WGIG-3-STRENGTH-MISSING" in french_report
    assert run_check("bad.ttl", "--lang", "fr").out == french_report
    monkeypatch.setenv("LC_ALL", "de_DE")  # takes precedence over LANG; there are no German reports
    assert "not complete" in run_check("bad.ttl").out


def test_report_has_colors_only_on_a_terminal_without_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdout", SimpleNamespace(isatty=lambda: True))
    terminal_arguments = Namespace(output=None)
    assert check.wants_color(terminal_arguments)
    assert not check.wants_color(Namespace(output=Path("report.txt")))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not check.wants_color(terminal_arguments)


def test_quiet_sets_only_the_exit_code(run_check: CheckRunner, tmp_path: Path) -> None:
    write_turtle_files(tmp_path, good=CONFORMING_PAPER, bad=FAILING_PAPER)
    for names, code in ((["good.ttl"], 0), (["bad.ttl"], 1), (["missing.ttl"], 2)):
        result = run_check(*names, "--quiet")
        assert (result.code, result.out, result.err) == (code, "", "")


def test_several_processes_have_the_results_of_one_in_order(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_turtle_files(
        tmp_path / "papers",
        **{f"p{number}": (CONFORMING_PAPER, FAILING_PAPER, "torn")[number % 3] for number in range(9)},
    )
    expected = run_check("papers", "--jobs", "1", "--format", "json")
    monkeypatch.setattr(check_workers, "CHECK_BATCH_FILES", 2)
    monkeypatch.setattr(check_workers, "MIN_PARALLEL_BATCHES", 1)
    assert run_check("papers", "--jobs", "2", "--format", "json").out == expected.out
    assert expected.code == 2


def raise_for_torn_files(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Patch the reader of papers so that it raises an error for files with the content `torn`."""

    def read_document(name: str, data: bytes, *arguments: object) -> Document:
        if data == b"torn":
            raise error
        return readers.read_paper_document(name, data, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "read_paper_document", read_document)
    monkeypatch.setattr(check, "read_paper_document", read_document)


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
def test_unexpected_error_affects_only_its_file(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    raise_for_torn_files(monkeypatch, error)
    write_turtle_files(tmp_path / "papers", a=CONFORMING_PAPER, b="torn", c=FAILING_PAPER)
    result = run_check("papers", "--format", "json")
    conforming_file, torn_file, failing_file = json.loads(result.out)["files"]
    assert result.code == 3
    assert (conforming_file["conforms"], torn_file["conforms"], failing_file["conforms"]) == (
        True,
        False,
        False,
    )
    assert torn_file["problem"]["type"].endswith("/internal")
    assert f"This is a bug in wgig: {type(error).__name__}" in torn_file["problem"]["detail"]
    codes = [finding["code"] for finding in failing_file["papers"][0]["findings"]]
    assert codes == ["WGIG-3-STRENGTH-MISSING"]
    assert result.err == ""


def test_error_of_the_engine_affects_one_file_and_is_printed_with_debug(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_or_raise(documents: list[Document], *arguments: str) -> list[CheckOutcome]:
        if any(document.name.endswith("b.ttl") for document in documents):
            raise ValueError("of the engine")
        return check_documents(documents, *arguments)

    monkeypatch.setattr(check_workers, "check_documents", check_or_raise)
    write_turtle_files(tmp_path / "papers", a=CONFORMING_PAPER, b=CONFORMING_PAPER, c=CONFORMING_PAPER)
    result = run_check("papers")
    assert (result.code, result.out.count("✓"), result.out.count("✗")) == (3, 2, 1)
    monkeypatch.setenv("WGIG_DEBUG", "1")
    assert 'raise ValueError("of the engine")' in run_check("papers").err


def test_unexpected_error_with_standard_input_does_not_affect_files(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_for_torn_files(monkeypatch, ValueError("x"))
    write_turtle_files(tmp_path, good=CONFORMING_PAPER)
    result = run_check("-", "good.ttl", "--input-format", "ttl", stdin="torn")
    assert (result.code, result.out.count("✓")) == (3, 1)


# A module that worker processes can import; checking a file named deadly kills the process.
DEADLY_CODE = """
import os, signal
from wgig.cli import check_workers

original = check_workers.check_file_batch

def check_or_die(files, task):
    if any("deadly" in file.path for file in files):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(files, task)
"""


def test_crash_of_a_worker_affects_only_its_file(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deadly.py").write_text(DEADLY_CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    names = [f"p{number:02}" for number in range(20)]
    write_turtle_files(
        tmp_path / "papers",
        **dict.fromkeys(names, CONFORMING_PAPER),
        p05deadly=CONFORMING_PAPER,
        p15deadly=CONFORMING_PAPER,
    )
    monkeypatch.setattr(check_workers, "check_file_batch", import_module("deadly").check_or_die)
    monkeypatch.setattr(check_workers, "CHECK_BATCH_FILES", 2)
    monkeypatch.setattr(check_workers, "MIN_PARALLEL_BATCHES", 1)
    result = run_check("papers", "--jobs", "2", "--format", "json")
    checked_files = json.loads(result.out)["files"]
    assert result.code == 2
    names = [file["name"] for file in checked_files]
    assert names == sorted(names)
    assert len(names) == 22
    unchecked_files = [file for file in checked_files if not file["conforms"]]
    assert [file["name"] for file in unchecked_files] == ["papers/p05deadly.ttl", "papers/p15deadly.ttl"]
    assert all("more memory or stack depth" in file["problem"]["detail"] for file in unchecked_files)


TITLE_PATTERN = re.compile(r'dcterms:title +"')
# Commands of GitHub Actions and Azure Pipelines, an escape that clears the screen, a change of direction.
MALICIOUS_TEXT = "a\n::error::pwned ##[error]\x1b[2J\u202e"


def test_text_of_a_paper_cannot_control_a_terminal_or_ci_job(run_check: CheckRunner, tmp_path: Path) -> None:
    title = MALICIOUS_TEXT.replace("\n", "\\n").replace("\x1b", "\\u001b")
    waiver = (
        "paper:example-community-networks wgig:waiver [ a wgig:Waiver ; "
        f'wgig:waives shape:WGIG-3-STRENGTH-MISSING ; wgig:reason "{title}{" ::error::x" * 20}" ] .'
    )
    prefix = "@prefix shape: <https://w3id.org/wgig/shapes#> .\n"
    write_turtle_files(
        tmp_path,
        **{
            MALICIOUS_TEXT: prefix + TITLE_PATTERN.sub(lambda match: match[0] + title, FAILING_PAPER) + waiver
        },
    )
    write_turtle_files(
        tmp_path, b=f'{CONFORMING_PAPER}\nwgig:x wgig:unknown\n::error::pwned """::error::pwned""" .'
    )
    for names, min_count in (
        ([f"{MALICIOUS_TEXT}.ttl"], 4),
        (["b.ttl"], 1),
        ([".", "missing\n::error::pwned"], 3),
    ):
        result = run_check(*names)
        assert result.out.count("pwned") >= min_count  # the texts are shown
        assert not re.search(r"^\s*::|##\[|[\x1b\u202e]", result.out + result.err, re.MULTILINE)


def test_jobs_must_be_positive(run_check: CheckRunner) -> None:
    assert "--jobs is 0" in run_check("papers", "--jobs", "0").err


def test_ctrl_c_stops_without_a_traceback(run_check: CheckRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "check_candidate_files", raise_interrupt)
    result = run_check("papers")
    assert (result.code, result.err) == (130, "wgig: Stopped.\n")


def test_watched_text_reports_are_separated_by_a_rule_with_the_time(
    run_check: CheckRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_turtle_files(tmp_path / "papers", good=CONFORMING_PAPER)
    monkeypatch.setattr(check, "iter_file_changes", lambda *_: iter([{}, {}]))  # two checks, then the end
    rule_pattern = re.compile(r"^\d\d:\d\d:\d\d ─+\n", re.MULTILINE)
    start, *reports = rule_pattern.split(run_check("papers", "--watch").out)
    assert (start, len(reports), reports[0]) == ("", 2, reports[1])
    for options in (["--format", "csv"], ["--quiet"], ["-o", "report.txt"]):
        assert not rule_pattern.search(run_check("papers", "--watch", *options).out)


def test_watch_checks_a_changed_file_and_exits_with_the_last_code(tmp_path: Path) -> None:
    write_turtle_files(tmp_path, paper=CONFORMING_PAPER)
    command = [sys.executable, "-m", "wgig", "check", "paper.ttl", "--watch", "--format", "csv"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr
        assert process.stdout
        assert process.stdout.readline().startswith(b"file,")
        assert b"Watching files (1)." in process.stderr.readline()
        write_turtle_files(tmp_path, other=FAILING_PAPER)
        (tmp_path / "other.ttl").replace(tmp_path / "paper.ttl")  # atomic, so that no partial file is read
        assert process.stdout.readline().startswith(b"file,")
        assert b"WGIG-3-STRENGTH-MISSING" in process.stdout.readline()
        assert b"Watching files (1)." in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 1
        assert process.stderr.read() == b""
