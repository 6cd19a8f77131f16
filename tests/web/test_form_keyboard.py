"""The paper form by keyboard alone, without scripts, from an empty paper to a complete one.

The field forum-2-nature-1 is the first value of the property nature of the second forum.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.fixtures.processes import ServiceStarter

TOKEN = "wgig_" + "s" * 43
MAX_TAB_STEPS = 400  # more than a page has elements


@pytest.fixture(scope="module")
def url(start_service: ServiceStarter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_service(tmp_path_factory.mktemp("store"), WGIG_TOKEN=TOKEN) as service_url:
        yield service_url


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    return browser.new_context(java_script_enabled=False).new_page()


class Keyboard:
    """A user of the page with a keyboard and no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def focused_name(self) -> str:
        """The ID of the focused field, or the name and value of the focused button."""
        element = self.page.locator(":focus")
        if not element.count():
            return ""
        name, value = element.get_attribute("name"), element.get_attribute("value")
        return element.get_attribute("id") or (f"{name}={value}" if name else "")

    def focus_element(self, target: str) -> None:
        """Press Tab until the target is focused."""
        for _ in range(MAX_TAB_STEPS):
            if self.focused_name() == target:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"No Tab leads to {target}.")

    def type_into(self, target: str, text: str) -> None:
        """Type into a field; in a list, this selects the option that begins with the text."""
        self.focus_element(target)
        self.page.keyboard.type(text)

    def press(self, target: str) -> None:
        """Press a button (`name=value`) or link, and wait for the next page."""
        self.focus_element(target)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.page.locator(":focus").wait_for()  # each page focuses its new content

    def open_fold(self, target: str) -> None:
        """Open a folded group of fields."""
        self.focus_element(f"{target}-fold")
        self.page.keyboard.press("Enter")

    def check_box(self, target: str) -> None:
        """Check a check box."""
        self.focus_element(target)
        self.page.keyboard.press("Space")


def test_paper_is_written_by_keyboard_alone(page: Page, url: str) -> None:
    page.goto(f"{url}write?issue=spam")
    keyboard = Keyboard(page)
    keyboard.press("do=check")
    assert keyboard.focused_name() == "summary"  # screen readers read it, and it links to each field
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#drafter-1-who-1")
    assert keyboard.focused_name() == "drafter-1-who-1"
    keyboard.type_into("drafter-1-who-1", "Avri Doria")
    keyboard.press("add-drafter")
    assert keyboard.focused_name() == "drafter-2-who-1"
    keyboard.type_into("drafter-2-who-1", "Carlos A. Afonso")
    for field in ("strength", "weakness", "opportunity", "threat"):
        keyboard.type_into(f"swot-1-{field}-1", f"One {field}.")
    keyboard.type_into("mainActor-1-who-1", "Union of mail providers")
    keyboard.check_box("mainActor-1-stakeholderGroup-3")
    for field in ("label", "participants", "nature"):
        keyboard.type_into(f"forum-1-{field}-1", f"The {field}.")
    keyboard.type_into("forum-1-makesDecisions-1", "yes")
    keyboard.type_into("forum-1-decisionProcedure-1", "By consensus.")
    for field in ("label", "objectives", "content"):
        keyboard.type_into(f"mechanism-1-{field}-1", f"The {field}.")
    for number in range(1, 7):  # criteria a to f
        keyboard.open_fold(f"assessment-{number}")
        keyboard.type_into(f"assessment-{number}-verdict-1", "partly")
        keyboard.check_box(f"assessment-{number}-judges-1")
        keyboard.type_into(f"assessment-{number}-cites-1", "declaration/48")
        keyboard.type_into(f"assessment-{number}-rationale-1", "Not all were asked.")
    keyboard.type_into("token", TOKEN)
    keyboard.press("do=complete")
    assert page.locator("h2", has_text="Saved").count() == 1, page.inner_text("main")
    assert page.input_value("#creativeWorkStatus-1") == "complete"
    assert TOKEN not in page.content()
