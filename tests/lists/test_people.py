"""/people: the distribution of seats by group, region and development.

A group of seats is `known`, `unknown` if no value is known of these seats, or `unseen` if sources claim
these seats, but name nobody.
"""

import csv
import io
import json
import re

import httpx
import jsonschema
import pytest
from wgig.lists.schemas import PeopleDocument
from wgig.settings import Settings

from tests.fixtures.schemas import build_response_schema

BASE = Settings.base
DISTRIBUTION_FIELDS = ("stakeholderGroup", "region", "developingCountry")
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix agent: <{BASE}id/agent/> . @prefix role: <{BASE}id/role/> . "
    f"@prefix group: <{BASE}id/stakeholder-group/> . @prefix org: <http://www.w3.org/ns/org#> . "
    "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . "
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> . "
)
SEAT_TURTLE = (
    "<urn:seat:{0}> a org:Membership ; org:organization agent:wgig ; org:role role:member ; "
    "org:member <urn:who:{0}> "
)
TURTLE_HEADERS = {"Content-Type": "text/turtle"}
HTML_HEADERS = {"Accept": "text/html"}


def post_turtle(client: httpx.Client, data: str) -> None:
    response = client.post("/graph/x", content=PREFIXES + data, headers=TURTLE_HEADERS)
    assert response.is_success, response.text


def test_page_has_labels_in_its_language_and_json_in_english(writable_client: httpx.Client) -> None:
    post_turtle(writable_client, SEAT_TURTLE.format(1) + "; :stakeholderGroup group:g .")
    post_turtle(writable_client, 'group:g rdfs:label "Governments"@en , "Gouvernements"@fr .')
    post_turtle(writable_client, '<urn:who:1> rdfs:label "Somebody"@en .')
    french = {"Accept-Language": "fr"}
    page = writable_client.get("/people", headers=HTML_HEADERS | french).text
    assert '<a href="/doc/stakeholder-group/g" dir="auto">Gouvernements</a>' in page
    assert 'lang="en" dir="auto">Somebody</a>' in page
    assert (
        writable_client.get("/people", headers=french).json()["stakeholderGroup"][0]["label"] == "Governments"
    )


def test_sums_include_unknown_seats(shipped_client: httpx.Client) -> None:
    document = shipped_client.get("/people").json()
    jsonschema.validate(document, build_response_schema(PeopleDocument))
    assert document["seats"] == {"known": 23, "claimed": 40, "total": 40}  # in the bundled data
    for field in DISTRIBUTION_FIELDS:
        assert sum(group["seats"] for group in document[field]) == 40
        assert {group["state"]: group["seats"] for group in document[field]}["unseen"] == 17
        seen_groups = [group for group in document[field] if group["state"] != "unseen"]
        assert sum(len(group["people"]) for group in seen_groups) == 23


def test_numbers_equal_those_of_the_example_query(shipped_client: httpx.Client) -> None:
    rows = list(
        csv.DictReader(io.StringIO(shipped_client.get("/queries/members-by-group-and-region.csv").text))
    )
    document = shipped_client.get("/people").json()
    for field, column in (
        ("stakeholderGroup", "group"),
        ("region", "region"),
        ("developingCountry", "developing"),
    ):
        expected: dict[str, int] = {}
        for row in rows:
            expected[row[column]] = expected.get(row[column], 0) + int(row["members"])
        values_by_label = {"developing country": "true", "developed country": "false", None: ""}
        seats_by_value = {
            values_by_label.get(group["label"], group["label"]): group["seats"]
            for group in document[field]
            if group["state"] != "unseen"
        }
        assert seats_by_value == expected


def test_page_has_the_numbers_as_text_beside_the_bars(shipped_client: httpx.Client) -> None:
    page = shipped_client.get("/people.html").text
    assert "23 of 40 seats are known; 17 were not seen." in page
    # One bar for each group of seats; the bars of each of the three distributions add up to a width of 100.
    assert page.count('<svg class="bar"') == 17
    assert page.count('aria-hidden="true" focusable="false"') == 17
    widths = [float(width) for width in re.findall(r'<rect width="([\d.]+)"', page)]
    assert sum(widths) == pytest.approx(300, abs=0.5)
    assert page.count("<bdi>not known</bdi>") == page.count("<bdi>not seen</bdi>") == 3
    assert 'href="/doc/claim/comp-01"' in page
    assert "Whether the chair is one of the 40" in page


