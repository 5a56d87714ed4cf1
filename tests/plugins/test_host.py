"""The host: what it makes of plugins that do not keep their side of the contract."""

from __future__ import annotations

import importlib.metadata
from typing import Any

import pytest

from tiergate.errors import RunError, UsageError
from tiergate.hooks import RouterDeclaration, StoreDeclaration
from tiergate.plugins import PluginHost, PluginStatus, require_well

ROUTER = "hooks.RouterDeclaration(name={name}, summary={summary}, build={build}, requires={requires})"


def router(name: str = "'anywhere'", summary: str = "'x'", build: str = "dict", requires: str = "()") -> str:
    return ROUTER.format(name=name, summary=summary, build=build, requires=requires)


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("import acme_nowhere", "ModuleNotFoundError: No module named 'acme_nowhere'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise GeneratorExit", "GeneratorExit:"),
        ("def broken(:", "SyntaxError:"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_broken(site: Any, source: str, cause: str) -> None:
    plugin = site.load(source)
    assert plugin.status is PluginStatus.BROKEN
    assert f"cannot be loaded: {cause}" in str(plugin.problems[0])


def test_an_interrupt_is_not_taken_for_a_broken_plugin(site: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        site.load("raise KeyboardInterrupt")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("return None", "it returned None"),
        ("return 'text'", "it returned str"),
        ("return {'name': 1}", "it returned dict"),
        (f"return {router()}", "it returned RouterDeclaration"),
        ("yield {'name': 'anywhere'}", "it yielded dict"),
        ("yield hooks.StoreDeclaration(name='a', summary='b', open=dict)", "it yielded StoreDeclaration"),
        ("yield None", "it yielded None"),
    ],
)
def test_a_wrong_return_names_plugin_hook_and_expected_type(site: Any, body: str, fault: str) -> None:
    site.install("acme", {"odd": "acme_odd"}, {"acme_odd": site.hook("tiergate_routers", body)})
    host = site.host()
    [line] = host.problems()
    assert line.startswith(
        "plugin odd (acme 1.0): tiergate_routers: must yield RouterDeclaration or return a list of them, "
    )
    assert fault in line
    assert host.plugins[0].status is PluginStatus.BROKEN


@pytest.mark.parametrize(
    ("declaration", "fault"),
    [
        (router(name="7"), "RouterDeclaration.name: 7 is not a name"),
        (router(name="'Any where'"), "RouterDeclaration.name: 'Any where' is not a name"),
        (router(name="''"), "RouterDeclaration.name: '' is not a name"),
        (router(name="'-x'"), "RouterDeclaration.name: '-x' is not a name"),
        (router(summary="None"), "RouterDeclaration.summary must be str, it is None"),
        (router(build="'dict'"), "RouterDeclaration.build must be callable, it is str"),
        (router(requires="['numpy']"), "RouterDeclaration.requires must be a tuple of Requirement"),
    ],
)
def test_a_declaration_with_a_wrong_field_is_refused(site: Any, declaration: str, fault: str) -> None:
    plugin = site.load(site.hook("tiergate_routers", f"yield {declaration}"))
    assert plugin.problems[0].hook == "tiergate_routers"
    assert fault in plugin.problems[0].cause
    assert plugin.declares == []


@pytest.mark.parametrize(
    ("arrivals", "faults"),
    [("dict", []), ("None", []), ("7", ["WorkloadDeclaration.arrivals must be callable, it is int"])],
)
def test_a_callable_that_is_optional_may_be_none_but_nothing_else(
    site: Any, arrivals: str, faults: list[str]
) -> None:
    declared = (
        "hooks.WorkloadDeclaration(name='some', summary='', sessions=dict, requests=dict,"
        f" arrivals={arrivals})"
    )
    plugin = site.load(site.hook("tiergate_workloads", f"yield {declared}"))
    assert [problem.cause for problem in plugin.problems] == faults


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (
            ("tiergate_routers", "yield", "config"),
            "tiergate_routers: takes no arguments, the plugin's asks for config",
        ),
        (("tiergate_routers", "yield", "*, a, b"), "asks for a, b"),
        (("tiergate_router", "yield"), "unknown hook 'tiergate_router' (did you mean 'tiergate_routers'?)"),
        (
            ("tiergate_routers", "yield", "", ""),
            "tiergate_routers: is not marked with tiergate.hooks.hookimpl",
        ),
        (
            ("tiergate_routers", "yield", "", "@hooks.hookimpl(wrapper=True)"),
            "tiergate_routers: must be a plain hookimpl",
        ),
        (("something_else", "yield", "", ""), "implements no hook; known: tiergate_operations"),
    ],
)
def test_a_hook_of_the_wrong_form_is_blamed(site: Any, source: tuple[str, ...], fault: str) -> None:
    plugin = site.load(site.hook(*source))
    [problem] = plugin.problems
    assert fault in str(problem)
    assert plugin.status is PluginStatus.BROKEN


