"""Values that the form fills in from the issue are marked, and not done until the author keeps them."""

from typing import Any

import httpx2
import pytest

from tests.fixtures.html_form import Form, open_form
from tests.fixtures.paper_form import PAPER_NAME, put_paper

pytestmark = pytest.mark.slow

PREFILLED_FIELDS = ["category", "cites", "issueDescription", "title"]


@pytest.fixture
def form(client: httpx2.Client) -> Form:
    """The form of a new paper."""
    return open_form(client, "/write?issue=spam")


def check(form: Form) -> Any:
    """The result of a check."""
    return form.send("do", "check", accept="application/json").json()


def marked_fields(form: Form) -> list[str]:
    """The fields that the page marks as filled in."""
    return sorted(str(note["data-prefilled"]) for note in form.page.select("[data-prefilled]"))


def test_filled_in_fields_are_marked_until_they_are_changed(form: Form) -> None:
    assert marked_fields(form) == PREFILLED_FIELDS
    assert "Filled in from the issue" in form.field_messages("title-1")
    changed_form = form.fill(title_1="Cooperation on spam").press()
    assert marked_fields(changed_form) == ["category", "cites", "issueDescription"]
    assert check(changed_form)["prefilled"] == ["category", "cites", "issueDescription"]


def test_filled_in_section_is_not_done_until_the_author_keeps_it(form: Form) -> None:
    result = check(form)
    assert result["unconfirmed"] == ["title", "issueDescription", "category"]
    assert [section["state"] for section in result["sections"][1:3]] == ["filled in", "filled in"]
    assert "1 of 28 required parts" in form.press().page.select_one("#form-count").get_text()  # type: ignore[union-attr]
    kept_form = form.fill(kept=["category", "title"]).press()
    result = check(kept_form)  # the boxes stay checked
    assert result["unconfirmed"] == ["issueDescription"]
    assert [section["state"] for section in result["sections"][1:3]] == ["filled in", "done"]
    assert "3 of 28 required parts" in kept_form.page.select_one("#form-count").get_text()  # type: ignore[union-attr]


def test_own_paper_has_no_filled_in_fields(client: httpx2.Client) -> None:
    put_paper(client)
    assert marked_fields(open_form(client, f"/write?paper={PAPER_NAME}")) == []


@pytest.mark.parametrize("address", ["", "issue=", "issue=nothing", "file=issue=spam"])
def test_unknown_address_marks_nothing(form: Form, address: str) -> None:
    assert marked_fields(form.fill(address=address, kept=["title"]).press()) == []
