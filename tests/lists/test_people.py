"""/people: the distribution of seats by group, region and development.

A group of seats is `known`, `unknown` if no value is known of these seats, or `unseen` if sources claim
these seats, but name nobody.
"""

import csv
import html
import io
import json
import re

import httpx2
import jsonschema
import pytest
from wgig.lists.schemas import PeopleDocument
from wgig.rdf.serialization import parse_graph_document
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.schemas import build_response_schema
from tests.fixtures.service import make_store_client

BASE = Settings.base
DISTRIBUTION_FIELDS = ("stakeholderGroup", "region", "developingCountry")
PREFIXES = (
    f"@prefix : <{BASE}ontology#> . @prefix agent: <{BASE}id/agent/> . @prefix role: <{BASE}id/role/> . "
    f"@prefix group: <{BASE}id/stakeholder-group/> . @prefix org: <http://www.w3.org/ns/org#> . "
    "@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> . "
    "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> . "
    "@prefix skos: <http://www.w3.org/2004/02/skos/core#> . "
)
SEAT_TURTLE = (
    "<urn:seat:{0}> a org:Membership ; org:organization agent:wgig ; org:role role:member ; "
    "org:member <urn:who:{0}> "
)
TURTLE_HEADERS = {"Content-Type": "text/turtle"}
HTML_HEADERS = {"Accept": "text/html"}


def post_turtle(client: httpx2.Client, data: str) -> None:
    response = client.post("/graph/x", content=PREFIXES + data, headers=TURTLE_HEADERS)
    assert response.is_success, response.text


def test_page_has_labels_in_its_language_and_json_in_english(writable_client: httpx2.Client) -> None:
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


def test_every_seat_of_the_bundled_data_is_known(shipped_client: httpx2.Client) -> None:
    document = shipped_client.get("/people").json()
    jsonschema.validate(document, build_response_schema(PeopleDocument))
    assert document["seats"] == {"known": 40, "claimed": 40, "total": 40}
    for field in DISTRIBUTION_FIELDS:
        assert sum(group["seats"] for group in document[field]) == 40
        assert sum(len(group["people"]) for group in document[field]) == 40
        assert {group["state"] for group in document[field]} <= {"known", "unknown"}


def test_sums_include_unknown_and_unseen_seats(writable_client: httpx2.Client) -> None:
    post_turtle(
        writable_client,
        SEAT_TURTLE.format(1)
        + '; :stakeholderGroup group:a . group:a rdfs:label "a" .'
        + SEAT_TURTLE.format(2)
        + '. <urn:claim> :about agent:wgig ; :claimedProperty "number of members" ; rdf:value "5" .',
    )
    document = writable_client.get("/people").json()
    assert document["seats"] == {"known": 2, "claimed": 5, "total": 5}
    for field in DISTRIBUTION_FIELDS:
        assert sum(group["seats"] for group in document[field]) == 5
        assert {group["state"]: group["seats"] for group in document[field]}["unseen"] == 3
    page = writable_client.get("/people.html").text
    assert "We know 2 of 5 members. The sources that we have seen do not name the other 3." in page
    assert page.count("<bdi>not named</bdi>") == 3


