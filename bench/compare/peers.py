"""The compared servers: how each is filled, started and stopped, with the commands that its users run."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import rmtree

from wgig.settings import Settings

from ..measure.client import NO_FIELDS
from ..measure.commands import PYTHON, WGIG, find_oxigraph, time_command
from ..measure.server import RunningServer, fill_store, run_server
from ..serving.queries import Question
from . import virtuoso

ASK_TRUE = "?query=ASK%7B%7D"  # ASK {}, which is true in every store
COPIED_TEXT = b'"copying": false'  # in /ready, once the workers hold the data in memory
# rdflib needs a second for a result that others return in milliseconds, and minutes to load more.
MAX_RDFLIB_PAPERS = 1000
OURS, OXIGRAPH = "wgig serve", "oxigraph serve"
FROM_DISK = f"{OURS}, from disk"  # our service when its workers do not hold the data in memory
QUADS_PER_PAPER = 108  # of a generated paper, about


@dataclass(frozen=True)
class Peer:
    """A server product: how to fill its folder from a file (`load`), and how to start it (`serve`).

    Both functions get the folder and the file.
    """

    name: str
    description: str  # of its command and settings, for the page
    load: Callable[[Path, Path], object]
    serve: Callable[[Path, Path], AbstractContextManager[RunningServer]]
    path: str = "/sparql"  # of queries
    is_ours: bool = False

    def request(
        self, question: Question, number: int, papers: int, fields: Mapping[str, str] = NO_FIELDS
    ) -> bytes:
        """The request for variant `number` of a query."""
        build = question.own_request if self.is_ours else question.request
        return build(self.path, number, papers, fields)

    def filled_store(self, scratch: Path, file: Path) -> Path:
        """The folder of the server's store in `scratch`; filled from the file if it does not exist."""
        folder = scratch / f"{file.stem} {self.name}".replace(" ", "-")
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            rmtree(unfinished, ignore_errors=True)
            self.load(unfinished, file)
            unfinished.rename(folder)
        return folder


def list_peers(papers: int, settings: Mapping[str, str]) -> list[Peer]:
    """The installed servers that can hold so many papers; ours from disk, and in memory if the papers fit."""
    from_disk = make_own_peer(FROM_DISK, {**settings, "WGIG_READER_QUADS": "0"})
    fits_memory = papers * QUADS_PER_PAPER <= int(settings.get("WGIG_READER_QUADS", Settings.reader_quads))
    peers = [*([make_own_peer(OURS, settings)] if fits_memory else []), from_disk, make_oxigraph_peer()]
    if virtuoso.is_installed():
        description = (
            "the defaults of Debian, with 170,000 buffers and no limit on rows and time; loaded by `ld_dir`"
        )
        peers.append(Peer("Virtuoso", description, virtuoso.load_file, virtuoso.run_virtuoso))
    if papers <= MAX_RDFLIB_PAPERS:
        peers.append(make_rdflib_peer())
    return peers


def list_own_and_oxigraph(settings: Mapping[str, str]) -> list[Peer]:
    """Ours, which chooses between memory and disk itself, and `oxigraph serve`."""
    return [make_own_peer(OURS, settings), make_oxigraph_peer()]


def make_oxigraph_peer() -> Peer:
    """`oxigraph serve`, which has the same storage engine as ours; all ratios refer to it."""

    def serve(folder: Path, _: Path) -> AbstractContextManager[RunningServer]:
        command = [find_oxigraph(), "serve", "--location", str(folder), "--union-default-graph"]
        return run_server(command, "--bind", "127.0.0.1:{port}", ready_path=f"/query{ASK_TRUE}")

    return Peer(
        OXIGRAPH,
        "`oxigraph serve --location FOLDER --union-default-graph`, on disk, filled by `oxigraph load`",
        lambda folder, file: time_command(find_oxigraph(), "load", "--location", folder, "--file", file),
        serve,
        path="/query",
    )


def make_rdflib_peer() -> Peer:
    """rdflib-endpoint, which is written in Python and holds all data in memory."""

    def serve(_: Path, file: Path) -> AbstractContextManager[RunningServer]:
        command = [str(Path(PYTHON).with_name("rdflib-endpoint")), "serve", str(file)]
        return run_server(command, "--host", "127.0.0.1", "--port", "{port}", ready_path=f"/{ASK_TRUE}")

    description = "`rdflib-endpoint serve FILE`, in memory; it loads the file at each start"
    return Peer("rdflib-endpoint", description, lambda folder, _: folder.mkdir(), serve, path="/")


def make_own_peer(name: str, settings: Mapping[str, str]) -> Peer:
    """The service of this package, with settings."""
    settings = {"WGIG_DATA": "none", **settings}
    shown_settings = " ".join(f"{key}={value}" for key, value in settings.items())

    def serve(folder: Path, _: Path) -> AbstractContextManager[RunningServer]:
        return run_server(
            [*WGIG, "serve", "--store", str(folder)],
            *("--port", "{port}"),
            ready_path="/ready",
            ready_text=COPIED_TEXT,
            environment=settings,
        )

    return Peer(
        name,
        f"`wgig serve --store FOLDER`, filled by `wgig load`; {shown_settings}",
        lambda folder, file: time_command(*WGIG, "load", "--store", folder, file, WGIG_DATA="none"),
        serve,
        is_ours=True,
    )


def load_with_shipped_graphs(store: Path, file: Path) -> None:
    """Create a store with the shipped graphs and the papers of a file, and infer from both."""
    fill_store(store)
    time_command(*WGIG, "load", "--store", store, file)


def list_versions() -> dict[str, str]:
    """The versions of the package and of the installed peers."""
    versions = {"wgig": version("wgig")}
    with suppress(PackageNotFoundError):
        versions["rdflib-endpoint"] = version("rdflib-endpoint")
    if virtuoso.is_installed():
        versions["Virtuoso"] = virtuoso.read_version()
    return versions
