"""The plugin host: finds plugins, loads each on its own, and keeps what they declare.

Three things differ from pluggy's own entry-point loading. A plugin that fails to import is
reported and the rest goes on. A name that two distributions claim stays with the built-in and
is reported, instead of going silently to whoever came last. What a hook returns is checked, so
that a wrong type is blamed on the plugin that returned it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import fields
from enum import StrEnum
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from inspect import Parameter, isroutine, signature
from types import SimpleNamespace
from typing import Any, TypeVar

import msgspec
import pluggy

from tiergate.binding import SCHEME, NamedOpener
from tiergate.errors import RunError, UsageError, counted, unknown_name
from tiergate.hooks import (
    ENTRY_POINT_GROUP,
    KINDS,
    CacheDeclaration,
    Declaration,
    HookSpecs,
    Kind,
    Requirement,
    StoreDeclaration,
    find_plugin,
)
from tiergate.store import StoreAddress

BUILTIN_DISTRIBUTION = "tiergate"

_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_HOOK_PREFIX = "tiergate_"
_HOOKS = {kind.hook: kind for kind in KINDS}

SAFE = "TIERGATE_PLUGINS_SAFE"
"""With this variable set to 1, plugins of other packages are not loaded."""

STRICT = "TIERGATE_PLUGINS_STRICT"
"""With this one, anything that is wrong with any plugin is an error."""


class PluginStatus(StrEnum):
    """What became of a plugin."""

    ACTIVE = "active"
    BROKEN = "broken"
    CONFLICT = "conflict"
    DISABLED = "disabled"
    UNAVAILABLE = "unavailable"


class Declared(msgspec.Struct, frozen=True):
    """One thing that a plugin declares; `missing` is the pip command that would make it available."""

    kind: str
    declaration: Declaration
    missing: str | None = None


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a plugin: the hook, if it is about one, the cause, and what to do."""

    cause: str
    hook: str | None
    advice: str

    @property
    def what(self) -> str:
        """Hook and cause in one line."""
        return f"{self.hook}: {self.cause}" if self.hook else self.cause

    def __str__(self) -> str:
        return f"{self.what} ({self.advice})"


class PluginInfo(msgspec.Struct, eq=False):
    """One plugin that was found.

    Attributes:
        reference: ``module`` or ``module:attribute``.
        problems: empty for a plugin that is well. One with problems may still be active: what it
            declared rightly can be used.
    """

    name: str
    reference: str
    distribution: str
    version: str
    status: PluginStatus = PluginStatus.ACTIVE
    declares: list[Declared] = []
    problems: list[Problem] = []

    @property
    def builtin(self) -> bool:
        """Whether it ships with tiergate."""
        return self.distribution == BUILTIN_DISTRIBUTION

    @property
    def kinds(self) -> list[str]:
        """The kinds of what it declares, in the order of the hooks."""
        declared = {one.kind for one in self.declares}
        return [kind.name for kind in KINDS if kind.name in declared]

    def blame(self, cause: str, *, hook: str | None = None, advice: str | None = None) -> None:
        """Note a problem; the advice is to leave the plugin out, unless something better is known."""
        if advice is None:
            advice = (
                "install tiergate again"
                if self.builtin
                else f"tell the authors of {self.distribution}, or leave it out with --no-plugin {self.name}"
            )
        self.problems.append(Problem(" ".join(cause.split()), hook, advice))

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"


class Found(msgspec.Struct, frozen=True):
    """A declaration that is ready for use, and the plugin it came from."""

    declaration: Any
    plugin: PluginInfo


