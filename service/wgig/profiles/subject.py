"""What has representations: a thing, a graph, a list, the ontology, the shapes, the catalog."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pyoxigraph as ox

from ..bodies import Pairs
from ..formats import Format
from .profile import OFFERED, OWN, Profile, profiles
from .wish import Choice, offers

LICENSE = "https://creativecommons.org/licenses/by/4.0/"  # of what is our own


@dataclass(frozen=True)
class Subject:
    """A resource as it is represented.

    `iri` names it, `path` with the parameters `pairs` is where it is read, and `formats` are those of its
    `own` profile, which `write` gives as bytes. From its `triples`, other profiles are computed that fit its
    `types`; where these are None, it has no other but those that `write` gives as well, which are `written`,
    by token, each in formats of its own. `suffixed`: a format is had by the ending of the path, and
    not by a parameter. `license` is the IRI of its license, empty where none is stated.
    """

    iri: str
    path: str
    triples: Callable[[], Iterable[ox.Triple]]
    write: Callable[[Format], bytes]
    types: frozenset[str] | None = None
    formats: Sequence[Format] = OFFERED
    suffixed: bool = True
    pairs: Pairs = field(default_factory=list)
    own: str = OWN
    written: Mapping[str, Profile] | None = None
    license: str = LICENSE

    @property
    def here(self) -> str:
        """Where it is read, by whatever profile and in whatever format a client likes."""
        return with_parameters(self.path, query(self.pairs))

    def fits(self, profile: Profile) -> bool:
        """Whether it can be had in a profile."""
        return self.writes(profile) or (self.types is not None and profile.fits(self.types))

    def writes(self, profile: Profile) -> bool:
        """Whether it gives a profile itself, and not by a query over its triples."""
        return profile.token in (self.own, *(self.written or ()))

    def choices(self, base: str) -> list[Choice]:
        """All its representations, the one first that a client gets who does not care."""
        known = {**profiles(base), **(self.written or {})}
        return list(offers(known, self.formats, [token for token, one in known.items() if self.fits(one)]))

    def address(self, choice: Choice) -> str:
        """Where just this representation is read."""
        path = f"{self.path}.{choice.format.suffix}" if self.suffixed else self.path
        parameters = query(self.pairs)
        if choice.profile.token != self.own:
            parameters.append(f"_profile={choice.profile.token}")
        if not self.suffixed:
            parameters.append(f"_mediatype={choice.format.media_type.replace('+', '%2B')}")
        return with_parameters(path, parameters)


def query(pairs: Pairs) -> list[str]:
    """The parameters as an address has them."""
    return [urlencode([one], safe=":,/") for one in pairs]


def with_parameters(path: str, parameters: Iterable[str]) -> str:
    """The path with these parameters behind those that it has."""
    more = "&".join(parameters)
    return f"{path}{'&' if '?' in path else '?'}{more}" if more else path
