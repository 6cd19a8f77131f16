"""Lines are counted as by editors and parsers, bidi controls are balanced, near names are found.

Bidi controls are characters that change the writing direction of a text until a closing character.
"""

import pyoxigraph as ox
import pytest
from wgig.text import (
    TextLines,
    TextPosition,
    balance_page_bidi,
    balance_text_bidi,
    find_near_name,
    find_near_names,
    serialize_csv_rows,
    suggest_near_name,
)


def test_lines_and_columns_are_counted_from_one() -> None:
    text = "a\r\nbc\n𝒳y\r\rz\n"  # 𝒳 is one column, although it has two code units in UTF-16
    lines = TextLines(text)
    assert lines.locate(0) == TextPosition(line=1, column=1)
    assert lines.locate(text.index("c")) == TextPosition(2, 2)
    assert lines.locate(text.index("y")) == TextPosition(3, 2)
    assert lines.locate(text.index("z")) == TextPosition(5, 1)
    assert lines.locate(len(text)) == TextPosition(6, 1)


def test_a_line_has_no_line_ending() -> None:
    lines = TextLines("a\r\nbc\n\rd\u2028e\n")
    assert [lines.line(number) for number in range(1, 6)] == ["a", "bc", "", "d\u2028e", ""]


def test_an_excerpt_has_a_caret_below_the_column() -> None:
    lines = TextLines("one\n\ttwo three\n")
    assert lines.excerpt(TextPosition(2, 6)) == "\ttwo three\n\t    ^"
    assert lines.excerpt(TextPosition(1, 4)) == "one\n   ^"
    assert lines.excerpt(TextPosition(3, 1)) == "\n^"


def test_an_excerpt_of_a_long_line_is_cut_around_the_column() -> None:
    line, caret = TextLines("a" * 1000 + "b" + "c" * 1000).excerpt(TextPosition(1, 1001)).split("\n")
    assert len(line) == 120
    assert line[caret.index("^")] == "b"


@pytest.mark.parametrize("line_ending", ["\n", "\r", "\r\n", "\n\r", "\r\r\n"])
@pytest.mark.parametrize(
    "format_", [ox.RdfFormat.TURTLE, ox.RdfFormat.N_TRIPLES, ox.RdfFormat.JSON_LD], ids=str
)
def test_lines_are_counted_as_by_the_parsers(format_: ox.RdfFormat, line_ending: str) -> None:
    text = f"{line_ending} {line_ending}!"  # an error in each format
    with pytest.raises(SyntaxError) as caught:
        list(ox.parse(text, format_))
    assert (caught.value.lineno, caught.value.offset) == TextLines(text).locate(text.index("!"))


# By their Unicode names: PDF closes LRE and RLO, PDI closes RLI and FSI.
LRE, RLO, PDF, RLI, FSI, PDI = "\u202a", "\u202e", "\u202c", "\u2067", "\u2068", "\u2069"


@pytest.mark.parametrize(
    ("text", "balanced"),
    [
        ("plain", "plain"),
        (f"a{RLO}b", f"a{RLO}b{PDF}"),
        (f"a{RLI}b{LRE}c", f"a{RLI}b{LRE}c{PDF}{PDI}"),
        (f"a{PDI}b{PDF}c", "abc"),
        (f"a{FSI}b{PDI}c", f"a{FSI}b{PDI}c"),
        (f"{RLI}a{RLO}b{PDI}c", f"{RLI}a{RLO}b{PDF}{PDI}c"),
        (f"{LRE}a{RLI}b{PDF}c", f"{LRE}a{RLI}bc{PDI}{PDF}"),
    ],
)
def test_bidi_controls_are_balanced(text: str, balanced: str) -> None:
    assert balance_text_bidi(text) == balanced


def test_many_unmatched_bidi_controls_are_removed() -> None:
    # Took minutes when each was compared with all open ones.
    assert balance_text_bidi(LRE * 200_000 + PDI * 200_000) == LRE * 200_000 + PDF * 200_000


def test_bidi_controls_are_balanced_in_each_text_of_a_page() -> None:
    page = f"<p><bdi>a{RLO}b</bdi> c{PDI}</p>"
    assert balance_page_bidi(page.encode()).decode() == f"<p><bdi>a{RLO}b{PDF}</bdi> c</p>"


@pytest.mark.parametrize("element", ["<textarea>%s</textarea>", '<input value="%s">', "<script>%s</script>"])
def test_bidi_controls_in_form_fields_and_scripts_are_not_changed(element: str) -> None:
    page = (element % f"a{RLO}{PDI}").encode()
    assert balance_page_bidi(page) == page


def test_the_nearest_name_is_found_in_any_case() -> None:
    names = ["WGIG-1-TITLE", "WGIG-1-TITLES", "issue"]
    assert find_near_name("WGIG-1-TITEL", names) == "WGIG-1-TITLE"
    assert find_near_names("wgig-1-title", names, 2) == ["WGIG-1-TITLE", "WGIG-1-TITLES"]
    assert (find_near_name("nothing", names), find_near_names("nothing", names)) == ("", [])
    assert suggest_near_name("isue", names, "See: the list.") == "Did you mean issue?"
    assert suggest_near_name("nothing", names, "See: the list.") == "See: the list."


def test_csv_quotes_commas_quotes_and_line_breaks() -> None:
    assert serialize_csv_rows([["a", 1, None], ['"b"', "c,d", "e\nf"]]) == b'a,1,\r\n"""b""","c,d","e\nf"\r\n'