def test_numbers_equal_those_of_the_example_query(shipped_client: httpx2.Client) -> None:
    rows = list(
        csv.DictReader(io.StringIO(shipped_client.get("/queries/members-by-group-and-region.csv").text))
    )
    document = shipped_client.get("/people").json()
    for field, column in (
        ("stakeholderGroup", "groupLabel"),
        ("region", "regionLabel"),
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


def test_page_has_the_numbers_as_text_beside_the_bars(shipped_client: httpx2.Client) -> None:
    page = shipped_client.get("/people.html").text
    assert "We know all 40 members." in page
    # One bar for each group of seats, in which derived values have a part of their own; the bars of each of
    # the three distributions add up to a width of 100.
    assert page.count('<svg class="bar"') == 13
    assert len(re.findall(r'<svg class="bar"[^>]*aria-hidden="true" focusable="false"', page)) == 13
    widths = [
        float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', page.partition("<main")[2])
    ]
    assert sum(widths) == pytest.approx(300, abs=0.5)
    assert page.count("<bdi>not known</bdi>") == 2
    assert 'href="/doc/claim/comp-01"' in page
    assert "Whether the chair is one of the 40" in page


def test_page_shows_names_in_latin_script_if_available(writable_client: httpx2.Client) -> None:
    names = '<urn:who:1> foaf:name "坂巻政明"@ja ; skos:altLabel "Sakamaki Masaaki"@ja-Latn .'
    post_turtle(writable_client, SEAT_TURTLE.format(1) + "." + names)
    page = writable_client.get("/people.html").text
    assert 'lang="ja-latn" dir="auto">Sakamaki Masaaki</' in page


def test_regions_have_links_and_names_in_the_language_of_the_page(shipped_client: httpx2.Client) -> None:
    regions = shipped_client.get("/people").json()["region"]
    known = {region["id"]: region["label"] for region in regions if region["state"] == "known"}
    assert known[f"{BASE}id/place/asia"] == "Asia"
    assert not [iri for iri in known if not iri.startswith(f"{BASE}id/place/")]
    page = shipped_client.get("/people", headers=HTML_HEADERS | {"Accept-Language": "ar"}).text
    assert '<a href="/doc/place/asia" dir="auto">آسيا</a>' in page


def test_csv_has_the_numbers_of_json(shipped_client: httpx2.Client) -> None:
    document = shipped_client.get("/people").json()
    rows = list(csv.DictReader(io.StringIO(shipped_client.get("/people.csv").text)))
    group_rows = [row for row in rows if row["by"] != "seat"]
    assert [(row["by"], row["state"], int(row["seats"]), int(row["derived"])) for row in group_rows] == [
        (field, group["state"], group["seats"], group["derived"])
        for field in DISTRIBUTION_FIELDS
        for group in document[field]
    ]
    assert [(row["id"], row["people"]) for row in rows if row["by"] == "seat"] == [
        (member["id"], member["person"][0]["label"]) for member in document["members"]
    ]


def test_each_seat_has_post_and_place(shipped_client: httpx2.Client) -> None:
    members = {
        member["person"][0]["label"]: member for member in shipped_client.get("/people").json()["members"]
    }
    assert len(members) == 40
    assert all(member["posts"] for member in members.values())
    hendon = members["David Hendon"]
    assert hendon["posts"] == [
        {
            "title": "Director of Business Relations",
            "organization": {
                "id": f"{BASE}id/agent/uk-department-of-trade-and-industry",
                "label": "UK Department of Trade and Industry",
            },
        }
    ]
    assert [country["id"] for country in hendon["country"]] == [f"{BASE}id/place/GB"]
    assert hendon["countryBasis"] == ["place in the annex: London"]
    assert "country" in hendon["derived"]
    rows = {
        row["label"]: row
        for row in csv.DictReader(io.StringIO(shipped_client.get("/people.csv").text))
        if row["by"] == "seat"
    }
    assert rows["David Hendon"]["posts"] == (
        "Director of Business Relations, UK Department of Trade and Industry"
    )
    assert "countryBasis: place in the annex: London" in rows["David Hendon"]["basis"]
    page = shipped_client.get("/people.html").text
    assert "<bdi>Director of Business Relations</bdi>" in page
    assert "Place in the annex: London." in page
    assert not re.search(r"\(comp-|\(translated\)|derived: ", page)
    for member in members.values():
        assert f'href="/doc/{member["id"].removeprefix(f"{BASE}id/")}">Evidence<' in page
    assert page.count(" sources</summary>") + page.count(" source</summary>") == 40


def test_numbers_link_to_the_list_of_these_members(shipped_client: httpx2.Client) -> None:
    page = shipped_client.get("/people.html").text
    links = re.findall(r'<td class="number"><a href="(/stakeholders[^"]*)">(\d+)</a>', page)
    assert len(links) == 13
    for link, number in links:
        path, _, parameters = html.unescape(link).partition("?")
        assert shipped_client.get(f"{path}.json?{parameters}").json()["total"] == int(number)


@pytest.mark.parametrize(("language", "share"), [("en", "12.5%"), ("fr", "12,5\xa0%")])
def test_shares_are_written_as_in_the_language(
    shipped_client: httpx2.Client, language: str, share: str
) -> None:
    page = shipped_client.get("/people.html", headers={"Accept-Language": language}).text
    assert f" {share}</td>" in page


def test_derived_values_are_marked(writable_client: httpx2.Client) -> None:
    post_turtle(
        writable_client,
        SEAT_TURTLE.format(1)
        + '; :stakeholderGroup group:a ; :stakeholderGroupBasis "derived: ministry post" . '
        + SEAT_TURTLE.format(2)
        + '; :stakeholderGroup group:a ; :stakeholderGroupBasis "source" . group:a rdfs:label "a" . '
        + SEAT_TURTLE.format(3)
        + '; :stakeholderGroupBasis "derived: nothing follows" .',
    )
    document = writable_client.get("/people").json()
    known, unknown = document["stakeholderGroup"]
    assert (known["seats"], known["derived"]) == (2, 1)
    assert [person["derived"] for person in known["people"]] == [True, False]
    assert unknown["derived"] == 0  # what is not known is not derived
    assert [member["derived"] for member in document["members"]] == [["stakeholderGroup"], [], []]
    page = writable_client.get("/people.html").text
    assert '<rect class="derived" x="33.3" width="33.4" height="10"/>' in page
    assert '<span class="mark">1 derived</span>' in page
    assert '<span class="mark">derived</span>' in page
    assert '<bdi lang="en">Ministry post.</bdi>' in page


def test_seat_that_only_a_paper_states_is_no_seat_of_the_group() -> None:
    store = Store.in_memory()
    for graph, numbers in (("members", [1]), ("paper/x", [1, 2])):
        seats = PREFIXES + "".join(SEAT_TURTLE.format(number) + "." for number in numbers)
        triples = parse_graph_document(seats.encode(), "text/turtle")
        store.apply(store.compute_addition(f"{BASE}graph/{graph}", triples))
    document = make_store_client(store).get("/people").json()
    # A member whose seat a paper states, too, is still counted.
    assert [member["id"] for member in document["members"]] == ["urn:seat:1"]
    assert document["seats"]["known"] == 1


def test_without_a_claim_only_known_seats_are_counted(writable_client: httpx2.Client) -> None:
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
    assert "We know of 2 members, but not how many there were." in writable_client.get("/people.html").text


@pytest.mark.parametrize("size", ["many", "-1", "1", "99999999999999999999"])
def test_invalid_claim_of_a_number_of_seats_is_ignored(writable_client: httpx2.Client, size: str) -> None:
    claim = f'<urn:claim> :about agent:wgig ; :claimedProperty "number of members" ; rdf:value "{size}" .'
    post_turtle(writable_client, SEAT_TURTLE.format(1) + "." + SEAT_TURTLE.format(2) + "." + claim)
    assert writable_client.get("/people").json()["seats"]["total"] == 2
    assert writable_client.get("/people.html").status_code == 200


def test_seat_with_several_values_is_counted_once(writable_client: httpx2.Client) -> None:
    post_turtle(
        writable_client,
        SEAT_TURTLE.format(1)
        + '; :stakeholderGroup group:a, group:b . group:a rdfs:label "a" . group:b rdfs:label "b" .',
    )
    (group,) = writable_client.get("/people").json()["stakeholderGroup"]
    assert (group["label"], group["seats"], group["id"]) == ("a or b", 1, None)


def test_malicious_labels_are_escaped(writable_client: httpx2.Client) -> None:
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


def test_page_of_a_store_without_seats_links_to_graphs(read_only_client: httpx2.Client) -> None:
    page = read_only_client.get("/people", headers=HTML_HEADERS).text
    assert "There are no members yet" in page
    assert 'href="/graphs"' in page
    assert "<table" not in page
    assert read_only_client.get("/people").json()["seats"] == {"known": 0, "claimed": None, "total": 0}


def test_unknown_parameter_or_format_is_refused(shipped_client: httpx2.Client) -> None:
    assert shipped_client.get("/people?region=Europe").status_code == 400
    assert shipped_client.get("/people.ttl").status_code == 406
