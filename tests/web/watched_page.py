"""A browser without a window, and a page of it that records errors, dialogs and refused requests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Dialog, Page, sync_playwright

TIMEOUT_MS = 30_000  # long, because browsers share the machine with all other tests
# The headless shell has the same engine without the desktop browser around it: a page takes 0.6 of the CPU
# time, and a browser context a quarter.
CHROMIUM_COMMANDS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Records violations of the Content-Security-Policy in `window.refused`.
RECORD_VIOLATIONS_SCRIPT = """
window.refused = [];
addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI}) => {
  refused.push(`${violatedDirective} ${blockedURI}`);
});
"""


@contextmanager
def launch_chromium() -> Iterator[Browser | None]:
    """A Chromium without a window; None if it is not installed."""
    path = next(filter(None, map(shutil.which, CHROMIUM_COMMANDS)), None)
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


class WatchedPage:
    """A page in its own browser context, which records errors."""

    def __init__(self, browser: Browser, *urls: str, **context_options: Any) -> None:
        """Open a page, with the first of `urls` as base URL. Requests to hosts not in `urls` are errors."""
        self._hosts = {urlsplit(url).netloc for url in urls}
        self._errors: list[str] = []
        context = browser.new_context(base_url=urls[0], **context_options)
        context.add_init_script(RECORD_VIOLATIONS_SCRIPT)
        self.page: Page = context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.page.on("pageerror", lambda error: self._errors.append(str(error)))
        self.page.on("request", lambda request: self._errors.extend(self._foreign_urls(request.url)))
        self.page.on("dialog", self._dismiss)
        self.page.on("console", lambda message: self._record_console_message(message.text))

    def take_errors(self) -> list[str]:
        """The errors, dialogs, foreign requests and policy violations since the last call."""
        refused: list[str] = self.page.evaluate("(window.refused ?? []).splice(0)")
        errors = self._errors + refused
        self._errors.clear()
        return errors

    def clear_storage(self) -> None:
        """Clear the cookies and the storage of the browser."""
        # The event lets the page store what it would store when it is left.
        self.page.evaluate(
            "dispatchEvent(new Event('pagehide')), localStorage.clear(), sessionStorage.clear()"
        )
        self.page.context.clear_cookies()

    def _dismiss(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":  # asks whether to leave the page with unsaved input
            dialog.accept()
            return
        self._errors.append(f"a dialog says {dialog.message}")
        dialog.dismiss()

    def _record_console_message(self, text: str) -> None:
        if "Content Security Policy" in text:
            self._errors.append(text)

    def _foreign_urls(self, url: str) -> list[str]:
        """The URL, if it is of another host."""
        parts = urlsplit(url)
        return [url] if parts.scheme in ("http", "https") and parts.netloc not in self._hosts else []
