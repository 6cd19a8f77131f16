"""Settings come from the environment and the command line, and invalid values are refused."""

from pathlib import Path

import pytest
from wgig.settings import Settings, available_memory_bytes


def test_the_command_line_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WGIG_PORT", "8080")
    monkeypatch.setenv("WGIG_STORE", "elsewhere")
    settings = Settings.from_environment(port=9090, host=None)  # None: an option that was not given
    assert (settings.port, settings.store, settings.host) == (9090, Path("elsewhere"), "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("WGIG_PORT", "many", "WGIG_PORT is 'many'. Set it to a number."),
        ("WGIG_READERS", "-1", "WGIG_READERS is '-1'. Set it to a number of 0 or more."),
        ("WGIG_REMOTE_FRESH", "nan", "Set it to a number of 0 or more."),
        ("WGIG_WORKERS", "99", "is 99. Set WGIG_WORKERS or --workers to a number from 1 to 8."),
        ("WGIG_WORKERS", "0", "is 0. Set"),
        ("WGIG_REMOTE_QUERIES", "0", "WGIG_REMOTE_QUERIES is less than 1."),
        (
            "WGIG_REMOTE_QUERY",
            "store:8890/sparql",
            "WGIG_REMOTE_QUERY has the invalid URL 'store:8890/sparql'. Write",
        ),
        (
            "WGIG_REMOTE_UPDATE",
            "/sparql-auth",
            "WGIG_REMOTE_UPDATE has the invalid URL '/sparql-auth'. Write it",
        ),
        (
            "WGIG_REMOTE_REPLICAS",
            "http://a/ http://",
            "WGIG_REMOTE_REPLICAS has the invalid URL 'http://'. Write",
        ),
        ("WGIG_BASE", "example.org/wgig/", "WGIG_BASE is 'example.org/wgig/'. Set it to an IRI"),
        ("WGIG_DEFAULT_GRAPH", "all", "Set it to one of: union, unnamed."),
    ],
)
def test_an_invalid_value_is_refused_with_its_name(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=message):
        Settings.from_environment()


@pytest.mark.parametrize(
    # The control groups of the process, the limits by group, and the limit of the process.
    ("cgroup_text", "limits", "limit_bytes"),
    [
        ("0::/\n", {"": "1000"}, 1000),  # in a container
        ("0::/system.slice/wgig.service\n", {"system.slice/wgig.service": "1000"}, 1000),  # in a systemd unit
        (
            "0::/system.slice/wgig.service\n",
            {"system.slice/wgig.service": "max", "system.slice": "2000"},
            2000,
        ),
        ("1:cpu:/a\n0::/a/b\n", {"a/b": "3000", "a": "1000"}, 1000),
        ("0::/other\n", {"system.slice": "1000"}, None),  # the limit of another group
        ("0::/\n", {"": "9" * 18}, None),  # more than the machine has
    ],
)
def test_available_memory_is_the_limit_of_the_control_groups(
    tmp_path: Path, cgroup_text: str, limits: dict[str, str], limit_bytes: int | None
) -> None:
    (tmp_path / "cgroup").write_text(cgroup_text)
    for name, limit in limits.items():
        (tmp_path / "groups" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name / "memory.max").write_text(f"{limit}\n")
    machine_bytes = available_memory_bytes(tmp_path, tmp_path / "none")  # without control groups
    assert available_memory_bytes(tmp_path / "groups", tmp_path / "cgroup") == (limit_bytes or machine_bytes)
