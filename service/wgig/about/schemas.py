"""Models of the JSON of health checks, of the API catalog, and of the OpenAPI description."""

from typing import Any, Literal

from pydantic import Field

from ..http.schemas import Count, ExtensibleResponseModel, ResponseModel


class DocsSearchIndex(ExtensibleResponseModel):
    """The search index of the documentation."""

    config: dict[str, Any] = Field(description="The languages, and the pattern that separates words.")
    items: list[dict[str, Any]] = Field(description="The sections: location, title, text, path of titles.")


class NotebookDocument(ExtensibleResponseModel):
    """A Jupyter notebook (nbformat 4)."""

    cells: list[dict[str, Any]]
    metadata: dict[str, Any]
    nbformat: int
    nbformat_minor: int


class HealthStatus(ResponseModel):
    """The response of /health."""

    status: Literal["alive"]


class RulesReadiness(ResponseModel):
    """Whether the graph of what follows by the rules of the operator is in step with the writes."""

    state: Literal["current", "pending", "large", "failed"] = Field(
        description="`pending`: they are being evaluated; `large`: the graphs are too large to do so after "
        "writes; `failed`: they could not be evaluated. In the last two, the graph has the previous result."
    )
    detail: str = Field(description="The reason, or contradictions in the data; else empty.")


class ReadinessStatus(ResponseModel):
    """The response of /ready while queries are answered: last backup, failed write, background work."""

    status: Literal["ready"]
    last_backup: str | None = Field(
        alias="lastBackup", description="The time of the last backup, null without a backup."
    )
    failed_write: str | None = Field(
        alias="failedWrite", description="The time of the last write if it failed, else null."
    )
    copying: bool = Field(description="The quads are being copied to memory.")
    indexing: bool = Field(description="The full-text index is being built; search is unavailable.")
    comparing: bool = Field(
        description="The quads are being compared with the versions of resources, which are unavailable."
    )
    describing: bool = Field(description="The graphs that describe other graphs are being updated.")
    failed_projections: list[str] = Field(
        alias="failedProjections",
        description="What could not be built from the quads, such as the search index; it is unavailable.",
    )
    rules: RulesReadiness | None = Field(
        description="The graph of what follows by the rules of the operator; null without rules."
    )
    failed_notifications: Count = Field(
        alias="failedNotifications",
        description="How many addresses (a hub, webhooks) could not be told of changes at the last attempt.",
    )


class LinkTarget(ExtensibleResponseModel):
    """A link target (RFC 9264, section 4.2.4)."""

    href: str


class LinkContext(ExtensibleResponseModel):
    """The links of the URL `anchor` (RFC 9264, section 4.2.2). Each relation is an additional member."""

    anchor: str


class LinkSetDocument(ResponseModel):
    """A link set (RFC 9264)."""

    linkset: list[LinkContext]


class OpenApiDocument(ExtensibleResponseModel):
    """An OpenAPI 3.1 description."""

    openapi: str = Field(pattern=r"^3\.1\.")
    info: dict[str, object]
    paths: dict[str, object]
