"""Models of the JSON of the endpoint: query results, query plans, running queries."""

from typing import Literal

from pydantic import Field

from ..http.schemas import Absent, Count, ExtensibleResponseModel, ResponseModel


class ResultHead(ResponseModel):
    """The variables of a result (SPARQL 1.1 Query Results JSON Format, section 3.1)."""

    vars: list[str] | Absent = None
    link: list[str] | Absent = None


class RdfTerm(ExtensibleResponseModel):
    """An RDF term (section 3.2.2; `triple` and `its:dir` are from SPARQL 1.2)."""

    type: Literal["uri", "literal", "bnode", "triple"]
    value: object


class SolutionList(ResponseModel):
    """The solutions of a SELECT, each a map from bound variables to terms."""

    bindings: list[dict[str, RdfTerm]]


class SparqlResultDocument(ResponseModel):
    """The result of a SELECT or an ASK (SPARQL 1.1 Query Results JSON Format)."""

    head: ResultHead
    results: SolutionList | Absent = None
    boolean: bool | Absent = None


class QueryPlanStep(ResponseModel):
    """A step of a plan: its nesting depth and the number of statements that match its pattern."""

    depth: Count
    step: str
    statements: Count | Absent = None
    more: bool | Absent = Field(None, description="Whether more statements match.")


class QueryPlan(ResponseModel):
    """The plan of a query, with advice: the response to `explain`."""

    steps: list[QueryPlanStep]
    advice: list[str]
    source: str


class QueryEdit(ResponseModel):
    """A change that fixes a problem: a text that replaces the characters from `start` to `end`, from 0."""

    start: Count
    end: Count
    text: str


class QueryTextProblem(ResponseModel):
    """A problem in the text of a query: an error, or a warning about a likely mistake."""

    severity: Literal["error", "warning"]
    message: str
    line: Count | Absent = None
    column: Count | Absent = None
    edit: QueryEdit | Absent = None


class QueryCheck(ResponseModel):
    """The problems in the text of a query: the response to `check`."""

    problems: list[QueryTextProblem]


class RunningQueryEntry(ResponseModel):
    """A running query."""

    id: str
    seconds: float
    client: str
    query: str


class RunningQueryList(ResponseModel):
    """The running queries. Without a token, only their durations in seconds."""

    count: Count
    seconds: list[float] | Absent = None
    queries: list[RunningQueryEntry] | Absent = None
