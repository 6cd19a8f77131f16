"""The address of a service, however it is given: as its own or as that of its SPARQL endpoint."""

ENDPOINT = "sparql"


def service(url: str) -> str:
    """The address of a service, with a slash at the end."""
    return f"{url.rstrip('/').removesuffix(f'/{ENDPOINT}')}/"


def endpoint(url: str) -> str:
    """The address of the SPARQL endpoint: that of a service ends with a slash, or is that of a host alone."""
    is_service = url.endswith("/") or "/" not in url.partition("://")[2]
    return f"{service(url)}{ENDPOINT}" if is_service else url
