"""/oai: the Protocol for Metadata Harvesting (OAI-PMH 2.0), for library catalogs and aggregators.

Each resource with an IRI such as `id/paper/x` is an item, whose identifier is this IRI, except records of the
service itself and outside identifiers. A set has the resources of one kind, such as `paper`. The datestamp of
a record is the time of the last change of the stated statements about its resource, to the second. Deleted
records are `transient`: they are kept until the database of resource versions is replaced, as after `wgig
forget`.

A list is in the order of changes. A resource that changes meanwhile leaves the list, and is in the next
harvest from the date of the first response. Errors of the protocol have the status 200, as it requires.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from xml.sax.saxutils import escape, quoteattr

from anyio.to_thread import run_sync
from fastapi import Response
from pydantic import WithJsonSchema

from ..http import bodies
from ..http.bodies import FORM_MEDIA_TYPE, Pairs, get_query_parameters, parse_form
from ..http.negotiation import CONTENT_CODINGS
from ..http.operations import Operation
from ..http.parameter_models import ParameterModel, Text, describe_parameter
from ..http.parameters import check_query_parameters
from ..http.responses import NO_STORE_HEADERS, respond_with_body
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.names import INTERNAL_KINDS, RECORD_KINDS, kind_title
from ..rdf.formats import OAI_XML
from ..resources.dependencies import ResourceVersionsDep
from ..settings import SERVICE_TITLE
from ..store.resource_versions.database import ResourceVersions, top_level_kind
from ..store.resource_versions.queries import (
    ChangePeriod,
    LastChange,
    find_last_changes,
    list_last_changes,
    list_versioned_kinds,
)
from ..text import clean_xml_text
from .oai_records import (
    METADATA_FORMATS,
    XSI_NAMESPACE,
    absolute_schema_url,
    build_header_element,
    build_record_elements,
)
from .oai_request import (
    ARGUMENTS_BY_VERB,
    BAD_ARGUMENT,
    BAD_VERB,
    DATESTAMP_FORMAT,
    DATESTAMP_FORMAT_CHARACTERS,
    NO_FORMAT,
    NO_ITEM,
    NO_RECORDS,
    NO_SETS,
    SET_NAME_PATTERN,
    HarvestList,
    ListPage,
    OaiError,
    OaiRequest,
    bad_token_error,
    issue_token,
    parse_oai_request,
    read_token,
)

OAI_NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
OAI_SCHEMA_URL = f"{OAI_NAMESPACE}OAI-PMH.xsd"
MAX_PAGE_RECORDS = {"ListRecords": 100, "ListIdentifiers": 500}
MAX_OAI_FORM_BYTES = 16 * 1024
UNHARVESTED_KINDS = INTERNAL_KINDS | RECORD_KINDS
EMAIL_PATTERN = re.compile(r"mailto:(\S+@(?:\S+\.)+\S+)")
# The protocol requires an address; this one says that there is none, as no host has a name in `.invalid`.
UNKNOWN_EMAIL = "no-contact-is-set@wgig.invalid"


class OaiParameters(ParameterModel):
    """Arguments of OAI-PMH."""

    verb: Annotated[
        Text, WithJsonSchema({"type": "string", "enum": [*ARGUMENTS_BY_VERB], "examples": ["Identify"]})
    ] = describe_parameter("The request of the protocol.")
    identifier: Text = describe_parameter(
        "The IRI of a resource.", examples=["https://w3id.org/wgig/id/issue/spam"]
    )
    metadata_prefix: Annotated[
        Text, WithJsonSchema({"type": "string", "enum": [*METADATA_FORMATS], "examples": ["oai_dc"]})
    ] = describe_parameter("The metadata format of the records.", alias="metadataPrefix")
    set: Text = describe_parameter("A kind of resources, from ListSets.", examples=["paper"])
    first_time: Text = describe_parameter(
        "Only records that changed at this date or time, or later.", alias="from", examples=["2005-01-01"]
    )
    last_time: Text = describe_parameter(
        "Only records that changed at this date or time, or earlier.", alias="until", examples=["2999-01-01"]
    )
    resumption_token: Text = describe_parameter(
        "The token at the end of a page, for the next page.",
        alias="resumptionToken",
        examples=["WzEsIkxpc3RSZWNvcmRzIiwib2FpX2RjIl0.W1EHOG_qqE4a3LY-"],
    )


OAI_OPERATION = Operation(
    formats=(OAI_XML,),
    parameters=OaiParameters,
    is_self_checked=True,  # an error of the protocol is a response with the status 200
)
OAI_FORM_OPERATION = Operation(formats=(OAI_XML,), bodies=(FORM_MEDIA_TYPE,), is_self_checked=True)


async def get_oai(context: ContextDep, resource_versions: ResourceVersionsDep) -> Response:
    """Metadata for harvesters (OAI-PMH 2.0): records in Dublin Core or RDF, also by date of change.

    Raises Problem 503 while the store is scanned for changes.
    """
    pairs, response_time = get_query_parameters(context.request), datetime.now(UTC)
    versions = await resource_versions.get_versions()
    return await run_sync(respond_to_harvester, context, versions, pairs, response_time)


async def post_oai(context: ContextDep, resource_versions: ResourceVersionsDep) -> Response:
    """The same as GET, with the arguments in a form.

    Raises Problem 413, 415, and 503 while the store is scanned for changes.
    """
    bodies.require_content_type(context.request, (FORM_MEDIA_TYPE,))
    check_query_parameters(context.request)
    body = await bodies.read_request_body(context.request, MAX_OAI_FORM_BYTES)
    pairs, response_time = parse_form(body), datetime.now(UTC)
    versions = await resource_versions.get_versions()
    return await run_sync(respond_to_harvester, context, versions, pairs, response_time)


def respond_to_harvester(
    context: RequestContext, versions: ResourceVersions, pairs: Pairs, response_time: datetime
) -> Response:
    """The response to a request; also to an invalid one, which has the status 200."""
    arguments = dict(pairs)
    try:
        request = parse_oai_request(pairs)
        content = VERB_WRITERS[request.verb](context, versions, request)
    except OaiError as error:
        content = f"<error code={quoteattr(error.code)}>{escape(str(error))}</error>\n"
        if error.code in (BAD_VERB, BAD_ARGUMENT):
            arguments = {}
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in arguments.items())
    document = clean_xml_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<OAI-PMH xmlns="{OAI_NAMESPACE}" '
        f'xmlns:xsi="{XSI_NAMESPACE}" xsi:schemaLocation="{OAI_NAMESPACE} {OAI_SCHEMA_URL}">\n'
        f"<responseDate>{response_time.strftime(DATESTAMP_FORMAT)}</responseDate>\n"
        f"<request{attributes}>{escape(oai_base_url(context))}</request>\n{content}</OAI-PMH>\n"
    )
    # The date of the response changes every second.
    return respond_with_body(context.request, document.encode(), OAI_XML, headers=NO_STORE_HEADERS)


def oai_base_url(context: RequestContext) -> str:
    """The base URL of the repository."""
    return f"{context.request.base_url}oai"


def write_identity(context: RequestContext, versions: ResourceVersions, _: OaiRequest) -> str:
    """The element Identify."""
    emails = [
        match[1]
        for contact in context.settings.contact.split()
        if (match := EMAIL_PATTERN.fullmatch(contact))
    ]
    elements = [
        ("repositoryName", SERVICE_TITLE),
        ("baseURL", oai_base_url(context)),
        ("protocolVersion", "2.0"),
        *(("adminEmail", email) for email in emails or [UNKNOWN_EMAIL]),
        ("earliestDatestamp", f"{find_earliest_time(versions)[:DATESTAMP_FORMAT_CHARACTERS]}Z"),
        ("deletedRecord", "transient"),
        ("granularity", "YYYY-MM-DDThh:mm:ssZ"),
        *(("compression", coding) for coding in CONTENT_CODINGS),
    ]
    lines = "".join(f"<{name}>{escape(text)}</{name}>\n" for name, text in elements)
    return f"<Identify>\n{lines}</Identify>\n"


def find_earliest_time(versions: ResourceVersions) -> str:
    """The time of the first version of a resource; times do not decrease."""
    spans = versions.page_spans(1, 1)
    return spans[0][1] if spans else versions.start_time


def write_metadata_formats(context: RequestContext, versions: ResourceVersions, request: OaiRequest) -> str:
    """The element ListMetadataFormats. Raises OaiError."""
    if "identifier" in request.arguments:
        find_item(context, versions, request.arguments["identifier"])
    lines = "".join(
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix>"
        f"<schema>{escape(absolute_schema_url(context, format_))}</schema>"
        f"<metadataNamespace>{format_.namespace}</metadataNamespace></metadataFormat>\n"
        for prefix, format_ in METADATA_FORMATS.items()
    )
    return f"<ListMetadataFormats>\n{lines}</ListMetadataFormats>\n"


def write_sets(_: RequestContext, versions: ResourceVersions, request: OaiRequest) -> str:
    """The element ListSets, which is always complete. Raises OaiError."""
    if "resumptionToken" in request.arguments:
        raise bad_token_error("is not one of the list of sets, which has one page")
    names = [kind for kind in list_harvested_kinds(versions) if SET_NAME_PATTERN.fullmatch(kind)]
    if not names:
        raise OaiError(NO_SETS, "The repository has no sets, as it has no records.")
    lines = "".join(
        f"<set><setSpec>{name}</setSpec><setName>{escape(kind_title(name))}</setName></set>\n"
        for name in names
    )
    return f"<ListSets>\n{lines}</ListSets>\n"


def list_harvested_kinds(versions: ResourceVersions) -> list[str]:
    """The kinds of the resources that are items."""
    return [kind for kind in list_versioned_kinds(versions) if kind not in UNHARVESTED_KINDS]


def find_item(context: RequestContext, versions: ResourceVersions, identifier: str) -> LastChange:
    """The last change of an item. Raises OaiError if there is none."""
    kind = top_level_kind(identifier, context.base)
    change = find_last_changes(versions, [identifier]).get(identifier)
    if change is None or not kind or kind in UNHARVESTED_KINDS:
        raise OaiError(NO_ITEM, f"There is no item {identifier!r}. Identifiers are IRIs of resources.")
    return change


def check_metadata_prefix(prefix: str) -> None:
    """Raise OaiError for an unknown metadata format."""
    if prefix not in METADATA_FORMATS:
        raise OaiError(NO_FORMAT, f"There is no format {prefix!r}. Use {' or '.join(METADATA_FORMATS)}.")


def write_record(context: RequestContext, versions: ResourceVersions, request: OaiRequest) -> str:
    """The element GetRecord. Raises OaiError."""
    prefix = request.arguments["metadataPrefix"]
    change = find_item(context, versions, request.arguments["identifier"])
    check_metadata_prefix(prefix)
    return f"<GetRecord>\n{build_record_elements(context, versions, [change], prefix)}</GetRecord>\n"


def write_list(context: RequestContext, versions: ResourceVersions, request: OaiRequest) -> str:
    """The element ListRecords or ListIdentifiers. Raises OaiError."""
    page = find_list_page(versions, request)
    changes = read_list_page(versions, page)
    max_records = MAX_PAGE_RECORDS[request.verb]
    shown = changes[:max_records]
    content = (
        build_record_elements(context, versions, shown, page.list.prefix)
        if request.verb == "ListRecords"
        else "".join(build_header_element(change, context.base) for change in shown)
    )
    cursor = f' cursor="{page.cursor}"'
    token_element = (
        f"<resumptionToken{cursor}/>\n" if page.cursor else ""
    )  # it ends a list with several pages
    if len(changes) > max_records:
        next_page = page._replace(after=shown[-1].number, cursor=page.cursor + max_records)
        token = issue_token(next_page, versions.stream_id)
        expiration = token.expires_at.strftime(DATESTAMP_FORMAT)
        token_element = (
            f'<resumptionToken expirationDate="{expiration}"{cursor}>{token.text}</resumptionToken>\n'
        )
    return f"<{request.verb}>\n{content}{token_element}</{request.verb}>\n"


def find_list_page(versions: ResourceVersions, request: OaiRequest) -> ListPage:
    """The page that a request is for. Raises OaiError."""
    arguments = request.arguments
    if "resumptionToken" in arguments:
        page = read_token(arguments["resumptionToken"], request.verb, versions.stream_id)
        check_metadata_prefix(page.list.prefix)
        return page
    check_metadata_prefix(arguments["metadataPrefix"])
    list_ = HarvestList(
        request.verb,
        arguments["metadataPrefix"],
        arguments.get("set", ""),
        arguments.get("from", ""),
        arguments.get("until", ""),
    )
    return ListPage(list_, 0, versions.last_number, 0)


def read_list_page(versions: ResourceVersions, page: ListPage) -> list[LastChange]:
    """The changes on a page, and the first one after it. Raises OaiError if there are none.

    If all that remained of a list has changed since it began, the page has the changes up to now.
    """
    list_ = page.list
    kinds = [kind for kind in list_harvested_kinds(versions) if list_.set_name in ("", kind)]
    times = (list_.first_time.removesuffix("Z"), list_.last_time.removesuffix("Z"))
    for last in (page.last, versions.last_number) if page.cursor else (page.last,):
        period = ChangePeriod(page.after, last, *times)
        if changes := list_last_changes(versions, kinds, period, MAX_PAGE_RECORDS[list_.verb] + 1):
            return changes
    if page.cursor:
        raise bad_token_error("is of a list whose other records have all changed since")
    raise OaiError(NO_RECORDS, "No record has this set and a datestamp in this period.")


VERB_WRITERS: dict[str, Callable[[RequestContext, ResourceVersions, OaiRequest], Any]] = {
    "Identify": write_identity,
    "ListMetadataFormats": write_metadata_formats,
    "ListSets": write_sets,
    "ListIdentifiers": write_list,
    "ListRecords": write_list,
    "GetRecord": write_record,
}
