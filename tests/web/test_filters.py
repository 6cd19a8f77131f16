"""Filters of lists and long pages in a browser: applied at once with scripts, and by a button without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

NO_PAPER_BOX = 'input[name="papers"][value="none"]'
PHONE = {"viewport": {"width": 390, "height": 844}}


def test_a_choice_is_applied_at_once_and_keeps_focus_and_place(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues")
    page.locator("summary", has_text="Category").click()
    page.evaluate("document.documentElement.dataset.kept = 'true'; scrollTo(0, 120)")
    page.locator(NO_PAPER_BOX).check()
    expect(page.locator("main caption")).to_have_text("Issues: 14 results")
    assert page.url.endswith("/issues?papers=none")
    expect(page.locator(NO_PAPER_BOX)).to_be_focused()
    expect(page.locator("p[role=status]").last).to_have_text("Issues: 14 results")
    assert page.evaluate("[document.documentElement.dataset.kept, scrollY]") == ["true", 120]
    expect(page.locator('input[name="category"]').first).to_be_visible()  # the facet is still unfolded
    page.locator(NO_PAPER_BOX).uncheck()
    expect(page.locator("main caption")).to_have_text("Issues: 35 results")
    page.go_back()
    expect(page.locator("main caption")).to_have_text("Issues: 14 results")
    expect(page.locator(NO_PAPER_BOX)).to_be_checked()


def test_data_and_language_links_follow_a_choice(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues")
    page.locator(NO_PAPER_BOX).check()
    expect(page.locator("main caption")).to_have_text("Issues: 14 results")
    assert (
        page.get_by_role("link", name="JSON", exact=True).get_attribute("href") == "/issues.json?papers=none"
    )
    address = page.locator("footer a[hreflang=fr]").get_attribute("href")
    assert address is not None
    assert "papers=none" in address


def test_words_are_applied_with_enter(open_page: Callable[..., Page]) -> None:
    page = open_page("/judgments")
    page.fill("#q", "nothinglikethis")
    page.press("#q", "Enter")
    expect(page.locator("main .results")).to_contain_text("No results.")
    assert page.url.endswith("/judgments?q=nothinglikethis")
    expect(page.locator("#q")).to_be_focused()


def test_matrix_is_filtered_at_once(open_page: Callable[..., Page]) -> None:
    page = open_page("/coverage")
    page.focus("#layer")
    page.select_option("#layer", "papers")
    expect(page.locator("main")).to_contain_text("We know of 1 assessment out of a possible 210")
    assert page.url.endswith("/coverage?layer=papers")
    expect(page.locator("#layer")).to_be_focused()


def test_lists_are_filtered_by_a_button_without_scripts(open_page: Callable[..., Page]) -> None:
    page = open_page("/issues", java_script_enabled=False)
    page.check(NO_PAPER_BOX)
    page.click("p.apply button")
    expect(page.locator("main caption")).to_have_text("Issues: 14 results")
    page.click("thead a:has-text('Judgments')")
    expect(page.locator("thead th", has_text="Judgments")).to_have_attribute("aria-sort", "descending")
    page.click(".chips a:has-text('Clear all')")
    expect(page.locator("main caption")).to_have_text("Issues: 35 results")


@pytest.mark.parametrize("path", ["/issues", "/papers", "/judgments", "/milestones", "/declaration"])
def test_list_begins_in_the_first_screen(reopen_page: Callable[..., Page], path: str) -> None:
    for options, is_folded in (({"viewport": {"width": 1280, "height": 800}}, False), (PHONE, True)):
        page = reopen_page(path, **options)
        row = page.locator("main tbody tr").first.bounding_box()
        assert row is not None
        height = page.evaluate("innerHeight")
        assert row["y"] < height - 50, (path, options)
        expect(page.locator("#q")).to_be_hidden() if is_folded else expect(page.locator("#q")).to_be_visible()


def test_filters_unfold_on_a_phone(reopen_page: Callable[..., Page]) -> None:
    page = reopen_page("/papers", **PHONE)
    page.locator(".filter-panel > summary").click()
    expect(page.locator("#q")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "words", "found"),
    [("/ontology", "paper drafter", "#drafter"), ("/shapes", "wgig-0-title", "#WGIG-0-TITLE-MISSING")],
)
def test_long_pages_are_filtered_while_typing(
    open_page: Callable[..., Page], path: str, words: str, found: str
) -> None:
    page = open_page(path)
    expect(page.locator(found)).to_be_hidden()  # folded
    page.fill("#text-filter", words)
    expect(page.locator(found)).to_be_visible()
    shown = page.locator("[data-filtered]:visible").count()
    assert 0 < shown < 20
    expect(page.locator(".text-filter [role=status]")).to_contain_text(f"{shown} of ")
    page.fill("#text-filter", "")
    assert page.locator("[data-filtered][hidden]").count() == 0


def test_words_on_no_item_can_be_searched_everywhere(open_page: Callable[..., Page]) -> None:
    page = open_page("/ontology")
    expect(page.locator(".show-all")).to_be_hidden()
    page.fill("#text-filter", "verdict")
    expect(page.locator("summary [data-count]:visible").filter(has_text=" of ").first).to_be_visible()
    expect(page.locator("#classes")).to_be_hidden()
    page.fill("#text-filter", "xyzzy")
    expect(page.locator(".text-filter [role=status]")).to_have_text("Nothing here contains “xyzzy”.")
    expect(page.locator("a.everywhere")).to_have_attribute("href", "/search?q=xyzzy")
    page.fill("#text-filter", "")
    expect(page.locator(".show-all")).to_be_hidden()
    expect(page.locator("#classes")).to_be_visible()


def test_found_questions_can_be_filtered_further(open_page: Callable[..., Page]) -> None:
    page = open_page("/queries?q=spam")
    status = page.locator(".text-filter [role=status]")
    expect(status).to_have_text("7 of 22 questions")
    page.fill("#q", "")
    expect(page.locator("[data-filtered]:visible")).to_have_count(22)
    page.fill("#q", "xyzzy")
    expect(status).to_have_text("Nothing here contains “xyzzy”.")


def test_long_pages_are_filtered_by_a_button_without_scripts(open_page: Callable[..., Page]) -> None:
    page = open_page("/ontology", java_script_enabled=False)
    page.fill("#text-filter", "day due")
    page.get_by_role("button", name="Find", exact=True).click()
    assert page.url.endswith("/ontology?q=day+due")
    expect(page.locator("#due")).to_be_visible()
    expect(page.locator("#Agreement")).to_be_hidden()


def test_address_of_a_folded_term_unfolds_it(open_page: Callable[..., Page]) -> None:
    page = open_page("/ontology#Issue")
    expect(page.locator("#Issue")).to_be_visible()
    page.evaluate("location.hash = 'due'")
    expect(page.locator("#due")).to_be_visible()
