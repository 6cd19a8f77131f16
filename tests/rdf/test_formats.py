"""Selection of a format by its name."""

import pytest
from wgig.problems import Problem
from wgig.rdf.formats import GRAPH_FORMATS, JSON_LD, TURTLE, get_named_format


@pytest.mark.parametrize("name", ["ttl", "text/turtle", "Text/Turtle"])
def test_a_format_is_named_by_suffix_or_media_type(name: str) -> None:
    assert get_named_format(name, GRAPH_FORMATS) is TURTLE


def test_an_unescaped_plus_in_a_media_type_is_accepted() -> None:
    # In a query string, "+" means a space.
    assert get_named_format("application/ld json", GRAPH_FORMATS) is JSON_LD


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(Problem, match="Request one of"):
        get_named_format("docx", GRAPH_FORMATS)
