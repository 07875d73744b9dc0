"""
The door for programs that know OpenAI's API: a conversation goes in, quotes as Markdown come out.

    POST /v1/chat/completions            whole, or as a stream of events
    GET  /v1/models, /v1/models/{model}  the one model that there is

No language model stands behind it. The last message is the question, the user's earlier ones are its history; the content of the
answer is quotes with their sources, and its field `clusterqa` the reply that `/api/v1/ask` gives.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from clusterqa.records import Language, Question, Reply
from clusterqa.shapes import reply_as_json
from clusterqa.web import render, shapes
from clusterqa.web.api import Text, only_known, public_address, service_of
from clusterqa.web.callers import caller_of
from clusterqa.web.conversations import Answered
from clusterqa.web.problems import problem

MODEL = "clusterqa"
MOST_EARLIER = 100
"""Earlier questions that are looked at, the latest ones; conversations grow longer than what a question leans on."""

PassedOver = Annotated[Any, Field(description="Taken, because programs send it unasked, and without effect.")]

router = APIRouter(dependencies=[Depends(only_known)], tags=["openai"])


class Message(BaseModel):
    """A turn of the conversation. What else stands in it is passed over: programs send an earlier answer back as it came."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _text_of_parts(cls, content: Any) -> Any:
        if not isinstance(content, list):
            return content
        parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
        texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
        if len(texts) < len(content):
            raise ValueError("only text can be answered; leave out pictures, sound and files")
        return "\n".join(texts)


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")

    include_usage: bool = False
    include_obfuscation: PassedOver = None


class Conversation(BaseModel):
    """What OpenAI's clients send. A field that is null counts as left out."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=200)
    messages: list[Message] = Field(min_length=1, max_length=10_000)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    language: Language | None = None
    n: Literal[1] = 1

    temperature: PassedOver = None
    top_p: PassedOver = None
    max_tokens: PassedOver = None
    max_completion_tokens: PassedOver = None
    frequency_penalty: PassedOver = None
    presence_penalty: PassedOver = None
    seed: PassedOver = None
    user: PassedOver = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, sent: Any) -> Any:
        return {name: value for name, value in sent.items() if value is not None} if isinstance(sent, dict) else sent

    @field_validator("messages")
    @classmethod
    def _ends_with_a_question(cls, messages: list[Message]) -> list[Message]:
        if messages[-1].role != "user" or messages[-1].content is None:
            raise ValueError('the last message is the question: its role is "user", and its content a text')
        return messages

    def as_question(self) -> Question:
        *earlier, question = [
            message.content for message in self.messages if message.role == "user" and message.content is not None
        ]
        return Question(question, tuple(earlier[-MOST_EARLIER:]), self.language)


@router.get(
    "/v1/models",
    summary="List the models",
    operation_id="list_models",
    response_model=None,
    responses={200: {"model": shapes.Models}},
)
def models() -> dict[str, Any]:
    """The models: one."""
    return {"object": "list", "data": [_model()]}


@router.get(
    "/v1/models/{model:path}",
    summary="Look at a model",
    operation_id="read_model",
    response_model=None,
    responses={200: {"model": shapes.Model}},
)
def model(model: str) -> dict[str, Any] | Response:
    """What there is to say of a model."""
    return _model() if model == MODEL else _no_model(model)


@router.post(
    "/v1/chat/completions",
    summary="Go on with a conversation",
    operation_id="complete_chat",
    response_model=None,
    responses={200: {"model": shapes.Completion}},
)
def complete(sent: Conversation, request: Request) -> Response:
    """
    Answer the last message by quoting, or say that the documents do not: OpenAI's chat completion, or chunks of it.

    Its field `clusterqa` (of the last chunk, in a stream) is what `ask` answers. Instructions to the model are passed over.
    """
    if sent.model != MODEL:
        return _no_model(sent.model)
    service = service_of(request)
    service.limits.admit(caller_of(request))
    answered = service.ask(sent.as_question(), "api")
    paragraphs = render.reply_as_markdown(answered.reply, answered.reply.language, public_address(request))
    headers = answered.headers
    if not sent.stream:
        return JSONResponse(_completion(answered, "\n\n".join(paragraphs)), headers=headers)
    events = _events(answered, paragraphs, sent.stream_options.include_usage)
    return StreamingResponse(events, media_type="text/event-stream", headers={**headers, "Cache-Control": "no-store"})


def _completion(answered: Answered, content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "refusal": None}
    return {
        **_head("chat.completion"),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _usage(),
        "clusterqa": _structured(answered),
    }


def _events(answered: Answered, paragraphs: list[str], with_usage: bool) -> Iterator[str]:
    """The same as events: who speaks, paragraph after paragraph, the end with the reply itself, and what it cost if asked."""
    head = _head("chat.completion.chunk")

    def event(delta: dict[str, str], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _event({**head, "choices": [choice], **more})

    yield event({"role": "assistant", "content": ""})
    for number, paragraph in enumerate(paragraphs):
        yield event({"content": f"\n\n{paragraph}" if number else paragraph})
    yield event({}, "stop", clusterqa=_structured(answered))
    if with_usage:
        yield _event({**head, "choices": [], "usage": _usage()})
    yield "data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _head(kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": int(time.time()), "model": MODEL}


def _structured(answered: Answered) -> dict[str, Any]:
    reply: Reply = answered.reply
    return {**reply_as_json(reply), "journal_id": answered.journal_id}


def _usage() -> dict[str, int]:
    """No language model reads or writes anything."""
    return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}


def _no_model(name: str) -> Response:
    return problem(404, f"There is no model {name} here. The one there is is called {MODEL}.", param="model")
