"""The paper form in a browser: fields are checked when they are left, and unsaved input is protected.

A draft is kept in the local storage of the browser, by the address at which the form was opened.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.fixtures.word_file import build_word_file

from .page_states import TOKEN

FORM_PATH = "/write?issue=spam"
INVALID_DATE = "soon"  # for the field posted-1, the date of posting
FULL_STORAGE = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }"
NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("off", "SecurityError"); }
})"""


@pytest.fixture(scope="session")
def service_url(full_service_url: str) -> str:
    """The URL of a service in which papers can be saved."""
    return full_service_url


@pytest.fixture
def posted_bodies() -> list[str]:
    """The bodies of the POST requests of the page."""
    return []


@pytest.fixture
def form(open_page: Callable[..., Page], posted_bodies: list[str]) -> Page:
    """The page with the form of a new paper."""

    def record_request(request: Request) -> None:
        if request.method == "POST":
            posted_bodies.append(request.post_data or "")

    page = open_page(FORM_PATH)
    expect(page.locator("#form-count")).to_contain_text("required parts")  # the check of the opened form
    page.on("request", record_request)
    page.locator("#file-fold").click()  # the fields on the file, such as the date of posting
    return page


def fill_and_leave(page: Page, name: str, text: str) -> None:
    """Fill in a field and leave it with the Tab key."""
    page.locator(f"#{name}").fill(text)
    page.keyboard.press("Tab")


def test_invalid_value_is_reported_at_its_field(
    form: Page, find_axe_violations: Callable[[Page], list[str]]
) -> None:
    fill_and_leave(form, "posted-1", INVALID_DATE)
    message = form.locator("#posted-1-said")
    expect(message).to_contain_text("Error:")
    field = form.locator("#posted-1")
    assert "posted-1-said" in (field.get_attribute("aria-describedby") or "").split()
    assert field.get_attribute("aria-invalid") == "true"
    assert not find_axe_violations(form)


def test_message_disappears_after_correction(form: Page) -> None:
    fill_and_leave(form, "posted-1", INVALID_DATE)
    expect(form.locator("#posted-1-said")).to_be_visible()
    fill_and_leave(form, "posted-1", "2005-02-01")
    expect(form.locator("#posted-1-said")).to_have_count(0)
    assert form.locator("#posted-1").get_attribute("aria-invalid") is None


def test_message_of_a_check_is_outdated_while_the_field_is_changed(form: Page) -> None:
    form.locator("#posted-1").fill(INVALID_DATE)
    check_paper(form)
    message = form.locator("#posted-1-said")
    assert "outdated" not in (message.get_attribute("class") or "")
    form.locator("#posted-1").press_sequentially("x")
    assert message.get_attribute("class") == "outdated"
    assert form.locator("#posted-1").get_attribute("aria-invalid") is None
    form.locator("#posted-1").fill("2005-02-01")
    form.keyboard.press("Tab")
    expect(message).to_have_count(0)


def test_message_at_a_part_disappears_after_correction(form: Page) -> None:
    check_paper(form)
    message = form.locator("#drafter-1-who-said")
    expect(message).to_contain_text("Enter the name of at least one drafter")
    fill_and_leave(form, "drafter-1-who-1", "Avri Doria")
    expect(message).to_have_count(0)
    expect(form.locator("#mainActor-1-who-said")).to_be_visible()  # is still wrong


def test_enter_in_a_field_checks_it_and_keeps_the_place(form: Page) -> None:
    field = form.locator("#posted-1")
    field.fill(INVALID_DATE)
    field.press("Enter")
    expect(form.locator("#posted-1-said")).to_be_visible()
    expect(field).to_be_focused()
    assert form.locator("#summary").count() == 0


def test_value_of_a_list_is_told_when_the_field_is_left(form: Page) -> None:
    fill_and_leave(form, "cites-1", "48")
    expect(form.locator("#cites-1-means")).to_contain_text("Geneva Declaration of Principles, paragraph 48")
    fill_and_leave(form, "cites-1", "4711")
    expect(form.locator("#cites-1-said .detail")).to_have_text("Example: declaration/48")
    expect(form.locator("#cites-1-means")).to_be_empty()


def test_fields_get_their_lists_when_one_has_the_focus(form: Page) -> None:
    options = form.locator("#list-about option")
    assert options.count() == 0
    with form.expect_response("**/write/choices*"):
        form.locator("#mainActor-1-who-1").focus()
    expect(options.and_(form.locator('[value="agent/icann"]'))).to_have_text("ICANN")
    expect(form.locator('#list-who option[value="APNIC"]')).to_have_count(1)


