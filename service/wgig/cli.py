"""The command `wgig`: what it can be called with, and how it ends.

Exit codes: 0 all is well; 1 the answer is no, or nothing was found; 2 the input cannot be read or the call is
wrong; 3 the surroundings fail (disk, port, network), or we do. As in shells, a signal that ends the
command makes 128 and its number: 130 after Ctrl-C, 141 (SIGPIPE) when the reader of the output goes away.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from .steering import harmless, inert, one_line

FINE, NO, UNREADABLE, FAILED = 0, 1, 2, 3

RESULTS = ("table", "csv", "tsv", "json", "xml", "ttl", "nt", "jsonld", "rdf")
FORMATS = ("ttl", "trig", "nt", "nq", "rdf", "jsonld")
PROFILES = ("draft", "complete", "final")
LANGUAGES = ("ar", "zh", "en", "fr", "ru", "es")
REPORTS = ("text", "json", "html", "csv", "sarif", "junit", "github", "ttl", "nt", "jsonld", "rdf")
SCOPES = ("papers", "graphs", "update", "admin")
PAPERS = ("md", "ttl", "trig", "nt", "nq", "rdf", "jsonld", "docx")


class Parser(argparse.ArgumentParser):
    """A parser whose help keeps the line breaks of its examples, and whose mistakes end with code 2."""

    def __init__(self, **options: Any) -> None:
        """Take the options of `argparse.ArgumentParser`."""
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the call and where help is."""
        self.exit(UNREADABLE, f"{self.prog}: {one_line(message)}.\nSee: {self.prog} --help\n")


