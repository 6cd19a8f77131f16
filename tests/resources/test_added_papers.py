"""Papers that were added to the service: neither papers of 2005, nor parts of papers, nor other resources."""

from wgig.resources.added_papers import find_added_papers
from wgig.store.store import Store
from wgig_client.namespaces import BASE_IRI

ADDED, OF_2005, PART, ISSUE = (
    f"{BASE_IRI}id/{name}" for name in ("paper/mine", "paper/wp-spam", "paper/mine/forum/1", "issue/spam")
)


def test_papers_that_are_no_part_of_a_series_were_added() -> None:
    store = Store.in_memory()
    store.update(f"""PREFIX wgig: <{BASE_IRI}ontology#>
        INSERT DATA {{
          <{ADDED}> a wgig:IssuePaper ; wgig:forum <{PART}> . <{PART}> a wgig:Forum . <{ISSUE}> a wgig:Issue .
          <{OF_2005}> a wgig:IssuePaper ; wgig:partOf <{BASE_IRI}id/document/issue-papers> .
        }}""")
    assert find_added_papers(store, [ADDED, OF_2005, PART, ISSUE], BASE_IRI) == {ADDED}
