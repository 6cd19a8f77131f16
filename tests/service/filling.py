"""A form of a page, filled in and sent as a browser without scripts does."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
from bs4 import BeautifulSoup, Tag

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Form:
    """The form of a page that is sent by POST (HTML, sections 4.10.21 and 4.10.15)."""

    def __init__(self, client: httpx.Client, answer: httpx.Response) -> None:
        self.client, self.answer = client, answer
        self.page = BeautifulSoup(answer.text, "html.parser")
        found = self.page.select_one("form.paper")
        assert isinstance(found, Tag), answer.text
        self.form = found
        self.given = {name: value for name, value in self.controls() if name}

    def controls(self) -> Iterator[tuple[str, str | list[str]]]:
        """The fields with what they hold; boxes by the list of those that are checked."""
        boxes: dict[str, list[str]] = {}
        for one in self.form.find_all(["input", "textarea", "select"]):
            name = str(one.get("name", ""))
            if one.name == "textarea":
                yield name, one.get_text().removeprefix("\n").replace("\r\n", "\n").replace("\n", "\r\n")
            elif one.name == "select":
                chosen = one.select_one("option[selected]") or one.select_one("option")
                yield name, str(chosen["value"]) if chosen else ""
            elif one.get("type") == "checkbox":
                there = boxes.setdefault(name, [])
                there += [str(one["value"])] if one.has_attr("checked") else []
            else:
                yield name, str(one.get("value", ""))
        yield from boxes.items()

    def fill(self, **values: str | list[str]) -> "Form":
        """Fill fields in, by their names with an underscore for each hyphen. A name that is none fails."""
        for key, value in values.items():
            name = key.replace("_", "-")
            assert name in self.given, name
            if isinstance(value, list):
                assert set(value) <= {one["value"] for one in self.form.select(f'input[name="{name}"]')}
            self.given[name] = value
        return self

    def send(self, name: str = "do", value: str = "check", accept: str = PAGE["Accept"]) -> httpx.Response:
        """Press the button with this name and value, which has to be there; the answer."""
        assert self.form.select_one(f'button[name="{name}"][value="{value}"]'), (name, value)
        return self.client.post(
            str(self.form["action"]), data={**self.given, name: value}, headers={"Accept": accept}
        )

    def press(self, name: str = "do", value: str = "check") -> "Form":
        """Press a button, follow where it leads; the form of the page."""
        answer = self.send(name, value)
        if answer.status_code == 303:
            answer = self.client.get(answer.headers["location"], headers=PAGE)
        return Form(self.client, answer)

    def switch(self, tongue: str) -> "Form":
        """Press a language in the footer; the form of the page."""
        button = self.page.select_one(f'footer button[form="{self.form["id"]}"][lang="{tongue}"]')
        assert button, self.answer.text
        pressed = {str(button["name"]): str(button["value"])} if button.has_attr("name") else {}
        there = str(button["formaction"])
        return Form(self.client, self.client.post(there, data={**self.given, **pressed}, headers=PAGE))

    def said(self, name: str) -> str:
        """What is said at a field, to which it points by aria-describedby."""
        field = self.form.select_one(f'[name="{name}"], [id="{name}"]')
        assert isinstance(field, Tag), name
        around = field.find_parent("fieldset", class_="boxes") if field.get("type") == "checkbox" else field
        assert isinstance(around, Tag)
        described = [self.page.find(id=one) for one in str(around.get("aria-describedby", "")).split()]
        assert None not in described, name
        return " ".join(one.get_text(" ", strip=True) for one in described if one)

    @property
    def problems(self) -> dict[str, str]:
        """The errors in the summary by the fields that they lead to, each of which is there."""
        links = self.page.select("#summary li a")
        found = {urlsplit(str(one["href"])).fragment: one.get_text() for one in links}
        assert all(self.page.find(id=one) for one in found), found
        return found


def opened(client: httpx.Client, path: str) -> Form:
    """The form at a path."""
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return Form(client, answer)
