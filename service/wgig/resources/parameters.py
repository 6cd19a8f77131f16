"""Query parameters of content negotiation by profile, format and language, and of resources."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

from ..http.operations import HeaderParameter, Operation
from ..http.parameter_models import (
    ParameterModel,
    Text,
    describe_media_type,
    describe_parameter,
)
from ..rdf.formats import PLAIN_XML, Format
from ..rdf.jsonld import FRAME_TYPES
from .profiles import OWN_PROFILE_FORMATS
from .schemas import RepresentationList

DOCUMENT_FORMATS = (*OWN_PROFILE_FORMATS, PLAIN_XML)  # as there is Dublin Core in plain XML
ACCEPT_PROFILE_HEADER = HeaderParameter(
    "Accept-Profile",
    "The profiles of the answer: IRIs between angle brackets or tokens, with weights.",
    "<https://schema.org/>",
)


class ProfileParameters(ParameterModel):
    """Query parameters of resources without language negotiation."""

    media_type: Text = describe_media_type(OWN_PROFILE_FORMATS)
    profile: Text = describe_parameter(
        "The profiles of the answer, the best first, with commas between: tokens, or IRIs "
        "between angle brackets. `all`: the list of what there is.",
        alias="_profile",
        examples=["all"],
    )


class NegotiationParameters(ProfileParameters):
    """Query parameters of resources with language negotiation."""

    lang: Text = describe_parameter(
        "The languages of the texts, the best first, with commas between; beats Accept-Language.",
        examples=["fr,en"],
    )


class DocumentParameters(NegotiationParameters):
    """Query parameters of /ontology and /shapes."""

    media_type: Text = describe_media_type(DOCUMENT_FORMATS)


class ResourceParameters(DocumentParameters):
    """Query parameters of /id and /doc."""

    frame: Text = describe_parameter(
        "JSON with the thing at the top, what it leads to inside.",
        alias="_frame",
        json_schema_extra={"enum": [*FRAME_TYPES], "examples": ["issue"]},
    )
    inverse: Text = describe_parameter(
        "In JSON: the property whose page of what points here is wanted.",
        examples=["issue"],
    )
    page: Annotated[Text, WithJsonSchema({"type": "integer", "minimum": 1})] = describe_parameter(
        "In JSON: the number of that page."
    )
    after: Text = describe_parameter(
        "In a list of things: the name after which it goes on.", examples=["malware"]
    )


NEGOTIATION_PARAMETERS = ("_mediatype", "_profile", "lang")
INVERSE_PARAMETERS = ("inverse", "page")


def make_profile_operation(formats: tuple[Format, ...], json: Any, **more: Any) -> Operation:
    """The operation of a resource with profiles, or their list (`_profile=all`); `more` as in `Operation`."""
    return Operation(
        formats=formats,
        listing_formats=OWN_PROFILE_FORMATS,
        json=RepresentationList if json is None else json | RepresentationList,
        headers=(ACCEPT_PROFILE_HEADER, *more.pop("headers", ())),
        **more,
    )
