"""What the operating system refuses, and what a person can do about it."""

from __future__ import annotations

import errno

_HINTS = {
    errno.ENOENT: "create the folder first",
    errno.ENOTDIR: "part of the path is a file; name another path",
    errno.EEXIST: "it is a file; name another path",
    errno.EISDIR: "it is a folder; name another path",
    errno.ENAMETOOLONG: "name a shorter path",
    errno.ELOOP: "links lead in a circle; name another path",
    errno.EACCES: "check who may read and write there",
    errno.EPERM: "check who may read and write there",
    errno.EROFS: "the file system is mounted read-only",
    errno.ENOSPC: "free some space and repeat",
    errno.EDQUOT: "free some space and repeat",
    errno.EFBIG: "no file may be so large here; `ulimit -f` shows the limit",
}
_OF_THE_PATH = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}
)


def hint_of(error: OSError) -> str:
    """What to do about it."""
    return _HINTS.get(error.errno or 0, "check the disk")


def is_wrong_path(error: OSError) -> bool:
    """Whether the path that was named can never do, which is wrong usage; else the run broke."""
    return error.errno in _OF_THE_PATH
