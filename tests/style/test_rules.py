"""The style rules find faults, and the package has none."""

from pathlib import Path

import pytest

from tests.style.rules import (
    MAX_FUNCTION_LINES,
    MAX_PARAMETERS,
    PACKAGE_FOLDERS,
    SHORT_FUNCTION_LINES,
    find_style_faults,
)

LONG_BODY = "\n    pass" * MAX_FUNCTION_LINES  # one line too long, with the line of `def`
MANY_PARAMETERS = ", ".join(f"p{number}" for number in range(MAX_PARAMETERS + 1))


def test_the_packages_keep_the_rules() -> None:
    assert find_style_faults(*PACKAGE_FOLDERS) == []


def test_unique_names_have_no_fault(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("MAX_ROWS = 5\n\ndef read_rows():\n    pass\n")
    (tmp_path / "other.py").write_text("MAX_COLUMNS: int = 5\n\ndef read_columns(self):\n    pass\n")
    assert find_style_faults(tmp_path) == []


@pytest.mark.parametrize(
    ("first_module", "second_module", "fault"),
    [
        ("def read_rows(): pass", "async def read_rows(): pass", "100.0 % of function names repeat"),
        (
            "def _rows(): pass",
            "def read_columns(): pass",
            "50.0 % of function names are one word: _rows (one.py)",
        ),
        ("MOST = 5", "", "one.py: the constant MOST says neither its object nor its unit"),
        (
            "MAX_ROWS = 5",
            "MAX_ROWS: int = 7",
            "other.py: the constant MAX_ROWS is defined in another module, too",
        ),
        (
            f"class A:\n  def read_rows({MANY_PARAMETERS}): pass",
            "",
            f"one.py: read_rows has {MAX_PARAMETERS + 1} parameters",
        ),
        (f"def read_rows():{LONG_BODY}", "", f"one.py: read_rows has {MAX_FUNCTION_LINES + 1} lines"),
        (f"def read_rows():{LONG_BODY}", "", f"1 of 1 functions have over {SHORT_FUNCTION_LINES} lines"),
        ("def read_rows(request): return request.app.state.rows", "", "one.py: reads app.state"),
    ],
)
def test_a_fault_is_reported_with_its_module(
    tmp_path: Path, first_module: str, second_module: str, fault: str
) -> None:
    (tmp_path / "one.py").write_text(first_module)
    (tmp_path / "other.py").write_text(second_module)
    assert fault in "\n".join(find_style_faults(tmp_path))


def test_dependencies_may_read_the_app_state_and_create_app_may_write_it(tmp_path: Path) -> None:
    (tmp_path / "dependencies.py").write_text("def get_rows(request): return request.app.state.service.rows")
    (tmp_path / "app.py").write_text("def create_app(app, service): app.state.service = service")
    assert find_style_faults(tmp_path) == []
