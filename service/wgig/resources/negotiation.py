"""Content negotiation by profile: which profiles, formats and languages a request asks for; 406 for none.

The query string (`_profile`, `_mediatype`, `lang`) beats the suffix of the path, and that the header fields
Accept-Profile, Accept and Accept-Language. `wish_alone` raises the 406 for a format, `weights_of` that for a
profile. Whether the resource has what is wished for is decided in `representation`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from fastapi import Request

from ..http import language, negotiation
from ..http.bodies import parameters, values
from ..http.language import ANY, Languages
from ..http.negotiation import accepted, liking
from ..http.parameters import only
from ..problems import Problem
from ..rdf.formats import Format, closeness, not_acceptable
from ..rdf.jsonld import FRAMES
from .profiles import OFFERED, OWN, Profile, own, profiles

PARAMETERS = ("_mediatype", "_profile", "lang")
# The reserved tokens for the list of what there is, now and in older drafts.
LISTING = ("all", "alt")
VARY = "Accept, Accept-Encoding, Accept-Language, Accept-Profile"
# The field of what is the same in all languages.
SAME_IN_ALL = {"Vary": "Accept, Accept-Encoding, Accept-Profile"}

NAME = r"<(?P<iri>[^<>\s]*)>|(?P<token>[\w.~*-]+)"
WEIGHT = r";\s*[qQ]=(?P<q>[^\s,;]*)\s*"
IN_FIELD = re.compile(rf"[\s,]*(?:{NAME})\s*(?:{WEIGHT})?(?=,|$)[\s,]*")
IN_ADDRESS = re.compile(rf"\s*(?:{NAME})\s*(?:,(?!$)|$)")
MOST = 50  # profiles that are named at once


@dataclass(frozen=True)
class Choice:
    """A representation: a profile and a format."""

    profile: Profile
    format: Format


@dataclass(frozen=True)
class Wish:
    """What is asked for: the representations that will do, the best first, and languages.

    `by_profile`: these profiles alone will do. `listing`: not one of them, but the list of what there is.
    """

    choices: Sequence[Choice]
    languages: Languages = ANY
    by_profile: bool = False
    listing: bool = False


def wish(
    request: Request,
    formats: Sequence[Format],
    suffix: str = "",
    others: Collection[str] = (),
    known: dict[str, Profile] | None = None,
) -> Wish:
    """What a request asks for, where our own profile is offered in these formats.

    `others` are parameters that mean something beside those of negotiation. Raises Problem 400 and 406, and
    as `wish_alone` does, which says more.
    """
    only(request, (*PARAMETERS, *others))
    liked = language.asked(request)
    return replace(wish_alone(request, formats, suffix, known), languages=liked)


def wish_alone(
    request: Request, formats: Sequence[Format], suffix: str = "", known: dict[str, Profile] | None = None
) -> Wish:
    """What a request asks for of something that is the same in all languages; its parameters are checked.

    The query string beats the suffix of the path, and that the header fields. `known` are the profiles that
    there may be, by token, without it all. Raises Problem 400 and 406.
    """
    base = request.app.state.settings.base
    known = known or profiles(base)
    chosen = values(parameters(request), "_profile")
    listing = chosen in [[one] for one in LISTING]
    weights = {} if listing else weights_of(chosen, request, known)
    offered = [Choice(own(base), one) for one in OFFERED] if listing else [*offers(known, formats, known)]
    wanted = [one for one in offered if not weights or weights[one.profile.token] > 0]
    rank = ranking(request, suffix, wanted)
    fitting = [one for one in wanted if rank[one.format][0] > 0]
    if not fitting:
        raise no_format(wanted, "" if values(parameters(request), "_mediatype") else suffix)
    best = sorted(
        fitting,
        key=lambda one: (weights[one.profile.token] if weights else 0, rank[one.format]),
        reverse=True,
    )
    return Wish(best, by_profile=bool(weights), listing=listing)


def asks_for_profile(request: Request) -> bool:
    """Whether a request asks for a profile, or for the list of them."""
    named = values(parameters(request), "_profile")
    return bool(named) or any(map(str.strip, request.headers.getlist("accept-profile")))


def offers(known: dict[str, Profile], formats: Sequence[Format], tokens: Iterable[str]) -> Iterator[Choice]:
    """The representations by the profiles of these tokens; our own has these formats."""
    for token in tokens:
        for format_ in formats if token == OWN else known[token].formats:
            yield Choice(known[token], format_)


def ranking(request: Request, suffix: str, offered: Sequence[Choice]) -> dict[Format, tuple[float, int]]:
    """How much each format is liked; 0 where it is not acceptable."""
    formats = {one.format: None for one in offered}
    asked = values(parameters(request), "_mediatype")
    if any(one.count(",") >= MOST for one in asked):
        raise Problem(400, f"The parameter _mediatype lists more than {MOST} types. List fewer.")
    if not asked and not suffix:
        wanted = accepted(request.headers.getlist("accept"))
        return {one: liking(wanted, one) for one in formats}
    names = asked[0].split(",") if asked else [suffix]
    places = list(enumerate(reversed(names), 1))
    return {one: max(as_named(name, place, one) for place, name in places) for one in formats}


def as_named(name: str, place: int, one: Format) -> tuple[float, int]:
    """How much a format is liked that was named in this place, counted from the last."""
    close = closeness(name, one)
    return (place if close else 0, close)


def weights_of(chosen: Sequence[str], request: Request, known: dict[str, Profile]) -> dict[str, float]:
    """How much each profile is liked, by token, 0 for not at all; nothing where no profile is asked for.

    Raises Problem 400 where that is malformed, 406 where none of those asked for is known.
    """
    fields = list(filter(str.strip, request.headers.getlist("accept-profile")))
    if not chosen and not fields:
        return {}
    # Of those named twice, the greater weight counts.
    asked = dict(sorted(in_address(chosen) if chosen else in_field(", ".join(fields)), key=itemgetter(1)))
    others = 0.0 if chosen else asked.get("*", 0.0)
    found = {token: weight(asked, profile, others) for token, profile in known.items()}
    if asked and not any(found.values()):
        raise no_profile(missed(asked), known.values())
    return found if asked else {}


def missed(asked: dict[str, float]) -> str:
    """Why none of the profiles that were asked for can be had."""
    unknown = ", ".join(one for one, q in asked.items() if q > 0)
    excluded = ", ".join(one for one, q in asked.items() if q == 0)
    if not unknown:
        return f"No profile is asked for, and {excluded} is excluded by q=0."
    more = f", and {excluded} is excluded by q=0" if excluded else ""
    return f"None of the profiles {unknown} is known here{more}."


def weight(asked: dict[str, float], profile: Profile, otherwise: float) -> float:
    """How much a profile is liked by any of its names."""
    names = (profile.token, *(f"<{iri}>" for iri in (profile.iri, *profile.also)))
    return max((asked[one] for one in names if one in asked), default=otherwise)


def in_field(field: str) -> Iterator[tuple[str, float]]:
    """The profiles that Accept-Profile names, with their weights. Raises Problem 400."""
    for found in items(IN_FIELD, field, "The field Accept-Profile", "<https://schema.org/>;q=1, skos;q=0.5"):
        q = 1.0 if found["q"] is None else negotiation.weight(found["q"])
        if q is not None:
            yield name_of(found), q


def in_address(given: Sequence[str]) -> Iterator[tuple[str, float]]:
    """The profiles that `?_profile=` lists, the first with the greatest weight. Raises Problem 400."""
    what = "The parameter _profile"
    for place, found in enumerate(items(IN_ADDRESS, given[0], what, "_profile=skos,<https://schema.org/>")):
        yield name_of(found), 1 - place / MOST


def items(pattern: re.Pattern[str], text: str, what: str, example: str) -> list[re.Match[str]]:
    """The items of a list, of which the pattern takes one after the other. Raises Problem 400."""
    found: list[re.Match[str]] = []
    at = 0
    while at < len(text) or not found:
        item = pattern.match(text, at)
        if not item or len(found) == MOST:
            raise Problem(
                400,
                f"{what} is no list of at most {MOST} profiles. Write IRIs between angle brackets and tokens "
                f"without: {example}.",
            )
        found.append(item)
        at = item.end()
    return found


def name_of(item: re.Match[str]) -> str:
    """A profile as it was named: a token, or an IRI between angle brackets."""
    return item["token"] or f"<{item['iri']}>"


def no_format(offered: Sequence[Choice], suffix: str = "") -> Problem:
    """The 406 that lists the formats of those profiles that would do; `suffix`: the path ends so."""
    problem = not_acceptable(list(dict.fromkeys(one.format for one in offered)), suffix)
    problem.headers["Vary"] = VARY
    return problem


def no_profile(what: str, there: Collection[Profile]) -> Problem:
    """The 406 that lists the profiles that can be had."""
    names = ", ".join(f"{one.token} <{one.iri}>" for one in there)
    return Problem(
        406,
        f"{what} Ask for one of: {names}.",
        slug="no-profile",
        headers={"Vary": VARY},
        profiles=[
            {"token": one.token, "uri": one.iri, "media_types": [f.media_type for f in one.formats]}
            for one in there
        ],
    )


def asked(request: Request) -> str:
    """The frame that `?_frame=` names, which is there once, or nothing. Raises Problem 400."""
    given = values(parameters(request), "_frame")
    if not given:
        return ""
    if given[0] not in FRAMES:
        raise Problem(400, f"The parameter _frame names one of the frames: {', '.join(FRAMES)}.")
    return given[0]
