"""The plugin host: finds plugins, loads each on its own, and keeps what they declare.

Three things differ from pluggy's own entry-point loading. A plugin that fails to import is
reported and the rest goes on. A name that two distributions claim stays with the built-in and
is reported, instead of going silently to whoever came last. What a hook returns is checked, so
that a wrong type is blamed on the plugin that returned it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

import pluggy

from tiergate.errors import RunError, UsageError, unknown_name
from tiergate.hooks import ENTRY_POINT_GROUP, KINDS, Declaration, HookSpecs, Kind, find_plugin

BUILTIN_DISTRIBUTION = "tiergate"
DISABLE_VARIABLE = "TIERGATE_DISABLE_PLUGINS"
DISABLE_OPTION = "--no-plugin"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class PluginStatus(StrEnum):
    """What became of a plugin."""

    ACTIVE = "active"
    BROKEN = "broken"
    CONFLICT = "conflict"
    DISABLED = "disabled"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Declared:
    """One thing that a plugin declares; `missing` is the pip command that would make it available."""

    kind: str
    declaration: Declaration
    missing: str | None = None


@dataclass(slots=True)
class PluginInfo:
    """One plugin that was found.

    Attributes:
        reference: ``module`` or ``module:attribute``.
        problems: one line each, with hook and cause; empty for a plugin that is well.
    """

    name: str
    reference: str
    distribution: str
    version: str
    status: PluginStatus = PluginStatus.ACTIVE
    declares: list[Declared] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def builtin(self) -> bool:
        """Whether it ships with tiergate."""
        return self.distribution == BUILTIN_DISTRIBUTION

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"


@dataclass(frozen=True, slots=True)
class Found:
    """A declaration that is ready for use, and the plugin it came from."""

    declaration: Any
    plugin: PluginInfo


_AnyDeclaration = TypeVar("_AnyDeclaration", bound=Declaration)


class PluginHost:
    """What all plugins declare, by kind and name.

    Args:
        disabled: names of plugins that are not to be loaded.
        found: plugins to consider; those that entry points name unless given.
    """

    def __init__(self, disabled: Iterable[str] = (), found: Iterable[EntryPoint] | None = None) -> None:
        self._manager = pluggy.PluginManager("tiergate")
        self._manager.add_hookspecs(HookSpecs)
        self._by_kind: dict[str, dict[str, Found]] = {kind.name: {} for kind in KINDS}
        self._unavailable: dict[str, dict[str, str]] = {kind.name: {} for kind in KINDS}
        self.plugins = _describe(entry_points(group=ENTRY_POINT_GROUP) if found is None else found)
        disabled = set(disabled)
        self.unknown_disabled = sorted(disabled - {plugin.name for plugin in self.plugins})
        for plugin in self.plugins:
            if plugin.name in disabled:
                plugin.status = PluginStatus.DISABLED
            elif plugin.status is PluginStatus.ACTIVE:
                self._load(plugin)

    def problems(self) -> list[str]:
        """Every problem of every plugin, with the plugin's name and distribution in front."""
        return [f"plugin {plugin}: {problem}" for plugin in self.plugins for problem in plugin.problems]

    def names(self, kind: str) -> list[str]:
        """The names of what is available of a kind, sorted."""
        return sorted(self._by_kind[kind])

    def all(self, kind: type[_AnyDeclaration]) -> list[_AnyDeclaration]:
        """Everything available of a kind, sorted by name."""
        found = self._by_kind[_kind_of(kind).name]
        return [found[name].declaration for name in sorted(found)]

    def get(self, kind: type[_AnyDeclaration], name: str) -> _AnyDeclaration:
        """What is declared under a name.

        Raises:
            UsageError: nothing available has that name; says which names are known, or what to install.
        """
        declaration: _AnyDeclaration = self._find(kind, name).declaration
        return declaration

    def plugin_of(self, kind: type[Declaration], name: str) -> PluginInfo:
        """The plugin that declares a name.

        Raises:
            UsageError: as `get`.
        """
        return self._find(kind, name).plugin

    def _find(self, kind: type[Declaration], name: str) -> Found:
        kind_name = _kind_of(kind).name
        found = self._by_kind[kind_name].get(name)
        if found is not None:
            return found
        missing = self._unavailable[kind_name].get(name)
        if missing is not None:
            raise UsageError(f"{kind_name} {name!r} is not available", hint=missing)
        raise unknown_name(kind_name, name, self._by_kind[kind_name])

    def _load(self, plugin: PluginInfo) -> None:
        try:
            module = find_plugin(plugin.reference)
            self._manager.register(module, plugin.name)
        except Exception as error:
            self._break(plugin, f"cannot be loaded: {_cause(error)}")
            return
        plugin.problems.extend(self._unknown_hooks(module))
        before = len(plugin.problems)
        for kind in KINDS:
            for declaration in self._call(plugin, module, kind):
                self._keep(plugin, kind, declaration)
        if len(plugin.problems) > before and not plugin.declares:
            plugin.status = PluginStatus.BROKEN
        elif plugin.declares and all(declared.missing for declared in plugin.declares):
            plugin.status = PluginStatus.UNAVAILABLE

    def _break(self, plugin: PluginInfo, problem: str) -> None:
        plugin.status = PluginStatus.BROKEN
        plugin.problems.append(problem)

    def _unknown_hooks(self, module: object) -> Iterator[str]:
        known = {kind.hook for kind in KINDS}
        for name in dir(module):
            if (
                name.startswith("tiergate_")
                and name not in known
                and self._manager.parse_hookimpl_opts(module, name)
            ):
                yield str(unknown_name("hook", name, known))

    def _call(self, plugin: PluginInfo, module: object, kind: Kind) -> Iterator[Declaration]:
        """Call one hook of one plugin, blaming it for what it raises or for a wrong return."""
        caller = getattr(self._manager.hook, kind.hook)
        for implementation in [found for found in caller.get_hookimpls() if found.plugin is module]:
            expected = f"{kind.hook} must yield {kind.declaration.__name__}"
            try:
                returned = implementation.function()
                if not isinstance(returned, Iterable) or isinstance(returned, str | Mapping):
                    plugin.problems.append(f"{expected}, it returned {type(returned).__name__}")
                    continue
                for declaration in returned:
                    if isinstance(declaration, kind.declaration):
                        yield declaration
                    else:
                        plugin.problems.append(f"{expected}, it yielded {type(declaration).__name__}")
            except Exception as error:
                plugin.problems.append(f"{kind.hook} failed: {_cause(error)}")

    def _keep(self, plugin: PluginInfo, kind: Kind, declaration: Declaration) -> None:
        name = declaration.name
        if not _NAME.fullmatch(name):
            plugin.problems.append(
                f"{kind.hook}: {name!r} is not a name (use lower-case letters, digits, - and _)"
            )
            return
        holder = self._by_kind[kind.name].get(name)
        if holder is not None:
            plugin.status = PluginStatus.CONFLICT
            plugin.problems.append(
                f"{kind.hook}: {kind.name} {name!r} is claimed by {holder.plugin} and by {plugin};"
                f" {holder.plugin.name} keeps it"
            )
            return
        missing = sorted({need.install for need in declaration.requires if not need.is_met()})
        hint = f"pip install {' '.join(map(repr, missing))}" if missing else None
        plugin.declares.append(Declared(kind.name, declaration, hint))
        if hint is None:
            self._by_kind[kind.name][name] = Found(declaration, plugin)
        else:
            self._unavailable[kind.name][name] = hint


