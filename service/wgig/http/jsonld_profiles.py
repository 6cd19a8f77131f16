"""The profiles of JSON-LD that a client asks for in Accept: compacted, expanded, flattened, framed.

JSON-LD 1.1, appendix C: `application/ld+json;profile="http://www.w3.org/ns/json-ld#expanded"`. A profile is a
wish: a document that cannot have it keeps its form. The Content-Type of the response names the profiles that
were asked for and that the document has.
"""

from collections.abc import Iterable

import pyoxigraph as ox

from ..rdf.formats import JSON_LD
from .negotiation import iter_accept_items

JSON_LD_NAMESPACE = "http://www.w3.org/ns/json-ld#"
COMPACTED_PROFILE, EXPANDED_PROFILE, FLATTENED_PROFILE, FRAMED_PROFILE = (
    f"{JSON_LD_NAMESPACE}{name}" for name in ("compacted", "expanded", "flattened", "framed")
)


def parse_jsonld_profiles(accept: Iterable[str]) -> frozenset[str]:
    """The profiles of the JSON-LD with the greatest weight in Accept headers; empty for any JSON-LD."""
    best_weight, best_profiles = 0.0, frozenset[str]()
    for name, parameters, weight in iter_accept_items(accept):
        if name == JSON_LD.media_type and weight > best_weight:
            best_weight, best_profiles = weight, frozenset(parameters.get("profile", "").strip('"').split())
    return best_profiles


def apply_jsonld_profiles(body: bytes, profiles: frozenset[str]) -> tuple[bytes, list[str]]:
    """A JSON-LD document in these profiles as far as possible, and those that it has.

    A compact document becomes an expanded one only if it need not be compact. A document with a context that
    must be fetched is not changed.
    """
    is_compact = body.lstrip()[:1] == b"{"
    if is_compact and (COMPACTED_PROFILE in profiles or not profiles & {EXPANDED_PROFILE, FLATTENED_PROFILE}):
        return body, list_held_profiles(profiles, COMPACTED_PROFILE)
    if not is_compact and FLATTENED_PROFILE not in profiles:
        return body, list_held_profiles(profiles, EXPANDED_PROFILE)
    try:
        return expand_document(body), list_held_profiles(profiles, EXPANDED_PROFILE, FLATTENED_PROFILE)
    except SyntaxError:
        return body, []


def list_held_profiles(profiles: frozenset[str], *held_profiles: str) -> list[str]:
    """Those of the profiles that a document has, in a stable order."""
    return sorted(profiles.intersection(held_profiles))


def expand_document(body: bytes) -> bytes:
    """A JSON-LD document in expanded and flattened form, with each subject once. Raises SyntaxError."""
    quads_by_subject = dict[object, list[ox.Quad]]()
    for quad in ox.parse(body, ox.RdfFormat.JSON_LD):
        quads_by_subject.setdefault((quad.graph_name, quad.subject), []).append(quad)
    quads = [quad for subject_quads in quads_by_subject.values() for quad in subject_quads]
    return ox.serialize(quads, format=ox.RdfFormat.JSON_LD) or b""


def describe_jsonld_type(profiles: Iterable[str]) -> str:
    """The Content-Type of JSON-LD in these profiles."""
    names = " ".join(profiles)
    return f'{JSON_LD.media_type};profile="{names}"' if names else JSON_LD.media_type
