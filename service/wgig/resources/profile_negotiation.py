"""Content negotiation by profile: the profiles, formats and languages that a request prefers.

The query string (`_profile`, `_mediatype`, `lang`) takes precedence over the suffix of the path, and that
over the header fields Accept-Profile, Accept and Accept-Language. `parse_format_preferences` raises 406 for
an unavailable format, ranked by `http.negotiation`, and `parse_profile_weights` for an unknown profile.
`representation` then chooses among the representations that the resource has.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter

from fastapi import Request

from ..http import language
from ..http.language import ANY_LANGUAGE, LanguagePreferences
from ..http.negotiation import make_format_ranking, parse_named_formats, parse_qvalue
from ..pages.dependencies import RequestContext
from ..problems import Problem
from ..rdf.formats import Format, not_acceptable_problem
from .parameters import NegotiationParameters, ProfileParameters
from .profiles import OWN_PROFILE_FORMATS, OWN_PROFILE_TOKEN, Profile, own_profile, profiles_by_token

# The reserved tokens for the list of what there is, now and in older drafts.
LISTING_TOKENS = ("all", "alt")
NEGOTIATION_VARY = "Accept, Accept-Encoding, Accept-Language, Accept-Profile"
# The Vary field of resources that are the same in all languages.
LANGUAGE_NEUTRAL_HEADERS = {"Vary": "Accept, Accept-Encoding, Accept-Profile"}

PROFILE_NAME_PATTERN = r"<(?P<iri>[^<>\s]*)>|(?P<token>[\w.~*-]+)"
PROFILE_WEIGHT_PATTERN = r";\s*[qQ]=(?P<q>[^\s,;]*)\s*"
FIELD_PROFILE_PATTERN = re.compile(
    rf"[\s,]*(?:{PROFILE_NAME_PATTERN})\s*(?:{PROFILE_WEIGHT_PATTERN})?(?=,|$)[\s,]*"
)
PARAMETER_PROFILE_PATTERN = re.compile(rf"\s*(?:{PROFILE_NAME_PATTERN})\s*(?:,(?!$)|$)")
MAX_NAMED_PROFILES = 50  # profiles in one header field or parameter


@dataclass(frozen=True)
class Representation:
    """A representation of a resource: a profile and a format."""

    profile: Profile
    format: Format


@dataclass(frozen=True)
class Preferences:
    """The preferences of a request: the acceptable representations, the best first, and languages.

    `by_profile`: the request names profiles, and accepts no others. `wants_listing`: it asks for the list of
    representations instead.
    """

    representations: Sequence[Representation]
    languages: LanguagePreferences = ANY_LANGUAGE
    by_profile: bool = False
    wants_listing: bool = False


def parse_preferences(
    context: RequestContext,
    parameters: NegotiationParameters,
    formats: Sequence[Format],
    suffix: str = "",
    known: dict[str, Profile] | None = None,
) -> Preferences:
    """The preferences of a request for a resource whose own profile has these formats.

    Raises Problem 400 and 406, and as `parse_format_preferences` does, which says more.
    """
    liked = language.requested_languages(context.request)
    return replace(parse_format_preferences(context, parameters, formats, suffix, known), languages=liked)


def parse_format_preferences(
    context: RequestContext,
    parameters: ProfileParameters,
    formats: Sequence[Format],
    suffix: str = "",
    profiles: dict[str, Profile] | None = None,
) -> Preferences:
    """What a request asks for of something that is the same in all languages.

    The query string takes precedence over the suffix of the path, and that over the header fields. `profiles`
    are the available ones by token, by default all. Raises Problem 400 and 406.
    """
    request = context.request
    base = context.base
    profiles = profiles or profiles_by_token(base)
    wants_listing = parameters.profile in LISTING_TOKENS
    weights = {} if wants_listing else parse_profile_weights(parameters.profile, request, profiles)
    offers = (
        [Representation(own_profile(base), format_) for format_ in OWN_PROFILE_FORMATS]
        if wants_listing
        else [*iter_representations(profiles, formats, profiles)]
    )
    candidates = [offer for offer in offers if not weights or weights[offer.profile.token] > 0]
    named_formats = parse_named_formats(parameters.media_type)
    rank_format = make_format_ranking(request.headers.getlist("accept"), named_formats, suffix)
    ranks = {format_: rank_format(format_) for format_ in dict.fromkeys(offer.format for offer in candidates)}
    acceptable = [offer for offer in candidates if ranks[offer.format][0] > 0]
    if not acceptable:
        raise no_format_problem(candidates, "" if named_formats else suffix)
    ordered = sorted(
        acceptable,
        key=lambda offer: (weights[offer.profile.token] if weights else 0, ranks[offer.format]),
        reverse=True,
    )
    return Preferences(ordered, by_profile=bool(weights), wants_listing=wants_listing)


def asks_for_profile(request: Request, parameters: ProfileParameters) -> bool:
    """Whether a request asks for a profile, or for the list of them."""
    return parameters.profile is not None or any(map(str.strip, request.headers.getlist("accept-profile")))


def iter_representations(
    profiles: dict[str, Profile], formats: Sequence[Format], tokens: Iterable[str]
) -> Iterator[Representation]:
    """The representations of the profiles with these tokens; `formats` are those of our own profile."""
    for token in tokens:
        for format_ in formats if token == OWN_PROFILE_TOKEN else profiles[token].formats:
            yield Representation(profiles[token], format_)


def parse_profile_weights(
    parameter: str | None, request: Request, profiles: dict[str, Profile]
) -> dict[str, float]:
    """The weight of each profile by token, from 0 (excluded) to 1; empty where the request names none.

    `parameter` is the value of `_profile`. Raises Problem 400 for malformed ones, 406 where all named
    profiles are unknown.
    """
    fields = list(filter(str.strip, request.headers.getlist("accept-profile")))
    if parameter is None and not fields:
        return {}
    # Sorted, so that the greater weight counts for a profile that is named twice.
    weights_by_name = dict(
        sorted(
            parse_accept_profile(", ".join(fields))
            if parameter is None
            else parse_profile_parameter(parameter),
            key=itemgetter(1),
        )
    )
    default = weights_by_name.get("*", 0.0) if parameter is None else 0.0
    weights = {
        token: profile_weight(weights_by_name, profile, default) for token, profile in profiles.items()
    }
    if weights_by_name and not any(weights.values()):
        raise no_profile_problem(describe_unmet_profiles(weights_by_name), profiles.values())
    return weights if weights_by_name else {}


def describe_unmet_profiles(weights_by_name: dict[str, float]) -> str:
    """A sentence that says why none of the named profiles is available."""
    unknown = ", ".join(name for name, q in weights_by_name.items() if q > 0)
    excluded = ", ".join(name for name, q in weights_by_name.items() if q == 0)
    if not unknown:
        return f"No profile is asked for, and {excluded} is excluded by q=0."
    exclusion = f", and {excluded} is excluded by q=0" if excluded else ""
    return f"None of the profiles {unknown} is known here{exclusion}."


def profile_weight(weights_by_name: dict[str, float], profile: Profile, default: float) -> float:
    """The greatest weight of a profile under any of its names, or else `default`."""
    names = (profile.token, *(f"<{iri}>" for iri in (profile.iri, *profile.alias_iris)))
    return max((weights_by_name[name] for name in names if name in weights_by_name), default=default)


def parse_accept_profile(field: str) -> Iterator[tuple[str, float]]:
    """The profiles in Accept-Profile, with their weights. Raises Problem 400."""
    for match in match_profile_list(
        FIELD_PROFILE_PATTERN, field, "The field Accept-Profile", "<https://schema.org/>;q=1, skos;q=0.5"
    ):
        q = 1.0 if match["q"] is None else parse_qvalue(match["q"])
        if q is not None:
            yield matched_profile_name(match), q


def parse_profile_parameter(given: str) -> Iterator[tuple[str, float]]:
    """The profiles that `?_profile=` lists, the first with the greatest weight. Raises Problem 400."""
    what = "The parameter _profile"
    for index, match in enumerate(
        match_profile_list(PARAMETER_PROFILE_PATTERN, given, what, "_profile=skos,<https://schema.org/>")
    ):
        yield matched_profile_name(match), 1 - index / MAX_NAMED_PROFILES


def match_profile_list(pattern: re.Pattern[str], text: str, source: str, example: str) -> list[re.Match[str]]:
    """The matches of the pattern, one after the other to the end of the text. Raises Problem 400.

    `source` and `example` are for the message of the error.
    """
    matches: list[re.Match[str]] = []
    position = 0
    while position < len(text) or not matches:
        match = pattern.match(text, position)
        if not match or len(matches) == MAX_NAMED_PROFILES:
            raise Problem(
                400,
                f"{source} is not a list of at most {MAX_NAMED_PROFILES} profiles. "
                f"Write IRIs between angle brackets and tokens without: {example}.",
            )
        matches.append(match)
        position = match.end()
    return matches


def matched_profile_name(match: re.Match[str]) -> str:
    """The name of a profile in a match: a token, or an IRI in angle brackets."""
    return match["token"] or f"<{match['iri']}>"


def no_format_problem(representations: Sequence[Representation], suffix: str = "") -> Problem:
    """The 406 that lists the formats of these representations; `suffix` is that of the path."""
    problem = not_acceptable_problem(
        list(dict.fromkeys(representation.format for representation in representations)), suffix
    )
    problem.headers["Vary"] = NEGOTIATION_VARY
    return problem


def no_profile_problem(reason: str, available: Collection[Profile]) -> Problem:
    """The 406 that lists the available profiles; `reason` is its first sentence."""
    names = ", ".join(f"{profile.token} <{profile.iri}>" for profile in available)
    return Problem(
        406,
        f"{reason} Ask for one of: {names}.",
        slug="no-profile",
        headers={"Vary": NEGOTIATION_VARY},
        profiles=[
            {
                "token": profile.token,
                "uri": profile.iri,
                "media_types": [format_.media_type for format_ in profile.formats],
            }
            for profile in available
        ],
    )