def disabled_plugins(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> list[str]:
    """The plugins that the command line or the environment switches off.

    Read before arguments are parsed, so that a plugin that breaks the parsing can be switched off.

    Raises:
        UsageError: ``--no-plugin`` is the last word.
    """
    names = [name.strip() for name in environment.get(DISABLE_VARIABLE, "").split(",")]
    words = iter(arguments)
    for word in words:
        if word == "--":
            break
        if word == DISABLE_OPTION:
            name = next(words, None)
            if name is None:
                raise UsageError(f"{DISABLE_OPTION} needs a name", hint="`tiergate plugins list` shows them")
            names.append(name)
        elif word.startswith(f"{DISABLE_OPTION}="):
            names.append(word.partition("=")[2])
    return [name for name in names if name]


def require_well(host: PluginHost) -> None:
    """Stop when a built-in plugin is broken: the installation is damaged.

    Raises:
        RunError: with the first problem.
    """
    for plugin in host.plugins:
        if plugin.builtin and plugin.status is PluginStatus.BROKEN:
            raise RunError(
                plugin.problems[0], where=f"built-in plugin {plugin.name}", hint="install tiergate again"
            )


def _describe(found: Iterable[EntryPoint]) -> list[PluginInfo]:
    """One description per entry point, built-ins first, then by distribution and name.

    A name that is claimed twice stays with the first, the others become conflicts.
    """
    plugins = {
        (name, entry.value): PluginInfo(
            name=name,
            reference=entry.value.partition("[")[0].strip(),
            distribution=entry.dist.name if entry.dist else "unknown",
            version=entry.dist.version if entry.dist else "unknown",
        )
        for entry in found
        for name in [entry.name]
    }
    ordered = sorted(
        plugins.values(), key=lambda plugin: (not plugin.builtin, plugin.distribution, plugin.name)
    )
    first: dict[str, PluginInfo] = {}
    for plugin in ordered:
        holder = first.setdefault(plugin.name, plugin)
        if holder is not plugin:
            plugin.status = PluginStatus.CONFLICT
            plugin.problems.append(
                f"the name {plugin.name!r} is claimed by {holder.distribution} {holder.version} and by"
                f" {plugin.distribution} {plugin.version}; {holder.distribution} keeps it"
            )
    return ordered


def _kind_of(declaration: type[Declaration]) -> Kind:
    return next(kind for kind in KINDS if kind.declaration is declaration)


def _cause(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
