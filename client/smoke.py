"""Check the installed client on any system, with a server in this process: `python client/smoke.py`."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import wgig_client

RESULTS = b"""{"head": {"vars": ["name"]}, "results": {"bindings": [
  {"name": {"type": "literal", "xml:lang": "fr", "value": "Communaut\\u00e9s"}}]}}"""
PROBLEM = b'{"title": "Not found", "status": 404, "detail": "There is no such query."}'


class Handler(BaseHTTPRequestHandler):
    """Answers queries with a row, and other requests with a problem."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a query."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send(200, "application/sparql-results+json", RESULTS)

    def do_GET(self) -> None:
        """Answer another request."""
        self.send(404, "application/problem+json", PROBLEM)

    def send(self, status: int, media_type: str, body: bytes) -> None:
        """Send a response."""
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def check_client(url: str) -> None:
    """Send a query and a request that fails."""
    with wgig_client.connect(url) as graph:
        (row,) = graph.select("SELECT ?name {}")
        assert row["name"] == "Communautés", row
        status = None
        try:
            graph.example("none")
        except wgig_client.ServiceError as error:
            status = error.status
        assert status == 404, status


with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    check_client(f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
print(f"wgig-client {wgig_client.__version__} works.")
