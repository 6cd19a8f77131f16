"""The seats of /people have the groups, regions and development of the fact tables, counted here."""

import csv
from collections import Counter
from typing import Any

import httpx2

from tests.fixtures.shared_facts import require_shared

FACTS_FOLDER = require_shared("facts2")
GROUP_NAMES = {
    "government": "governments",
    "civil society": "civil-society",
    "private sector": "private-sector",
    "academic & technical": "academic-technical",
    "international organization": "international-organizations",
}


def read_rows(table: str) -> list[dict[str, str]]:
    with (FACTS_FOLDER / f"{table}.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def count_seats(entries: list[dict[str, Any]]) -> Counter[str]:
    """The seats by the last part of the IRI of their value, or by its label; an empty text if not known."""
    return Counter(
        {
            (entry["id"] or entry["label"]).rpartition("/")[2] if entry["state"] == "known" else "": entry[
                "seats"
            ]
            for entry in entries
        }
    )


def test_forty_seats_have_the_groups_and_development_of_the_table(shipped_client: httpx2.Client) -> None:
    people = shipped_client.get("/people").json()
    members = read_rows("members")
    assert people["seats"]["known"] == len(members) == 40
    groups = Counter(GROUP_NAMES.get(row["stakeholder_group"], "") for row in members)
    assert count_seats(people["stakeholderGroup"]) == groups
    development = Counter(
        {"yes": "developing country", "no": "developed country"}[row["developing_country"]] for row in members
    )
    assert count_seats(people["developingCountry"]) == development


def test_derived_values_of_the_table_are_marked(shipped_client: httpx2.Client) -> None:
    people = shipped_client.get("/people").json()
    for field, column in (
        ("stakeholderGroup", "stakeholder_basis"),
        ("developingCountry", "developing_basis"),
    ):
        derived = sum(row[column].startswith("derived") for row in read_rows("members"))
        assert sum(entry["derived"] for entry in people[field]) == derived > 0


def test_seats_have_the_region_of_their_country(shipped_client: httpx2.Client) -> None:
    codes = {row["entity"]: row["identifier"] for row in read_rows("crosswalk") if "alpha-2" in row["scheme"]}
    region_by_code = {
        codes[row["entity"]]: row["note"].partition(" /")[0]
        for row in read_rows("crosswalk")
        if row["scheme"] == "UN M49" and row["entity"] in codes
    }
    region_by_seat = {
        person["label"]: entry["label"]
        for entry in shipped_client.get("/people").json()["region"]
        for person in entry["people"]
    }
    compared = {
        row["name"]: region_by_code[row["country"]]
        for row in read_rows("members")
        if row["country"] in region_by_code and row["name"] in region_by_seat
    }
    assert len(compared) > 20
    assert {name: region_by_seat[name] for name in compared} == compared