def test_fields_get_their_lists_later_if_the_service_did_not_respond(form: Page) -> None:
    form.route("**/write/choices*", lambda route: route.fulfill(status=503))
    with form.expect_response("**/write/choices*"):
        form.locator("#mainActor-1-who-1").focus()
    form.unroute("**/write/choices*")
    with form.expect_response("**/write/choices*"):
        form.locator("#cites-1").focus()
    for name in ("listed", "cited"):
        expect(form.locator(f'#list-{name} option[value="declaration/48"]')).to_have_count(1)


def test_notes_have_links_to_their_fields(form: Page) -> None:
    form.locator("#mechanism-1-objectives-1").fill("Less spam.")
    check_paper(form)
    form.locator(".to-fields").get_by_role("link", name="Without a name").click()
    expect(form.locator("#mechanism-1-label-1")).to_be_focused()


def test_untouched_fields_have_no_messages(form: Page) -> None:
    fill_and_leave(form, "swot-1-strength-1", "Filters are there.")
    expect(form.locator("[data-section='3']")).to_contain_text("weaknesses")  # it is checked
    assert form.locator(".said").count() == 0


def test_token_is_not_sent_with_checks(form: Page, posted_bodies: list[str]) -> None:
    form.locator("#token").fill("wgig_secret")
    fill_and_leave(form, "swot-1-strength-1", "Filters are there.")
    expect(form.locator("[data-section='3']")).to_contain_text("weaknesses")
    assert posted_bodies
    assert not [body for body in posted_bodies if "wgig_secret" in body]


@pytest.fixture
def dialogs(form: Page) -> list[str]:
    """The types of the dialogs that the browser showed."""
    types: list[str] = []
    form.on("dialog", lambda dialog: types.append(dialog.type))
    return types


def follow_header_link(page: Page, name: str) -> None:
    """Leave the page by a link in its header."""
    page.locator("header").get_by_role("link", name=name, exact=True).click()
    expect(page.locator("form.paper")).to_have_count(0)


def check_paper(page: Page) -> None:
    """Send the form to be checked, and wait for the page with the findings."""
    page.locator("#finish ~ p button[value=check]").click()
    expect(page.locator("#summary")).to_be_visible()


def test_leaving_input_that_is_kept_as_a_draft_asks_nothing(form: Page, dialogs: list[str]) -> None:
    form.locator("#posted-1").press_sequentially(INVALID_DATE)
    follow_header_link(form, "Papers")
    assert dialogs == []
    form.goto(FORM_PATH)
    form.get_by_role("button", name="Restore draft").click()
    expect(form.locator("#posted-1")).to_have_value(INVALID_DATE)


@pytest.mark.parametrize("is_checked", [False, True])
def test_leaving_input_that_cannot_be_kept_asks_for_confirmation(
    form: Page, dialogs: list[str], is_checked: bool
) -> None:
    form.add_init_script(FULL_STORAGE)
    form.goto(FORM_PATH)
    form.locator("#title-1").press_sequentially("On spam")
    if is_checked:
        check_paper(form)
        assert dialogs == []
        form.locator("#title-1").focus()
    follow_header_link(form, "Papers")
    assert dialogs == ["beforeunload"]


def test_leaving_unchanged_form_asks_nothing(form: Page, dialogs: list[str]) -> None:
    form.locator("#posted-1").press("Tab")
    follow_header_link(form, "Papers")
    assert dialogs == []


def test_unreachable_service_is_reported_and_input_is_kept(form: Page) -> None:
    def abort_request(route: Route) -> None:
        route.abort()

    form.route("**/write", abort_request)
    fill_and_leave(form, "posted-1", INVALID_DATE)
    expect(form.get_by_text("the service does not respond")).to_be_visible()
    assert form.locator("#posted-1").input_value() == INVALID_DATE


def test_section_says_what_is_missing_and_the_count_follows(form: Page) -> None:
    expect(form.locator("[data-section='0']")).to_have_text("✗ missing: drafter")
    count = form.locator("#form-count").inner_text()
    fill_and_leave(form, "drafter-1-who-1", "Avri Doria")
    expect(form.locator("[data-section='0']")).to_have_text("? filled in: check")
    expect(form.locator("#form-count")).not_to_have_text(count)


def test_filled_in_field_is_done_when_it_is_changed_or_kept(form: Page) -> None:
    expect(form.locator("[data-section='1']")).to_have_text("? filled in: check")
    fill_and_leave(form, "issueDescription-1", "Messages that nobody asked for.")
    expect(form.locator("[data-section='1']")).to_have_text("✓ present")
    expect(form.locator("[data-prefilled=issueDescription]")).to_be_hidden()
    form.get_by_role("checkbox", name="Keep as it is (Category)").check()
    expect(form.locator("[data-section='2']")).to_have_text("✓ present")


