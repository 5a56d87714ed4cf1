"""Where a store is: ``scheme:path?option=value``, with caches in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from tiergate.errors import UsageError


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A parsed address, ``scheme:path?option=value``, with caches in front: ``cache+scheme:path``.

    Attributes:
        scheme: which store, as a plugin declares it.
        path: what follows the colon, up to a question mark.
        options: the options by name; those of a cache have its name and a dot before theirs, as ``zstd.ttl``.
        caches: the caches in front of the store, the outermost first.
        shown: how it is written in messages, where that is not how it reads.
    """

    scheme: str
    path: str
    options: dict[str, str] = field(default_factory=dict)
    caches: tuple[str, ...] = ()
    shown: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> StoreAddress:
        """Read an address.

        Raises:
            UsageError: there is no scheme, or an option stands twice or without a value.
        """
        schemes, colon, rest = text.partition(":")
        *caches, scheme = schemes.split("+")
        if not colon or not scheme or not all(caches):
            raise UsageError(
                f"{text!r} is not a store address",
                hint="write SCHEME:PATH, for example sqlite:work.db or json:work/",
            )
        path, _, query = rest.partition("?")
        options: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if not value or name in options:
                raise UsageError(
                    f"option {name!r} stands twice or has no value", where=text, hint="write ?option=value"
                )
            options[name] = value
        return cls(scheme, path, options, tuple(caches))

    def __str__(self) -> str:
        if self.shown:
            return self.shown
        query = "&".join(f"{quote(name)}={quote(value, safe='/:')}" for name, value in self.options.items())
        return "+".join((*self.caches, self.scheme)) + f":{self.path}" + (f"?{query}" if query else "")

    def without_caches(self) -> StoreAddress:
        """The address of the store itself."""
        prefixes = tuple(f"{cache}." for cache in self.caches)
        own = {name: value for name, value in self.options.items() if not name.startswith(prefixes)}
        return StoreAddress(self.scheme, self.path, own, shown=self.shown)

    def cache_options(self, cache: str) -> dict[str, str]:
        """The options of one of its caches, without the cache's name."""
        prefix = f"{cache}."
        return {
            name.removeprefix(prefix): value
            for name, value in self.options.items()
            if name.startswith(prefix)
        }

    def with_options(self, **changes: str) -> StoreAddress:
        """The same address with these options set."""
        return StoreAddress(self.scheme, self.path, {**self.options, **changes}, self.caches)

    def to_be_read(self) -> StoreAddress:
        """The same address with ``?mode=ro``, which no message shows to those who did not write it.

        A mode that is none is left, for the store to refuse.
        """
        if self.options.get("mode", "rw") != "rw":
            return self
        return StoreAddress(
            self.scheme, self.path, {**self.options, "mode": "ro"}, self.caches, shown=str(self)
        )

    def require_options(self, known: Sequence[str]) -> None:
        """Refuse options that the store does not know.

        Raises:
            UsageError: an option is none of `known`.
        """
        for name in self.options:
            if name not in known:
                raise UsageError(
                    f"unknown option {name!r}",
                    where=str(self),
                    hint=f"known: {', '.join(known) or 'none'}",
                )
