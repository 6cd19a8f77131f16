"""FastAPI dependencies of the handlers that check papers."""

from typing import Annotated

from fastapi import Depends, Request

from .address import PaperFetcher


async def get_paper_fetcher(request: Request) -> PaperFetcher:
    """The fetcher of papers by their addresses."""
    fetcher: PaperFetcher = request.app.state.service.paper_fetcher
    return fetcher


PaperFetcherDep = Annotated[PaperFetcher, Depends(get_paper_fetcher)]
