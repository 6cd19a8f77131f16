"""Content negotiation by profile: the profiles, formats and languages that a request prefers.

In order of precedence: the query string (`_profile`, `_mediatype`, `lang`), the suffix of the path, and the
header fields Accept-Profile, Accept and Accept-Language. Unknown profiles and unavailable formats are refused
with 406. The module `representation` then chooses among the representations that the resource has.
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
from .profiles import (
    DEFAULT_PROFILE_FORMATS,
    DEFAULT_PROFILE_TOKEN,
    Profile,
    default_profile,
    profiles_by_token,
)

# Tokens that request the list of representations: `all` in the standard, `alt` in its older drafts.
LISTING_TOKENS = ("all", "alt")
NEGOTIATION_VARY = "Accept, Accept-Encoding, Accept-Language, Accept-Profile, Cookie"
# The Vary field of resources that are the same in all languages.
LANGUAGE_NEUTRAL_HEADERS = {"Vary": "Accept, Accept-Encoding, Accept-Profile"}

PROFILE_NAME_REGEX = r"<(?P<iri>[^<>\s]*)>|(?P<token>[\w.~*-]+)"
PROFILE_WEIGHT_REGEX = r";\s*[qQ]=(?P<q>[^\s,;]*)\s*"
# A profile in the list in Accept-Profile, and in the parameter `_profile`.
FIELD_PROFILE_PATTERN = re.compile(
    rf"[\s,]*(?:{PROFILE_NAME_REGEX})\s*(?:{PROFILE_WEIGHT_REGEX})?(?=,|$)[\s,]*"
)
PARAMETER_PROFILE_PATTERN = re.compile(rf"\s*(?:{PROFILE_NAME_REGEX})\s*(?:,(?!$)|$)")
MAX_NAMED_PROFILES = 50  # profiles in one header field or parameter


@dataclass(frozen=True)
class Representation:
    """A representation of a resource: a profile and a format."""

    profile: Profile
    format: Format


@dataclass(frozen=True)
class Preferences:
    """The preferences of a request: the acceptable representations, the best first, and languages.

    If `names_profiles`, the request names profiles, and accepts no others. If `wants_listing`, it is for the
    list of representations.
    """

    representations: Sequence[Representation]
    languages: LanguagePreferences = ANY_LANGUAGE
    names_profiles: bool = False
    wants_listing: bool = False


def parse_preferences(
    context: RequestContext,
    parameters: NegotiationParameters,
    formats: Sequence[Format],
    suffix: str = "",
    profiles: dict[str, Profile] | None = None,
) -> Preferences:
    """The preferences of a request, with languages; parameters and errors as `parse_format_preferences`."""
    languages = language.requested_languages(context.request)
    preferences = parse_format_preferences(context, parameters, formats, suffix, profiles)
    return replace(preferences, languages=languages)


def parse_format_preferences(
    context: RequestContext,
    parameters: ProfileParameters,
    formats: Sequence[Format],
    suffix: str = "",
    profiles: dict[str, Profile] | None = None,
) -> Preferences:
    """The preferences of a request for a resource that is the same in all languages.

    `formats` are those of the default profile. `suffix` is the format suffix of the path; it takes precedence
    over the header fields, and the query string over both. `profiles` are the available profiles by token; by
    default, all profiles. Raises Problem 400 for malformed names, 406 if no representation is acceptable.
    """
    request = context.request
    base = context.base
    profiles = profiles or profiles_by_token(base)
    wants_listing = parameters.profile in LISTING_TOKENS
    weights = {} if wants_listing else parse_profile_weights(parameters.profile, request, profiles)
    offers = (
        [Representation(default_profile(base), format_) for format_ in DEFAULT_PROFILE_FORMATS]
        if wants_listing
        else [*iter_representations(profiles, formats, profiles.keys())]
    )
    candidates = [offer for offer in offers if not weights or weights[offer.profile.token] > 0]
    named_formats = parse_named_formats(parameters.media_type)
    rank_format = make_format_ranking(request.headers.getlist("accept"), named_formats, suffix)
    ranks = {format_: rank_format(format_) for format_ in dict.fromkeys(offer.format for offer in candidates)}
    # A rank begins with the weight of the format.
    acceptable = [offer for offer in candidates if ranks[offer.format][0] > 0]
    if not acceptable:
        raise no_format_problem(candidates, "" if named_formats else suffix)
    acceptable.sort(
        key=lambda offer: (weights[offer.profile.token] if weights else 0, ranks[offer.format]), reverse=True
    )
    return Preferences(acceptable, names_profiles=bool(weights), wants_listing=wants_listing)


def requests_profile(request: Request, parameters: ProfileParameters) -> bool:
    """Whether a request names a profile, or is for the list of representations."""
    return parameters.profile is not None or any(map(str.strip, request.headers.getlist("accept-profile")))


def iter_representations(
    profiles: dict[str, Profile], formats: Sequence[Format], tokens: Iterable[str]
) -> Iterator[Representation]:
    """The representations of the profiles with these tokens; `formats` are those of the default profile."""
    for token in tokens:
        for format_ in formats if token == DEFAULT_PROFILE_TOKEN else profiles[token].formats:
            yield Representation(profiles[token], format_)


def parse_profile_weights(
    parameter: str | None, request: Request, profiles: dict[str, Profile]
) -> dict[str, float]:
    """The weight of each profile by token, from 0 (excluded) to 1; empty if the request names no profile.

    `parameter` is the value of `_profile`. Raises Problem 400 if it or Accept-Profile is malformed, 406 if
    all named profiles are unknown or excluded.
    """
    fields = list(filter(str.strip, request.headers.getlist("accept-profile")))
    if parameter is None and not fields:
        return {}
    # Sorted by weight, so that a profile that is named twice has the greater weight.
    weights_by_name = dict(
        sorted(
            parse_accept_profile(", ".join(fields))
            if parameter is None
            else parse_profile_parameter(parameter),
            key=itemgetter(1),
        )
    )
    default_weight = weights_by_name.get("*", 0.0) if parameter is None else 0.0
    weights = {
        token: profile_weight(weights_by_name, profile, default_weight) for token, profile in profiles.items()
    }
    if weights_by_name and not any(weights.values()):
        raise no_profile_problem(describe_unmet_profiles(weights_by_name), profiles.values())
    return weights if weights_by_name else {}


def describe_unmet_profiles(weights_by_name: dict[str, float]) -> str:
    """The reason, as a sentence, why none of the named profiles is available."""
    unknown = ", ".join(name for name, q in weights_by_name.items() if q > 0)
    excluded = ", ".join(name for name, q in weights_by_name.items() if q == 0)
    if not unknown:
        return f"No profile is acceptable: {excluded} is excluded by q=0."
    exclusion = f", and {excluded} is excluded by q=0" if excluded else ""
    return f"None of the profiles {unknown} is known here{exclusion}."


def profile_weight(weights_by_name: dict[str, float], profile: Profile, default_weight: float) -> float:
    """The greatest weight of a profile under any of its names; `default_weight` if it is not named."""
    names = (profile.token, *(f"<{iri}>" for iri in (profile.iri, *profile.alias_iris)))
    return max((weights_by_name[name] for name in names if name in weights_by_name), default=default_weight)


def parse_accept_profile(field: str) -> Iterator[tuple[str, float]]:
    """The (name, weight) pairs of the profiles in Accept-Profile. Raises Problem 400 if it is malformed."""
    for match in match_profile_list(
        FIELD_PROFILE_PATTERN, field, "The field Accept-Profile", "<https://schema.org/>;q=1, skos;q=0.5"
    ):
        q = 1.0 if match["q"] is None else parse_qvalue(match["q"])
        if q is not None:
            yield matched_profile_name(match), q


def parse_profile_parameter(value: str) -> Iterator[tuple[str, float]]:
    """The (name, weight) pairs of the profiles that `?_profile=` lists, by falling weight.

    Raises Problem 400 if it is malformed.
    """
    matches = match_profile_list(
        PARAMETER_PROFILE_PATTERN, value, "The parameter _profile", "_profile=skos,<https://schema.org/>"
    )
    for index, match in enumerate(matches):
        yield matched_profile_name(match), 1 - index / MAX_NAMED_PROFILES


def match_profile_list(pattern: re.Pattern[str], text: str, source: str, example: str) -> list[re.Match[str]]:
    """The matches of the pattern, which must cover the text without gaps; else raises Problem 400.

    `source` and `example` are for the error message: the name of the field, and a valid value.
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
    """The 406 that lists the formats of these representations; `suffix` is the format suffix of the path."""
    problem = not_acceptable_problem(
        list(dict.fromkeys(representation.format for representation in representations)), suffix
    )
    problem.headers["Vary"] = NEGOTIATION_VARY
    return problem


def no_profile_problem(reason: str, available: Collection[Profile]) -> Problem:
    """The 406 that lists the available profiles; `reason` is the first sentence of its message."""
    names = ", ".join(f"{profile.token} <{profile.iri}>" for profile in available)
    return Problem(
        406,
        f"{reason} Request one of: {names}.",
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
