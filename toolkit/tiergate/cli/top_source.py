"""Asking a running server how it is."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tiergate.coordinator.listening import read_token
from tiergate.errors import RunError, UsageError
from tiergate.monitoring.status import SCHEMA, Status

PATH = "/status.json"
PATIENCE_S = 5.0
LARGEST_BYTES = 16 * 2**20

_WRONG_TOKEN = (401, 403)


class Source:
    """A server at a URL.

    Args:
        url: of its root, or of ``/mcp``; ``http://`` may be left out.
        token_file: holds the bearer token that it demands.

    Raises:
        UsageError: the URL is none, or the file holds no token.
    """

    def __init__(self, url: str, token_file: Path | None = None) -> None:
        self._url = _status_url(url)
        self._headers = {"Accept": "application/json"}
        if token_file is not None:
            self._headers["Authorization"] = f"Bearer {read_token(token_file)}"
        # It is asked itself: what a proxy answers says nothing about it.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Straight())

    def status(self) -> Status:
        """How it is.

        Raises:
            RunError: nothing answers, or it cannot answer now.
            UsageError: the token is missing or wrong, or what answers is no such server.
        """
        body = self._body()
        try:
            status = msgspec.json.decode(body, type=Status)
        except msgspec.DecodeError as error:
            raise self._stranger() from error
        if status.schema != SCHEMA:
            raise self._stranger()
        return status

    def _body(self) -> bytes:
        request = urllib.request.Request(self._url, headers=self._headers)
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as response:
                body: bytes = response.read(LARGEST_BYTES)
        except urllib.error.HTTPError as error:
            error.close()
            raise self._refused(error.code) from error
        except (OSError, HTTPException, ValueError) as error:
            raise RunError(
                f"no server answers: {_why(error)}",
                where=self._url,
                hint="start one with `tiergate serve --http HOST:PORT`",
            ) from error
        return body

    def _refused(self, code: int) -> UsageError | RunError:
        if code in _WRONG_TOKEN:
            return UsageError(
                "the server demands a token, and this is not it",
                where=self._url,
                hint="name its file with --token-file",
            )
        if code == 404:
            return self._stranger()
        return RunError(f"the server answers with status {code}", where=self._url, hint="try again later")

    def _stranger(self) -> UsageError:
        return UsageError(
            "what answers is no tiergate server, or one of another version",
            where=self._url,
            hint="name one that `tiergate serve --http` started",
        )


def _why(error: Exception) -> str:
    cause = getattr(error, "reason", error)
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirection, so that the token goes nowhere else."""

    def redirect_request(self, *_words: Any) -> None:
        return None


def _status_url(url: str) -> str:
    text = url if "://" in url else f"http://{url}"
    wrong = UsageError(f"{url!r} is no URL of a server", hint="write http://127.0.0.1:8765")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 (raises for one that is no number)
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not parts.netloc.isprintable():
        raise wrong
    root = parts.path.rstrip("/").removesuffix(PATH).removesuffix("/mcp")
    return f"{parts.scheme}://{parts.netloc}{root}{PATH}"