def serve(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig serve`."""
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for any that is free (default: 8000)")
    parser.add_argument(
        "--data", choices=("shipped", "none"), help="what to keep the store filled with (default: shipped)"
    )


def query(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig query`."""
    parser.add_argument("query", nargs="?", help="SPARQL text, a file that holds it, or - for standard input")
    parser.add_argument("--name", help="run this example query (see: wgig queries)")
    parser.add_argument(
        "--format", choices=RESULTS, help="default: table on a terminal; csv or ttl in a pipe"
    )
    parser.add_argument("--url", help="ask this SPARQL endpoint instead of the local store")


def load(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig load`."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="RDF file, also .gz; - is standard input")
    parser.add_argument(
        "--graph", metavar="IRI", help="graph to load into (default: the unnamed graph, or those of the file)"
    )
    parser.add_argument("--format", choices=FORMATS, help="format of the files (default: by their names)")
    parser.add_argument(
        "--shipped", nargs="+", metavar="NAME", help="take these graphs as the package ships them"
    )


def dump(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig dump`."""
    parser.add_argument(
        "--format", choices=FORMATS, help="default: by the name of the output, else trig; ttl with --graph"
    )
    parser.add_argument(
        "--graph", metavar="IRI", help="this graph only; its name below the base IRI is enough"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="file to write, also .gz (default: standard output)"
    )


def backup(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig backup`."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        type=Path,
        help="folder of backups; each is a folder in it, named by its time",
    )
    parser.add_argument(
        "--keep", metavar="N", type=positive, help="then delete all backups in DIR but the newest N"
    )


def positive(text: str) -> int:
    """A number that is at least one. Raises ArgumentTypeError."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return int(text)


def restore(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig restore`."""
    parser.add_argument(
        "backup",
        metavar="DIR",
        type=Path,
        help="a backup, or a folder of backups, of which the newest is taken",
    )


def stats(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig stats`."""
    parser.add_argument(
        "--format", choices=("table", "json"), help="default: table on a terminal, json in a pipe"
    )


def queries(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig queries`."""
    parser.add_argument("name", nargs="?", help="print the text of this query")


def check(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig check`."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="paper, or folder of papers; - is standard input"
    )
    parser.add_argument(
        "--profile", choices=PROFILES, default="complete", help="what to hold it against (default: complete)"
    )
    parser.add_argument(
        "--format", choices=REPORTS, help="form of the report (default: by the name of the output, else text)"
    )
    parser.add_argument(
        "--lang", choices=LANGUAGES, help="language (default: that of LC_ALL or LANG, else en)"
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="file to write the report to (default: standard output)",
    )
    parser.add_argument("--input-format", choices=PAPERS, help="format of standard input")
    parser.add_argument(
        "--skip-others",
        action="store_true",
        help="pass over Markdown that looks like no paper, also where it is named",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=os.cpu_count() or 1,
        help="processes for many files (default: one a core)",
    )
    parser.add_argument("--watch", action="store_true", help="check again whenever a file changes")
    parser.add_argument("--quiet", action="store_true", help="print nothing: the exit code tells")


def mcp(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig mcp`."""
    parser.add_argument("--url", help="read the graph of this service instead of the local store")
    parser.add_argument("--http", action="store_true", help="serve over HTTP instead of standard input")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on, with --http (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8001,
        help="port to listen on, with --http, 0 for any that is free (default: 8001)",
    )
    parser.add_argument(
        "--rows", metavar="N", type=positive, default=200, help="most rows of an answer (default: 200)"
    )
    parser.add_argument(
        "--bytes", metavar="N", type=enough, default=32_768, help="most bytes of an answer (default: 32768)"
    )
    parser.add_argument(
        "--seconds", metavar="N", type=positive, default=10, help="longest time of a query (default: 10)"
    )


def enough(text: str) -> int:
    """A number of bytes in which there is room for what stands around an answer. Raises ArgumentTypeError."""
    if positive(text) < 2048:
        raise argparse.ArgumentTypeError(f"{text} bytes are too few: give at least 2048")
    return int(text)


def new(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig new`."""
    parser.add_argument("kind", choices=("paper",), help="what to begin")
    parser.add_argument("issue", help="issue of the inventory, such as spam")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="file to write, - for standard output (default: the issue, .md)",
    )


def token(parser: argparse.ArgumentParser) -> None:
    """The actions of `wgig token`."""
    offer(parser, "action", ACTIONS)


def new_token(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig token new`."""
    parser.add_argument("--scope", nargs="+", choices=SCOPES, required=True, help="what the token opens")
    parser.add_argument("--expires", metavar="SPAN", default="", help="12h, 30d or 2w (default: never)")
    parser.add_argument("--name", metavar="WHO", default="", help="who gets it; stands in the history")


def list_tokens(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig token list`."""
    parser.add_argument(
        "--format", choices=("table", "json"), help="default: table on a terminal, json in a pipe"
    )


def revoke_token(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig token revoke`."""
    parser.add_argument("id", metavar="ID", help="the token to revoke (see: wgig token list)")


Commands = dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], str]]

ACTIONS: Commands = {
    "new": (
        "make a token, and print it, once",
        new_token,
        'wgig token new --scope papers --expires 30d --name "Working group 2"\n'
        "wgig token new --scope graphs update\n"
        "\n"
        "scopes:\n"
        "papers  write the graphs of papers, each checked first\n"
        "graphs  write any graph, papers checked first\n"
        "update  run SPARQL Update\n"
        "admin   see and stop the queries of others",
    ),
    "list": (
        "list the tokens, without what is secret",
        list_tokens,
        "wgig token list\nwgig token list --format json",
    ),
    "revoke": (
        "let a token open nothing any more, from the next request on",
        revoke_token,
        "wgig token revoke 1f2e3d4c",
    ),
}

COMMANDS: Commands = {
    "serve": (
        "serve the graph over HTTP",
        serve,
        "wgig serve\nwgig serve --port 8080 --store ./store",
    ),
    "query": (
        "answer a SPARQL query",
        query,
        "wgig query 'SELECT * { ?s ?p ?o } LIMIT 5'\n"
        "wgig query question.rq --format csv > answer.csv\n"
        "wgig query --name coverage-matrix\n"
        "wgig query question.rq --url http://127.0.0.1:8000/sparql",
    ),
    "load": (
        "load RDF files into the store",
        load,
        "wgig load papers.ttl --graph https://example.org/papers\n"
        "wgig load dump.nq.gz\n"
        "curl -s https://example.org/data | wgig load - --format ttl --graph https://example.org/data\n"
        "wgig load --shipped issues papers",
    ),
    "dump": (
        "write the store, or a graph of it, as RDF",
        dump,
        "wgig dump -o all.nq.gz\nwgig dump --graph issues",
    ),
    "backup": (
        "keep a copy of the store, also while a service runs on it",
        backup,
        "wgig backup /var/backups/wgig\nwgig backup /var/backups/wgig --keep 30",
    ),
    "restore": (
        "put a backup in the place of the store",
        restore,
        "wgig restore /var/backups/wgig\n"
        "wgig restore /var/backups/wgig/wgig-20261125T230000.000Z --store ./store",
    ),
    "check": (
        "check whether issue papers are complete",
        check,
        "wgig check paper.md\n"
        "wgig check papers/ --profile final --lang fr\n"
        "wgig check papers/ -o report.html\n"
        "wgig check paper.ttl --watch\n"
        "curl -s https://example.org/paper | wgig check - --input-format ttl\n"
        "\n"
        "exit codes: 0 all conform, 1 one does not, 2 one cannot be read or holds no paper, 3 our failure",
    ),
    "new": (
        "begin an issue paper with what the graph knows of the issue",
        new,
        "wgig new paper spam\nwgig new paper spam --output drafts/spam.md\nwgig new paper spam -o - | less\n"
        "\n"
        "the issues of the inventory:\n"
        """wgig query 'SELECT ?issue { ?issue <https://w3id.org/wgig/ontology#inventoryStatus> "yes" }'""",
    ),
    "mcp": (
        "serve the graph to language models (Model Context Protocol)",
        mcp,
        "wgig mcp\nwgig mcp --url http://127.0.0.1:8000/\nwgig mcp --http --port 8001",
    ),
    "token": (
        "let somebody write to the service, or no longer",
        token,
        'wgig token new --scope papers --expires 30d --name "Working group 2"\n'
        "wgig token new --scope graphs update\n"
        "wgig token list\n"
        "wgig token revoke 1f2e3d4c",
    ),
    "stats": ("count what is in the store", stats, "wgig stats\nwgig stats --format json"),
    "queries": ("list the example queries", queries, "wgig queries\nwgig queries coverage-matrix"),
}


WITHOUT_STORE = (queries, check, new, token)  # the actions of the last one take it


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    whole = Parser(
        prog="wgig", description="The Working Group on Internet Governance (2004-2005) as linked data."
    )
    whole.add_argument("--version", action="version", version=f"wgig {__version__}")
    offer(whole, "command", COMMANDS)
    return whole


def offer(parser: argparse.ArgumentParser, what: str, commands: Commands) -> None:
    """Let a parser take one of these commands, which `what` is called after."""
    offered = parser.add_subparsers(dest=what, metavar=what.upper(), required=True)
    for name, (summary, arguments, examples) in commands.items():
        indented = examples.replace("\n", "\n  ")
        one = offered.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=f"examples:\n  {indented}",
        )
        arguments(one)
        if arguments not in WITHOUT_STORE:
            one.add_argument(
                "--store", type=Path, metavar="DIR", help="folder of the store (default: your data folder)"
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what goes wrong is said in a sentence on standard error."""
    arguments = parser().parse_args(argv)
    os.environ["PYTHONSAFEPATH"] = "1"  # processes that we start import nothing from the folder we are in
    if sys.stdout is None:
        print("wgig: Standard output is closed. Leave it open, or send it to /dev/null.", file=sys.stderr)
        return FAILED
    try:
        code = run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        forget_output()
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt as interrupt:
        return refuse(interrupt)
    except Exception as error:
        if os.environ.get("WGIG_DEBUG"):
            raise
        return refuse(error)
    return code


def run(arguments: argparse.Namespace) -> int:
    """Import the module of the command and run it."""
    from .commands import say  # noqa: PLC0415  help must come at once
    from .settings import Settings, unknown  # noqa: PLC0415

    for sentence in unknown(os.environ):
        say(sentence)

    settings = Settings.from_environment(
        **{name: getattr(arguments, name, None) for name in ("store", "host", "port", "data")}
    )
    code: int = import_module(f".commands.{arguments.command}", __package__).run(arguments, settings)
    return code


def forget_output() -> None:
    """Throw away what is not printed yet, as nobody takes it; the interpreter must not complain of it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def refuse(error: Exception | KeyboardInterrupt) -> int:
    """Say what an error means, and return the exit code for it."""
    from .commands import say  # noqa: PLC0415  help must come at once
    from .files import mistake  # noqa: PLC0415
    from .problems import Problem  # noqa: PLC0415
    from .store import StoreError  # noqa: PLC0415

    excerpt = ""
    match error:
        case KeyboardInterrupt():
            text, code = str(error) or "Stopped.", 128 + signal.SIGINT
        case Problem():
            text, excerpt = error.detail, str(error.members.get("excerpt") or "")
            code = NO if error.status == 404 else UNREADABLE
        case StoreError():
            text, code = str(error), FAILED
        case FileNotFoundError() | IsADirectoryError():
            text, code = f"{error.filename}: {error.strerror}. Name a file that can be read.", UNREADABLE
        case ValueError() | SyntaxError():
            text, code = f"{error}", UNREADABLE
        case OSError(strerror=str()):
            forget_output()
            text, code = f"{error.filename or 'The output'} cannot be written: {error.strerror}.", FAILED
        case OSError():
            text, code = str(error), FAILED
        case _:
            text, code = mistake(error).detail, FAILED
    say(text)
    for line in harmless(excerpt).splitlines():
        print(inert(line), file=sys.stderr)
    return code
