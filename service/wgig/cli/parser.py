"""The argument parser: the commands of `wgig`, each with a summary, arguments and examples.

With wrong arguments, the exit code is 2.
"""

import argparse
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .._version import __version__
from ..text import flatten_untrusted_text, suggest_near_name
from . import arguments

# Exit codes: success; negative or empty result; wrong arguments or unreadable input; failure or bug.
EXIT_OK, EXIT_NO, EXIT_UNREADABLE, EXIT_FAILED = 0, 1, 2, 3

# By name: a summary, the function that adds the arguments, and examples.
Commands = dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], str]]


class CommandParser(argparse.ArgumentParser):
    """A parser that keeps the line breaks of examples in the help, and exits with code 2 after an error.

    Without any argument, a command that needs a subcommand prints its help.
    """

    def __init__(self, **options: Any) -> None:
        """Take the options of `argparse.ArgumentParser`."""
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """Refuse a value that is not a choice, and suggest a similar one."""
        choices = [*map(str, action.choices or ())]
        if choices and value not in (action.choices or ()):
            offered = suggest_near_name(str(value), choices, f"Choose from {', '.join(choices)}")
            raise argparse.ArgumentError(action, f"there is no {str(value)!r}. {offered}")

    def parse_known_args(  # type: ignore[override]  # the overloads of the base class
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse arguments. Unknown ones are an error of this command, not of the whole command line."""
        arguments, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return arguments, unknown

    def error(self, message: str) -> NoReturn:
        """Print an error message and how to get help, and exit."""
        if message.endswith((": COMMAND", ": ACTION")):  # the command alone
            self.print_help(sys.stderr)
            self.exit(EXIT_UNREADABLE)
        end = "" if message.endswith("?") else "."
        self.exit(
            EXIT_UNREADABLE, f"{self.prog}: {flatten_untrusted_text(message)}{end}\nSee: {self.prog} --help\n"
        )


def add_token_actions(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `wgig token`."""
    add_subcommands(parser, "action", TOKEN_ACTIONS)


TOKEN_ACTIONS: Commands = {
    "new": (
        "create a token and print it once",
        arguments.add_token_new_arguments,
        'wgig token new --scope papers --expires 30d --name "Working group 2"\n'
        "wgig token new --scope graphs update\n"
        "\n"
        "scopes:\n"
        "papers   write the graphs of papers, which are checked first\n"
        "graphs   write any graph; papers are checked first\n"
        "update   run SPARQL Update\n"
        "admin    list and cancel the queries of other clients\n"
        "metrics  read the metrics of the service (`/metrics`)",
    ),
    "list": (
        "list the tokens, without their secrets",
        arguments.add_token_list_arguments,
        "wgig token list\nwgig token list --format json",
    ),
    "revoke": (
        "revoke a token, effective from the next request",
        arguments.add_token_revoke_arguments,
        "wgig token revoke 1f2e3d4c",
    ),
}


def add_bulk_actions(parser: argparse.ArgumentParser) -> None:
    """Add the actions of `wgig bulk`."""
    add_subcommands(parser, "action", BULK_ACTIONS)


BULK_ACTIONS: Commands = {
    "check": (
        "check millions of papers, on Spark or on this machine",
        arguments.add_bulk_check_arguments,
        "wgig bulk check papers/ --out checked\n"
        "wgig bulk check 's3a://papers/2026/*.ttl' --out s3a://papers/checked --profile final\n"
        "\n"
        "exit codes: 0 all conform, 1 at least one does not, 2 a file cannot be read or has no paper,\n"
        "3 a bug in wgig",
    ),
    "describe": (
        "compute statistics about millions of papers as VoID, on Spark or on this machine",
        arguments.add_bulk_arguments,
        "wgig bulk describe papers/ --out described\n"
        "wgig bulk describe 'hdfs://papers/*/*.md' --out hdfs://described\n"
        "\n"
        "exit codes: 0 all files were read, 2 a file cannot be read, 3 a bug in wgig",
    ),
}

CLI_COMMANDS: Commands = {
    "serve": (
        "serve the graph over HTTP",
        arguments.add_serve_arguments,
        "wgig serve\nwgig serve --port 8080 --store ./store",
    ),
    "query": (
        "run a SPARQL query",
        arguments.add_query_arguments,
        "wgig query 'SELECT * { ?s ?p ?o } LIMIT 5'\n"
        "wgig query question.rq --format csv > answer.csv\n"
        "wgig query --name coverage-matrix\n"
        "wgig query --name judgments --param the_issue=spam --param the_holder=some-members\n"
        "wgig query --name judgments --help-params\n"
        "wgig query question.rq --url http://127.0.0.1:8000/sparql\n"
        "\n"
        "exit codes: 0 rows, or true; 1 no rows, or false; 2 the query has an error; 3 it failed",
    ),
    "search": (
        "search the names and texts of resources",
        arguments.add_search_arguments,
        "wgig search spam\n"
        "wgig search 'root server*' --kind issue\n"
        "wgig search pollupostage --lang fr --format json\n"
        "\n"
        "exit codes: 0 something was found, 1 nothing was found",
    ),
    "describe": (
        "describe a resource: its statements and what refers to it",
        arguments.add_describe_arguments,
        "wgig describe issue/spam\nwgig describe wgig:Issue\n"
        "wgig describe issue/spam --format ttl > spam.ttl",
    ),
    "cite": (
        "cite the current version of a resource, a graph or a query result",
        arguments.add_cite_arguments,
        "wgig cite issue/spam\nwgig cite graph:issues --format bibtex\n"
        "wgig cite --query question.rq --format csl-json",
    ),
    "load": (
        "load RDF files into the store",
        arguments.add_load_arguments,
        "wgig load papers.ttl --graph https://example.org/papers\n"
        "wgig load dump.nq.gz\n"
        "curl -s https://example.org/data | wgig load - --format ttl --graph https://example.org/data\n"
        "wgig load --shipped issues paper/wp-spam",
    ),
    "dump": (
        "export the store, or one of its graphs, as RDF",
        arguments.add_dump_arguments,
        "wgig dump -o all.nq.gz\nwgig dump --graph issues",
    ),
    "backup": (
        "back up the store, even while a service uses it",
        arguments.add_backup_arguments,
        "wgig backup /var/backups/wgig\nwgig backup /var/backups/wgig --keep 30",
    ),
    "release": (
        "make a release of the data: dated files with digests and what changed, shown at /releases",
        arguments.add_release_arguments,
        "wgig release\nwgig release --list\nwgig release --format json\n"
        "\n"
        "exit codes: 0 done, 1 nothing has changed since the last release, 3 it failed",
    ),
    "restore": (
        "replace the store with a backup",
        arguments.add_restore_arguments,
        "wgig restore /var/backups/wgig\n"
        "wgig restore /var/backups/wgig/wgig-20261125T230000.000Z --store ./store",
    ),
    "forget": (
        "permanently erase the content of old versions of graphs",
        arguments.add_forget_arguments,
        "wgig forget '/graph/paper/spam?version=20261125T230000000000Z'",
    ),
    "verify": (
        "verify all files of the store (even while a service uses it) or of a backup",
        arguments.add_verify_arguments,
        "wgig verify --store ./store\n"
        "wgig verify /var/backups/wgig\n"
        "\n"
        "exit codes: 0 all files are intact, 1 a file is damaged, 2 no backup found, 3 cannot be verified",
    ),
    "check": (
        "check whether issue papers are complete, or any RDF against SHACL shapes",
        arguments.add_check_arguments,
        "wgig check paper.md\n"
        "wgig check papers/ --profile final --lang fr\n"
        "wgig check papers/ -o report.html\n"
        "wgig check paper.ttl --watch\n"
        "curl -s https://example.org/paper | wgig check - --input-format ttl\n"
        "wgig check data.ttl --shapes shapes.ttl\n"
        "wgig check --graph stakeholders\n"
        "wgig check --store ./store --shapes shapes.ttl --engine pyshacl\n"
        "wgig check --endpoint http://127.0.0.1:8000/sparql --graph stakeholders --shapes shapes.ttl\n"
        "\n"
        "exit codes: 0 all conform, 1 at least one does not, 2 a file cannot be read or has no paper,\n"
        "3 a bug in wgig",
    ),
    "infer": (
        "evaluate rules: OWL 2 RL, SHACL rules, or CONSTRUCT queries",
        arguments.add_infer_arguments,
        "wgig infer --rules owl2rl --graph ontology stakeholders --into derived\n"
        "wgig infer --rules rules.ttl --graph issues --dry-run\n"
        "wgig infer data.ttl --rules owl2rl\n"
        "wgig infer data.ttl --rules first.rq second.rq --output derived.nt\n"
        "\n"
        "exit codes: 0 done, 1 done, but the data contradicts itself, or there is no such graph,\n"
        "2 the rules or a file cannot be used, or the rules do not end, 3 it failed",
    ),
    "bulk": (
        "check or describe millions of papers",
        add_bulk_actions,
        "wgig bulk check papers/ --out checked\nwgig bulk describe papers/ --out described",
    ),
    "new": (
        "create an issue paper, filled in with what the graph says about the issue",
        arguments.add_new_arguments,
        "wgig new paper spam\nwgig new paper spam --output drafts/spam.md\nwgig new paper spam -o - | less\n"
        "\n"
        "the issues of the inventory:\n"
        """wgig query 'SELECT ?issue { ?issue <https://w3id.org/wgig/ontology#inventoryStatus> "yes" }'""",
    ),
    "mcp": (
        "serve the graph to language models (Model Context Protocol)",
        arguments.add_mcp_arguments,
        "wgig mcp\nwgig mcp --url http://127.0.0.1:8000/\nwgig mcp --http --port 8001",
    ),
    "token": (
        "manage the tokens for writing to the service",
        add_token_actions,
        'wgig token new --scope papers --expires 30d --name "Working group 2"\n'
        "wgig token new --scope graphs update\n"
        "wgig token list\n"
        "wgig token revoke 1f2e3d4c",
    ),
    "stats": (
        "count the quads and resources in the store",
        arguments.add_stats_arguments,
        "wgig stats\nwgig stats --format json",
    ),
    "completion": (
        "print the completion script of a shell",
        arguments.add_completion_arguments,
        "wgig completion bash > ~/.local/share/bash-completion/completions/wgig\n"
        "wgig completion zsh > ~/.zfunc/_wgig\n"
        "wgig completion fish > ~/.config/fish/completions/wgig.fish",
    ),
    "queries": (
        "list the example queries",
        arguments.add_queries_arguments,
        "wgig queries\nwgig queries coverage-matrix",
    ),
}

# Commands and actions without the option --store. The actions of `wgig token` have the option.
STORELESS_COMMANDS = (
    arguments.add_completion_arguments,
    arguments.add_queries_arguments,
    arguments.add_check_arguments,
    arguments.add_bulk_check_arguments,
    arguments.add_bulk_arguments,
    arguments.add_new_arguments,
    add_token_actions,
    add_bulk_actions,
)


def build_command_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = CommandParser(
        prog="wgig", description="The Working Group on Internet Governance (2004-2005) as linked data."
    )
    parser.add_argument("--version", action="version", version=f"wgig {__version__}")
    add_subcommands(parser, "command", CLI_COMMANDS)
    return parser


def add_subcommands(parser: argparse.ArgumentParser, dest: str, commands: Commands) -> None:
    """Add these commands to a parser; `dest` is the attribute of the parsed arguments with the command."""
    subparsers = parser.add_subparsers(dest=dest, metavar=dest.upper(), required=True)
    for name, (summary, add_arguments, examples) in commands.items():
        subparser = subparsers.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=f"examples:\n{textwrap.indent(examples, '  ')}",
        )
        add_arguments(subparser)
        if add_arguments not in STORELESS_COMMANDS:
            subparser.add_argument(
                "--store",
                type=Path,
                metavar="DIR",
                help="folder of the store (default: in the user's data folder)",
            )
