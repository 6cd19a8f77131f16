"""The style guide shows the colors and the logo that the pages use."""

from wgig.about.style_guide import list_style_colors
from wgig.pages.rendering import read_logo

from tests.fixtures.service import GetFunction


def test_style_guide_shows_every_color_and_the_logo(get: GetFunction) -> None:
    page = get("/style-guide", accept="text/html").text
    colors = list_style_colors()
    assert {"ground", "text", "link", "accent"} <= set(colors)
    assert [color for color in colors if f'fill="var(--{color})"' not in page] == []
    assert page.count(read_logo()) == 2  # in the header, and as a component


def test_style_guide_has_no_other_format(get: GetFunction) -> None:
    assert get("/style-guide", accept="text/turtle").status_code == 406
