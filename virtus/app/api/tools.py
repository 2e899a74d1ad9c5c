"""A server of the Model Context Protocol beside the app (`serve --mcp`): the endpoints as tools of assistants.

Gradio's own fetches addresses, answers Python's notation instead of JSON, takes no lists, and holds pydantic back.
"""

import inspect
import logging
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Union, get_origin
from urllib.parse import quote, unquote

import anyio
from gradio import FileData
from mcp.server.fastmcp import FastMCP, Image
from mcp.server.fastmcp.tools import Tool
from mcp.server.lowlevel.server import request_ctx
from mcp.types import CallToolResult, ContentBlock, ResourceLink, TextContent, ToolAnnotations
from pydantic import AfterValidator, AnyUrl, Field, RootModel, create_model
from pydantic_core import to_json
from starlette.routing import Route

from virtus import __version__
from virtus.app.api.endpoints import endpoint_functions
from virtus.app.visitors import MAX_TOOL_CALL_MIB, NUM_AT_ONCE, TOOLS_PATH, Detectors, keep_data_uri, read_function
from virtus.errors import VirtusError

FILE_ROUTE = "gradio_api/file="
INSTRUCTIONS = f"""Virtus tells real faces from deepfakes in photos and shows why. Upload a file first, as form field
`files` of a POST to /gradio_api/upload, and give the tools the path that it answers; or give them the file as
data:TYPE;base64,DATA, where the whole call may have {MAX_TOOL_CALL_MIB} MiB. Addresses are not fetched. A verdict is a
probability, no proof: say the outcome, its p_fake, the cautions and the reason as they are answered."""
HANDED_OVER = " Given as the path that /gradio_api/upload answered, or as data:TYPE;base64,DATA."
READ_ONLY = ToolAnnotations(readOnlyHint=True, openWorldHint=False)


def tool_server(detectors: Detectors) -> dict:
    """For the constructor of Gradio's app: the route of the tools, and what runs while it does."""
    at_once = anyio.CapacityLimiter(NUM_AT_ONCE)
    server = FastMCP(
        "virtus",
        INSTRUCTIONS,
        tools=[_as_tool(name, function, at_once) for name, function in endpoint_functions(detectors).items()],
        host="0.0.0.0",  # whatever name it is asked by: the guard `OwnOrigin` looks at that
        stateless_http=True,
        max_request_body_size=MAX_TOOL_CALL_MIB * 2**20,
        log_level="WARNING",
    )
    server._mcp_server.version = __version__  # else it is that of the SDK
    endpoints = [route.endpoint for route in server.streamable_http_app().routes if isinstance(route, Route)]
    routes = [Route(path, endpoints[0]) for path in (TOOLS_PATH, f"{TOOLS_PATH}/")]
    return {"routes": routes, "lifespan": lambda _: server.session_manager.run()}


def _as_tool(name: str, function: Callable, at_once: anyio.CapacityLimiter) -> Tool:
    """An endpoint with files as text: this is how assistants can hand them over. Other arguments are refused."""
    about, of_parameters, types = read_function(function)

    async def call(**arguments: Any) -> CallToolResult:
        return await anyio.to_thread.run_sync(_call, function, arguments, limiter=at_once)

    call.__signature__ = inspect.Signature(
        [_as_text(one, of_parameters[one.name]) for one in inspect.signature(function).parameters.values()],
        return_annotation=_result_type(types),
    )
    tool = Tool.from_function(call, name, description=about, annotations=READ_ONLY)
    model = tool.fn_metadata.arg_model
    model.model_config["extra"] = "forbid"
    model.model_rebuild(force=True)
    return tool.model_copy(update={"parameters": model.model_json_schema()})


def _as_text(parameter: inspect.Parameter, about: str) -> inspect.Parameter:
    file, kind = Annotated[str, AfterValidator(_as_file)], parameter.annotation
    files = {FileData: file, list[FileData]: list[file]}
    about += HANDED_OVER if kind in files else ""
    return parameter.replace(annotation=Annotated[files.get(kind, kind), Field(description=about)])


def _result_type(types: list) -> Any:
    """The protocol wants one object: of several answers that are no files, a list in one; one of two kinds is a model,
    or the SDK would look for it below a key of its own."""
    answers = [one for one in types if one not in (FileData, FileData | None)]
    of_all = create_model("Answers", answers=tuple[tuple(answers)]) if len(answers) > 1 else next(iter(answers), None)
    if get_origin(of_all) in (Union, UnionType):
        of_all = create_model("Answer", __base__=RootModel[of_all])
        of_all.model_config["json_schema_extra"] = {"type": "object"}
    return Annotated[CallToolResult, of_all] if of_all else CallToolResult


def _call(function: Callable, arguments: dict) -> CallToolResult:
    """The answer as JSON, which stands in it as text too; pictures; and links to other files."""
    try:
        answer = function(**arguments)
        *_, answer = answer if inspect.isgenerator(answer) else [answer]
    except VirtusError:
        raise
    except Exception as exc:  # its text may name files of this server
        logging.getLogger(__name__).exception("The tool %s failed", function.__name__)
        raise RuntimeError("This did not work. The server's log says why.") from exc
    parts: tuple[Any, ...] = answer if isinstance(answer, tuple) else (answer,)
    values = [part for part in parts if part is not None and not isinstance(part, FileData)]
    structured = {"answers": values} if len(values) > 1 else next(iter(values), None)
    text = [TextContent(type="text", text=to_json(structured).decode())] if values else []
    files = [_content(part) for part in parts if isinstance(part, FileData)]
    return CallToolResult(content=text + files, structuredContent=structured)


def _content(file: FileData) -> ContentBlock:
    if str(file.mime_type).startswith("image/"):
        return Image(file.path).to_image_content()
    link = AnyUrl(f"{_address()}{FILE_ROUTE}{quote(file.path)}")
    return ResourceLink(type="resource_link", name=str(file.orig_name), uri=link, mimeType=file.mime_type)


def _as_file(text: str) -> dict:
    """What an upload would be. Of an address of this server, as `gradio upload-mcp` answers it, the path is read."""
    host, route, path = text.partition(FILE_ROUTE)
    is_ours = route and host.partition("://")[2] == _address().partition("://")[2]
    return {"path": keep_data_uri(text) if text.startswith("data:") else unquote(path) if is_ours else text}


def _address() -> str:
    request: Any = request_ctx.get().request
    return str(request.base_url)  # of this server, as it was asked