_AnyDeclaration = TypeVar("_AnyDeclaration", bound=Declaration)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from looking through modules that are being made, which leave none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Manager(pluggy.PluginManager):
    """Looks at hooks alone: the two dozen names that every object has take a tenth of a listing's time."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        """The options of a hook; None for what is none."""
        return super().parse_hookimpl_opts(plugin, name) if name in _HOOKS else None


class PluginHost:
    """What all plugins declare, by kind and name.

    Args:
        disabled: names of plugins that are not to be loaded.
        found: plugins to consider; those that entry points name unless given.

    Attributes:
        plugins: built-ins first, then by distribution and name.
        warnings: what is wrong but is no plugin's fault, one line each.
    """

    def __init__(
        self,
        disabled: Iterable[str] = (),
        found: Iterable[EntryPoint] | None = None,
        *,
        builtin_only: bool = False,
    ) -> None:
        self._manager = _Manager("tiergate")
        self._manager.add_hookspecs(HookSpecs)
        self._by_kind: dict[str, dict[str, Found]] = {kind.name: {} for kind in KINDS}
        self._unavailable: dict[str, dict[str, str]] = {kind.name: {} for kind in KINDS}
        self.warnings: list[str] = []
        every = _describe(_entry_points(self.warnings) if found is None else found)
        self.plugins = [plugin for plugin in every if plugin.builtin or not builtin_only]
        if left_out := len(every) - len(self.plugins):
            self.warnings.append(f"not loaded ({SAFE}=1): {counted(left_out, 'plugin')} of other packages")
        disabled = set(disabled)
        self._check_disabled(disabled)
        # Standard output belongs to the command; what a plugin prints while it loads goes beside it.
        with redirect_stdout(sys.stderr), _uncollected():
            for plugin in self.plugins:
                if plugin.name in disabled:
                    plugin.status = PluginStatus.DISABLED
                    plugin.problems.clear()
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

    def unavailable(self, kind: type[Declaration]) -> dict[str, str]:
        """The pip command that would make it available, by name, for what is declared and not available."""
        return dict(sorted(self._unavailable[_kind_of(kind).name].items()))

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

    def opener(self) -> NamedOpener:
        """What opens stores, with the caches in front of them, by their addresses or bound names."""
        missing = {**self._unavailable["store"], **self._unavailable["cache"]}
        return NamedOpener.of(self.all(StoreDeclaration), self.all(CacheDeclaration), missing)

    def store_plugins(self, address: StoreAddress) -> list[str]:
        """References of the plugins that declare the store at an address and its caches, for workers.

        For a name they are all: it may be bound to another kind of store by the time a worker starts.

        Raises:
            UsageError: as `get`.
        """
        if address.scheme == SCHEME:
            every = (*self._by_kind["store"].values(), *self._by_kind["cache"].values())
            return sorted({one.plugin.reference for one in every})
        found = [self.plugin_of(StoreDeclaration, address.scheme)]
        found += [self.plugin_of(CacheDeclaration, cache) for cache in address.caches]
        return sorted({plugin.reference for plugin in found})

    def _find(self, kind: type[Declaration], name: str) -> Found:
        kind_name = _kind_of(kind).name
        found = self._by_kind[kind_name].get(name)
        if found is not None:
            return found
        missing = self._unavailable[kind_name].get(name)
        if missing is not None:
            raise UsageError(f"{kind_name} {name!r} is not available", hint=missing)
        raise unknown_name(kind_name, name, self._by_kind[kind_name])

    def _check_disabled(self, disabled: set[str]) -> None:
        known = {plugin.name for plugin in self.plugins}
        for name in sorted(disabled - known):
            unknown = unknown_name("plugin", name, known)
            self.warnings.append(f"cannot leave out {name!r}: {unknown}")

    def _load(self, plugin: PluginInfo) -> None:
        try:
            module = find_plugin(plugin.reference)
            hooks = list(_hooks_of(plugin, module))
            # Only the hooks that can be called: pluggy refuses a whole plugin for one of the wrong form.
            callable_part = SimpleNamespace(**{kind.hook: getattr(module, kind.hook) for kind in hooks})
            self._manager.register(callable_part, plugin.name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin that calls sys.exit() must not end the host
            plugin.blame(f"cannot be loaded: {_cause(error)}", advice=_mend_import(plugin, error))
        else:
            for kind in hooks:
                for declaration in self._call(plugin, callable_part, kind):
                    self._keep(plugin, kind, declaration)
        if plugin.problems and not plugin.declares and plugin.status is PluginStatus.ACTIVE:
            plugin.status = PluginStatus.BROKEN
        elif plugin.declares and all(declared.missing for declared in plugin.declares):
            plugin.status = PluginStatus.UNAVAILABLE

    def _call(self, plugin: PluginInfo, registered: object, kind: Kind) -> Iterator[Declaration]:
        """Call one hook of one plugin, blaming it for what it raises or for a wrong return."""
        caller = getattr(self._manager.hook, kind.hook)
        expected = f"must yield {kind.declaration.__name__} or return a list of them"
        for implementation in [found for found in caller.get_hookimpls() if found.plugin is registered]:
            try:
                returned = implementation.function()
                if not isinstance(returned, Iterable) or isinstance(returned, str | bytes | dict):
                    plugin.blame(f"{expected}, it returned {_type_name(returned)}", hook=kind.hook)
                    continue
                for declaration in returned:
                    if isinstance(declaration, kind.declaration):
                        yield declaration
                    else:
                        plugin.blame(f"{expected}, it yielded {_type_name(declaration)}", hook=kind.hook)
            except (Exception, SystemExit) as error:
                plugin.blame(f"failed: {_cause(error)}", hook=kind.hook)

    def _keep(self, plugin: PluginInfo, kind: Kind, declaration: Declaration) -> None:
        faults = list(_faults(declaration))
        for fault in faults:
            plugin.blame(fault, hook=kind.hook)
        if faults:
            return
        name = declaration.name
        holder = self._by_kind[kind.name].get(name)
        if holder is not None:
            plugin.status = PluginStatus.CONFLICT
            plugin.blame(
                f"{kind.name} {name!r} is claimed by {holder.plugin} and by {plugin};"
                f" {holder.plugin.name} keeps it",
                hook=kind.hook,
                advice=f"leave one out: --no-plugin {holder.plugin.name} or --no-plugin {plugin.name}",
            )
            return
        missing = sorted({need.install for need in declaration.requires if not need.is_met()})
        hint = f"pip install {' '.join(map(repr, missing))}" if missing else None
        plugin.declares.append(Declared(kind.name, declaration, hint))
        if hint is None:
            self._by_kind[kind.name][name] = Found(declaration, plugin)
        else:
            self._unavailable[kind.name][name] = hint


def require_sound(host: PluginHost) -> None:
    """Stop when anything is wrong with any plugin.

    Raises:
        UsageError: with the first problem.
    """
    wrong = [*host.problems(), *(line for line in host.warnings if f"({SAFE}=1)" not in line)]
    if wrong:
        more = f" (and {len(wrong) - 1} more: see `tiergate plugins check`)" if len(wrong) > 1 else ""
        raise UsageError(f"{wrong[0]}{more}", hint=f"mend it, or unset {STRICT}")


def require_well(host: PluginHost) -> None:
    """Stop when a built-in plugin is broken: the installation is damaged.

    Raises:
        RunError: with the first problem.
    """
    for plugin in host.plugins:
        if plugin.builtin and plugin.status is PluginStatus.BROKEN:
            problem = plugin.problems[0]
            raise RunError(problem.what, where=f"built-in plugin {plugin.name}", hint=problem.advice)


def _entry_points(warnings: list[str]) -> list[EntryPoint]:
    """The entry points of the group; a distribution whose metadata is damaged does not hide the others."""
    try:
        return list(entry_points(group=ENTRY_POINT_GROUP))
    except Exception:
        found: dict[tuple[str, str], list[EntryPoint]] = {}
        for distribution in distributions():
            label = _label(distribution)
            try:
                here = [point for point in distribution.entry_points if point.group == ENTRY_POINT_GROUP]
            except Exception as error:
                warnings.append(f"entry points of {' '.join(label)} cannot be read: {_cause(error)}")
            else:
                found.setdefault(label, here)
        return [point for points in found.values() for point in points]


def _label(distribution: Distribution | None) -> tuple[str, str]:
    """Name and version, ``unknown`` where the metadata is missing."""
    try:
        if distribution is None:
            return "unknown", "unknown"
        # Once for both: every access to the metadata reads and parses the file again.
        metadata = distribution.metadata
        return metadata["Name"] or "unknown", metadata["Version"] or "unknown"
    except Exception:
        return "unknown", "unknown"


def _describe(found: Iterable[EntryPoint]) -> list[PluginInfo]:
    """One description per entry point, built-ins first, then by distribution and name.

    An installation that is found twice counts once. A name that two distributions claim stays with the
    first, the others become conflicts.
    """
    labels: dict[int, tuple[str, str]] = {}
    plugins: dict[tuple[str, str, str], PluginInfo] = {}
    for entry in found:
        key = id(entry.dist)
        if key not in labels:
            labels[key] = _label(entry.dist)
        distribution, version = labels[key]
        reference = entry.value.partition("[")[0].strip()
        plugins.setdefault(
            (entry.name, reference, distribution), PluginInfo(entry.name, reference, distribution, version)
        )
    ordered = sorted(
        plugins.values(), key=lambda plugin: (not plugin.builtin, plugin.distribution, plugin.name)
    )
    first: dict[str, PluginInfo] = {}
    for plugin in ordered:
        holder = first.setdefault(plugin.name, plugin)
        if holder is not plugin:
            plugin.status = PluginStatus.CONFLICT
            plugin.blame(
                f"the name {plugin.name!r} is claimed by {holder.distribution} {holder.version} and by"
                f" {plugin.distribution} {plugin.version}; {holder.distribution} keeps it",
                advice=f"tell the authors of {plugin.distribution} to choose another name, or uninstall it",
            )
    return ordered


def _hooks_of(plugin: PluginInfo, module: object) -> Iterator[Kind]:
    """The hooks that a plugin implements and that can be called; blames it for the others."""
    marked = False
    for name in dir(module):
        options = getattr(getattr(module, name, None), "tiergate_impl", None)
        marked = marked or isinstance(options, dict)
        if not isinstance(options, dict):
            if name in _HOOKS and isroutine(getattr(module, name)):
                plugin.blame("is not marked with tiergate.hooks.hookimpl, so it is never called", hook=name)
                marked = True
        elif name not in _HOOKS:
            plugin.blame(str(unknown_name("hook", name, _HOOKS)))
        elif any(options.get(option) for option in ("wrapper", "hookwrapper", "specname")):
            plugin.blame("must be a plain hookimpl, without wrapper and specname", hook=name)
        elif required := _required(getattr(module, name)):
            plugin.blame(f"takes no arguments, the plugin's asks for {', '.join(required)}", hook=name)
        else:
            yield _HOOKS[name]
    if not marked:
        plugin.blame(f"implements no hook; known: {', '.join(_HOOKS)}")


def _required(function: Any) -> list[str]:
    """The parameters that a call without arguments leaves unfilled."""
    optional = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return [
        name
        for name, parameter in signature(function).parameters.items()
        if parameter.default is Parameter.empty and parameter.kind not in optional
    ]


def _faults(declaration: Declaration) -> Iterator[str]:
    """What is wrong with the values of a declaration."""
    kind, name = type(declaration).__name__, declaration.name
    if not isinstance(name, str) or not name or not _NAME_CHARACTERS.issuperset(name) or name[0] in "-_":
        yield f"{kind}.name: {name!r} is not a name (use lower-case letters, digits, - and _)"
    if not isinstance(declaration.summary, str):
        yield f"{kind}.summary must be str, it is {_type_name(declaration.summary)}"
    needs = declaration.requires
    if not isinstance(needs, tuple) or not all(isinstance(need, Requirement) for need in needs):
        yield f"{kind}.requires must be a tuple of Requirement"
    for one in fields(declaration):
        # Types of declarations are texts, as their module postpones annotations.
        type_text, value = str(one.type), getattr(declaration, one.name)
        if value is None and type_text.endswith("| None"):
            continue
        if type_text.startswith("Callable") and not callable(value):
            yield f"{kind}.{one.name} must be callable, it is {_type_name(value)}"


def _mend_import(plugin: PluginInfo, error: BaseException) -> str | None:
    """Advice for a plugin whose import failed for a module that is not there; None for other causes."""
    if plugin.builtin or not isinstance(error, ModuleNotFoundError) or not error.name:
        return None
    if error.name == plugin.reference.partition(":")[0]:
        return f"install {plugin.distribution} again, or leave it out with --no-plugin {plugin.name}"
    return f"install {error.name.partition('.')[0]!r}, or leave it out with --no-plugin {plugin.name}"


def _kind_of(declaration: type[Declaration]) -> Kind:
    return next(kind for kind in KINDS if kind.declaration is declaration)


def _type_name(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _cause(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
