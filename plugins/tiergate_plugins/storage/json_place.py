"""Whether a folder is a ``json:`` store, may become one, or belongs to something else."""

from __future__ import annotations

from pathlib import Path

from tiergate.store import StoreError
from tiergate_plugins.storage import files
from tiergate_plugins.storage.file_names import SUFFIX
from tiergate_plugins.storage.json_state import DAMAGED, JOURNAL
from tiergate_plugins.storage.json_tables import RESULTS, TOMBSTONES

_SESSION = b'{"id":"'
"""How every file of a session begins."""

_HARMLESS = frozenset({files.LOCK, ".gitkeep", ".gitignore", ".DS_Store", "lost+found"})
"""What stands in a folder that is empty to its user: tools and file systems put it there."""


def require_place(folder: Path) -> None:
    """Refuse a folder that holds other things than a store.

    A journal says that a folder is a store, damaged or not: the first write makes it. Where it was lost,
    another of the store's files says so. A folder with nothing in it is a store without sessions.

    Raises:
        StoreError: it is another folder; nothing was made in it.
    """
    with files.system_errors("read the folder", folder):
        if (folder / JOURNAL).is_file():
            return
        names = [path.name for path in folder.iterdir()]
        other = [name for name in names if name not in _HARMLESS and not files.is_unfinished(name)]
        if not other or any(_is_own(folder / name) for name in other):
            return
    raise StoreError(
        f"this folder is no store, it holds other things, such as {min(other)!r}",
        where=str(folder),
        hint="name a store, or a new or empty folder",
    )


def _is_own(path: Path) -> bool:
    if path.name.startswith(DAMAGED):
        return True
    begins = b"{" if path.name in (RESULTS, TOMBSTONES) else _SESSION if path.name.endswith(SUFFIX) else b""
    if not begins or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(begins)) == begins
