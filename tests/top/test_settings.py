"""Settings come from the environment and the command line, and say what does not fit."""

from pathlib import Path

import pytest
from wgig.settings import Settings, available_memory_bytes


def test_the_environment_sets_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_PORT", "8080")
    monkeypatch.setenv("WGIG_STORE", "elsewhere")
    settings = Settings.from_environment(port=9090, host=None)
    assert (settings.port, settings.store, settings.host) == (9090, Path("elsewhere"), "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("WGIG_PORT", "many", "WGIG_PORT is 'many'. Set it to a number."),
        ("WGIG_READERS", "-1", "WGIG_READERS is '-1'. Set it to a number that is not below 0."),
        ("WGIG_REMOTE_FRESH", "nan", "Set it to a number that is not below 0."),
        ("WGIG_REMOTE_QUERIES", "0", "WGIG_REMOTE_QUERIES is less than 1."),
        ("WGIG_REMOTE_QUERY", "store:8890/sparql", "WGIG_REMOTE_QUERY has 'store:8890/sparql'. Write"),
        ("WGIG_REMOTE_UPDATE", "/sparql-auth", "WGIG_REMOTE_UPDATE has '/sparql-auth'. Write an address"),
        ("WGIG_REMOTE_REPLICAS", "http://a/ http://", "WGIG_REMOTE_REPLICAS has 'http://'. Write"),
        ("WGIG_BASE", "example.org/wgig/", "WGIG_BASE is 'example.org/wgig/'. Write an IRI"),
        ("WGIG_DEFAULT_GRAPH", "all", "Set it to one of: union, unnamed."),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    name: str, value: str, mend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=mend):
        Settings.from_environment()


@pytest.mark.parametrize(
    ("ours", "limits", "memory_there_is"),
    [
        ("0::/\n", {"": "1000"}, 1000),  # in a container
        ("0::/system.slice/wgig.service\n", {"system.slice/wgig.service": "1000"}, 1000),  # a unit
        (
            "0::/system.slice/wgig.service\n",
            {"system.slice/wgig.service": "max", "system.slice": "2000"},
            2000,
        ),
        ("1:cpu:/a\n0::/a/b\n", {"a/b": "3000", "a": "1000"}, 1000),
        ("0::/other\n", {"system.slice": "1000"}, None),  # of somebody else
        ("0::/\n", {"": "9" * 18}, None),  # more than there is
    ],
)
def test_memory_is_what_the_control_groups_allow(
    tmp_path: Path, ours: str, limits: dict[str, str], memory_there_is: int | None
) -> None:
    (tmp_path / "cgroup").write_text(ours)
    for name, limit in limits.items():
        (tmp_path / "groups" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name / "memory.max").write_text(f"{limit}\n")
    every = available_memory_bytes(tmp_path, tmp_path / "none")
    assert available_memory_bytes(tmp_path / "groups", tmp_path / "cgroup") == (memory_there_is or every)
