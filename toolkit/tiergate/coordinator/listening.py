"""Where the server listens, and which addresses it may listen on."""

from __future__ import annotations

import errno
import os
import socket
import stat
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from tiergate.errors import RunError, UsageError

SHORTEST_TOKEN = 16
"""Characters; a shorter token could be guessed."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")

_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """Where to listen: a name or address, and a port; 0 takes a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> HttpAddress:
        """Read ``HOST:PORT``, ``:PORT`` or ``PORT``; an IPv6 address stands in brackets.

        Raises:
            UsageError: it is none.
        """
        host, _, port = text.rpartition(":")
        plain = host.removeprefix("[").removesuffix("]")
        wrong = not port.isascii() or not port.isdecimal() or int(port) > 65535
        if wrong or (":" in plain and plain == host):
            raise UsageError(f"{text!r} is no address", where="--http", hint="write 127.0.0.1:8765")
        return cls(plain or "127.0.0.1", int(port))

    def __str__(self) -> str:
        return f"{self.shown_host}:{self.port}"

    @property
    def shown_host(self) -> str:
        """The host as it stands in a URL."""
        return f"[{self.host}]" if ":" in self.host else self.host

    def is_loopback(self) -> bool:
        """Whether only this machine can reach it; a name is one when all its addresses are."""
        try:
            found = {str(info[4][0]) for info in socket.getaddrinfo(self.host, None)}
        except OSError:
            return False
        return bool(found) and all(ip_address(one.partition("%")[0]).is_loopback for one in found)


def require_token(address: HttpAddress, token: str | None) -> None:
    """Refuse to listen where others can reach the server unless they need a token.

    Raises:
        UsageError: the address is public, and there is no token.
    """
    if token is None and not address.is_loopback():
        raise UsageError(
            "others can reach this address, and nothing would keep them out",
            where=f"--http {address}",
            hint="give --token-file FILE, or listen on 127.0.0.1",
        )


def read_token(path: Path) -> str:
    """The bearer token in a file, without spaces around it.

    Raises:
        UsageError: the file cannot be read, others may read it, or it holds no token.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(4097)
    except OSError as error:
        raise UsageError(
            f"the token cannot be read: {error.strerror}", where=str(path), hint="name a file with a token"
        ) from error
    if mode & stat.S_IROTH:
        raise UsageError("everybody may read the token", where=str(path), hint=f"chmod 600 {path}")
    text = data.decode("ascii", "replace").strip()
    if len(data) > 4096 or not text.isprintable() or "�" in text or " " in text:
        raise UsageError("holds no token", where=str(path), hint="one line of letters and digits")
    if len(text) < SHORTEST_TOKEN:
        raise UsageError(
            f"the token has fewer than {SHORTEST_TOKEN} characters",
            where=str(path),
            hint="make one: openssl rand -hex 32",
        )
    return text


def listen(address: HttpAddress) -> socket.socket:
    """A socket that listens there.

    Raises:
        UsageError: the port is taken, or the address is none of this machine's.
        RunError: the system refuses for another reason.
    """
    where = f"--http {address}"
    try:
        info = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise UsageError("there is no such address", where=where, hint="write 127.0.0.1:8765") from error
    listener = socket.socket(info[0], socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(info[4])
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _refused(error, where) from error
    return listener


def _refused(error: OSError, where: str) -> UsageError | RunError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            "the port is in use", where=where, hint="choose another one; port 0 takes a free one"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError("the address is none of this machine's", where=where, hint="write 127.0.0.1:8765")
    if error.errno == errno.EACCES:
        return UsageError("the port may not be used", where=where, hint="choose one above 1023")
    return RunError(f"cannot listen: {error.strerror}", where=where)
