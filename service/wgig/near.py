"""What was probably meant by a name that is not known."""

from collections.abc import Collection
from difflib import get_close_matches

from .problems import Problem

SHOWN = 40  # names that are listed where none is near
LONGEST = 100  # characters of a name that are compared, which takes time
ALIKE = 0.65  # how alike names are that are near, up to 1


def near(name: str, known: Collection[str]) -> str:
    """The name that is near among those known; in whatever letters, where none is in these; else none."""
    for fold in (str, str.casefold):
        names = {fold(one): one for one in known}
        for found in get_close_matches(fold(name[:LONGEST]), names, 1, ALIKE):
            return names[found]
    return ""


def unknown(sentence: str, name: str, known: Collection[str], shown: int = SHOWN) -> Problem:
    """The 400 for a name that is not among those known: `sentence` says of what, then comes what to do.

    The member `suggestion` holds the name that is near, where one is.
    """
    if meant := near(name, known):
        return Problem(400, f"{sentence} {name!r}. Did you mean {meant}?", suggestion=meant)
    if not known:
        return Problem(400, f"{sentence} {name!r}. There are none.")
    some = sorted(known)[:shown]
    more = ", …" if len(some) < len(known) else ""
    return Problem(400, f"{sentence} {name!r}. There are: {', '.join(some)}{more}.")
