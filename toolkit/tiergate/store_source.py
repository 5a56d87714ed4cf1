"""tiergate's own stores as a source: an address such as ``sqlite:work.db``, or the path of a store."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from tiergate.errors import SourceError, TiergateError
from tiergate.hooks import Imported, ImporterDeclaration
from tiergate.opening import Opener
from tiergate.store_address import StoreAddress

NAME = "store"
"""The name of the format."""


def store_importer(opener: Opener) -> ImporterDeclaration:
    """An importer that reads any store that can be opened; nothing is made or changed.

    Args:
        opener: the kinds of store that are known.
    """

    def detect(path: Path) -> bool:
        return address_of(path, opener) is not None

    def read(path: Path) -> Imported:
        address = address_of(path, opener)
        if address is None:
            raise SourceError(
                "no store of a known kind", where=str(path), hint="write SCHEME:PATH, such as sqlite:work.db"
            )
        return _read(address, opener)

    return ImporterDeclaration(
        name=NAME, summary="a store of tiergate, by its address or its path", detect=detect, read=read
    )


def address_of(path: Path, opener: Opener) -> StoreAddress | None:
    """The address that a source is or that leads to it; None where it is no store.

    What is there under the very name, colon and all, is a file or folder and no address.
    """
    text = str(path)
    scheme, colon, _ = text.partition(":")
    if colon and scheme.split("+")[-1] in opener.stores and not _exists(path):
        return StoreAddress.parse(text)
    kinds = [name for name, kind in opener.stores.items() if kind.holds is not None and kind.holds(path)]
    return StoreAddress(kinds[0], text, shown=text) if len(kinds) == 1 else None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _read(address: StoreAddress, opener: Opener) -> Imported:
    try:
        with opener.open_read_only(address) as store:
            sessions = [replace(store.load(name), version=0) for name in sorted(store.ids())]
            doubts = [f"{doubt.where}: {doubt.what}" for doubt in store.doubts()]
    except TiergateError as error:
        raise SourceError(error.what, where=error.where or str(address), hint=error.hint) from error
    words = {
        task.source_status: task.status
        for session in sessions
        for task in session.tasks
        if task.source_status
    }
    return Imported(sessions=sessions, statuses=words, notes=doubts)