def test_print_has_whole_texts(form: Page) -> None:
    text = "\n".join(f"Line {number}" for number in range(200))
    form.locator("#issueDescription-1").fill(text)
    form.evaluate("dispatchEvent(new Event('beforeprint'))")
    form.emulate_media(media="print")
    expect(form.locator("#issueDescription-1")).to_be_hidden()
    printed = form.locator("#issueDescription-1 + .printed")
    assert printed.inner_text() == text
    assert printed.evaluate("text => text.scrollHeight <= text.offsetHeight")
    form.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(form.locator("#issueDescription-1")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_check_button_and_count_stay_in_sight(form: Page, width: int) -> None:
    form.set_viewport_size({"width": width, "height": 800})
    form.locator("#assessment-3-fold").scroll_into_view_if_needed()
    for selector in ("#form-count", ".form-bar button"):
        expect(form.locator(selector)).to_be_in_viewport()


@pytest.mark.parametrize(("width", "java_script_enabled"), [(390, True), (1280, False)])
def test_links_of_the_summary_show_label_and_error(
    open_page: Callable[..., Page], width: int, java_script_enabled: bool
) -> None:
    viewport = {"width": width, "height": 800}
    page = open_page(FORM_PATH, java_script_enabled=java_script_enabled, viewport=viewport)
    page.locator("#finish ~ p button[value=check]").click()
    links = page.locator("#summary a")
    assert links.count() == 26
    for link in links.all():
        name = str(link.get_attribute("href"))[1:]
        link.click()
        expect(page.locator(f"#{name}")).to_be_focused()
        messages = f"*:has(> .said):has(~ #{name}), #{name}-said, .boxes:has(#{name}) > :has(> .said)"
        for selector in (f"label[for='{name}']", messages):
            expect(page.locator(selector).first).to_be_in_viewport(ratio=1)
        bar = page.locator(".form-bar").bounding_box()
        label = page.locator(f"label[for='{name}']").bounding_box()
        assert bar
        assert label
        assert width == 1280 or label["y"] >= bar["y"] + bar["height"]  # the bar does not cover the label


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("paper.md", b"---\npaper: mine\ntitle: On spam\n---\n"),
        ("paper.docx", build_word_file([("", "paper: mine"), ("", "title: On spam")])),
    ],
)
def test_chosen_file_is_opened(open_page: Callable[..., Page], name: str, content: bytes) -> None:
    page = open_page("/write")
    page.locator("#file").set_input_files({"name": name, "mimeType": "", "buffer": content})
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#title-1")).to_have_value("On spam")


def test_first_field_is_five_keys_from_the_start_of_the_page(open_page: Callable[..., Page]) -> None:
    page = open_page(FORM_PATH)
    for key in (
        "Tab",
        "Enter",
        "Tab",
        "Enter",
        "Tab",
    ):  # the link to the content, and that to the first section
        page.keyboard.press(key)
    expect(page.locator("#title-1")).to_be_focused()


def test_mechanism_can_be_chosen_by_its_name_at_once(form: Page) -> None:
    form.locator("#mechanism-1-label-1").press_sequentially("Code of <practice>")
    form.locator("#assessment-1-fold").click()
    box = form.get_by_role("checkbox", name="Code of <practice>").first
    box.check()
    assert box.get_attribute("id") == "assessment-1-judges-1"


def test_mechanism_can_be_chosen_by_its_name_without_scripts(open_page: Callable[..., Page]) -> None:
    page = open_page(FORM_PATH, java_script_enabled=False)
    page.locator("#mechanism-1-label-1").fill("Code of practice")
    page.locator("#assessment-2-fold").click()
    page.locator("button[name=show][value=assessment-2-judges]").click()
    box = page.locator("#assessment-2-judges-1")
    expect(box).to_be_focused()
    assert page.locator("label[for=assessment-2-judges-1]").inner_text() == "Code of practice"


def type_draft(page: Page, text: str) -> None:
    """Enter a title, and wait until it is kept."""
    page.locator("#title-1").fill(text)
    expect(page.get_by_text("Draft saved in this browser")).to_be_visible()


def open_draft_again(page: Page) -> None:
    """Leave the form, as when the window is closed, and open it again."""
    page.locator("header").get_by_role("link", name="Papers", exact=True).click()
    expect(page.locator("form.paper")).to_have_count(0)
    page.goto(FORM_PATH)


def test_download_without_input_leaves_no_draft(form: Page) -> None:
    with form.expect_download():
        form.get_by_role("button", name="Download Turtle").click()
    assert form.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('wgig-draft'))") == []


