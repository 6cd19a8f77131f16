"""Content negotiation by profile: which profiles, formats and languages a request asks for; 406 for none.

The query string (`_profile`, `_mediatype`, `lang`) beats the suffix of the path, and that the header fields
Accept-Profile, Accept and Accept-Language. `parse_format_preferences` raises the 406 for a format, by the
ranks of `http.negotiation`, and `parse_profile_weights` that for a profile. Whether the resource has what is
wished for is decided in `representation`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from fastapi import Request

from ..http import language
from ..http.bodies import get_query_parameters, parameter_values
from ..http.language import ANY_LANGUAGE, LanguagePreferences
from ..http.negotiation import make_format_ranking, named_formats, parse_qvalue
from ..http.parameters import check_query_parameters
from ..pages.dependencies import RequestContext
from ..problems import Problem
from ..rdf.formats import Format, not_acceptable_problem
from .profiles import OWN_PROFILE_FORMATS, OWN_PROFILE_TOKEN, Profile, own_profile, profiles_by_token

NEGOTIATION_PARAMETERS = ("_mediatype", "_profile", "lang")
# The reserved tokens for the list of what there is, now and in older drafts.
LISTING_TOKENS = ("all", "alt")
NEGOTIATION_VARY = "Accept, Accept-Encoding, Accept-Language, Accept-Profile"
# The field of what is the same in all languages.
LANGUAGE_NEUTRAL_HEADERS = {"Vary": "Accept, Accept-Encoding, Accept-Profile"}

PROFILE_NAME_PATTERN = r"<(?P<iri>[^<>\s]*)>|(?P<token>[\w.~*-]+)"
PROFILE_WEIGHT_PATTERN = r";\s*[qQ]=(?P<q>[^\s,;]*)\s*"
FIELD_PROFILE_PATTERN = re.compile(
    rf"[\s,]*(?:{PROFILE_NAME_PATTERN})\s*(?:{PROFILE_WEIGHT_PATTERN})?(?=,|$)[\s,]*"
)
PARAMETER_PROFILE_PATTERN = re.compile(rf"\s*(?:{PROFILE_NAME_PATTERN})\s*(?:,(?!$)|$)")
MAX_NAMED_PROFILES = 50  # profiles that are named at once


@dataclass(frozen=True)
class Representation:
    """A representation: a profile and a format."""

    profile: Profile
    format: Format


@dataclass(frozen=True)
class Preferences:
    """What is asked for: the representations that will do, the best first, and languages.

    `by_profile`: these profiles alone will do. `wants_listing`: not one of them, but the list of what there
    is.
    """

    representations: Sequence[Representation]
    languages: LanguagePreferences = ANY_LANGUAGE
    by_profile: bool = False
    wants_listing: bool = False


def parse_preferences(
    context: RequestContext,
    formats: Sequence[Format],
    suffix: str = "",
    others: Collection[str] = (),
    known: dict[str, Profile] | None = None,
) -> Preferences:
    """What a request asks for, where our own profile is offered in these formats.

    `others` are parameters that mean something beside those of negotiation. Raises Problem 400 and 406, and
    as `parse_format_preferences` does, which says more.
    """
    check_query_parameters(context.request, (*NEGOTIATION_PARAMETERS, *others))
    liked = language.requested_languages(context.request)
    return replace(parse_format_preferences(context, formats, suffix, known), languages=liked)


def parse_format_preferences(
    context: RequestContext,
    formats: Sequence[Format],
    suffix: str = "",
    known: dict[str, Profile] | None = None,
) -> Preferences:
    """What a request asks for of something that is the same in all languages; its parameters are checked.

    The query string beats the suffix of the path, and that the header fields. `known` are the profiles that
    there may be, by token, without it all. Raises Problem 400 and 406.
    """
    request = context.request
    base = context.base
    known = known or profiles_by_token(base)
    chosen = parameter_values(get_query_parameters(request), "_profile")
    listing = chosen in [[one] for one in LISTING_TOKENS]
    weights = {} if listing else parse_profile_weights(chosen, request, known)
    offered = (
        [Representation(own_profile(base), one) for one in OWN_PROFILE_FORMATS]
        if listing
        else [*iter_representations(known, formats, known)]
    )
    wanted = [one for one in offered if not weights or weights[one.profile.token] > 0]
    named = named_formats(request)
    ranking = make_format_ranking(request.headers.getlist("accept"), named, suffix)
    rank = {one: ranking(one) for one in dict.fromkeys(one.format for one in wanted)}
    fitting = [one for one in wanted if rank[one.format][0] > 0]
    if not fitting:
        raise no_format_problem(wanted, "" if named else suffix)
    best = sorted(
        fitting,
        key=lambda one: (weights[one.profile.token] if weights else 0, rank[one.format]),
        reverse=True,
    )
    return Preferences(best, by_profile=bool(weights), wants_listing=listing)


def asks_for_profile(request: Request) -> bool:
    """Whether a request asks for a profile, or for the list of them."""
    named = parameter_values(get_query_parameters(request), "_profile")
    return bool(named) or any(map(str.strip, request.headers.getlist("accept-profile")))


def iter_representations(
    known: dict[str, Profile], formats: Sequence[Format], tokens: Iterable[str]
) -> Iterator[Representation]:
    """The representations by the profiles of these tokens; our own has these formats."""
    for token in tokens:
        for format_ in formats if token == OWN_PROFILE_TOKEN else known[token].formats:
            yield Representation(known[token], format_)


def parse_profile_weights(
    chosen: Sequence[str], request: Request, known: dict[str, Profile]
) -> dict[str, float]:
    """How much each profile is liked, by token, 0 for not at all; nothing where no profile is asked for.

    Raises Problem 400 where that is malformed, 406 where none of those asked for is known.
    """
    fields = list(filter(str.strip, request.headers.getlist("accept-profile")))
    if not chosen and not fields:
        return {}
    # Of those named twice, the greater weight counts.
    asked = dict(
        sorted(
            parse_profile_parameter(chosen) if chosen else parse_accept_profile(", ".join(fields)),
            key=itemgetter(1),
        )
    )
    others = 0.0 if chosen else asked.get("*", 0.0)
    found = {token: profile_weight(asked, profile, others) for token, profile in known.items()}
    if asked and not any(found.values()):
        raise no_profile_problem(describe_unmet_profiles(asked), known.values())
    return found if asked else {}


def describe_unmet_profiles(asked: dict[str, float]) -> str:
    """Why none of the profiles that were asked for can be had."""
    unknown = ", ".join(one for one, q in asked.items() if q > 0)
    excluded = ", ".join(one for one, q in asked.items() if q == 0)
    if not unknown:
        return f"No profile is asked for, and {excluded} is excluded by q=0."
    more = f", and {excluded} is excluded by q=0" if excluded else ""
    return f"None of the profiles {unknown} is known here{more}."


def profile_weight(asked: dict[str, float], profile: Profile, otherwise: float) -> float:
    """How much a profile is liked by any of its names."""
    names = (profile.token, *(f"<{iri}>" for iri in (profile.iri, *profile.alias_iris)))
    return max((asked[one] for one in names if one in asked), default=otherwise)


def parse_accept_profile(field: str) -> Iterator[tuple[str, float]]:
    """The profiles that Accept-Profile names, with their weights. Raises Problem 400."""
    for found in match_profile_list(
        FIELD_PROFILE_PATTERN, field, "The field Accept-Profile", "<https://schema.org/>;q=1, skos;q=0.5"
    ):
        q = 1.0 if found["q"] is None else parse_qvalue(found["q"])
        if q is not None:
            yield matched_profile_name(found), q


def parse_profile_parameter(given: Sequence[str]) -> Iterator[tuple[str, float]]:
    """The profiles that `?_profile=` lists, the first with the greatest weight. Raises Problem 400."""
    what = "The parameter _profile"
    for place, found in enumerate(
        match_profile_list(PARAMETER_PROFILE_PATTERN, given[0], what, "_profile=skos,<https://schema.org/>")
    ):
        yield matched_profile_name(found), 1 - place / MAX_NAMED_PROFILES


def match_profile_list(pattern: re.Pattern[str], text: str, what: str, example: str) -> list[re.Match[str]]:
    """The items of a list, of which the pattern takes one after the other. Raises Problem 400."""
    found: list[re.Match[str]] = []
    at = 0
    while at < len(text) or not found:
        item = pattern.match(text, at)
        if not item or len(found) == MAX_NAMED_PROFILES:
            raise Problem(
                400,
                f"{what} is no list of at most {MAX_NAMED_PROFILES} profiles. "
                f"Write IRIs between angle brackets and tokens without: {example}.",
            )
        found.append(item)
        at = item.end()
    return found


def matched_profile_name(item: re.Match[str]) -> str:
    """A profile as it was named: a token, or an IRI between angle brackets."""
    return item["token"] or f"<{item['iri']}>"


def no_format_problem(offered: Sequence[Representation], suffix: str = "") -> Problem:
    """The 406 that lists the formats of those profiles that would do; `suffix`: the path ends so."""
    problem = not_acceptable_problem(list(dict.fromkeys(one.format for one in offered)), suffix)
    problem.headers["Vary"] = NEGOTIATION_VARY
    return problem


def no_profile_problem(what: str, there: Collection[Profile]) -> Problem:
    """The 406 that lists the profiles that can be had."""
    names = ", ".join(f"{one.token} <{one.iri}>" for one in there)
    return Problem(
        406,
        f"{what} Ask for one of: {names}.",
        slug="no-profile",
        headers={"Vary": NEGOTIATION_VARY},
        profiles=[
            {"token": one.token, "uri": one.iri, "media_types": [f.media_type for f in one.formats]}
            for one in there
        ],
    )
