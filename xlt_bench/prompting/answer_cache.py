"""Answers of endpoints, kept by content: the same question to the same model is paid once, whatever run asks it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xlt_bench.errors import ConfigError, EndpointError
from xlt_bench.io.atomic import replace_file, temporary
from xlt_bench.io.cache import cache_folder

Messages = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Reply:
    """What an endpoint answered.

    Attributes:
        text: None where it refused the item, such as a prompt that is too long for the model.
        prompt_tokens, answer_tokens: as it counted them; None where it did not tell.
        model: as it named it.
        cut_off: whether the limit of tokens ended it.
    """

    text: str | None
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    model: str = ""
    cut_off: bool = False


class AnswerCache:
    """Replies in the user's cache folder, a small file each.

    Args:
        folder: None: the user's.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or cache_folder("answers")

    @staticmethod
    def key(base_url: str, model: str, messages: Messages, answer_tokens: int, temperature: float | None) -> str:
        """Hash of all that an answer follows from; the endpoint's address can be read from none of it."""
        plain = [base_url, model, list(map(dict, messages)), answer_tokens, temperature]
        content = json.dumps(plain, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def read(self, key: str) -> Reply | None:
        """The reply of this key; None where there is none, or its file is damaged."""
        try:
            plain: Any = json.loads(self._path(key).read_text(encoding="utf-8"))
            return Reply(**plain)
        except (OSError, ValueError, TypeError):
            return None

    def write(self, key: str, reply: Reply) -> None:
        """Keep a reply.

        Raises:
            EndpointError: the folder cannot be written, so that further replies would be paid twice.
        """
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(asdict(reply), ensure_ascii=False).encode())
        except OSError as error:
            raise EndpointError(self._not_writable(error)) from error

    def check_writable(self) -> None:
        """Refuse a folder that takes no answers, before one is asked for.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with temporary(self._folder):
                pass
        except OSError as error:
            raise ConfigError(self._not_writable(error)) from error

    def _not_writable(self, error: OSError) -> str:
        return (
            f"answers cannot be kept in {self._folder} ({error.strerror or error}), and are not asked for to be lost; "
            "give another folder for caches: XDG_CACHE_HOME=FOLDER"
        )

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"