def test_draft_is_restored_with_the_rows_that_were_added(
    form: Page, posted_bodies: list[str], find_axe_violations: Callable[[Page], list[str]]
) -> None:
    form.locator("#add-drafter").click()
    form.locator("#drafter-2-who-1").fill("Avri Doria")
    form.locator("#token").fill(TOKEN)
    type_draft(form, "Line one\nLine two")
    form.goto("about:blank")  # after the checks of the fields
    posted_bodies.clear()
    form.goto(FORM_PATH)
    assert TOKEN not in str(form.evaluate("JSON.stringify(localStorage)"))
    heading = form.get_by_role("heading", name="You have a draft")
    expect(heading).to_be_visible()
    assert not [body for body in posted_bodies if "Line" in body]  # a draft is sent nowhere
    assert not find_axe_violations(form)
    form.get_by_role("button", name="Restore draft").click()
    expect(heading).to_have_count(0)
    expect(form.get_by_role("status").filter(has_text="Draft restored")).to_be_focused()
    assert form.locator("#drafter-2-who-1").input_value() == "Avri Doria"
    assert form.locator("#title-1").input_value() == "Line one\nLine two"


def test_start_page_lists_drafts(form: Page, find_axe_violations: Callable[[Page], list[str]]) -> None:
    type_draft(form, "On <spam>")
    form.goto("/write")
    item = form.locator("#drafts li")
    expect(item).to_contain_text("On <spam>, saved on ")
    assert not find_axe_violations(form)
    item.get_by_role("button", name="Restore draft").click()
    expect(form.locator("#title-1")).to_have_value("On <spam>")
    form.goto("/write")
    item.get_by_role("button", name="Discard draft").click()
    expect(form.locator("#drafts")).to_be_hidden()
    assert form.evaluate("localStorage.length") == 0


def test_offered_draft_has_the_focus(form: Page) -> None:
    type_draft(form, "On spam")
    open_draft_again(form)
    expect(form.locator(".draft")).to_be_focused()
    expect(form.locator(".draft")).to_be_in_viewport()


def test_draft_is_discarded(form: Page) -> None:
    type_draft(form, "Old")
    open_draft_again(form)
    form.locator("#title-1").fill("New")  # does not replace the draft before it is decided about
    expect(form.get_by_text("Nothing is saved until you restore or discard your draft")).to_be_visible()
    form.get_by_role("button", name="Discard draft").click()
    expect(form.get_by_text("Draft saved in this browser")).to_be_visible()
    assert "Old" not in str(form.evaluate("JSON.stringify(localStorage)"))
    assert form.locator("#title-1").input_value() == "New"


def test_draft_of_another_address_is_not_offered(form: Page) -> None:
    type_draft(form, "On spam")
    form.goto("/write?issue=voip")
    expect(form.locator("#form-count")).to_contain_text("required parts")
    assert form.get_by_text("You have a draft").count() == 0


def test_draft_is_removed_when_the_paper_is_saved(form: Page) -> None:
    type_draft(form, "On spam")
    form.locator("#name").fill("draft-that-is-saved")
    form.locator("#token").fill(TOKEN)
    form.locator("button[value=draft]").click()
    expect(form.get_by_role("heading", name="Saved", exact=True)).to_be_visible()
    assert form.evaluate("localStorage.length") == 0


def test_draft_of_an_earlier_form_can_only_be_discarded(form: Page) -> None:
    type_draft(form, "On spam")
    form.evaluate(
        """() => { for (const [key, text] of Object.entries(localStorage))
            localStorage.setItem(key, JSON.stringify({ ...JSON.parse(text), version: "older" })); }"""
    )
    open_draft_again(form)
    expect(form.get_by_text("The form has changed since")).to_be_visible()
    assert form.get_by_role("button", name="Restore draft").count() == 0
    form.get_by_role("button", name="Discard draft").click()
    assert form.evaluate("localStorage.length") == 0


def test_broken_draft_is_ignored(form: Page) -> None:
    type_draft(form, "On spam")
    form.evaluate("for (const key of Object.keys(localStorage)) localStorage.setItem(key, '{')")
    open_draft_again(form)
    expect(form.locator("#form-count")).to_contain_text("required parts")
    assert form.get_by_text("You have a draft").count() == 0


@pytest.mark.parametrize("script", [FULL_STORAGE, NO_STORAGE])
def test_browser_that_keeps_no_draft_says_so(form: Page, script: str) -> None:
    form.add_init_script(script)
    form.goto(FORM_PATH)
    form.locator("#title-1").fill("On spam")
    expect(form.get_by_text("This browser cannot save a draft")).to_be_visible()


def test_draft_of_a_megabyte_is_not_kept(form: Page) -> None:
    form.locator("#issueDescription-1").fill("x" * 1_000_000)
    expect(form.get_by_text("too large to save a draft")).to_be_visible()
    assert form.evaluate("localStorage.length") == 0
