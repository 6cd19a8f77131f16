"""OAI-PMH: each response is valid by its XML Schema, and the client Sickle harvests all records."""

import re
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pyoxigraph as ox
import pytest
import xmlschema
from sickle import Sickle
from sickle.oaiexceptions import BadArgument, BadResumptionToken, IdDoesNotExist, NoRecordsMatch
from wgig.feeds import oai_pmh, oai_request
from wgig.pages.rendering import PAGES_FOLDER
from wgig.settings import Settings
from wgig.store.resource_versions import database
from wgig.store.store import Store

from tests.fixtures.service import make_service_client, make_writer_client
from tests.fixtures.triples import put_turtle, response_triples

BASE = Settings.base
OAI, RDF = f"{{{oai_pmh.OAI_NAMESPACE}}}", "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SCHEMA_FOLDER = Path(__file__).parent / "oai"
PREFIXES = f"""
@prefix issue: <{BASE}id/issue/> . @prefix paper: <{BASE}id/paper/> . @prefix id: <{BASE}id/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix wgig: <{BASE}ontology#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix dcterms: <http://purl.org/dc/terms/> .
"""
SPAM, WORMS, PAPER = f"{BASE}id/issue/spam", f"{BASE}id/issue/worms", f"{BASE}id/paper/p"


@pytest.fixture(scope="module")
def oai_schema() -> xmlschema.XMLSchema:
    """The schemas of the protocol and of both metadata formats; `strict` content must have one."""
    paths = [SCHEMA_FOLDER / "OAI-PMH.xsd", SCHEMA_FOLDER / "oai_dc.xsd", PAGES_FOLDER / "static" / "rdf.xsd"]
    return xmlschema.XMLSchema([str(path) for path in paths])


@pytest.fixture
def client() -> httpx2.Client:
    """A client with a write token, of a service with an empty store and versions of resources."""
    client = make_writer_client(Store.in_memory(), write_profile="off")
    assert client.get("/changes").status_code == 200
    return client


def put_data(client: httpx2.Client, content: str, path: str = "/graph/one") -> None:
    put_turtle(client, PREFIXES + content, path)


def ask(client: httpx2.Client, schema: xmlschema.XMLSchema, verb: str = "", **arguments: str) -> ET.Element:
    """The content element of the response to a request, after the response has been validated."""
    response = client.get("/oai", params=({"verb": verb} if verb else {}) | arguments)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/xml; charset=utf-8"
    schema.validate(response.text)
    root = ET.fromstring(response.content)
    assert [child.tag for child in root[:2]] == [f"{OAI}responseDate", f"{OAI}request"]
    return root[2]


def find_error(client: httpx2.Client, schema: xmlschema.XMLSchema, verb: str = "", **arguments: str) -> str:
    element = ask(client, schema, verb, **arguments)
    assert element.tag == f"{OAI}error"
    assert element.text
    return element.attrib["code"]


def list_texts(element: ET.Element, name: str) -> list[str]:
    return [str(child.text) for child in element.iter(f"{OAI}{name}")]


def test_identify_states_what_the_repository_keeps(oai_schema: xmlschema.XMLSchema) -> None:
    contacts = "https://example.org/help mailto:help@example.org"
    client = make_service_client(Settings(contact=contacts), Store.in_memory())
    identity = ask(client, oai_schema, "Identify")
    assert list_texts(identity, "baseURL") == ["http://localhost/oai"]
    assert list_texts(identity, "adminEmail") == ["help@example.org"]
    assert list_texts(identity, "deletedRecord") == ["transient"]
    assert list_texts(identity, "granularity") == ["YYYY-MM-DDThh:mm:ssZ"]
    assert list_texts(identity, "compression") == ["zstd", "br", "gzip"]


