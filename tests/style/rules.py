"""Style rules of `make lint` that ruff does not have: `python -m tests.style.rules`.

They require unique names of several words, short functions with few parameters, and that only the modules
named dependencies.py read `app.state`.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

CHECKOUT_FOLDER = Path(__file__).parents[2]
PACKAGE_FOLDERS = (CHECKOUT_FOLDER / "service" / "wgig", CHECKOUT_FOLDER / "client" / "wgig_client")
MAX_REPEATED_NAMES_PERCENT = 3
MAX_ONE_WORD_NAMES_PERCENT = 35
MAX_FUNCTION_LINES = 60
SHORT_FUNCTION_LINES = 20
MIN_SHORT_FUNCTIONS_PERCENT = 90
MAX_PARAMETERS = 6
# Constants that may have a one-word name, as the word is unambiguous in the whole package.
ONE_WORD_CONSTANTS = {
    "CSV",
    "TSV",
    "TURTLE",
    "TRIG",
    "HTML",
    "JSON",
    "ATOM",
    "SVG",
    "CSS",
    "JAVASCRIPT",
    "CSVW",
    "PARQUET",
    "GZIP",
    "ZSTD",
    "MARKDOWN",
    "ENGLISH",
    "MIB",
    "ROUTES",
    "MIDDLEWARE",
    "QUEUES",
    "PROJECTIONS",
    "COMMANDS",
}

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class PackageNames:
    """The functions and constants of a package, each with its module.

    `functions` are the names of functions at the top level of modules. `function_nodes` are all functions,
    also methods and nested ones. `state_readers` are the modules that read `app.state`.
    """

    functions: list[tuple[str, str]] = field(default_factory=list)
    constants: list[tuple[str, str]] = field(default_factory=list)
    function_nodes: list[tuple[FunctionNode, str]] = field(default_factory=list)
    state_readers: list[str] = field(default_factory=list)


def is_one_word(name: str) -> bool:
    """Whether a name has no underscore inside."""
    return "_" not in name.strip("_")


def iter_assigned_names(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement of a module assigns."""
    if isinstance(statement, ast.Assign):
        nodes: Iterator[ast.AST] = chain.from_iterable(map(ast.walk, statement.targets))
        yield from (
            node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )
    elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        yield statement.target.id


def read_package_names(*folders: Path) -> PackageNames:
    """All names of the modules below the folders."""
    names = PackageNames()
    modules = {path: path.relative_to(root).as_posix() for root in folders for path in root.rglob("*.py")}
    for path, module in sorted(modules.items()):
        tree = ast.parse(path.read_text())
        for statement in tree.body:
            if isinstance(statement, FunctionNode) and not statement.name.startswith("__"):
                names.functions.append((statement.name, module))
            names.constants.extend(
                (name, module)
                for name in iter_assigned_names(statement)
                if name.strip("_") and name.isupper()
            )
        nodes = list(ast.walk(tree))
        names.function_nodes.extend((node, module) for node in nodes if isinstance(node, FunctionNode))
        if any(is_app_state(node) for node in nodes) and path.name != "dependencies.py":
            names.state_readers.append(module)
    return names


def is_app_state(node: ast.AST) -> bool:
    """Whether a node reads an attribute of `app.state`."""
    match node:
        case ast.Attribute(ctx=ast.Load(), value=ast.Attribute(attr="state", value=owner)):
            return "app" in {getattr(owner, "attr", ""), getattr(owner, "id", "")}
    return False


def count_parameters(function: FunctionNode) -> int:
    """The number of parameters of a function, without `self` and `cls`."""
    arguments = function.args
    names = [
        parameter.arg
        for parameter in (
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            arguments.vararg,
            arguments.kwarg,
        )
        if parameter
    ]
    return len([name for name in names if name not in {"self", "cls"}])


def count_lines(function: FunctionNode) -> int:
    """The number of lines of a function, from `def` to its end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def iter_name_faults(names: PackageNames) -> Iterator[str]:
    """The faults of the names of functions and constants."""
    total = len(names.functions)
    counts = Counter(name for name, _ in names.functions)
    repeated = [f"{name} ({module})" for name, module in names.functions if counts[name] > 1]
    if 100 * len(repeated) > MAX_REPEATED_NAMES_PERCENT * total:
        yield f"{100 * len(repeated) / total:.1f} % of function names repeat: {', '.join(sorted(repeated))}"
    one_word_names = [f"{name} ({module})" for name, module in names.functions if is_one_word(name)]
    if 100 * len(one_word_names) > MAX_ONE_WORD_NAMES_PERCENT * total:
        percent = 100 * len(one_word_names) / total
        yield f"{percent:.1f} % of function names are one word: {', '.join(sorted(one_word_names))}"
    module_counts = Counter(name for name, _ in set(names.constants))
    for name, module in sorted(set(names.constants)):
        if is_one_word(name) and name not in ONE_WORD_CONSTANTS:
            yield f"{module}: the constant {name} says neither its object nor its unit"
        if module_counts[name] > 1:
            yield f"{module}: the constant {name} is defined in another module, too"


def iter_function_faults(names: PackageNames) -> Iterator[str]:
    """The faults of the sizes of functions."""
    long_functions = [
        (function, module)
        for function, module in names.function_nodes
        if count_lines(function) > SHORT_FUNCTION_LINES
    ]
    total = len(names.function_nodes)
    if 100 * len(long_functions) > (100 - MIN_SHORT_FUNCTIONS_PERCENT) * total:
        yield f"{len(long_functions)} of {total} functions have over {SHORT_FUNCTION_LINES} lines"
    for function, module in names.function_nodes:
        if count_lines(function) > MAX_FUNCTION_LINES:
            yield f"{module}: {function.name} has {count_lines(function)} lines"
        if count_parameters(function) > MAX_PARAMETERS:
            yield f"{module}: {function.name} has {count_parameters(function)} parameters"


def find_style_faults(*folders: Path) -> list[str]:
    """All faults of the packages in the folders, one sentence each."""
    names = read_package_names(*folders)
    readers = (
        f"{module}: reads app.state; only dependencies.py may read it" for module in names.state_readers
    )
    return [*iter_name_faults(names), *iter_function_faults(names), *readers]


if __name__ == "__main__":
    sys.exit("\n".join(find_style_faults(*PACKAGE_FOLDERS)) or 0)
