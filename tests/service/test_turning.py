"""What turns the order of letters ends where the text ends in which it stands."""

import pytest
from wgig.turning import balanced, contained

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
    assert balanced(text) == safe


def test_each_text_of_a_page_stands_for_itself() -> None:
    page = f"<p><bdi>a{RLO}b</bdi> c{PDI}</p>"
    assert contained(page.encode()).decode() == f"<p><bdi>a{RLO}b{PDF}</bdi> c</p>"


@pytest.mark.parametrize("kept", ["<textarea>%s</textarea>", '<input value="%s">', "<script>%s</script>"])
def test_what_goes_back_or_is_read_by_a_program_stays_as_it_is(kept: str) -> None:
    page = (kept % f"a{RLO}{PDI}").encode()
    assert contained(page) == page
