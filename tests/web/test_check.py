"""The page of a checked paper in a browser: the editor beside the report, with marks and suggestions."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect

from .page_states import MISSPELLED_PAPER, click_and_wait
from .test_walks import DESKTOP, PHONE

PageOpener = Callable[..., Page]
TURTLE = """@prefix wgig: <https://w3id.org/wgig/ontology#> .
<https://w3id.org/wgig/id/paper/x> a wgig:IssuePaper ;
  wgig:strength "Mail"@en . # a comment
"""
MAX_EDITOR_PAGE_BYTES, MAX_PAGE_BYTES = 400_000, 40_000  # transferred


@pytest.fixture(scope="session")
def service_url(full_service_url: str) -> str:
    """The URL of a service with the bundled graphs."""
    return full_service_url


CHECK_AGAIN = ".paper-text > button:not(.plain)"  # the button below the text of a checked paper


def check_text(page: Page, text: str, profile: str = "draft") -> Page:
    """Fill in the form, and send it."""
    page.fill("#paper", text)
    page.check(f"#profile-{profile}")
    click_and_wait(page, "form.check > button")
    return page


@pytest.fixture
def report_page(reopen_page: PageOpener) -> Page:
    """The page with the report on MISSPELLED_PAPER."""
    return check_text(reopen_page("/validate", viewport=DESKTOP), MISSPELLED_PAPER)


def paper_text(page: Page) -> str:
    return page.locator("#paper").input_value()


def line_number(text: str) -> int:
    """The number of the line of MISSPELLED_PAPER with this text."""
    return next(number for number, line in enumerate(MISSPELLED_PAPER.split("\n"), 1) if text in line)


def selected_text(page: Page) -> str:
    selected: str = page.evaluate("document.querySelector('.code').shadowRoot.getSelection().toString()")
    return selected


def has_focus(page: Page, selector: str) -> bool:
    focused: bool = page.evaluate("(selector) => document.activeElement.matches(selector)", selector)
    return focused


def test_result_gets_the_focus(report_page: Page) -> None:
    assert has_focus(report_page, "#summary")
    expect(report_page).to_have_title(re.compile(r"^This draft has errors: Check a paper"))
    expect(report_page.locator("#summary")).to_contain_text("3 errors")


def test_editor_has_the_text_its_lines_and_marks(report_page: Page) -> None:
    expect(report_page.get_by_role("textbox", name="The paper")).to_be_visible()
    expect(report_page.locator("#paper")).to_be_hidden()
    assert report_page.locator(".source").count() == 0
    marked = report_page.locator(".cm-lintRange")
    assert marked.all_inner_texts() == ["spamm", "declaration/480", "acces-for-all"]
    numbers = report_page.locator(".cm-lineNumbers .cm-gutterElement").all_inner_texts()
    assert str(line_number("acces-for-all")) in numbers
    assert report_page.locator(".cm-gutter-lint .cm-lint-marker").count() == 3


def test_mark_shows_its_message(report_page: Page) -> None:
    report_page.locator(".cm-lintRange", has_text="spamm").hover()
    expect(report_page.locator(".cm-tooltip")).to_contain_text("is not in the inventory")


def test_link_selects_the_marked_text_in_the_editor(report_page: Page) -> None:
    number = line_number("declaration/480")
    link = report_page.get_by_role("link", name=f"Line {number}, column")
    link.focus()
    report_page.keyboard.press("Enter")
    assert selected_text(report_page) == "declaration/480"
    assert report_page.evaluate("document.querySelector('.code').matches(':focus-within')")
    expect(report_page.locator(".problems")).to_contain_text("passage")
    report_page.locator(".problems").get_by_role("link", name="Show the finding in the report").click()
    assert "-finding-" in report_page.url


def test_link_follows_its_text_when_lines_are_added(report_page: Page) -> None:
    report_page.get_by_role("textbox", name="The paper").click()
    report_page.keyboard.press("Control+Home")
    report_page.keyboard.type("\n\n")
    report_page.get_by_role("link", name=f"Line {line_number('declaration/480')}, column").click()
    assert selected_text(report_page) == "declaration/480"


def test_suggestion_changes_the_text_and_offers_to_check_again(report_page: Page) -> None:
    button = report_page.get_by_role("button", name="Did you mean spam?")
    button.focus()
    top = button.bounding_box()
    report_page.keyboard.press("Enter")
    assert paper_text(report_page) == MISSPELLED_PAPER.replace("spamm", "spam")
    expect(button).to_have_count(0)
    expect(report_page.get_by_role("status").last).to_contain_text(
        f"Line {line_number('spamm')} now contains: spam"
    )
    assert has_focus(report_page, ".findings button")
    again = report_page.locator(".findings").get_by_role("button", name="Check again")
    bottom = again.bounding_box()
    assert top
    assert bottom
    assert abs(top["y"] - bottom["y"]) < DESKTOP["height"] / 4  # the page has not moved away
    assert "spam" not in report_page.locator(".cm-lintRange").all_inner_texts()
    with report_page.expect_navigation():
        report_page.keyboard.press("Enter")
    expect(report_page.locator("#summary")).to_contain_text("2 errors")
    assert has_focus(report_page, "#summary")


def test_all_suggestions_make_the_paper_conform(report_page: Page) -> None:
    while buttons := report_page.get_by_role("button", name="Did you mean").all():
        buttons[0].click()
    click_and_wait(report_page, ".paper-text > button")
    expect(report_page).to_have_title(re.compile(r"^This draft has no errors: Check a paper"))


def test_change_is_undone_by_keyboard(report_page: Page) -> None:
    report_page.get_by_role("button", name="Did you mean spam?").click()
    report_page.get_by_role("textbox", name="The paper").focus()
    report_page.keyboard.press("Control+z")
    assert paper_text(report_page) == MISSPELLED_PAPER


def test_suggestion_does_not_change_another_text(report_page: Page) -> None:
    report_page.locator(".cm-lintRange", has_text="spamm").dblclick()
    report_page.keyboard.type("mail")
    before = paper_text(report_page)
    report_page.get_by_role("button", name="Did you mean spam?").click()
    assert paper_text(report_page) == before
    finding = report_page.locator(".findings > li", has_text="This part of the text has changed.")
    finding.get_by_role("button", name=f"Line {line_number('spamm')}").press("Enter")
    report_page.keyboard.type("# ")
    assert "\n# issue: mail\n" in paper_text(report_page)


@pytest.fixture
def broken_file_page(reopen_page: PageOpener) -> Page:
    """The page with the error in the uploaded file broken.ttl."""
    page = reopen_page("/validate", viewport=DESKTOP)
    page.set_input_files(
        "#files", {"name": "broken.ttl", "mimeType": "", "buffer": TURTLE.replace("strength", "").encode()}
    )
    page.check("#profile-draft")
    click_and_wait(page, "form.check > button")
    return page


@pytest.fixture
def dialogs(broken_file_page: Page) -> list[str]:
    """The types of the dialogs that the browser showed."""
    types: list[str] = []
    broken_file_page.on("dialog", lambda dialog: types.append(dialog.type))
    return types


def edit_text(page: Page) -> None:
    page.get_by_role("textbox", name="The paper").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("# corrected")


def test_checked_file_keeps_its_name(broken_file_page: Page) -> None:
    edit_text(broken_file_page)
    click_and_wait(broken_file_page, CHECK_AGAIN)
    edit_text(broken_file_page)
    with broken_file_page.expect_download() as download:
        broken_file_page.get_by_role("button", name="Download the text").click()
    assert download.value.suggested_filename == "broken.ttl"
    assert download.value.path().read_text().endswith("# corrected# corrected")


@pytest.mark.parametrize("is_checked", [False, True])
def test_leaving_an_edited_text_asks_for_confirmation(
    broken_file_page: Page, dialogs: list[str], is_checked: bool
) -> None:
    edit_text(broken_file_page)
    if is_checked:
        click_and_wait(broken_file_page, CHECK_AGAIN)
        assert dialogs == []
    broken_file_page.get_by_role("textbox", name="The paper").click()
    click_and_wait(broken_file_page, "header a[href='/papers']")
    assert dialogs == ["beforeunload"]


def test_leaving_after_the_download_of_a_report_asks_for_confirmation(report_page: Page) -> None:
    types: list[str] = []
    report_page.on("dialog", lambda dialog: types.append(dialog.type))
    report_page.get_by_role("button", name="Did you mean spam?").click()
    with report_page.expect_download():
        report_page.get_by_role("button", name="CSV").click()
    assert types == []
    click_and_wait(report_page, "header a[href='/papers']")
    assert types == ["beforeunload"]


def test_leaving_a_downloaded_or_unchanged_text_asks_nothing(
    broken_file_page: Page, dialogs: list[str]
) -> None:
    edit_text(broken_file_page)
    with broken_file_page.expect_download():
        broken_file_page.get_by_role("button", name="Download the text").click()
    click_and_wait(broken_file_page, CHECK_AGAIN)
    broken_file_page.get_by_role("textbox", name="The paper").click()
    click_and_wait(broken_file_page, "header a[href='/papers']")
    assert dialogs == []


def test_misspelled_heading_is_corrected_by_a_button(reopen_page: PageOpener) -> None:
    page = check_text(reopen_page("/validate", viewport=DESKTOP), "---\npaper: x\n---\n## Mecanisms\n")
    expect(page.locator("#problem")).to_contain_text(
        "The heading ## Mecanisms is not a section of the template."
    )
    page.get_by_role("button", name="Change it to ## 6. Governance mechanisms (how?)").click()
    click_and_wait(page, "#problem button")
    expect(page).to_have_title(re.compile(r"^This draft has no errors: Check a paper"))


def test_turtle_is_highlighted(reopen_page: PageOpener) -> None:
    page = check_text(reopen_page("/validate", viewport=DESKTOP), TURTLE)
    line = page.locator(".cm-line").nth(2)
    colors = line.evaluate(
        "(line) => [...line.querySelectorAll('span')].map((span) => getComputedStyle(span).color)"
    )
    assert len(set(colors)) >= 4  # name, string, language, comment


def test_tab_leaves_the_editor(report_page: Page) -> None:
    report_page.get_by_role("textbox", name="The paper").click()
    report_page.keyboard.press("Tab")
    assert not report_page.evaluate("document.querySelector('.code').matches(':focus-within')")
    assert paper_text(report_page) == MISSPELLED_PAPER


def test_error_has_a_mark_in_sight(reopen_page: PageOpener) -> None:
    lines = "".join(f"<a:{number}> <b:> <c:> .\n" for number in range(200))
    page = check_text(reopen_page("/validate", viewport=DESKTOP), f"{lines}<a:wrong> <b:> .\n{lines}")
    assert has_focus(page, "#problem")
    marker = page.locator(".cm-gutter-lint .cm-lint-marker")
    expect(marker).to_have_count(1)
    top, code = marker.bounding_box(), page.locator(".code").bounding_box()
    assert top
    assert code
    assert code["y"] < top["y"] < code["y"] + code["height"]
    assert page.evaluate("scrollY") == 0
    page.locator("#problem a[href^='#file-1-line-']").click()
    assert selected_text(page) == ""
    page.keyboard.type("<c:> ")
    assert "<a:wrong> <b:> <c:> ." in paper_text(page)


@pytest.mark.parametrize("is_on_one_line", [True, False])
def test_forgotten_semicolon_is_inserted_by_a_button(reopen_page: PageOpener, is_on_one_line: bool) -> None:
    right = TURTLE.replace("IssuePaper ;\n", "IssuePaper ; ") if is_on_one_line else TURTLE
    wrong = right.replace("IssuePaper ; ", "IssuePaper ").replace("IssuePaper ;", "IssuePaper")
    page = check_text(reopen_page("/validate", viewport=DESKTOP), wrong)
    page.get_by_role("button", name="Insert ;").click()
    assert paper_text(page).split() == right.split()
    expect(page.locator(".cm-lintRange, .cm-lintPoint")).to_have_count(0)
    click_and_wait(page, "#problem button")
    expect(page).to_have_title(re.compile("^This draft has no errors"))


def test_editor_shows_the_first_error(reopen_page: PageOpener) -> None:
    page = check_text(
        reopen_page("/validate", viewport=DESKTOP),
        MISSPELLED_PAPER.replace("\n---\n", "\n" + "# \n" * 100 + "---\n").replace(
            "issue: ", "# \n" * 100 + "issue: "
        ),
    )
    marker, code = page.locator(".cm-lintRange").first.bounding_box(), page.locator(".code").bounding_box()
    assert marker
    assert code
    assert code["y"] < marker["y"] < code["y"] + code["height"]


def test_report_is_beside_the_text_on_wide_screens_and_above_it_on_narrow_ones(report_page: Page) -> None:
    def find_box(selector: str) -> FloatRect:
        box = report_page.locator(selector).first.bounding_box()
        assert box
        return box

    report, text = find_box(".findings"), find_box(".paper-text")
    assert report["x"] + report["width"] < text["x"]
    report_page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    report, text = find_box(".findings"), find_box(".paper-text")
    assert report["y"] < text["y"]
    assert text["width"] <= PHONE["width"]


def test_without_scripts_links_lead_to_numbered_lines(reopen_page: PageOpener) -> None:
    page = check_text(reopen_page("/validate", java_script_enabled=False), MISSPELLED_PAPER)
    assert has_focus(page, "#summary")
    assert page.title().startswith("This draft has errors: ")
    assert page.get_by_role("button", name="Did you mean").count() == 0
    expect(page.get_by_text("Did you mean spam?")).to_be_visible()
    number = line_number("spamm")
    page.get_by_role("link", name=f"Line {number}, column").first.click()
    assert page.url.endswith(f"#file-1-line-{number}")
    expect(page.locator(f"#file-1-line-{number}")).to_be_in_viewport()


@pytest.mark.parametrize("has_scripts", [True, False])
def test_findings_of_one_kind_are_shown_and_those_that_a_link_leads_to(
    reopen_page: PageOpener, has_scripts: bool
) -> None:
    page = check_text(reopen_page("/validate", java_script_enabled=has_scripts), MISSPELLED_PAPER, "complete")
    findings = page.locator(".findings > li")
    assert findings.filter(visible=True).count() == findings.count() > 5
    page.get_by_label("1 warning").check()
    expect(findings.filter(visible=True)).to_have_count(1)
    expect(page.locator(".section-findings").filter(visible=True)).to_have_count(1)
    page.locator(".sections a").first.click()
    expect(page.locator("#file-1-finding-1")).to_be_in_viewport()
    expect(findings.filter(visible=True)).to_have_count(2)
    page.emulate_media(media="print")
    assert findings.filter(visible=True).count() == findings.count()


@pytest.mark.parametrize("text", [MISSPELLED_PAPER, None])
def test_page_is_light(browser: Browser, service_url: str, text: str | None) -> None:
    context = browser.new_context(base_url=service_url, viewport=DESKTOP)  # type: ignore[arg-type]
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto("/validate")
    if text:
        check_text(page, text)
    page.wait_for_load_state("networkidle")
    context.close()
    assert 0 < sum(sizes) <= (MAX_EDITOR_PAGE_BYTES if text else MAX_PAGE_BYTES)
