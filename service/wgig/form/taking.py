"""A form is taken away as a file, or comes back with the reason why it cannot be one."""

from collections.abc import Callable, Sequence

import pyoxigraph as ox
from fastapi import Request, Response

from ..answers import answer
from ..catalogues import marked
from ..documents import MARKDOWN
from ..formats import TURTLE, Format
from ..markdown import UnheldError
from ..markdown import write as as_markdown
from ..problems import Problem
from ..rdf import serialize
from ..settings import Settings
from ..speaking import language
from .page import UNKEPT, Page, shown
from .source import Source
from .unheld import unheld
from .unruled import NAME
from .work import Done, Todo, opened, stated

DOWNLOADS = {"markdown": MARKDOWN, "turtle": TURTLE}
WRITTEN: dict[Format, Callable[[Sequence[ox.Triple], Settings], bytes]] = {
    MARKDOWN: lambda triples, _: as_markdown(triples).encode(),
    TURTLE: lambda triples, settings: serialize(triples, TURTLE, settings.base),
}
UNHELD = marked(
    "Markdown cannot hold the paper as it is. Mend what is said below, or download Turtle, which holds all "
    "of it."
)
FIELDLESS = marked(
    "Markdown cannot hold the paper, and the form has no field in which to mend it. Download Turtle, which "
    "holds all of it."
)


def downloaded(request: Request, page: Page, done: Done, format_: Format) -> Response:
    """The paper as a file, complete or not; or the form with the reason why it cannot be one."""
    if unnamed := [one for one in page.messages if one.field == "name" and one.blocks]:
        page.messages, page.refused, page.at_field = unnamed, Problem(422, NAME), True
        return shown(request, page)
    settings: Settings = request.app.state.settings
    triples = opened(done.triples, settings).triples
    try:
        body = WRITTEN[format_](triples, settings)
    except UnheldError as error:
        todo = Todo(page.filled, page.source.encode(), page.profile, language(), settings)
        at_fields = unheld(stated(todo), error.statements)
        page.messages, page.refused = at_fields, Problem(422, UNHELD if at_fields else FIELDLESS)
        return shown(request, page)
    name = f"{Source(triples).name}.{format_.suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', **UNKEPT}
    return answer(request, body, format_, headers=headers)
