"""The endpoint method with a model in this process in place of a server: it knows the toy's words."""

from __future__ import annotations

from dataclasses import dataclass

from xlt_bench.conformance.toy import CLASS_WORDS
from xlt_bench.methods.prompted_endpoint import PromptedEndpoint
from xlt_bench.prompting.answer_cache import Messages, Reply
from xlt_bench.prompting.chat_client import ChatClient


class ToyClient:
    """Answers with the offered class whose word stands in the question's text, if one does."""

    address = "nowhere"

    def ask(self, messages: Messages) -> Reply:
        """See `ChatClient`."""
        question = messages[-1]["content"]
        choices, _, text = question.partition("Text: ")
        for label, words in CLASS_WORDS.items():
            if any(word in words for word in text.split()):
                offered = (choice for choice in choices.replace(",", " ").replace("?", " ").split())
                return Reply(next((choice for choice in offered if choice.startswith(label)), "none"), 10, 1, "toy")
        return Reply("I cannot tell.", 10, 4, "toy")

    def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, kw_only=True)
class OfflineEndpoint(PromptedEndpoint):
    """Asks no server."""

    model: str = "toy"

    def client(self) -> ChatClient:
        """The model in this process."""
        return ToyClient()
