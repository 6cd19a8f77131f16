"""Lines are counted as editors and the engine's parsers count them.

What turns the order of letters ends where the text ends in which it stands.
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


def test_a_place_is_counted_in_lines_and_characters_from_one() -> None:
    text = "a\r\nbc\n𝒳y\r\rz\n"
    lines = TextLines(text)
    assert lines.locate(0) == TextPosition(line=1, column=1)
    assert lines.locate(text.index("c")) == TextPosition(2, 2)
    assert lines.locate(text.index("y")) == TextPosition(3, 2)
    assert lines.locate(text.index("z")) == TextPosition(5, 1)
    assert lines.locate(len(text)) == TextPosition(6, 1)


def test_a_line_is_shown_without_its_end() -> None:
    lines = TextLines("a\r\nbc\n\rd\u2028e\n")
    assert [lines.line(number) for number in range(1, 6)] == ["a", "bc", "", "d\u2028e", ""]


def test_an_excerpt_has_a_caret_below_the_place() -> None:
    lines = TextLines("one\n\ttwo three\n")
    assert lines.excerpt(TextPosition(2, 6)) == "\ttwo three\n\t    ^"
    assert lines.excerpt(TextPosition(1, 4)) == "one\n   ^"
    assert lines.excerpt(TextPosition(3, 1)) == "\n^"


def test_an_excerpt_of_a_long_line_is_what_is_around_the_place() -> None:
    line, caret = TextLines("a" * 1000 + "b" + "c" * 1000).excerpt(TextPosition(1, 1001)).split("\n")
    assert len(line) == 120
    assert line[caret.index("^")] == "b"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\n\r", "\r\r\n"])
@pytest.mark.parametrize(
    "format_", [ox.RdfFormat.TURTLE, ox.RdfFormat.N_TRIPLES, ox.RdfFormat.JSON_LD], ids=str
)
def test_the_parsers_count_the_same_lines(format_: ox.RdfFormat, end: str) -> None:
    text = f"{end} {end}!"
    with pytest.raises(SyntaxError) as caught:
        list(ox.parse(text, format_))
    assert (caught.value.lineno, caught.value.offset) == TextLines(text).locate(text.index("!"))


LRE, RLO, PDF, RLI, FSI, PDI = "\u202a", "\u202e", "\u202c", "\u2067", "\u2068", "\u2069"


@pytest.mark.parametrize(
    ("text", "safe"),
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
def test_what_is_opened_is_closed_and_nothing_else(text: str, safe: str) -> None:
    assert balance_text_bidi(text) == safe


def test_each_text_of_a_page_stands_for_itself() -> None:
    page = f"<p><bdi>a{RLO}b</bdi> c{PDI}</p>"
    assert balance_page_bidi(page.encode()).decode() == f"<p><bdi>a{RLO}b{PDF}</bdi> c</p>"


@pytest.mark.parametrize("kept", ["<textarea>%s</textarea>", '<input value="%s">', "<script>%s</script>"])
def test_what_goes_back_or_is_read_by_a_program_stays_as_it_is(kept: str) -> None:
    page = (kept % f"a{RLO}{PDI}").encode()
    assert balance_page_bidi(page) == page


def test_the_nearest_name_is_found_in_whatever_letters() -> None:
    names = ["WGIG-1-TITLE", "WGIG-1-TITLES", "issue"]
    assert find_near_name("WGIG-1-TITEL", names) == "WGIG-1-TITLE"
    assert find_near_names("wgig-1-title", names, 2) == ["WGIG-1-TITLE", "WGIG-1-TITLES"]
    assert (find_near_name("nothing", names), find_near_names("nothing", names)) == ("", [])
    assert suggest_near_name("isue", names, "See: the list.") == "Did you mean issue?"
    assert suggest_near_name("nothing", names, "See: the list.") == "See: the list."


def test_csv_quotes_what_would_end_a_cell() -> None:
    assert serialize_csv_rows([["a", 1, None], ['"b"', "c,d", "e\nf"]]) == b'a,1,\r\n"""b""","c,d","e\nf"\r\n'
