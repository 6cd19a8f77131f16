"""Query parameters of content negotiation (by profile, format and language) and of resources."""

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
from .profiles import DEFAULT_PROFILE_FORMATS
from .schemas import RepresentationList

DESCRIPTION_FORMATS = (
    *DEFAULT_PROFILE_FORMATS,
    PLAIN_XML,
)  # PLAIN_XML is the format of the Dublin Core profile (oai_dc)
ACCEPT_PROFILE_HEADER = HeaderParameter(
    "Accept-Profile",
    "The accepted profiles of the response: IRIs between angle brackets or tokens, with weights.",
    "<https://schema.org/>",
)


class ProfileParameters(ParameterModel):
    """Query parameters of resources without language negotiation."""

    media_type: Text = describe_media_type(DEFAULT_PROFILE_FORMATS)
    profile: Text = describe_parameter(
        "The accepted profiles of the response, separated by commas, in order of preference: tokens, or IRIs "
        "between angle brackets. `all`: the list of the representations, by profile.",
        alias="_profile",
        examples=["all"],
    )


class NegotiationParameters(ProfileParameters):
    """Query parameters of resources with language negotiation."""

    lang: Text = describe_parameter(
        "The languages of the texts, separated by commas, in order of preference; overrides Accept-Language.",
        examples=["fr,en"],
    )


class DescriptionParameters(NegotiationParameters):
    """Query parameters of /ontology and /shapes, whose formats include plain XML."""

    media_type: Text = describe_media_type(DESCRIPTION_FORMATS)


class FilteredDescriptionParameters(DescriptionParameters):
    """Query parameters of /ontology and /shapes, whose pages can be filtered by words."""

    q: Text = describe_parameter("Words: the page shows only what contains them.", examples=["verdict"])


class ResourceParameters(DescriptionParameters):
    """Query parameters of /id and /doc."""

    frame: Text = describe_parameter(
        "The name of a frame: JSON with the resource at the top and the linked resources nested in it.",
        alias="_frame",
        json_schema_extra={"enum": [*FRAME_TYPES], "examples": ["issue"]},
    )
    inverse: Text = describe_parameter(
        "A property: instead of the resource, those that refer to it by this property, as JSON or a page.",
        examples=["issue"],
    )
    page: Annotated[Text, WithJsonSchema({"type": "integer", "minimum": 1, "examples": [1]})] = (
        describe_parameter("With `inverse`: the number of the page of the list.")
    )
    after: Text = describe_parameter(
        "In a list of resources: the name of the last resource on the previous page.", examples=["malware"]
    )


NEGOTIATION_PARAMETERS = ("_mediatype", "_profile", "lang")
INVERSE_PARAMETERS = ("inverse", "page")


def make_profile_operation(formats: tuple[Format, ...], json: Any, **options: Any) -> Operation:
    """The operation of a resource with profiles; `_profile=all` returns the list of the representations.

    `json` is the model of the JSON response, None if there is no other JSON than this list. `options` are
    other fields of `Operation`.
    """
    return Operation(
        formats=formats,
        listing_formats=DEFAULT_PROFILE_FORMATS,
        json=RepresentationList if json is None else json | RepresentationList,
        headers=(ACCEPT_PROFILE_HEADER, *options.pop("headers", ())),
        **options,
    )
