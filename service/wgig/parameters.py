"""The parameters of an address: those alone that mean something there, each as often as it may be given."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .bodies import Pairs, parameters, values
from .catalogues import SPOKEN
from .near import near
from .problems import Problem

if TYPE_CHECKING:  # costs 180 ms, and the shell needs none
    from fastapi import Request

PARAMETER = "_lang"  # of any page; where it means something, it is gone by now
BARE = ("default", "explain", "hints", "saved", "versions")  # which say all by being there
MOST = 50  # values of one parameter, if nothing else is said


def only(request: "Request", once: Sequence[str] = (), many: Sequence[str] = ()) -> Pairs:
    """The pairs of the query string, in which are no parameters but these. Raises Problem as `checked`."""
    return checked(parameters(request), once, many)


def checked(pairs: Pairs, once: Sequence[str] = (), many: Sequence[str] = (), most: int = MOST) -> Pairs:
    """The pairs. Raises Problem 400 for one that means nothing here, and for too many of a kind.

    Those of `once` may be given once, those of `many` as often as `most` says. The member `parameters` of the
    problem lists what there is, and `suggestion` is the one that was probably meant.
    """
    there = [*once, *many]
    for key in dict(pairs):
        if key == PARAMETER:
            raise no_such_language()
        if key not in there:
            raise no_such(key, there)
        number, allowed = len(values(pairs, key)), most if key in many else 1
        if number > allowed:
            times = "once" if allowed == 1 else f"{allowed} times at most"
            raise Problem(400, f"The parameter {key} is given {number} times. Give it {times}.")
        if key in BARE and any(values(pairs, key)):
            raise Problem(400, f"The parameter {key} has no value. Give it bare, or leave it out.")
    return pairs


def no_such_language() -> Problem:
    """The 400 for a language in which no page speaks, or more than one."""
    there = ", ".join(SPOKEN)
    return Problem(
        400,
        f"The parameter {PARAMETER} names one language of the pages. Give it once, as one of: {there}. "
        "Of a thing or a graph, the parameter lang asks for texts of the data in other languages.",
        languages=list(SPOKEN),
    )


def no_such(key: str, there: Sequence[str]) -> Problem:
    """The 400 for a parameter that means nothing."""
    meant = near(key, there)
    guess = f"Did you mean {meant}? " if meant else ""
    there_are = f"There are: {', '.join(there)}." if there else "There are none."
    members: dict[str, Any] = {"suggestion": meant} if meant else {}
    sentence = f"There is no parameter {key!r} here. {guess}{there_are}"
    return Problem(400, sentence, parameters=list(there), **members)
