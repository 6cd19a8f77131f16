"""Uses the client that openapi-python-client generates as `wgig_api`; prints what the test checks as JSON.

mypy checks the types of this script together with the generated client.
"""

import json
import sys
from io import BytesIO

from wgig_api import Client
from wgig_api.api.lists import get_papers
from wgig_api.api.papers import check_papers
from wgig_api.api.search import search_resources
from wgig_api.models import CheckPapersFilesBody, CheckReport, PapersPage, ProblemDocument, SearchResultPage
from wgig_api.types import File

url, paper = sys.argv[1:]
client = Client(base_url=url)

papers = get_papers.sync(client=client, issue=["spam"], size=10)
assert isinstance(papers, PapersPage), papers
paper_ids: list[str] = [item.id for item in papers.items]

hits = search_resources.sync(client=client, q="spam")
assert isinstance(hits, SearchResultPage), hits
labels: list[str] = [hit.label for hit in hits.items]

body = CheckPapersFilesBody(files=[File(payload=BytesIO(paper.encode()), file_name="paper.md")])
report = check_papers.sync(client=client, body=body, profile="complete")
assert isinstance(report, CheckReport), report
codes: list[str] = [
    finding.code for file in report.files for item in file.papers for finding in item.findings
]

problem = get_papers.sync(client=client, page=999)
assert isinstance(problem, ProblemDocument)
status: int = problem.status

print(
    json.dumps(
        {
            "papers": paper_ids,
            "total": papers.total,
            "hits": labels,
            "conforms": report.conforms,
            "codes": codes,
            "problem": [status, problem.type_, problem.detail],
        }
    )
)
