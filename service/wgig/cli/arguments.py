"""The arguments of each command. Imports nothing slow, so that --help is fast."""

import argparse
import os
from pathlib import Path

RESULT_FORMAT_CHOICES = ("table", "csv", "tsv", "json", "xml", "ttl", "nt", "jsonld", "rdf")
RDF_FORMAT_CHOICES = ("ttl", "trig", "nt", "nq", "rdf", "jsonld")
PROFILE_CHOICES = ("draft", "complete", "final")
LANGUAGE_CHOICES = ("ar", "zh", "en", "fr", "ru", "es")
REPORT_FORMAT_CHOICES = (
    "text",
    "json",
    "html",
    "csv",
    "sarif",
    "junit",
    "github",
    "ttl",
    "nt",
    "jsonld",
    "rdf",
)
SCOPE_CHOICES = ("papers", "graphs", "update", "admin", "metrics")
PAPER_FORMAT_CHOICES = ("md", "ttl", "trig", "nt", "nq", "rdf", "jsonld", "docx")


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig serve`."""
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for any free port (default: 8000)")
    parser.add_argument(
        "--data",
        choices=("shipped", "none"),
        help="data that the store is kept filled with (default: shipped)",
    )


def add_query_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig query`."""
    parser.add_argument("query", nargs="?", help="SPARQL text, a file with it, or - for standard input")
    parser.add_argument("--name", help="run this example query (see: wgig queries)")
    parser.add_argument(
        "--format", choices=RESULT_FORMAT_CHOICES, help="default: table on a terminal; csv or ttl in a pipe"
    )
    parser.add_argument("--url", help="query this SPARQL endpoint instead of the local store")


def add_load_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig load`."""
    parser.add_argument("files", nargs="*", metavar="FILE", help="RDF file, also .gz; - for standard input")
    parser.add_argument(
        "--graph", metavar="IRI", help="graph to load into (default: the default graph, or those of the file)"
    )
    parser.add_argument(
        "--format", choices=RDF_FORMAT_CHOICES, help="format of the files (default: by their names)"
    )
    parser.add_argument(
        "--shipped", nargs="+", metavar="NAME", help="load these graphs as shipped with the package"
    )


def add_dump_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig dump`."""
    parser.add_argument(
        "--format",
        choices=RDF_FORMAT_CHOICES,
        help="default: by the name of the output, else trig; ttl with --graph",
    )
    parser.add_argument(
        "--graph", metavar="IRI", help="only this graph; its name below the base IRI is enough"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help="file to write, also .gz (default: standard output)"
    )


def add_backup_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig backup`."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        type=Path,
        help="folder of backups; each is a folder in it, named by its time",
    )
    parser.add_argument(
        "--keep",
        metavar="N",
        type=parse_positive_integer,
        help="afterwards delete all backups in DIR but the newest N",
    )


def parse_positive_integer(text: str) -> int:
    """A positive whole number. Raises ArgumentTypeError."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig restore`."""
    parser.add_argument(
        "backup",
        metavar="DIR",
        type=Path,
        help="a backup, or a folder of backups, of which the newest is restored",
    )


def add_stats_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig stats`."""
    parser.add_argument(
        "--format", choices=("table", "json"), help="default: table on a terminal, json in a pipe"
    )


def add_queries_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig queries`."""
    parser.add_argument("name", nargs="?", help="print the text of this query")


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig check`."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="paper, or folder of papers; - for standard input"
    )
    parser.add_argument(
        "--profile",
        choices=PROFILE_CHOICES,
        default="complete",
        help="profile to check against (default: complete)",
    )
    parser.add_argument(
        "--format",
        choices=REPORT_FORMAT_CHOICES,
        help="format of the report (default: by the name of the output, else text)",
    )
    parser.add_argument(
        "--lang",
        choices=LANGUAGE_CHOICES,
        help="language of the report (default: that of LC_ALL or LANG, else en)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="file to write the report to (default: standard output)",
    )
    parser.add_argument("--input-format", choices=PAPER_FORMAT_CHOICES, help="format of standard input")
    parser.add_argument(
        "--skip-others",
        action="store_true",
        help="skip Markdown files that are not papers, even if named explicitly",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=os.cpu_count() or 1,
        help="processes for many files (default: one per core)",
    )
    parser.add_argument("--watch", action="store_true", help="check again whenever a file changes")
    parser.add_argument("--quiet", action="store_true", help="print nothing, only set the exit code")


def add_bulk_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig bulk check`."""
    add_bulk_arguments(parser)
    parser.add_argument(
        "--profile",
        choices=PROFILE_CHOICES,
        default="complete",
        help="profile to check against (default: complete)",
    )
    parser.add_argument(
        "--lang", choices=LANGUAGE_CHOICES, default="en", help="language of the messages (default: en)"
    )


def add_bulk_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig bulk describe`, which all actions of `wgig bulk` have."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="file, folder or glob; with Spark also s3a://, hdfs://, …",
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="folder to write, which must not exist")
    parser.add_argument(
        "--on",
        choices=("spark", "processes"),
        help="where to run (default: Spark if it is installed, else processes of this machine)",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=parse_positive_integer,
        default=os.cpu_count() or 1,
        help="processes of this machine, unless Spark has a cluster (default: one per core)",
    )


def add_mcp_arguments(parser: argparse.ArgumentParser) -> None:
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
        help="port to listen on, with --http, 0 for any free port (default: 8001)",
    )
    parser.add_argument(
        "--rows",
        metavar="N",
        type=parse_positive_integer,
        default=200,
        help="maximum rows of a response (default: 200)",
    )
    parser.add_argument(
        "--bytes",
        metavar="N",
        type=parse_answer_bytes,
        default=32_768,
        help="maximum bytes of a response (default: 32768)",
    )
    parser.add_argument(
        "--seconds",
        metavar="N",
        type=parse_positive_integer,
        default=10,
        help="timeout of a query (default: 10)",
    )


def parse_answer_bytes(text: str) -> int:
    """A number of bytes that is enough for data and the text around it. Raises ArgumentTypeError."""
    if parse_positive_integer(text) < 2048:
        raise argparse.ArgumentTypeError(f"{text} bytes are too few: give at least 2048")
    return int(text)


def add_new_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig new`."""
    parser.add_argument("kind", choices=("paper",), help="what to create")
    parser.add_argument("issue", help="issue of the inventory, such as spam")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="file to write, - for standard output (default: the issue, .md)",
    )


def add_token_new_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig token new`."""
    parser.add_argument(
        "--scope",
        nargs="+",
        action="extend",
        choices=SCOPE_CHOICES,
        required=True,
        help="what the token allows, one or more",
    )
    parser.add_argument("--expires", metavar="SPAN", default="", help="12h, 30d or 2w (default: never)")
    parser.add_argument("--name", metavar="WHO", default="", help="who gets it; recorded in the history")


def add_token_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig token list`."""
    parser.add_argument(
        "--format", choices=("table", "json"), help="default: table on a terminal, json in a pipe"
    )


def add_token_revoke_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `wgig token revoke`."""
    parser.add_argument("id", metavar="ID", help="the token to revoke (see: wgig token list)")
