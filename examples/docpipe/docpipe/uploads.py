"""A request's body → an upload: one file of a form (`curl -F file=@a.md`), or the raw bytes (`?name=a.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile

from .text import MEDIA_TYPES

LARGEST_BODY = 8 << 20
LONGEST_NAME = 200


@dataclass(frozen=True)
class Upload:
    """A file that somebody sent."""

    name: str
    media_type: str
    body: bytes


async def read_upload(request: Request) -> Upload:
    """Reads the file. The length is checked before any of the body is read, and the server reads no more than it."""
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise HTTPException(411, "Send the length of the body.")
    if int(length) > LARGEST_BODY:
        raise HTTPException(413, f"A document may have at most {LARGEST_BODY} bytes.")
    name, body = await _file(request)
    media_type = MEDIA_TYPES.get(PurePath(name).suffix.lower())
    if media_type is None:
        raise HTTPException(415, f"Name the file with one of these endings: {', '.join(MEDIA_TYPES)}.")
    if not body:
        raise HTTPException(422, "The document is empty.")
    return Upload(PurePath(name).name[:LONGEST_NAME], media_type, body)


async def _file(request: Request) -> tuple[str, bytes]:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return request.query_params.get("name", ""), await request.body()
    try:
        async with request.form(max_files=1, max_fields=10) as form:
            file = form.get("file")
            if isinstance(file, UploadFile):
                return file.filename or "", await file.read()
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read.") from error
    raise HTTPException(422, "Send the document as the form's field `file`.")
