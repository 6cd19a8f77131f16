"""The example queries, each a file that says what it asks."""

from pathlib import Path

import pytest
from wgig.examples import Example, example, read
from wgig.problems import Problem


def test_a_file_says_its_title_question_and_keywords_first(tmp_path: Path) -> None:
    path = tmp_path / "one.rq"
    path.write_text("# title: One\n# question: Is it one?\n# keywords: one, two\nASK {}\n")
    assert read(path) == Example("one", "One", "Is it one?", ("one", "two"), path.read_text())


@pytest.mark.parametrize("missing", ["title", "question", "keywords"])
def test_a_file_without_a_header_line_is_named(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "one.rq"
    keys = [key for key in ("title", "question", "keywords") if key != missing]
    path.write_text("".join(f"# {key}: x\n" for key in keys) + "ASK {}")
    with pytest.raises(ValueError, match=f"one.rq lacks the comment line '# {missing}: …'"):
        read(path)


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("coverage-matriks", "Did you mean coverage-matrix?"),
        ("zzz", "See: wgig queries"),
        ("../rules/types", "There is no example query"),
    ],
)
def test_an_unknown_name_is_told_the_known_ones(name: str, mend: str) -> None:
    with pytest.raises(Problem, match=mend) as caught:
        example(name)
    assert caught.value.status == 404
