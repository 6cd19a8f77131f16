"""The form as a page, or as JSON for a script of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from .. import pages
from ..answers import answer
from ..bearer import takes_papers
from ..formats import HTML, JSON
from ..problems import Problem
from ..rules import PROFILES
from .filled import Filled
from .placed import Message
from .view import View
from .work import Done

MOST_SHOWN = 200  # statements without a field that are shown
UNKEPT = {"Vary": "Accept, Accept-Encoding", "Cache-Control": "no-store"}


@dataclass
class Page:
    """What the page shows: what is filled in, the statements behind it, what is said at the fields.

    `version` is that of the graph when the paper was opened, `refused` is why something was not done,
    `at_field` whether a field says so, `focus` the name of what was added. `saved` is said once, right after;
    `unsaved` is what was sent in the form.
    """

    filled: Filled
    source: str
    version: str = ""
    profile: str = "complete"
    messages: Sequence[Message] = ()
    done: Done | None = None
    rest: Sequence[str] = ()
    focus: str = ""
    refused: Problem | None = None
    at_field: bool = False
    saved: bool = False
    unsaved: bool = False

    @property
    def opened(self) -> str:
        """The name of the paper of the graph that is edited; empty where it is not there yet."""
        return self.filled.name if self.version else ""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.refused.status if self.refused else 200

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields that a refusal brings."""
        return self.refused.headers if self.refused else {}


def shown(request: Request, page: Page) -> Response:
    """The form as a page; one that was sent is kept nowhere."""
    base: str = request.app.state.settings.base
    view = View(page.filled, page.messages, page.done, page.focus)
    body = pages.render(
        "write.html",
        base=base,
        view=view,
        source=page.source,
        version=page.version,
        profile=page.profile,
        profiles=PROFILES,
        rest=page.rest,
        most_shown=MOST_SHOWN,
        refused=page.refused,
        at_field=page.at_field,
        opened=page.opened,
        saved=page.saved,
        unsaved=page.unsaved,
        takes_papers=takes_papers(request),
    )
    sent = UNKEPT if request.method == "POST" else {}
    return answer(request, body, HTML, status=page.status, headers={**page.headers, **sent})


def told(request: Request, page: Page) -> Response:
    """What the check found, for a script: messages by the names of the fields."""
    done, refused = page.done, page.refused
    found: dict[str, Any] = {
        "profile": page.profile,
        "conforms": bool(done and done.conforms),
        "met": done.met if done else 0,
        "parts": done.parts if done else 0,
        "sections": [one._asdict() for one in done.sections] if done else [],
        "messages": [one._asdict() for one in page.messages],
    }
    if refused:
        base: str = request.app.state.settings.base
        found["problem"] = refused.document(base, request.url.path)
    body = json.dumps(found, ensure_ascii=False).encode()
    return answer(request, body, JSON, status=page.status, headers={**page.headers, **UNKEPT})