def test_page_shows_names_in_latin_script_if_available(shipped_client: httpx.Client) -> None:
    page = shipped_client.get("/people.html").text
    assert (
        '<a href="/doc/agent/al-darrab" lang="ar-latn" dir="auto">Abdullah bin Abdulaziz Al-Darrab</a>'
        in page
    )


def test_csv_has_the_numbers_of_json(shipped_client: httpx.Client) -> None:
    document = shipped_client.get("/people").json()
    rows = list(csv.DictReader(io.StringIO(shipped_client.get("/people.csv").text)))
    assert [(row["by"], row["state"], int(row["seats"])) for row in rows] == [
        (field, group["state"], group["seats"]) for field in DISTRIBUTION_FIELDS for group in document[field]
    ]


def test_without_a_claim_only_known_seats_are_counted(writable_client: httpx.Client) -> None:
    post_turtle(
        writable_client,
        SEAT_TURTLE.format(1)
        + '; :stakeholderGroup group:a . group:a rdfs:label "a" .'
        + SEAT_TURTLE.format(2)
        + ".",
    )
    document = writable_client.get("/people").json()
    assert document["seats"] == {"known": 2, "claimed": None, "total": 2}
    groups = document["stakeholderGroup"]
    assert [(group["label"], group["state"], group["seats"]) for group in groups] == [
        ("a", "known", 1),
        (None, "unknown", 1),
    ]
    assert "2 seats are known. How many there were is not." in writable_client.get("/people.html").text


@pytest.mark.parametrize("size", ["many", "-1", "1", "99999999999999999999"])
def test_invalid_claim_of_a_number_of_seats_is_ignored(writable_client: httpx.Client, size: str) -> None:
    claim = f'<urn:claim> :about agent:wgig ; :claimedProperty "number of members" ; rdf:value "{size}" .'
    post_turtle(writable_client, SEAT_TURTLE.format(1) + "." + SEAT_TURTLE.format(2) + "." + claim)
    assert writable_client.get("/people").json()["seats"]["total"] == 2
    assert writable_client.get("/people.html").status_code == 200


def test_seat_with_several_values_is_counted_once(writable_client: httpx.Client) -> None:
    post_turtle(
        writable_client,
        SEAT_TURTLE.format(1)
        + '; :stakeholderGroup group:a, group:b . group:a rdfs:label "a" . group:b rdfs:label "b" .',
    )
    (group,) = writable_client.get("/people").json()["stakeholderGroup"]
    assert (group["label"], group["seats"], group["id"]) == ("a or b", 1, None)


def test_malicious_labels_are_escaped(writable_client: httpx.Client) -> None:
    for number, label in enumerate(("<script>alert(1)</script>", "\u202eevil\u0001", "x" * 5_000)):
        seat = SEAT_TURTLE.format(number).replace(f"<urn:who:{number}>", f"<javascript:alert({number})>")
        post_turtle(
            writable_client,
            f"{seat} ; :country <javascript:{number}> ; :developingCountry {json.dumps(label)} .",
        )
        post_turtle(writable_client, f"<javascript:alert({number})> foaf:name {json.dumps(label)} .")
    page = writable_client.get("/people.html")
    assert page.status_code == 200
    assert "&lt;script&gt;" in page.text
    assert not re.search(r'<script>|href="javascript', page.text)


def test_page_of_a_store_without_seats_links_to_graphs(read_only_client: httpx.Client) -> None:
    page = read_only_client.get("/people", headers=HTML_HEADERS).text
    assert "No seat of the group is known" in page
    assert 'href="/graphs"' in page
    assert "<table" not in page
    assert read_only_client.get("/people").json()["seats"] == {"known": 0, "claimed": None, "total": 0}


def test_unknown_parameter_or_format_is_refused(shipped_client: httpx.Client) -> None:
    assert shipped_client.get("/people?region=Europe").status_code == 400
    assert shipped_client.get("/people.ttl").status_code == 406
