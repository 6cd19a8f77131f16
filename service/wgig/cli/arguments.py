"""The arguments of each command. This module has no slow imports, so that --help is fast."""

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
ENGINE_CHOICES = ("shifty", "pyshacl")
CITATION_FORMAT_CHOICES = ("text", "bibtex", "csl-json")
SHELL_CHOICES = ("bash", "zsh", "fish", "powershell")
SCOPE_CHOICES = ("papers", "graphs", "update", "admin", "metrics")
PAPER_FORMAT_CHOICES = ("md", "ttl", "trig", "nt", "nq", "rdf", "jsonld", "docx")


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig serve`."""
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for any free port (default: 8000)")
    parser.add_argument(
        "--workers", type=int, help="number of processes that speak HTTP, from 1 to 8 (default: 1 per core)"
    )
    parser.add_argument(
        "--data",
        choices=("shipped", "none"),
        help="shipped: keep the data of the package in the store; none: do not add data (default: shipped)",
    )


def add_query_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig query`."""
    parser.add_argument(
        "query", nargs="?", help="SPARQL query, a file that contains one, or - for standard input"
    )
    parser.add_argument("--name", help="run this example query (see: wgig queries)")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of the example query to a name or label, as in the_issue=spam; can be repeated",
    )
    parser.add_argument(
        "--help-params",
        action="store_true",
        help="list the parameters of the example query and their possible values",
    )
    parser.add_argument(
        "--format",
        choices=RESULT_FORMAT_CHOICES,
        help="output format (default: table on a terminal; csv or ttl in a pipe)",
    )
    parser.add_argument("--url", help="query this SPARQL endpoint instead of the local store")


def add_search_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig search`."""
    parser.add_argument("words", nargs="+", help='words, "phrases in quotes", or the start of a word with *')
    parser.add_argument("--kind", default="", help="only resources of this kind, such as issue or paper")
    parser.add_argument("--lang", default="", help="only texts in this language, such as fr")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=parse_positive_integer,
        default=20,
        help="maximum number of results (default: 20)",
    )
    parser.add_argument(
        "--format",
        choices=("table", "tsv", "json"),
        help="output format (default: table on a terminal, tsv in a pipe)",
    )
    add_service_argument(parser)


def add_describe_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig describe`."""
    parser.add_argument("name", help="IRI, or a short form such as issue/spam or wgig:Issue")
    parser.add_argument(
        "--format",
        choices=("table", "ttl", "nt", "jsonld", "rdf"),
        help="output format (default: table on a terminal, ttl in a pipe)",
    )
    add_service_argument(parser)


def add_cite_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig cite`."""
    parser.add_argument("name", nargs="?", help="resource or graph, such as issue/spam or graph:issues")
    parser.add_argument(
        "--query", metavar="QUERY", help="cite the result of this query, or of the query in this file"
    )
    parser.add_argument(
        "--format", choices=CITATION_FORMAT_CHOICES, default="text", help="citation format (default: text)"
    )
    add_service_argument(parser)


def add_service_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option --url of commands that can ask a running service."""
    parser.add_argument("--url", help="use this service instead of the local store")


def add_completion_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig completion`."""
    parser.add_argument("shell", choices=SHELL_CHOICES, help="shell to print the script for")


def add_load_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig load`."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="RDF file, can be compressed as .gz; - for standard input"
    )
    parser.add_argument(
        "--graph",
        metavar="IRI",
        help="graph to load into (default: the graphs in the file, or the default graph if it names none)",
    )
    parser.add_argument(
        "--format", choices=RDF_FORMAT_CHOICES, help="format of the files (default: from their names)"
    )
    parser.add_argument(
        "--shipped", nargs="+", metavar="NAME", help="load these graphs from the data in the package"
    )


def add_dump_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig dump`."""
    parser.add_argument(
        "--format",
        choices=RDF_FORMAT_CHOICES,
        help="output format (default: from the suffix of the output file; otherwise trig, or ttl with "
        "--graph)",
    )
    parser.add_argument("--graph", metavar="IRI", help="only this graph: an IRI, or a name such as issues")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="file to write, compressed if it ends in .gz (default: standard output)",
    )


def add_backup_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig backup`."""
    parser.add_argument(
        "folder",
        metavar="DIR",
        type=Path,
        help="folder for backups; the new backup is a subfolder named after the current time",
    )
    parser.add_argument(
        "--keep",
        metavar="N",
        type=parse_positive_integer,
        help="then delete all backups in DIR except the newest N",
    )


def add_release_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig release`."""
    parser.add_argument("--list", action="store_true", help="list the releases instead, the newest first")
    parser.add_argument(
        "--force", action="store_true", help="make a release even if nothing has changed since the last one"
    )
    parser.add_argument(
        "--format", choices=("table", "json"), default="table", help="output format (default: table)"
    )


def parse_positive_integer(text: str) -> int:
    """A whole number of at least 1. Raises ArgumentTypeError for other text."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig verify`."""
    parser.add_argument(
        "backup",
        nargs="?",
        type=Path,
        metavar="DIR",
        help="verify this backup, or the newest backup in this folder, instead of the store",
    )


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig restore`."""
    parser.add_argument(
        "backup",
        metavar="DIR",
        type=Path,
        help="backup to restore, or a folder of backups to restore the newest from",
    )


def add_forget_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig forget`."""
    parser.add_argument(
        "versions",
        metavar="VERSION",
        nargs="+",
        help="address of an old version, as linked from the page of its graph, or its SHA-256 digest",
    )


def add_stats_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig stats`."""
    parser.add_argument(
        "--format",
        choices=("table", "json"),
        help="output format (default: table on a terminal, json in a pipe)",
    )


