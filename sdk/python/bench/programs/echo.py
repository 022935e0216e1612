"""The FastAPI application: it reads a document's facts, checks them, and gives them back."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel
from subjects import Subject


class Message(BaseModel):
    """What is sent and given back."""

    document: str
    pages: int
    text: str
    tags: list[str]


def make_app(subject: Subject) -> FastAPI:
    """The application, whose requests `subject` watches."""
    app = FastAPI()
    subject.instrument(app)

    @app.post("/echo/{tenant}")
    async def echo(tenant: str, message: Message) -> Message:
        return message

    return app