def test_without_a_contact_the_address_says_so(
    client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    (address,) = list_texts(ask(client, oai_schema, "Identify"), "adminEmail")
    assert address.endswith(".invalid")


def test_no_record_is_older_than_the_earliest_datestamp(
    shipped_client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    (earliest,) = list_texts(ask(shipped_client, oai_schema, "Identify"), "earliestDatestamp")
    datestamps = list_texts(
        ask(shipped_client, oai_schema, "ListIdentifiers", metadataPrefix="oai_dc"), "datestamp"
    )
    assert earliest <= min(datestamps)
    assert datestamps == sorted(datestamps)


@pytest.mark.parametrize("prefix", ["oai_dc", "rdf"])
def test_a_harvest_has_each_item_once_and_every_page_is_valid(
    shipped_client: httpx2.Client, oai_schema: xmlschema.XMLSchema, prefix: str
) -> None:
    found: dict[str, list[str]] = {}
    for verb in ("ListRecords", "ListIdentifiers"):
        page = ask(shipped_client, oai_schema, verb, metadataPrefix=prefix)
        found[verb] = list_texts(page, "identifier")
        while (token := page.find(f"{OAI}resumptionToken")) is not None and token.text:
            assert len(list_texts(page, "identifier")) == oai_pmh.MAX_PAGE_RECORDS[verb]
            assert token.attrib["expirationDate"] > time.strftime(oai_request.DATESTAMP_FORMAT, time.gmtime())
            page = ask(shipped_client, oai_schema, verb, resumptionToken=token.text)
            found[verb] += list_texts(page, "identifier")
        assert token is not None  # the last page of several has an empty one
    assert found["ListRecords"] == found["ListIdentifiers"]
    assert len(found["ListRecords"]) == len(set(found["ListRecords"])) > 1500
    kinds = {iri.removeprefix(f"{BASE}id/").split("/")[0] for iri in found["ListRecords"]}
    assert {"issue", "paper", "judgment"} <= kinds
    assert kinds.isdisjoint(oai_pmh.UNHARVESTED_KINDS)


def test_a_set_has_the_resources_of_a_kind(
    shipped_client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    sets = ask(shipped_client, oai_schema, "ListSets")
    names = dict(zip(list_texts(sets, "setSpec"), list_texts(sets, "setName"), strict=True))
    assert names["paper"] == "Papers"
    papers = ask(shipped_client, oai_schema, "ListIdentifiers", metadataPrefix="rdf", set="paper")
    assert set(list_texts(papers, "setSpec")) == {"paper"}
    listed = shipped_client.get("/doc/paper", headers={"Accept": "application/n-triples"}).text
    assert {f"<{iri}>" for iri in list_texts(papers, "identifier")} == set(
        re.findall(r"member> (<[^>]*>)", listed)
    )


def test_dublin_core_is_that_of_the_profile(
    shipped_client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    record = ask(shipped_client, oai_schema, "GetRecord", identifier=SPAM, metadataPrefix="oai_dc")
    (metadata,) = record.iter(f"{OAI}metadata")
    profile = ET.fromstring(shipped_client.get("/doc/issue/spam.xml").content)
    assert [ET.tostring(element).strip() for element in metadata[0]] == [
        ET.tostring(element).strip() for element in profile
    ]


def test_a_record_in_rdf_has_the_stated_statements(
    client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    put_data(client, 'issue:spam a wgig:Issue ; skos:prefLabel "Spam"@en, "<&>"@en ; rdfs:seeAlso [] .')
    put_data(client, 'issue:spam skos:prefLabel "Spam"@en .', "/graph/two")
    record = ask(client, oai_schema, "GetRecord", identifier=SPAM, metadataPrefix="rdf")
    (rdf,) = record.iter(f"{RDF}RDF")
    triples = {quad.triple for quad in ox.parse(ET.tostring(rdf), ox.RdfFormat.RDF_XML)}
    turtle = response_triples(client.get("/graph/one"))
    see_also = {triple for triple in triples if triple.predicate.value.endswith("seeAlso")}
    assert len(see_also) == 1  # its value is a Skolem IRI
    assert triples - see_also == {triple for triple in turtle if not isinstance(triple.object, ox.BlankNode)}


def test_what_xml_cannot_express_is_left_out_with_a_notice(
    client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    put_data(client, 'issue:spam skos:prefLabel "a\\u0001b" ; <http://x.org/1> "one" ; rdfs:comment "c" .')
    arguments = {"verb": "GetRecord", "identifier": SPAM}
    rdf = client.get("/oai", params=arguments | {"metadataPrefix": "rdf"}).text
    assert "<!-- Left out, as XML cannot express them: 2 statements. -->" in rdf
    assert "rdfs:comment>c<" in rdf
    for prefix in ("rdf", "oai_dc"):
        ask(client, oai_schema, "GetRecord", identifier=SPAM, metadataPrefix=prefix)


def test_a_harvest_from_a_date_has_what_changed_since(
    client: httpx2.Client, oai_schema: xmlschema.XMLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MEMBERS_PER_PAGE", 2)  # the times of pages narrow the search
    put_data(client, " ".join(f'issue:i{number} skos:prefLabel "{number}" .' for number in range(5)))
    first = client.get("/oai?verb=ListIdentifiers&metadataPrefix=rdf")
    datestamps = re.findall("<datestamp>(.*?)</datestamp>", first.text)
    assert len(datestamps) == 5
    changes = ask(client, oai_schema, "ListIdentifiers", metadataPrefix="rdf", **{"from": datestamps[0]})
    assert len(list_texts(changes, "identifier")) == 5
    for arguments in (
        {"from": datestamps[0][:10]},
        {"until": datestamps[-1]},
        {"from": datestamps[0][:10], "until": datestamps[-1][:10]},
        {"from": "0001-01-01", "until": "9999-12-31"},
    ):
        element = ask(client, oai_schema, "ListIdentifiers", metadataPrefix="rdf", **arguments)
        assert len(list_texts(element, "identifier")) == 5
    for arguments in ({"from": "2999-01-01"}, {"until": "2004-11-23"}, {"set": "nothing"}):
        error = find_error(client, oai_schema, "ListIdentifiers", metadataPrefix="rdf", **arguments)
        assert error == "noRecordsMatch"


def test_a_deleted_resource_is_a_deleted_record(
    client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    put_data(client, 'issue:spam skos:prefLabel "Spam" . paper:p rdfs:label "Paper" .')
    client.delete("/graph/one")
    records = ask(client, oai_schema, "ListRecords", metadataPrefix="oai_dc")
    statuses = {
        str(header.findtext(f"{OAI}identifier")): header.get("status")
        for header in records.iter(f"{OAI}header")
    }
    assert statuses == {SPAM: "deleted", PAPER: "deleted"}
    assert not list(records.iter(f"{OAI}metadata"))
    record = ask(client, oai_schema, "GetRecord", identifier=SPAM, metadataPrefix="rdf")
    assert record[0][0].get("status") == "deleted"
    put_data(client, 'issue:spam skos:prefLabel "Spam" .')
    record = ask(client, oai_schema, "GetRecord", identifier=SPAM, metadataPrefix="rdf")
    assert record[0][0].get("status") is None


def test_parts_of_resources_are_no_items(client: httpx2.Client, oai_schema: xmlschema.XMLSchema) -> None:
    put_data(client, 'issue:spam rdfs:label "s" . id:issue\\/spam\\/part rdfs:label "p" .')
    records = ask(client, oai_schema, "ListIdentifiers", metadataPrefix="rdf")
    assert list_texts(records, "identifier") == [SPAM]
    part = f"{SPAM}/part"
    assert (
        find_error(client, oai_schema, "GetRecord", identifier=part, metadataPrefix="rdf") == "idDoesNotExist"
    )


@pytest.mark.parametrize(
    ("verb", "arguments", "code"),
    [
        ("", {}, "badVerb"),
        ("Nothing", {}, "badVerb"),
        ("identify", {}, "badVerb"),
        ("Identify", {"set": "paper"}, "badArgument"),
        ("GetRecord", {"identifier": SPAM}, "badArgument"),
        ("GetRecord", {"identifier": SPAM, "metadataPrefix": "mods"}, "cannotDisseminateFormat"),
        ("GetRecord", {"identifier": f"{SPAM}x", "metadataPrefix": "rdf"}, "idDoesNotExist"),
        ("GetRecord", {"identifier": "", "metadataPrefix": "rdf"}, "idDoesNotExist"),
        ("GetRecord", {"identifier": "not an IRI <", "metadataPrefix": "rdf"}, "idDoesNotExist"),
        ("ListMetadataFormats", {"identifier": f"{SPAM}x"}, "idDoesNotExist"),
        ("ListRecords", {}, "badArgument"),
        ("ListRecords", {"metadataPrefix": "a b"}, "badArgument"),
        ("ListRecords", {"metadataPrefix": "rdf", "set": "a b"}, "badArgument"),
        ("ListRecords", {"metadataPrefix": "rdf", "from": ""}, "badArgument"),
        ("ListRecords", {"metadataPrefix": "rdf", "from": "2005"}, "badArgument"),
        ("ListRecords", {"metadataPrefix": "rdf", "from": "2005-02-30"}, "badArgument"),
        ("ListRecords", {"metadataPrefix": "rdf", "from": "2005-01-01T00:00:00"}, "badArgument"),
        (
            "ListRecords",
            {"metadataPrefix": "rdf", "from": "2005-01-02", "until": "2005-01-01"},
            "badArgument",
        ),
        (
            "ListRecords",
            {"metadataPrefix": "rdf", "from": "2005-01-01", "until": "2005-01-01T00:00:00Z"},
            "badArgument",
        ),
        ("ListRecords", {"metadataPrefix": "rdf", "resumptionToken": "x"}, "badArgument"),
        ("ListRecords", {"resumptionToken": ""}, "badResumptionToken"),
        ("ListRecords", {"resumptionToken": "é\u0001.x"}, "badResumptionToken"),
        ("ListSets", {"resumptionToken": "x"}, "badResumptionToken"),
    ],
)
def test_a_wrong_request_gets_its_error_code(
    shipped_client: httpx2.Client,
    oai_schema: xmlschema.XMLSchema,
    verb: str,
    arguments: dict[str, str],
    code: str,
) -> None:
    assert find_error(shipped_client, oai_schema, verb, **arguments) == code


def test_a_repeated_argument_is_an_error(client: httpx2.Client) -> None:
    assert 'code="badVerb"' in client.get("/oai?verb=Identify&verb=Identify").text
    assert 'code="badArgument"' in client.get("/oai?verb=ListSets&set=a&set=b").text


def test_an_empty_repository_has_neither_sets_nor_records(
    client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    assert find_error(client, oai_schema, "ListSets") == "noSetHierarchy"
    assert find_error(client, oai_schema, "ListRecords", metadataPrefix="rdf") == "noRecordsMatch"
    ask(client, oai_schema, "Identify")


# Resumption tokens.


@pytest.fixture
def paged_client(client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> httpx2.Client:
    """A client of a service with three issues, whose lists have two records a page."""
    monkeypatch.setattr(oai_pmh, "MAX_PAGE_RECORDS", {"ListRecords": 2, "ListIdentifiers": 2})
    put_data(client, 'issue:a rdfs:label "a" . issue:b rdfs:label "b" . issue:c rdfs:label "c" .')
    return client


def find_token(client: httpx2.Client, schema: xmlschema.XMLSchema, verb: str, **arguments: str) -> str:
    page = ask(client, schema, verb, metadataPrefix="rdf", **arguments)
    return list_texts(page, "resumptionToken")[0]


def resume(client: httpx2.Client, schema: xmlschema.XMLSchema, token: str) -> list[str]:
    """The names on the page of a token."""
    page = ask(client, schema, "ListIdentifiers", resumptionToken=token)
    return [iri.rpartition("/")[2] for iri in list_texts(page, "identifier")]


def test_a_token_can_be_used_again(paged_client: httpx2.Client, oai_schema: xmlschema.XMLSchema) -> None:
    token = find_token(paged_client, oai_schema, "ListIdentifiers")
    assert resume(paged_client, oai_schema, token) == resume(paged_client, oai_schema, token) == ["c"]


def test_a_list_has_the_state_of_its_first_page(
    paged_client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    put_data(paged_client, 'issue:d rdfs:label "d" .', "/graph/two")
    token = find_token(paged_client, oai_schema, "ListIdentifiers")
    put_data(paged_client, 'issue:c rdfs:label "changed" . issue:e rdfs:label "e" .', "/graph/three")
    assert resume(paged_client, oai_schema, token) == ["d"]


def test_if_all_other_records_change_the_list_goes_on_to_now(
    paged_client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    token = find_token(paged_client, oai_schema, "ListIdentifiers")
    put_data(paged_client, 'issue:c rdfs:label "changed" .', "/graph/two")
    assert resume(paged_client, oai_schema, token) == ["c"]


def test_a_token_of_another_list_is_refused(
    paged_client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    token = find_token(paged_client, oai_schema, "ListIdentifiers")
    for verb in ("ListRecords", "ListSets"):
        assert find_error(paged_client, oai_schema, verb, resumptionToken=token) == "badResumptionToken"


def test_a_token_of_another_repository_is_refused(
    paged_client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    token = find_token(paged_client, oai_schema, "ListIdentifiers")
    other = make_writer_client(Store.in_memory(), write_profile="off")
    put_data(other, 'issue:a rdfs:label "a" .')
    assert find_error(other, oai_schema, "ListIdentifiers", resumptionToken=token) == "badResumptionToken"


def test_an_altered_token_is_refused(paged_client: httpx2.Client, oai_schema: xmlschema.XMLSchema) -> None:
    token = find_token(paged_client, oai_schema, "ListIdentifiers")
    for index in range(0, len(token), 7):
        altered = token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]
        error = find_error(paged_client, oai_schema, "ListIdentifiers", resumptionToken=altered)
        assert error == "badResumptionToken"


def test_an_expired_token_is_refused(
    paged_client: httpx2.Client, oai_schema: xmlschema.XMLSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oai_request, "TOKEN_VALIDITY_SECONDS", -1)
    token = find_token(paged_client, oai_schema, "ListIdentifiers")
    error = find_error(paged_client, oai_schema, "ListIdentifiers", resumptionToken=token)
    assert error == "badResumptionToken"


@pytest.mark.parametrize(
    "body",
    [
        "null",
        "{}",
        "[" * 10_000,
        "\\u00ff",
        '[2,"ListIdentifiers","rdf","","","",0,9,2,99999999999]',
        '[1,"ListIdentifiers","rdf","","","","x",9,2,99999999999]',
        '[1,"ListIdentifiers","rdf","","","",0,9,true,99999999999]',
        '[1,"ListIdentifiers","rdf","","","",99999999999999999999999,9,2,99999999999]',
        '[1,"ListIdentifiers","rdf","","","",0,-9,2,99999999999]',
    ],
)
def test_a_token_that_a_client_made_is_refused(
    paged_client: httpx2.Client, oai_schema: xmlschema.XMLSchema, body: str
) -> None:
    stream_id = re.findall(r"/changes/(\w+)/", paged_client.get("/changes", headers=TRIG_HEADERS).text)[0]
    encoded = oai_request.encode_base64(body.encode())
    token = f"{encoded}.{oai_request.encode_base64(oai_request.digest_token(encoded, stream_id))}"
    error = find_error(paged_client, oai_schema, "ListIdentifiers", resumptionToken=token)
    assert error == "badResumptionToken"


TRIG_HEADERS = {"Accept": "application/trig"}


def test_a_made_token_for_an_unknown_format_is_refused(
    paged_client: httpx2.Client, oai_schema: xmlschema.XMLSchema
) -> None:
    stream_id = re.findall(r"/changes/(\w+)/", paged_client.get("/changes", headers=TRIG_HEADERS).text)[0]
    page = oai_request.ListPage(oai_request.HarvestList("ListRecords", "mods"), 0, 9, 2)
    token = oai_request.issue_token(page, stream_id).text
    error = find_error(paged_client, oai_schema, "ListRecords", resumptionToken=token)
    assert error == "cannotDisseminateFormat"


# HTTP.


def test_a_form_gets_the_same_response(client: httpx2.Client, oai_schema: xmlschema.XMLSchema) -> None:
    put_data(client, 'issue:spam rdfs:label "Spam" .')
    arguments = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
    by_form, by_query = client.post("/oai", data=arguments), client.get("/oai", params=arguments)
    oai_schema.validate(by_form.text)
    dates = re.compile("<responseDate>.*?</responseDate>")
    assert dates.sub("", by_form.text) == dates.sub("", by_query.text)


def test_a_form_is_limited(client: httpx2.Client) -> None:
    assert client.post("/oai", content=b"{}", headers={"Content-Type": "text/xml"}).status_code == 415
    assert client.post("/oai?verb=Identify", data={"verb": "Identify"}).status_code == 400
    assert client.post("/oai", data={"verb": "x" * oai_pmh.MAX_OAI_FORM_BYTES}).status_code == 413


def test_a_response_is_compressed_and_never_cached(shipped_client: httpx2.Client) -> None:
    path = "/oai?verb=ListRecords&metadataPrefix=oai_dc"
    response = shipped_client.get(path, headers={"Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["cache-control"] == "no-store"
    head = shipped_client.head(path)
    assert head.status_code == 200
    assert not head.content


def test_the_schema_of_rdf_can_be_read(shipped_client: httpx2.Client) -> None:
    formats = shipped_client.get("/oai?verb=ListMetadataFormats").text
    (url,) = re.findall(r"<schema>(http://localhost/.*?)</schema>", formats)
    xmlschema.XMLSchema(shipped_client.get(url).text)


# Sickle, over HTTP.


@pytest.fixture
def sickle(service_url: str) -> Any:
    return Sickle(f"{service_url}oai", timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_sickle_harvests_all_records(service_url: str, method: str) -> None:
    sickle: Any = Sickle(f"{service_url}oai", http_method=method, timeout=60)
    assert sickle.Identify().deletedRecord == "transient"
    assert {format_.metadataPrefix for format_ in sickle.ListMetadataFormats()} == {"oai_dc", "rdf"}
    assert "paper" in {set_.setSpec for set_ in sickle.ListSets()}
    headers = [header.identifier for header in sickle.ListIdentifiers(metadataPrefix="oai_dc")]
    records = {record.header.identifier: record for record in sickle.ListRecords(metadataPrefix="oai_dc")}
    assert list(records) == headers
    assert len(headers) > 1500
    assert "Spam" in records[SPAM].metadata["title"]
    assert records[SPAM].header.setSpecs == ["issue"]


@pytest.mark.slow
def test_sickle_harvests_a_set_since_a_date_in_rdf(sickle: Any) -> None:
    record = sickle.GetRecord(identifier=SPAM, metadataPrefix="rdf")
    assert "http://www.w3.org/2004/02/skos/core#" in record.raw
    arguments = {"metadataPrefix": "rdf", "set": "issue", "from": record.header.datestamp}
    assert SPAM in {found.header.identifier for found in sickle.ListRecords(**arguments)}


@pytest.mark.slow
def test_sickle_understands_the_errors(sickle: Any) -> None:
    with pytest.raises(NoRecordsMatch):
        sickle.ListRecords(metadataPrefix="rdf", **{"from": "2999-01-01"})
    with pytest.raises(BadArgument):
        sickle.ListRecords(metadataPrefix="rdf", **{"from": "yesterday"})
    with pytest.raises(BadResumptionToken):
        sickle.ListRecords(resumptionToken="x")
    with pytest.raises(IdDoesNotExist):
        sickle.GetRecord(identifier=WORMS, metadataPrefix="rdf")
