"""Which format a name means."""

import pytest
from wgig.problems import Problem
from wgig.rdf.formats import GRAPH_FORMATS, JSON_LD, TURTLE, get_named_format


@pytest.mark.parametrize("name", ["ttl", "text/turtle", "Text/Turtle"])
def test_a_format_is_named_by_suffix_or_media_type(name: str) -> None:
    assert get_named_format(name, GRAPH_FORMATS) is TURTLE


def test_an_unescaped_plus_in_the_address_still_names_the_type() -> None:
    assert get_named_format("application/ld json", GRAPH_FORMATS) is JSON_LD


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(Problem, match="Ask for one of"):
        get_named_format("docx", GRAPH_FORMATS)
