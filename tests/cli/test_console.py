"""The progress of a long command."""

import sys
from collections.abc import Callable

import pytest
from wgig.cli.console import StageProgress, format_time_left

STAGES = {"Reading": 20, "Sorting": 30, "Writing": 50}


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> StageProgress:
    """The progress of a command that begins at the second 100."""
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    return StageProgress(STAGES)


@pytest.fixture
def set_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the monotonic clock."""
    return lambda seconds: monkeypatch.setattr("time.monotonic", lambda: seconds)


def test_the_begin_and_the_time_of_each_stage_are_lines_without_a_terminal(
    progress: StageProgress, set_time: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.show():
        progress.print_message("Filling ...")
        progress.begin_stage("Reading", " a.nq")
        set_time(101)
        progress.begin_stage("Reading", " b.nq")
        set_time(102.5)
        progress.begin_stage("Sorting")
        progress.print_message("Sorting 1000 lines ...")
        set_time(110)
        progress.end_stage()
    assert capsys.readouterr().err.splitlines() == [
        "wgig: Filling ...",
        "wgig: 1/3 Reading a.nq ...",
        "wgig: 1/3 Reading b.nq ...",
        "wgig: 1/3 Reading: 2.5 s",
        "wgig: 2/3 Sorting ...",
        "wgig: 2/3 Sorting: 7.5 s",
    ]


def test_the_time_left_follows_from_the_amounts_and_the_time_of_earlier_stages(
    progress: StageProgress, set_time: Callable[[float], None]
) -> None:
    progress.begin_stage("Reading")
    assert progress.estimate_seconds_left(110) is None
    set_time(110)
    progress.report(1, 4)
    assert progress.estimate_seconds_left(110) == pytest.approx(10 / 0.05 - 10)
    set_time(140)
    progress.begin_stage("Sorting")  # which has no amount, and probably takes 60 seconds
    assert progress.estimate_seconds_left(170) == pytest.approx(70 / 0.35 - 70)
    assert progress.estimate_share(500) == pytest.approx(0.2 + 0.95 * 0.3)
    progress.report(1000, 1500)
    assert progress.amount == "1,000 of 1,500"
    assert progress.estimate_share(500) == pytest.approx(0.4)


def test_the_time_left_does_not_increase_between_reports(
    progress: StageProgress, set_time: Callable[[float], None]
) -> None:
    """Such as after a file was read, while it is stored."""
    progress.begin_stage("Reading")
    set_time(118)
    progress.report(9, 10)
    times = [progress.estimate_seconds_left(second) for second in (118, 119, 120, 130)]
    assert times == pytest.approx([82, 81, 80, 80])  # 2 seconds of this stage, and 80 of the others


def test_a_bar_is_shown_on_a_terminal(
    progress: StageProgress, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with progress.show():
        progress.begin_stage("Reading")
        progress.begin_stage("Sorting", " lines")
        progress.report(3200, 10000)
    output = capsys.readouterr().err
    assert "2/3 Sorting lines" in output
    assert "3,200 of 10,000" in output


@pytest.mark.parametrize(("seconds", "text"), [(None, ""), (0.2, "0:01 left"), (61, "1:01 left")])
def test_time_left_is_in_minutes_and_seconds(seconds: float | None, text: str) -> None:
    assert format_time_left(seconds) == text
