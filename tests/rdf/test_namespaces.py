"""Namespaces by prefix, and short names of IRIs."""

import re

import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import expand_curie, namespaces_by_prefix, shorten_iri
from wgig.settings import SHIPPED_FOLDER, Settings

BASE = Settings.base
KNOWN = namespaces_by_prefix(BASE)


@pytest.mark.parametrize(
    ("iri", "name"),
    [
        (f"{BASE}id/document/summary/6", "summary:6"),
        (f"{BASE}id/document/declaration/49.a", "declaration:49.a"),
        (f"{BASE}id/document/inventory", "doc:inventory"),
        (f"{BASE}id/issue/spam/", f"{BASE}id/issue/spam/"),
        (f"{BASE}graph/paper/wp-spam", f"{BASE}graph/paper/wp-spam"),
    ],
)
def test_an_iri_is_shortened_where_a_prefix_can_stand_for_its_beginning(iri: str, name: str) -> None:
    assert shorten_iri(iri, BASE) == name


def test_a_prefixed_name_is_expanded_below_the_base_that_is_given() -> None:
    assert expand_curie("rdfs:label") == ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
    assert expand_curie("issue:spam") == ox.NamedNode(f"{BASE}id/issue/spam")
    assert expand_curie("issue:spam", "https://example.org/") == ox.NamedNode(
        "https://example.org/id/issue/spam"
    )
    assert shorten_iri("https://example.org/id/issue/spam", "https://example.org/") == "issue:spam"
    with pytest.raises(KeyError):
        expand_curie("nobody:knows")


def test_every_prefix_of_the_shipped_data_is_known_in_its_meaning() -> None:
    declared = {
        pair
        for path in SHIPPED_FOLDER.glob("data/**/*.ttl")
        for pair in re.findall(r"^@prefix\s+(\S+):\s+<([^>]+)>", path.read_text("utf-8"), re.MULTILINE)
    }
    assert len(declared) > 40
    assert declared <= set(KNOWN.items())
