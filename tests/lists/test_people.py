"""Who sat in the group: every sum holds what is not known."""

import csv
import io
import json
import re

import httpx
import jsonschema
import pytest
from wgig.lists.schemas import PeopleDocument
from wgig.settings import Settings

from tests.fixtures.schemas import schema_of

BASE = Settings.base
BY = ("stakeholderGroup", "region", "developingCountry")
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix agent: <{BASE}id/agent/> . @prefix role: <{BASE}id/role/> . "
    f"@prefix group: <{BASE}id/stakeholder-group/> . @prefix org: <http://www.w3.org/ns/org#> . "
    "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . "
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> . "
)
SEAT = (
    "<urn:seat:{0}> a org:Membership ; org:organization agent:wgig ; org:role role:member ; "
    "org:member <urn:who:{0}> "
)
TURTLE = {"Content-Type": "text/turtle"}
PAGE = {"Accept": "text/html"}


def write(client: httpx.Client, data: str) -> None:
    """Add triples."""
    answer = client.post("/graph/x", content=PREFIXES + data, headers=TURTLE)
    assert answer.is_success, answer.text


def test_a_page_names_things_in_its_language_and_data_in_english(writable: httpx.Client) -> None:
    write(writable, SEAT.format(1) + "; :stakeholderGroup group:g .")
    write(writable, 'group:g rdfs:label "Governments"@en , "Gouvernements"@fr .')
    write(writable, '<urn:who:1> rdfs:label "Somebody"@en .')
    french = {"Accept-Language": "fr"}
    page = writable.get("/people", headers=PAGE | french).text
    assert '<a href="/doc/stakeholder-group/g" dir="auto">Gouvernements</a>' in page
    assert 'lang="en" dir="auto">Somebody</a>' in page
    assert writable.get("/people", headers=french).json()["stakeholderGroup"][0]["label"] == "Governments"


def test_each_sum_holds_the_seats_that_are_not_known(reader: httpx.Client) -> None:
    found = reader.get("/people").json()
    jsonschema.validate(found, schema_of(PeopleDocument))
    assert found["seats"] == {"known": 23, "claimed": 40, "total": 40}
    for by in BY:
        assert sum(one["seats"] for one in found[by]) == 40
        assert {one["state"]: one["seats"] for one in found[by]}["unseen"] == 17
        known = [one for one in found[by] if one["state"] != "unseen"]
        assert sum(len(one["people"]) for one in known) == 23


def test_the_numbers_are_those_of_the_example_query(reader: httpx.Client) -> None:
    rows = list(csv.DictReader(io.StringIO(reader.get("/queries/members-by-group-and-region.csv").text)))
    found = reader.get("/people").json()
    for by, column in (
        ("stakeholderGroup", "group"),
        ("region", "region"),
        ("developingCountry", "developing"),
    ):
        expected: dict[str, int] = {}
        for row in rows:
            expected[row[column]] = expected.get(row[column], 0) + int(row["members"])
        names = {"developing country": "true", "developed country": "false", None: ""}
        shown = {
            names.get(one["label"], one["label"]): one["seats"]
            for one in found[by]
            if one["state"] != "unseen"
        }
        assert shown == expected


def test_the_page_says_the_numbers_in_words_beside_the_bars(reader: httpx.Client) -> None:
    page = reader.get("/people.html").text
    assert "23 of 40 seats are known; 17 were not seen." in page
    assert page.count('<svg class="bar"') == 17
    assert page.count('aria-hidden="true" focusable="false"') == 17
    widths = [float(one) for one in re.findall(r'<rect width="([\d.]+)"', page)]
    assert sum(widths) == pytest.approx(300, abs=0.5)
    assert page.count("<bdi>not known</bdi>") == page.count("<bdi>not seen</bdi>") == 3
    assert 'href="/doc/claim/comp-01"' in page
    assert "Whether the chair is one of the 40" in page


def test_a_name_stands_in_latin_letters_where_the_graph_has_them(reader: httpx.Client) -> None:
    page = reader.get("/people.html").text
    assert (
        '<a href="/doc/agent/al-darrab" lang="ar-latn" dir="auto">Abdullah bin Abdulaziz Al-Darrab</a>'
        in page
    )


def test_the_table_has_the_same_numbers(reader: httpx.Client) -> None:
    found = reader.get("/people").json()
    rows = list(csv.DictReader(io.StringIO(reader.get("/people.csv").text)))
    assert [(row["by"], row["state"], int(row["seats"])) for row in rows] == [
        (by, one["state"], one["seats"]) for by in BY for one in found[by]
    ]


def test_without_a_claim_only_the_seats_that_are_known_count(writable: httpx.Client) -> None:
    write(
        writable,
        SEAT.format(1) + '; :stakeholderGroup group:a . group:a rdfs:label "a" .' + SEAT.format(2) + ".",
    )
    found = writable.get("/people").json()
    assert found["seats"] == {"known": 2, "claimed": None, "total": 2}
    assert [(one["label"], one["state"], one["seats"]) for one in found["stakeholderGroup"]] == [
        ("a", "known", 1),
        (None, "unknown", 1),
    ]
    assert "2 seats are known. How many there were is not." in writable.get("/people.html").text


@pytest.mark.parametrize("size", ["many", "-1", "1", "99999999999999999999"])
def test_a_claim_that_cannot_be_the_number_of_seats_adds_none(writable: httpx.Client, size: str) -> None:
    claim = f'<urn:claim> :about agent:wgig ; :claimedProperty "number of members" ; rdf:value "{size}" .'
    write(writable, SEAT.format(1) + "." + SEAT.format(2) + "." + claim)
    assert writable.get("/people").json()["seats"]["total"] == 2
    assert writable.get("/people.html").status_code == 200


def test_where_sources_differ_a_seat_counts_once(writable: httpx.Client) -> None:
    write(
        writable,
        SEAT.format(1)
        + '; :stakeholderGroup group:a, group:b . group:a rdfs:label "a" . group:b rdfs:label "b" .',
    )
    (bar,) = writable.get("/people").json()["stakeholderGroup"]
    assert (bar["label"], bar["seats"], bar["id"]) == ("a or b", 1, None)


def test_names_that_mean_harm_are_shown_as_text(writable: httpx.Client) -> None:
    for number, label in enumerate(("<script>alert(1)</script>", "\u202eevil\u0001", "x" * 5_000)):
        seat = SEAT.format(number).replace(f"<urn:who:{number}>", f"<javascript:alert({number})>")
        write(writable, f"{seat} ; :country <javascript:{number}> ; :developingCountry {json.dumps(label)} .")
        write(writable, f"<javascript:alert({number})> foaf:name {json.dumps(label)} .")
    page = writable.get("/people.html")
    assert page.status_code == 200
    assert "&lt;script&gt;" in page.text
    assert not re.search(r'<script>|href="javascript', page.text)


def test_a_store_without_seats_says_so_and_leads_on(closed: httpx.Client) -> None:
    page = closed.get("/people", headers=PAGE).text
    assert "No seat of the group is known" in page
    assert 'href="/graphs"' in page
    assert "<table" not in page
    assert closed.get("/people").json()["seats"] == {"known": 0, "claimed": None, "total": 0}


def test_what_it_does_not_have_is_refused(reader: httpx.Client) -> None:
    assert reader.get("/people?region=Europe").status_code == 400
    assert reader.get("/people.ttl").status_code == 406
