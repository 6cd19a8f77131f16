"""A paper is written in a real browser by keyboard alone, without scripts, from nothing to complete."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.fixtures.processes import Serving

TOKEN = "wgig_" + "s" * 43
MOST = 400  # steps of the Tab key from one end of the page to the other


@pytest.fixture(scope="module")
def url(serving: Serving, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("store"), WGIG_TOKEN=TOKEN) as found:
        yield found


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    return browser.new_context(java_script_enabled=False).new_page()


class Keys:
    """Somebody with a keyboard and no mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def focus(self) -> str:
        """What has the focus: the id of a field, or name and value of a button."""
        found = self.page.locator(":focus")
        if not found.count():
            return ""
        name, value = found.get_attribute("name"), found.get_attribute("value")
        return found.get_attribute("id") or (f"{name}={value}" if name else "")

    def go(self, where: str) -> None:
        """Press Tab until the focus is there."""
        for _ in range(MOST):
            if self.focus() == where:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"No Tab leads to {where}.")

    def write(self, where: str, words: str) -> None:
        """Go to a field and write in it; in a list, what begins so is chosen."""
        self.go(where)
        self.page.keyboard.type(words)

    def press(self, where: str) -> None:
        """Go to a button or link and press it."""
        self.go(where)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self.page.locator(":focus").wait_for()  # each page that comes puts it where something is new

    def open(self, where: str) -> None:
        """Go to a part that is folded and open it."""
        self.go(f"{where}-fold")
        self.page.keyboard.press("Enter")

    def check(self, where: str) -> None:
        """Go to a box and check it."""
        self.go(where)
        self.page.keyboard.press("Space")


def test_a_paper_is_written_by_keyboard_alone(page: Page, url: str) -> None:
    page.goto(f"{url}write?issue=spam")
    keys = Keys(page)
    keys.press("do=check")
    assert keys.focus() == "summary"  # which is read out, and leads to each field
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**#drafter-1-who-1")
    assert keys.focus() == "drafter-1-who-1"
    keys.write("drafter-1-who-1", "Avri Doria")
    keys.press("add-drafter")
    assert keys.focus() == "drafter-2-who-1"
    keys.write("drafter-2-who-1", "Carlos A. Afonso")
    for one in ("strength", "weakness", "opportunity", "threat"):
        keys.write(f"swot-1-{one}-1", f"One {one}.")
    keys.write("mainActor-1-who-1", "Union of mail providers")
    keys.check("mainActor-1-stakeholderGroup-3")
    for one in ("label", "participants", "nature"):
        keys.write(f"forum-1-{one}-1", f"The {one}.")
    keys.write("forum-1-makesDecisions-1", "yes")
    keys.write("forum-1-decisionProcedure-1", "By consensus.")
    for one in ("label", "objectives", "content"):
        keys.write(f"mechanism-1-{one}-1", f"The {one}.")
    for number in range(1, 7):
        keys.open(f"assessment-{number}")
        keys.write(f"assessment-{number}-verdict-1", "partly")
        keys.check(f"assessment-{number}-judges-1")
        keys.write(f"assessment-{number}-cites-1", "declaration/48")
        keys.write(f"assessment-{number}-rationale-1", "Not all were asked.")
    keys.write("token", TOKEN)
    keys.press("do=complete")
    assert page.locator("h2", has_text="Saved").count() == 1, page.inner_text("main")
    assert page.input_value("#creativeWorkStatus-1") == "complete"
    assert TOKEN not in page.content()
