"""What was probably meant by a name that is not known."""

from collections.abc import Collection
from difflib import get_close_matches

from .problems import Problem

SHOWN = 40  # names that are listed where none is near
ALIKE = 0.65  # how alike names are that are near, up to 1


def unknown(sentence: str, name: str, known: Collection[str]) -> Problem:
    """The 400 for a name that is not among those known: `sentence` says of what, then comes what to do.

    The member `suggestion` holds the name that is near, where one is.
    """
    near = get_close_matches(name, known, 1, ALIKE)
    if near:
        return Problem(400, f"{sentence} {name!r}. Did you mean {near[0]}?", suggestion=near[0])
    some = sorted(known)[:SHOWN]
    more = ", …" if len(some) < len(known) else ""
    return Problem(400, f"{sentence} {name!r}. There are: {', '.join(some) or 'none'}{more}.")
