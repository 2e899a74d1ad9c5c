"""One endpoint as a tool of the Model Context Protocol: what it takes and answers, and a call of it."""

from __future__ import annotations

import binascii
import inspect
import json
import mimetypes
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin
from urllib.parse import quote, unquote

from gradio import FileData
from gradio.utils import get_function_description, get_return_types
from mcp import types
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from virtus.app.visitors import answer_folder
from virtus.errors import InputError

FILE = {"type": "string"}
FILE_ROUTE = "/gradio_api/file="
HANDED_OVER = " Given as the path that /gradio_api/upload answered, or as data:TYPE;base64,DATA."
READ_ONLY = types.ToolAnnotations(readOnlyHint=True, openWorldHint=False)


class Tool:
    """An endpoint's function, with files as text: this is how assistants can hand them over."""

    def __init__(self, name: str, function: Callable):
        self._function = function
        self._parameters = inspect.signature(function).parameters
        self._answers = [one for one in get_return_types(function) if not _has_files(one)]
        about, of_parameters, _ = get_function_description(function)
        self.described = types.Tool(
            name=name,
            description=about,
            inputSchema=_input_schema(self._parameters, of_parameters),
            outputSchema=self._output_schema(),
            annotations=READ_ONLY,
        )

    def call(self, arguments: dict, address: str) -> types.CallToolResult:
        """The answer as JSON, which stands in it as text too; pictures; and links to other files.

        Args:
            arguments: as `described` says.
            address: of this server, as it was asked, without a slash at its end.

        Raises:
            VirtusError: as the endpoint does; of a file that was not uploaded.
        """
        given = {
            name: _as_files(value, address) if _has_files(self._parameters[name].annotation) else value
            for name, value in arguments.items()
        }
        answer = self._function(**given)
        if inspect.isgenerator(answer):
            *_, answer = answer
        parts = answer if isinstance(answer, tuple) else (answer,)
        found = self._structured([one for one in parts if one is not None and not isinstance(one, FileData)])
        text = [types.TextContent(type="text", text=json.dumps(found, ensure_ascii=False))] if found else []
        files = [_content(one, address) for one in parts if isinstance(one, FileData)]
        return types.CallToolResult(content=text + files, structuredContent=found)

    def _output_schema(self) -> dict | None:
        if not self._answers:
            return None
        return TypeAdapter(self._answers[0] if self._is_one_object else _several(self._answers)).json_schema()

    def _structured(self, found: list) -> dict | None:
        if not found:
            return None
        return found[0] if self._is_one_object else {"answers": found}

    @property
    def _is_one_object(self) -> bool:
        return len(self._answers) == 1 and get_origin(self._answers[0]) is not list


def _several(answers: list) -> type:
    """Of what is no single object: the protocol wants one."""
    return TypedDict("Answers", {"answers": tuple[tuple(answers)]})


def _input_schema(parameters: dict[str, inspect.Parameter], about: dict[str, str]) -> dict:
    properties = {
        name: _parameter_schema(one.annotation, about[name]) | _default(one) for name, one in parameters.items()
    }
    required = [name for name, one in parameters.items() if one.default is one.empty]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _parameter_schema(annotation: Any, about: str) -> dict:
    if not _has_files(annotation):
        return TypeAdapter(annotation).json_schema() | {"description": about}
    several = get_origin(annotation) is list
    return ({"type": "array", "items": FILE} if several else FILE) | {"description": about + HANDED_OVER}


def _default(parameter: inspect.Parameter) -> dict:
    return {} if parameter.default is parameter.empty else {"default": parameter.default}


def _has_files(annotation: Any) -> bool:
    return annotation is FileData or any(_has_files(one) for one in get_args(annotation))


def _as_files(given: Any, address: str) -> Any:
    """What an upload through the API would be; `uploads.py` looks at the paths."""
    if isinstance(given, list):
        return [_as_files(one, address) for one in given]
    return {"path": _keep(given) if given.startswith("data:") else _own_path(given, address)}


def _own_path(text: str, address: str) -> str:
    """`gradio upload-mcp` answers an upload's path as an address of this server: only the path of it is read."""
    host, found, path = text.partition(FILE_ROUTE)
    return unquote(path) if found and _host(host) == _host(address) else text


def _host(address: str) -> str:
    return address.partition("://")[2]


def _keep(uri: str) -> str:
    """Write the content of a data URI where uploads are, for as long as these are kept; returns the path."""
    head, _, data = uri.partition(",")
    try:
        content = b64decode(data, validate=True) if head.endswith(";base64") else b""
    except binascii.Error as exc:
        raise InputError("The file is no valid base64. Upload it instead.") from exc
    if not content:
        raise InputError("The file is empty: give data:TYPE;base64,DATA, or upload it.")
    kind = head.removeprefix("data:").partition(";")[0]
    path = answer_folder() / f"file{mimetypes.guess_extension(kind) or ''}"
    path.write_bytes(content)
    return str(path)


def _content(file: FileData, address: str) -> types.ContentBlock:
    if file.mime_type.startswith("image/"):
        data = b64encode(Path(file.path).read_bytes()).decode()
        return types.ImageContent(type="image", data=data, mimeType=file.mime_type)
    link = f"{address}{FILE_ROUTE}{quote(file.path)}"
    return types.ResourceLink(type="resource_link", name=file.orig_name, uri=link, mimeType=file.mime_type)
