"""Namespaces by prefix, and prefixed names of IRIs."""

import re

import pyoxigraph as ox
import pytest
from wgig.rdf.namespaces import expand_curie, shorten_iri
from wgig.settings import SHIPPED_FOLDER, Settings
from wgig_client.namespaces import namespaces_by_prefix

BASE = Settings.base
KNOWN_NAMESPACES = namespaces_by_prefix(BASE)


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
def test_an_iri_is_shortened_if_its_namespace_has_a_prefix(iri: str, name: str) -> None:
    assert shorten_iri(iri, BASE) == name


def test_a_prefixed_name_is_expanded_below_the_base() -> None:
    assert expand_curie("rdfs:label") == ox.NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
    assert expand_curie("issue:spam") == ox.NamedNode(f"{BASE}id/issue/spam")
    assert expand_curie("issue:spam", "https://example.org/") == ox.NamedNode(
        "https://example.org/id/issue/spam"
    )
    assert shorten_iri("https://example.org/id/issue/spam", "https://example.org/") == "issue:spam"
    with pytest.raises(KeyError):
        expand_curie("unknown:name")


def test_every_prefix_of_the_shipped_data_has_the_known_namespace() -> None:
    declared_namespaces = {
        pair
        for path in SHIPPED_FOLDER.glob("data/**/*.ttl")
        for pair in re.findall(r"^@prefix\s+(\S+):\s+<([^>]+)>", path.read_text("utf-8"), re.MULTILINE)
    }
    assert len(declared_namespaces) > 40
    assert declared_namespaces <= set(KNOWN_NAMESPACES.items())