def add_queries_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig queries`."""
    parser.add_argument("name", nargs="?", help="print the text of this query")


def add_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig check`."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="paper, or folder of papers, or with --shapes RDF file; - for standard input",
    )
    parser.add_argument(
        "--profile",
        choices=PROFILE_CHOICES,
        help="profile to check papers against (default: complete)",
    )
    add_shapes_arguments(parser)
    parser.add_argument(
        "--format",
        choices=REPORT_FORMAT_CHOICES,
        help="format of the report (default: from the suffix of the output file, otherwise text)",
    )
    parser.add_argument(
        "--lang",
        choices=LANGUAGE_CHOICES,
        help="language of the report (default: the language in LC_ALL or LANG, otherwise en)",
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
        help="skip Markdown files that are not papers, even if they are given as FILE",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=int,
        default=os.cpu_count() or 1,
        help="maximum number of processes (default: one per core)",
    )
    parser.add_argument("--watch", action="store_true", help="check again whenever a file changes")
    parser.add_argument("--quiet", action="store_true", help="print nothing, only set the exit code")


def add_infer_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig infer`."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="RDF file to evaluate the rules over, instead of a store; can be compressed as .gz; - for "
        "standard input",
    )
    parser.add_argument(
        "--input-format",
        choices=RDF_FORMAT_CHOICES,
        help="format of the files (default: from their names)",
    )
    parser.add_argument(
        "--rules",
        nargs="+",
        action="extend",
        required=True,
        metavar="RULES",
        help="rules: owl2rl, RDF files with SHACL rules, or files .rq with CONSTRUCT; after the other files",
    )
    parser.add_argument(
        "--graph",
        nargs="+",
        action="extend",
        default=[],
        metavar="IRI",
        help="graphs that the rules read: IRIs, or names such as issues (default: all that are not computed)",
    )
    parser.add_argument(
        "--into", metavar="IRI", help="graph of the store whose content is replaced by what follows"
    )
    parser.add_argument(
        "--format",
        choices=("ttl", "nt", "rdf", "jsonld"),
        help="format of the output (default: from the suffix of the output file, otherwise ttl)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="file to write what follows to, compressed if it ends in .gz (default: standard output)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only count what follows")


def add_shapes_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig check` for other shapes than those of papers, and for graphs."""
    parser.add_argument(
        "--shapes",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="RDF files with SHACL shapes to check against, instead of the template; after the other files",
    )
    parser.add_argument(
        "--graph",
        metavar="IRI",
        help="check this graph of the store or endpoint instead of files, page by page: an IRI, or a name "
        "such as issues",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        help="check this store, or a graph of it (default with --graph: in the user's data folder)",
    )
    parser.add_argument(
        "--endpoint", metavar="URL", help="check the default graph of this SPARQL endpoint, or a graph of it"
    )
    parser.add_argument(
        "--engine",
        choices=ENGINE_CHOICES,
        help="SHACL engine; pyshacl is the reference, and slow (default: WGIG_SHACL, otherwise shifty)",
    )


def add_bulk_check_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig bulk check`."""
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
    """Add the arguments of both `wgig bulk describe` and `wgig bulk check`."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="file, folder or glob; with Spark also s3a://, hdfs://, …",
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="folder to create; it must not exist yet")
    parser.add_argument(
        "--on",
        choices=("spark", "processes"),
        help="where to run (default: on Spark if it is installed, otherwise in processes on this machine)",
    )
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=parse_positive_integer,
        default=os.cpu_count() or 1,
        help="number of processes on this machine; ignored on a Spark cluster (default: one per core)",
    )


def add_mcp_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig mcp`."""
    parser.add_argument("--url", help="read the graph of this service instead of the local store")
    parser.add_argument("--http", action="store_true", help="serve over HTTP instead of standard input")
    parser.add_argument(
        "--host", default="127.0.0.1", help="with --http: address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8001,
        help="with --http: port to listen on, 0 for any free port (default: 8001)",
    )
    parser.add_argument(
        "--rows",
        metavar="N",
        type=parse_positive_integer,
        default=200,
        help="maximum number of rows in a response (default: 200)",
    )
    parser.add_argument(
        "--bytes",
        metavar="N",
        type=parse_response_bytes,
        default=32_768,
        help="maximum size of a response in bytes (default: 32768)",
    )
    parser.add_argument(
        "--seconds",
        metavar="N",
        type=parse_positive_integer,
        default=10,
        help="timeout of a query in seconds (default: 10)",
    )


def parse_response_bytes(text: str) -> int:
    """A number of bytes. Raises ArgumentTypeError below 2048, as a response has text around its data."""
    if parse_positive_integer(text) < 2048:
        raise argparse.ArgumentTypeError(f"{text} bytes are too few: give 2048 or more")
    return int(text)


def add_new_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig new`."""
    parser.add_argument("kind", choices=("paper",), help="type of document to create")
    parser.add_argument("issue", help="issue of the inventory, such as spam")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="file to write, - for standard output (default: the name of the issue with the suffix .md)",
    )


def add_token_new_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig token new`."""
    parser.add_argument(
        "--scope",
        nargs="+",
        action="extend",
        choices=SCOPE_CHOICES,
        required=True,
        help="one or more permissions of the token",
    )
    parser.add_argument(
        "--expires", metavar="SPAN", default="", help="lifetime, such as 12h, 30d or 2w (default: unlimited)"
    )
    parser.add_argument(
        "--name", metavar="WHO", default="", help="holder of the token; recorded in the history"
    )


def add_token_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig token list`."""
    parser.add_argument(
        "--format",
        choices=("table", "json"),
        help="output format (default: table on a terminal, json in a pipe)",
    )


def add_token_revoke_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `wgig token revoke`."""
    parser.add_argument("id", metavar="ID", help="token to revoke (see: wgig token list)")
