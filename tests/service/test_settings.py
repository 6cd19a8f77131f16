"""Settings come from the environment and the command line, and say what does not fit."""

from pathlib import Path

import pytest
from wgig.settings import Settings, memory


def test_the_environment_sets_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_PORT", "8080")
    monkeypatch.setenv("WGIG_STORE", "elsewhere")
    settings = Settings.from_environment(port=9090, host=None)
    assert (settings.port, settings.store, settings.host) == (9090, Path("elsewhere"), "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("WGIG_PORT", "many", "WGIG_PORT is 'many'. Set it to a number."),
        ("WGIG_DEFAULT_GRAPH", "all", "Set it to one of: union, unnamed."),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    name: str, value: str, mend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=mend):
        Settings.from_environment()


def test_a_control_group_bounds_the_memory(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    whole = memory(limit)
    for said, meant in (("max\n", whole), ("1000\n", 1000), (f"{10 * whole}\n", whole)):
        limit.write_text(said)
        assert memory(limit) == meant