def test_what_was_declared_before_a_hook_failed_can_be_used(site: Any) -> None:
    body = f"yield {router()}\n    raise SystemExit('enough')"
    site.install("acme", {"odd": "acme_odd"}, {"acme_odd": site.hook("tiergate_routers", body)})
    host = site.host()
    assert host.get(RouterDeclaration, "anywhere").summary == "x"
    assert host.plugins[0].status is PluginStatus.ACTIVE
    assert host.problems() == [
        "plugin odd (acme 1.0): tiergate_routers: failed: SystemExit: enough"
        " (tell the authors of acme, or leave it out with --no-plugin odd)"
    ]


def test_one_plugin_may_not_declare_a_name_twice(site: Any) -> None:
    body = f"yield {router()}\n    yield {router(summary=repr('second'))}"
    site.install("acme", {"odd": "acme_odd"}, {"acme_odd": site.hook("tiergate_routers", body)})
    host = site.host()
    assert host.get(RouterDeclaration, "anywhere").summary == "x"
    assert "router 'anywhere' is claimed by odd (acme 1.0) and by odd (acme 1.0)" in host.problems()[0]


def test_two_distributions_that_name_the_same_plugin_conflict(site: Any) -> None:
    for name in ("bolt", "acme"):
        site.install(name, {"same": f"{name}_same"}, {f"{name}_same": site.router(name)})
    host = site.host()
    assert [(plugin.distribution, plugin.status.value) for plugin in host.plugins] == [
        ("acme", "active"),
        ("bolt", "conflict"),
    ]
    assert host.names("router") == ["acme"]
    assert "choose another name, or uninstall it" in host.problems()[0]


def test_an_object_can_be_a_plugin(site: Any) -> None:
    source = """
    import tiergate.hooks as hooks


    class Plugin:
        @hooks.hookimpl
        def tiergate_routers(self):
            yield hooks.RouterDeclaration(name="mine", summary="x", build=dict)


    plugin = Plugin()
    """
    lines = [line[4:] for line in source.splitlines()]
    site.install("acme", {"object": "acme_object:plugin"}, {"acme_object": "\n".join(lines)})
    host = site.host()
    assert host.names("router") == ["mine"]
    assert host.plugin_of(RouterDeclaration, "mine").reference == "acme_object:plugin"


def test_an_entry_point_without_distribution_is_unknown_and_not_a_built_in(site: Any) -> None:
    site.install("acme", {"odd": "acme_odd"}, {"acme_odd": site.router("anywhere")})
    point = importlib.metadata.EntryPoint("lonely", "acme_odd", "tiergate")
    [plugin] = PluginHost(found=[point]).plugins
    assert (plugin.distribution, plugin.version, plugin.builtin) == ("unknown", "unknown", False)
    assert plugin.status is PluginStatus.ACTIVE


def test_an_unknown_name_offers_the_nearest(site: Any) -> None:
    site.install("acme", {"odd": "acme_odd"}, {"acme_odd": site.router("anywhere")})
    with pytest.raises(UsageError, match=r"unknown router 'anywere' .did you mean 'anywhere'"):
        site.host().get(RouterDeclaration, "anywere")
    with pytest.raises(UsageError, match=r"unknown store 'sqlite' .known: none"):
        site.host().get(StoreDeclaration, "sqlite")


def test_asking_for_what_is_unavailable_says_what_to_install(site: Any) -> None:
    need = "(hooks.Requirement('acme_heavy', 'acme[heavy]'),)"
    site.install(
        "acme",
        {"odd": "acme_odd"},
        {"acme_odd": site.hook("tiergate_routers", f"yield {router(requires=need)}")},
    )
    with pytest.raises(UsageError, match=r"router 'anywhere' is not available .pip install 'acme\[heavy\]'"):
        site.host().get(RouterDeclaration, "anywhere")


def test_a_broken_built_in_stops_a_run(site: Any) -> None:
    site.install("tiergate", {"routing-x": "acme_odd"}, {"acme_odd": "1 / 0"}, version="9")
    with pytest.raises(RunError, match="built-in plugin routing-x: cannot be loaded: ZeroDivisionError"):
        require_well(site.host())
    require_well(site.host(disabled=["routing-x"]))
