"""A link that names a media type leads to a response of this type, whatever the client accepts."""

import httpx2
import pytest

from tests.fixtures.link_header import parse_links

ADDRESSES = (
    *("/", "/papers", "/papers.csv", "/issues", "/coverage", "/sparql", "/search?q=spam", "/tables"),
    *("/tables/issues.csv", "/tables/issues.csv-metadata.json", "/doc/issue/spam", "/doc/issue/spam.ttl"),
    *("/doc/agent/desai", "/doc/paper/wp-spam", "/ontology", "/ontology.ttl", "/shapes", "/graph/issues"),
    *("/dump.nq", "/changes", "/timeline", "/people", "/queries", "/catalog", "/feed.atom", "/validate"),
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_type_of_link_is_type_of_target(filled_client: httpx2.Client, address: str) -> None:
    response = filled_client.get(address, headers={"Accept": "*/*"}, follow_redirects=True)
    assert response.status_code == 200
    for link in parse_links(response):
        if "type" in link.attributes:
            target = filled_client.get(link.target, headers={"Accept": "*/*"}, follow_redirects=True)
            media_type = target.headers["content-type"].partition(";")[0]
            assert (target.status_code, media_type) == (200, link.attributes["type"]), link
