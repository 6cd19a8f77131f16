"""Namespaces by prefix, and short names of IRIs."""

import re

import pytest
from wgig.rdf.namespaces import namespaces_by_prefix, shorten_iri
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


def test_every_prefix_of_the_shipped_data_is_known_in_its_meaning() -> None:
    declared = {
        pair
        for path in SHIPPED_FOLDER.glob("data/**/*.ttl")
        for pair in re.findall(r"^@prefix\s+(\S+):\s+<([^>]+)>", path.read_text("utf-8"), re.MULTILINE)
    }
    assert len(declared) > 40
    assert declared <= set(KNOWN.items())
