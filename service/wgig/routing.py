"""Which route a path is of, by its template: there are as many as routes, whoever asks for what."""

import re
from collections.abc import Iterable
from functools import lru_cache

from starlette.routing import compile_path

NONE = "none"
MANY = 1024  # paths whose template is remembered, which must be as many as are asked most
FIRST = re.compile(r"/(?:\.?[\w-]+)?")  # what a path begins with, up to a parameter or a suffix


class Routing:
    """The templates of the paths of a service. The first that fits a path counts, as in the application."""

    def __init__(self, templates: Iterable[str]) -> None:
        """Take the templates, such as `/graph/{name:path}`."""
        self.by_first: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for one in dict.fromkeys(templates):
            self.by_first.setdefault(first(one), []).append((compile_path(one)[0], one))
        self.of = lru_cache(MANY)(self.found)

    def found(self, path: str) -> str:
        """The template of a path, `none` where there is no such route."""
        for pattern, template in self.by_first.get(first(path), ()):
            if pattern.match(path):
                return template
        return NONE


def first(path: str) -> str:
    """What a path begins with."""
    found = FIRST.match(path)
    return found[0] if found else ""
