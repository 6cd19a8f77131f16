"""A browser, and a page of it that is watched: what goes wrong on it is kept until somebody asks."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Dialog, Page, sync_playwright

PATIENCE = 30_000  # milliseconds, as browsers share a machine with all other tests
NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# What the policy of a page refuses is told to whoever listens.
LISTEN = """
window.refused = [];
addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI}) => {
  refused.push(`${violatedDirective} ${blockedURI}`);
});
"""


@contextmanager
def chromium() -> Iterator[Browser | None]:
    """A browser without a window, None where there is none on this machine."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


class Watched:
    """A page in a context of its own; nothing of it is shared with another."""

    def __init__(self, browser: Browser, *urls: str, **given: Any) -> None:
        """Open a page that may ask the hosts of these URLs alone; what is `given` goes to the context."""
        self._hosts = {urlsplit(url).netloc for url in urls}
        self._wrong: list[str] = []
        context = browser.new_context(base_url=urls[0], **given)
        context.add_init_script(LISTEN)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("pageerror", lambda error: self._wrong.append(str(error)))
        self.page.on("request", lambda request: self._wrong.extend(self._elsewhere(request.url)))
        self.page.on("dialog", self._dismiss)
        self.page.on("console", lambda said: self._note(said.text))

    def wrong(self) -> list[str]:
        """Errors, dialogs, requests to other hosts, and what the policy refused since this was asked last."""
        refused: list[str] = self.page.evaluate("(window.refused ?? []).splice(0)")
        found = self._wrong + refused
        self._wrong.clear()
        return found

    def forget(self) -> None:
        """Forget what the pages of the service keep in the browser."""
        self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.context.clear_cookies()

    def _dismiss(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":  # asks whether to leave what is typed
            dialog.accept()
            return
        self._wrong.append(f"a dialog says {dialog.message}")
        dialog.dismiss()

    def _note(self, said: str) -> None:
        if "Content Security Policy" in said:
            self._wrong.append(said)

    def _elsewhere(self, url: str) -> list[str]:
        """The address, where it is of another host."""
        parts = urlsplit(url)
        return [url] if parts.scheme in ("http", "https") and parts.netloc not in self._hosts else []
