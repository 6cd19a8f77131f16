"""People in the form: people in the bundled facts are linked, others are described with a membership."""

import httpx2
import pytest

from tests.fixtures.html_form import open_form
from tests.fixtures.paper_form import BASE, PAPER_NAME, TOKEN, put_paper, read_paper

pytestmark = pytest.mark.slow


def test_removed_drafter_is_deleted_with_the_membership_and_others_are_kept(client: httpx2.Client) -> None:
    put_paper(client)
    form = open_form(client, f"/write?paper={PAPER_NAME}")
    rows_by_name = {
        str(value): name.removesuffix("-who-1") for name, value in form.values.items() if "-who-" in name
    }
    form = form.press("remove", rows_by_name["Third Drafter (example)"])
    form.values[f"{rows_by_name['Office for fair trade']}-who-1"] = "Office of fair trade"
    form = form.fill(token=TOKEN).press("do", "draft")
    n_triples = read_paper(client).serialize(format="nt")
    assert "third-drafter" not in n_triples
    assert "membership/example-spam-filters-fourth-drafter-example" in n_triples
    assert '"Office of fair trade"' in n_triples
    assert "office-for-fair-trade" in n_triples  # the IRI is unchanged
    assert '"Office for fair trade"' not in n_triples


def test_agents_in_the_bundled_facts_are_linked_and_not_described(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(name="mine", drafter_1_who_1="Avri Doria", token=TOKEN)
    form.fill(mainActor_1_who_1="unesco", mainActor_1_stakeholderGroup=["international-organizations"])
    form = form.press("do", "draft")
    assert form.values["mainActor-1-who-1"] == "UNESCO"
    n_triples = read_paper(client, "mine").serialize(format="nt")
    assert "agent/doria> ." in n_triples
    assert "<http://xmlns.com/foaf/0.1/name>" not in n_triples


def test_new_member_is_described_with_a_membership(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(
        name="mine", drafter_1_who_1="Ann Example", token=TOKEN
    )
    form.fill(drafter_1_stakeholderGroup=["governments"], drafter_1_member_1="yes").press("do", "draft")
    graph = read_paper(client, "mine")
    membership = f"{BASE}id/membership/mine-ann-example"
    # Type, source, label, member, organization, role and group.
    assert len([triple for triple in graph if str(triple[0]) == membership]) == 7
    form = open_form(client, "/write?paper=mine")
    assert form.values["drafter-1-stakeholderGroup"] == ["governments"]
    form.fill(drafter_1_member_1="", token=TOKEN).press("do", "draft")
    n_triples = read_paper(client, "mine").serialize(format="nt")
    assert membership not in n_triples
    assert "mine-ann-example> <https://w3id.org/wgig/ontology#stakeholderGroup>" in n_triples


def test_statements_that_the_form_makes_of_people_have_a_field(client: httpx2.Client) -> None:
    form = open_form(client, "/write?issue=spam").fill(drafter_1_who_1="Ann", mainActor_1_who_1="Union")
    form.fill(drafter_1_stakeholderGroup=["governments"], drafter_1_member_1="yes")
    form.fill(mainActor_1_stakeholderGroup=["civil-society"])
    assert not form.press("do", "check").page.select("#rest")
