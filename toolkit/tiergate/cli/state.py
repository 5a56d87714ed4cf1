"""What the global options said, and what the commands share: configuration, plugins, warnings."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiergate.config import Resolved
    from tiergate.plugins import PluginHost
    from tiergate.store import Store, StoreAddress

DISABLE_OPTION = "--no-plugin"


class State:
    """The object of the click context; a command reaches it with ``@click.pass_obj``.

    Attributes:
        quiet: no warnings and no progress.
        verbose: more than the essential.
        debug: an error shows its traceback.
        disabled: plugins that ``--no-plugin`` names.
        doubts: ``where`` and ``what`` of all that the opened stores may have lost, for ``--json``.
    """

    def __init__(self, disabled: Sequence[str] = ()) -> None:
        self.quiet = False
        self.verbose = False
        self.debug = False
        self.disabled = tuple(disabled)
        self.doubts: list[dict[str, str]] = []
        self._host: PluginHost | None = None
        self._said: set[str] = set()

    def warn(self, line: str, *, grave: bool = False) -> None:
        """Say one line on standard error, once, unless ``--quiet``.

        Args:
            grave: what was asked for may be wrong without it, so that it is said in any case.
        """
        if (grave or not self.quiet) and line not in self._said:
            self._said.add(line)
            print(f"tiergate: warning: {line}", file=sys.stderr)

    def config(self, overrides: Mapping[str, object] | None = None) -> Resolved:
        """The configuration that holds here; warns of what looks like a mistake in it.

        Args:
            overrides: values of the command line by key; None stands for an option that was not given.

        Raises:
            UsageError: a configuration file, a variable or an option is wrong.
        """
        from tiergate.config import resolve  # `--help` must not pay for it

        stated: dict[str, object] = {"disable_plugins": self.disabled, **(overrides or {})}
        resolved = resolve(Path.cwd(), os.environ, stated)
        for note in resolved.notes:
            self.warn(note)
        return resolved

    def host(self, *, warn: bool = True) -> PluginHost:
        """The plugins, found and loaded at the first call.

        Args:
            warn: say what is wrong with them; False for a command that shows it itself.

        Raises:
            UsageError: a configuration file or a variable is wrong; or a plugin, where that is asked for.
        """
        if self._host is None:
            from tiergate.plugins import SAFE, PluginHost  # `--help` must not pay for it

            disabled = self.config().config.disable_plugins
            self._host = PluginHost(disabled=disabled, builtin_only=_is_set(SAFE))
        if warn:
            from tiergate.plugins import STRICT, require_sound

            if _is_set(STRICT):
                require_sound(self._host)
            for line in [*self._host.warnings, *self._host.problems()]:
                self.warn(line)
        return self._host

    def store_address(self, text: str) -> StoreAddress:
        """The address of a store as a command was given it. Every command reads addresses here.

        Raises:
            UsageError: it is none.
        """
        from tiergate.store import StoreAddress  # `--help` must not pay for it

        return StoreAddress.parse(text)

    def require_apart(self, path: Path, store: str) -> None:
        """Refuse a file of a command that is the store itself or inside it.

        Raises:
            UsageError: it is; or `store` is no address.
        """
        from tiergate.binding import resolve  # `--help` must not pay for it
        from tiergate.errors import UsageError  # likewise

        place = Path(resolve(self.store_address(store)).path).resolve()
        file = path.resolve()
        same = path.exists() and place.exists() and path.samefile(place)  # as through a hard link
        same = same or file == place
        if same or (place.is_dir() and place in file.parents):
            what = "is the store" if same else "lies in the store"
            raise UsageError(f"this {what} {store}", where=str(path), hint="name another file")

    def open_store(self, text: str, *, read_only: bool = False, caches: bool = True) -> Store:
        """Open a store for a command, and warn of what it may have lost. Every command opens stores here.

        Args:
            text: its address.
            read_only: make and change no file; a store that is not there is an error then.
            caches: whether to put the caches of the address in front of it.

        Raises:
            UsageError: the address is none, or names what is not known.
            StoreError: the store cannot be opened.
        """
        store = self.open_unwarned(text, read_only=read_only, caches=caches)
        try:
            self.warn_of_doubts(store, text)
        except BaseException:
            store.close()
            raise
        return store

    def warn_of_doubts(self, store: Store, text: str) -> None:
        """Say what an opened store may have lost, and note it."""
        words = shlex.join(["tiergate", "sessions", "verify", text])
        for one in store.doubts():
            noted = {"where": one.where, "what": one.what}
            if noted not in self.doubts:
                self.doubts.append(noted)
            self.warn(f"{one.where}: {one.what} (see `{words}`)", grave=True)

    def open_unwarned(self, text: str, *, read_only: bool = False, caches: bool = True) -> Store:
        """As `open_store`, for a command that itself names what may be lost."""
        from tiergate.store import Capability  # `--help` must not pay for it

        opener, address = self.host().opener(), self.store_address(text)
        opener.require_known(address)
        if not caches:
            address = address.without_caches()
        if read_only and not address.caches:
            return opener.open_read_only(address)
        if read_only and Capability.READ_ONLY in opener.declaration(address).capabilities:
            address = address.to_be_read()
        return opener.open(address)


def _is_set(variable: str) -> bool:
    """Whether a variable that switches something on does so.

    Raises:
        UsageError: it is neither 1 nor 0.
    """
    value = os.environ.get(variable, "")
    if value not in {"", "0", "1"}:
        from tiergate.errors import UsageError  # only a mistake pays for it

        raise UsageError(f"must be 1 or 0, not {value!r}", where=f"environment {variable}")
    return value == "1"


def split_disabled(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part ``--no-plugin NAME``, wherever it stands, from the other words of a command line.

    It happens before arguments are parsed, so that a plugin which breaks the parsing can be switched
    off, and so that the option may stand before or after a command. What follows ``--`` is left alone.

    Raises:
        UsageError: the option has no name.
    """
    names: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word == DISABLE_OPTION:
            names.append(_plugin_name(next(words, "")))
        elif word.startswith(f"{DISABLE_OPTION}="):
            names.append(_plugin_name(word.partition("=")[2]))
        else:
            rest.append(word)
    return names, rest


def _plugin_name(word: str) -> str:
    if not word or word.startswith("-"):
        from tiergate.errors import UsageError  # only a mistake pays for it

        raise UsageError(f"{DISABLE_OPTION} needs a name", hint="`tiergate plugins list` shows them")
    return word
