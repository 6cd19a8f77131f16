"""The compared servers: how each is filled, started and stopped, as its users would."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import rmtree

from wgig.settings import Settings

from ..measure.client import NONE
from ..measure.commands import PYTHON, WGIG, command, oxigraph
from ..measure.server import Running, running
from ..serving.queries import Question
from . import virtuoso

YES = "?query=ASK%7B%7D"
COPIED = b'"copying": false'  # until then it reads from disk
# Rows of rdflib take a second for what others do in milliseconds, and its load takes minutes.
RDFLIB_MOST = 1000
OURS, OXIGRAPH = "wgig serve", "oxigraph serve"
FROM_DISK = f"{OURS}, from disk"
QUADS = 108  # of a generated paper, about


@dataclass(frozen=True)
class Peer:
    """A kind of server: name, what it is given, how its folder is filled from a file, how it is started."""

    name: str
    given: str
    load: Callable[[Path, Path], object]
    serve: Callable[[Path, Path], AbstractContextManager[Running]]
    path: str = "/sparql"
    ours: bool = False

    def request(
        self, question: Question, number: int, papers: int, fields: Mapping[str, str] = NONE
    ) -> bytes:
        """The request for a question."""
        asking = question.own_request if self.ours else question.request
        return asking(self.path, number, papers, fields)

    def filled(self, scratch: Path, file: Path) -> Path:
        """The folder of its store in a folder, filled from a file unless it is there already."""
        folder = scratch / f"{file.stem} {self.name}".replace(" ", "-")
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            rmtree(unfinished, ignore_errors=True)
            self.load(unfinished, file)
            unfinished.rename(folder)
        return folder


def peers(papers: int, settings: Mapping[str, str]) -> list[Peer]:
    """Those that can hold so many papers and are here; ours also from disk, or only so where it must."""
    from_disk = ours(FROM_DISK, {**settings, "WGIG_READER_QUADS": "0"})
    in_memory = papers * QUADS <= int(settings.get("WGIG_READER_QUADS", Settings.reader_quads))
    found = [*([ours(OURS, settings)] if in_memory else []), from_disk, oxigraph_serve()]
    if virtuoso.installed():
        given = (
            "the defaults of Debian, with 170,000 buffers and no limit on rows and time; loaded by `ld_dir`"
        )
        found.append(Peer("Virtuoso", given, virtuoso.load, virtuoso.serve))
    if papers <= RDFLIB_MOST:
        found.append(rdflib_endpoint())
    return found


def pair(settings: Mapping[str, str]) -> list[Peer]:
    """Ours, which chooses between memory and disk by itself, and `oxigraph serve`."""
    return [ours(OURS, settings), oxigraph_serve()]


def oxigraph_serve() -> Peer:
    """The server of the same engine, which is what ours are compared with."""

    def serve(folder: Path, _: Path) -> AbstractContextManager[Running]:
        words = [oxigraph(), "serve", "--location", str(folder), "--union-default-graph"]
        return running(words, "--bind", "127.0.0.1:{port}", question=f"/query{YES}")

    return Peer(
        OXIGRAPH,
        "`oxigraph serve --location FOLDER --union-default-graph`, on disk, filled by `oxigraph load`",
        lambda folder, file: command(oxigraph(), "load", "--location", folder, "--file", file),
        serve,
        path="/query",
    )


def rdflib_endpoint() -> Peer:
    """A server in Python that holds all in memory."""

    def serve(_: Path, file: Path) -> AbstractContextManager[Running]:
        words = [str(Path(PYTHON).with_name("rdflib-endpoint")), "serve", str(file)]
        return running(words, "--host", "127.0.0.1", "--port", "{port}", question=f"/{YES}")

    given = "`rdflib-endpoint serve FILE`, in memory, where it loads at each start"
    return Peer("rdflib-endpoint", given, lambda folder, _: folder.mkdir(), serve, path="/")


def ours(name: str, settings: Mapping[str, str]) -> Peer:
    """Our own service with settings."""
    settings = {"WGIG_DATA": "none", **settings}
    said = " ".join(f"{key}={value}" for key, value in settings.items())

    def serve(folder: Path, _: Path) -> AbstractContextManager[Running]:
        words = [*WGIG, "serve", "--store", str(folder)]
        return running(words, "--port", "{port}", question="/ready", sign=COPIED, environment=settings)

    return Peer(
        name,
        f"`wgig serve --store FOLDER`, filled by `wgig load`; {said}",
        lambda folder, file: command(*WGIG, "load", "--store", folder, file, WGIG_DATA="none"),
        serve,
        ours=True,
    )


def versions() -> dict[str, str]:
    """The versions of ours and of the peers that are here."""
    found = {"wgig": version("wgig")}
    with suppress(PackageNotFoundError):
        found["rdflib-endpoint"] = version("rdflib-endpoint")
    if virtuoso.installed():
        found["Virtuoso"] = virtuoso.version()
    return found
