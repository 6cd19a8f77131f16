"""Tools that take no arguments but those that they name, and say in a sentence what is wrong with one."""

from collections.abc import Callable, Iterable
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import ValidationError, create_model

from ..near import LONGEST, unknown

MOST = 5  # mistakes that are told at once


class Strict(Tool):
    """A tool that refuses what does not fit its arguments."""

    async def run(
        self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False
    ) -> Any:
        """What the tool gives. Raises ToolError with what to mend."""
        try:
            return await super().run(arguments, context, convert_result)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(
                    sentences(error.__cause__, self.parameters["properties"])
                ) from error.__cause__
            raise


def strict(function: Callable[..., str], annotations: ToolAnnotations) -> Tool:
    """The tool that calls a function, whose schema allows no arguments but those of the function."""
    tool = Strict.from_function(function, annotations=annotations, structured_output=False)
    known = tool.fn_metadata.arg_model
    model = create_model(known.__name__, __base__=known, __cls_kwargs__={"extra": "forbid"})
    tool.fn_metadata.arg_model, tool.parameters = model, model.model_json_schema(by_alias=True)
    return tool


def sentences(error: ValidationError, names: Iterable[str]) -> str:
    """What is wrong with the arguments, the first mistake of each."""
    first: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        argument = str(one["loc"][0])
        name = ".".join(map(str, one["loc"][:2]))[:LONGEST]  # then comes which type was tried
        first.setdefault(argument, sentence(one["type"], name, one["msg"], names))
    return " ".join([*first.values()][:MOST])


def sentence(kind: str, name: str, said: str, names: Iterable[str]) -> str:
    """A mistake in an argument, and how to mend it."""
    if kind == "extra_forbidden":
        return unknown("There is no argument", name, [*names]).detail
    if kind == "missing":
        return f"The argument {name} is missing. Give it."
    return f"The argument {name} does not fit: {said[:1].lower()}{said[1:]}."
