"""People in the form: known ones by name, others described, with a seat where they are members."""

import httpx
import pytest

from tests.fixtures.html_form import opened
from tests.fixtures.paper_form import BASE, NAME, TOKEN, held, put_paper

pytestmark = pytest.mark.slow


def test_somebody_who_is_removed_goes_with_the_seat_and_others_stay(client: httpx.Client) -> None:
    put_paper(client)
    form = opened(client, f"/write?paper={NAME}")
    rows = {str(words): name.removesuffix("-who-1") for name, words in form.given.items() if "-who-" in name}
    form = form.press("remove", rows["Third Drafter (example)"])
    form.given[f"{rows['Office for fair trade']}-who-1"] = "Office of fair trade"
    form = form.fill(token=TOKEN).press("do", "draft")
    text = held(client).serialize(format="nt")
    assert "third-drafter" not in text
    assert "membership/example-spam-filters-fourth-drafter-example" in text
    assert '"Office of fair trade"' in text
    assert "office-for-fair-trade" in text  # the address stays
    assert '"Office for fair trade"' not in text


def test_known_people_are_named_and_not_described(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(name="mine", drafter_1_who_1="Avri Doria", token=TOKEN)
    form.fill(mainActor_1_who_1="unesco", mainActor_1_stakeholderGroup=["international-organizations"])
    form = form.press("do", "draft")
    assert form.given["mainActor-1-who-1"] == "UNESCO"
    text = held(client, "mine").serialize(format="nt")
    assert "agent/doria> ." in text
    assert "<http://xmlns.com/foaf/0.1/name>" not in text


def test_a_new_member_is_described_with_a_seat(client: httpx.Client) -> None:
    form = opened(client, "/write?issue=spam").fill(name="mine", drafter_1_who_1="Ann Example", token=TOKEN)
    form.fill(drafter_1_stakeholderGroup=["governments"], drafter_1_member_1="yes").press("do", "draft")
    graph = held(client, "mine")
    seat = f"{BASE}id/membership/mine-ann-example"
    assert len([one for one in graph if str(one[0]) == seat]) == 7
    form = opened(client, "/write?paper=mine")
    assert form.given["drafter-1-stakeholderGroup"] == ["governments"]
    form.fill(drafter_1_member_1="", token=TOKEN).press("do", "draft")
    text = held(client, "mine").serialize(format="nt")
    assert seat not in text
    assert "mine-ann-example> <https://w3id.org/wgig/ontology#stakeholderGroup>" in text
