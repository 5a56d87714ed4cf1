"""What a person sees of plugins that are broken, conflicting, disabled or unavailable."""

from __future__ import annotations

import json
from typing import Any

import pytest

MISSING = "(Requirement('acme_heavy', 'acme[heavy]'),)"


def test_a_plugin_of_another_distribution_is_listed_like_a_built_in(site: Any) -> None:
    site.install("acme", {"acme-routing": "acme_routing"}, {"acme_routing": site.router("anywhere")})
    done = site.run("plugins", "list")
    assert done.returncode == 0
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["NAME", "KIND", "VERSION", "DISTRIBUTION", "STATUS", "DECLARES"]
    assert ["acme-routing", "router", "1.0", "acme", "active", "anywhere"] in [row.split() for row in rows]
    assert any(row.split()[:1] == ["routing-shared-queue"] for row in rows)
    assert not done.stderr


def test_a_broken_plugin_is_shown_with_its_cause_and_the_rest_goes_on(site: Any) -> None:
    site.install("acme", {"acme-broken": "acme_broken"}, {"acme_broken": "import acme_nowhere\n"})
    done = site.run("plugins", "list")
    assert done.returncode == 0
    assert (
        "plugin acme-broken (acme 1.0): cannot be loaded: ModuleNotFoundError: No module named 'acme_nowhere'"
        " (install 'acme_nowhere', or leave it out with --no-plugin acme-broken)" in done.stdout
    )
    listed = site.listed()
    assert listed["acme-broken@acme"]["status"] == "broken"
    assert listed["routing-shared-queue@tiergate"]["status"] == "active"


def test_check_names_distribution_hook_cause_and_remedy(site: Any) -> None:
    source = site.hook("tiergate_routers", "raise ValueError('no such\\n   table')")
    site.install("acme", {"acme-broken": "acme_broken"}, {"acme_broken": source})
    done = site.run("plugins", "check")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    at = lines.index("acme-broken (acme 1.0): tiergate_routers: failed: ValueError: no such table")
    assert (
        lines[at + 1]
        == "    what to do: tell the authors of acme, or leave it out with --no-plugin acme-broken"
    )
    assert lines[-1].endswith("plugins have problems.")


def test_check_as_json_says_whether_all_is_well(site: Any) -> None:
    site.install("acme", {"acme-broken": "acme_broken"}, {"acme_broken": "raise SystemExit(7)\n"})
    done = site.run("plugins", "check", "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["ok"] is False
    [broken] = [plugin for plugin in document["plugins"] if plugin["name"] == "acme-broken"]
    assert broken["problems"] == [
        {
            "cause": "cannot be loaded: SystemExit: 7",
            "hook": None,
            "advice": "tell the authors of acme, or leave it out with --no-plugin acme-broken",
        }
    ]


def test_an_outsider_that_claims_the_name_of_a_built_in_plugin_is_not_loaded(site: Any) -> None:
    site.install(
        "acme", {"routing-shared-queue": "acme_usurper"}, {"acme_usurper": "raise RuntimeError('usurped')\n"}
    )
    done = site.run("plugins", "list")
    assert done.returncode == 0
    assert (
        "the name 'routing-shared-queue' is claimed by tiergate 0.1.0 and by acme 1.0; tiergate keeps it"
        in (done.stdout)
    )
    assert "usurped" not in done.stdout
    listed = site.listed()
    assert listed["routing-shared-queue@acme"]["status"] == "conflict"
    assert listed["routing-shared-queue@tiergate"]["status"] == "active"


def test_an_outsider_that_claims_what_a_built_in_declares_does_not_get_it(site: Any) -> None:
    site.install("acme", {"aaa-first": "acme_queue"}, {"acme_queue": site.router("shared-queue")})
    done = site.run("plugins", "check")
    assert done.returncode == 1
    assert (
        "aaa-first (acme 1.0): tiergate_routers: router 'shared-queue' is claimed by routing-shared-queue"
        " (tiergate 0.1.0) and by aaa-first (acme 1.0); routing-shared-queue keeps it" in done.stdout
    )
    assert "leave one out: --no-plugin routing-shared-queue or --no-plugin aaa-first" in done.stdout
    assert site.listed()["aaa-first@acme"]["status"] == "conflict"


def test_an_outsider_that_claims_a_built_in_store_scheme_does_not_get_it(site: Any) -> None:
    source = site.hook(
        "tiergate_stores", "yield hooks.StoreDeclaration(name='sqlite', summary='', open=dict)"
    )
    site.install("acme", {"acme-sqlite": "acme_sqlite"}, {"acme_sqlite": source})
    done = site.run("plugins", "list")
    assert (
        "plugin acme-sqlite (acme 1.0): tiergate_stores: store 'sqlite' is claimed by storage-sqlite"
        " (tiergate 0.1.0) and by acme-sqlite (acme 1.0); storage-sqlite keeps it" in done.stdout
    )


def test_a_built_in_that_is_left_out_makes_room_for_another(site: Any) -> None:
    site.install("acme", {"aaa-first": "acme_queue"}, {"acme_queue": site.router("shared-queue")})
    listed = site.listed("--no-plugin", "routing-shared-queue")
    assert listed["routing-shared-queue@tiergate"]["status"] == "disabled"
    assert listed["aaa-first@acme"]["status"] == "active"


def test_of_two_outsiders_the_first_by_distribution_keeps_the_name(site: Any) -> None:
    site.install("acme", {"z-plugin": "acme_router"}, {"acme_router": site.router("anywhere")})
    site.install("bolt", {"a-plugin": "bolt_router"}, {"bolt_router": site.router("anywhere")})
    done = site.run("plugins", "list")
    assert (
        "plugin a-plugin (bolt 1.0): tiergate_routers: router 'anywhere' is claimed by z-plugin (acme 1.0)"
        " and by a-plugin (bolt 1.0); z-plugin keeps it" in done.stdout
    )
    listed = site.listed()
    assert (listed["z-plugin@acme"]["status"], listed["a-plugin@bolt"]["status"]) == ("active", "conflict")


@pytest.mark.parametrize(
    ("words", "variables", "configuration"),
    [
        (["--no-plugin", "acme-broken"], {}, ""),
        (["--no-plugin=acme-broken"], {}, ""),
        ([], {"TIERGATE_DISABLE_PLUGINS": " other-one, acme-broken"}, ""),
        ([], {}, "disable_plugins = ['acme-broken']"),
    ],
)
def test_a_plugin_that_is_left_out_is_not_even_imported(
    site: Any, words: list[str], variables: dict[str, str], configuration: str
) -> None:
    source = "import pathlib\npathlib.Path('imported').touch()\nraise SystemExit\n"
    site.install("acme", {"acme-broken": "acme_broken"}, {"acme_broken": source})
    (site.home / "tiergate.toml").write_text(configuration)
    plugin = site.listed(*words, **variables)["acme-broken@acme"]
    assert (plugin["status"], plugin["problems"]) == ("disabled", [])
    assert not (site.home / "imported").exists()


def test_a_name_to_leave_out_that_nobody_has_gets_a_suggestion(site: Any) -> None:
    done = site.run("plugins", "list", "--no-plugin", "routing-orcale")
    assert done.returncode == 0
    assert "cannot leave out 'routing-orcale': unknown plugin" in done.stdout
    assert "did you mean 'routing-oracle'?" in done.stdout


def test_a_plugin_without_its_extra_is_unavailable_and_says_what_to_install(site: Any) -> None:
    site.install("acme", {"acme-extra": "acme_extra"}, {"acme_extra": site.router("heavy", requires=MISSING)})
    done = site.run("plugins", "list")
    assert done.returncode == 0
    assert (
        "router heavy of acme-extra (acme 1.0) is unavailable: run `pip install 'acme[heavy]'`" in done.stdout
    )
    plugin = site.listed()["acme-extra@acme"]
    assert plugin["status"] == "unavailable"
    assert plugin["declares"][0]["missing"] == "pip install 'acme[heavy]'"
    assert plugin["problems"] == []


def test_an_extra_that_is_not_installed_is_no_problem_for_check(site: Any) -> None:
    site.install("acme", {"acme-extra": "acme_extra"}, {"acme_extra": site.router("heavy", requires=MISSING)})
    document = json.loads(site.run("plugins", "check", "--json").stdout)
    unwell = {plugin["name"] for plugin in document["plugins"] if plugin["problems"]}
    assert "acme-extra" not in unwell
    assert document["ok"] is (not unwell)


def test_what_a_plugin_prints_does_not_spoil_the_json(site: Any) -> None:
    source = "print('hello')\n" + site.router("chatty")
    site.install("acme", {"acme-chatty": "acme_chatty"}, {"acme_chatty": source})
    done = site.run("plugins", "list", "--json")
    assert json.loads(done.stdout)["schema"] == "tiergate.plugins/1"
    assert done.stderr == "hello\n"


def test_damaged_metadata_of_one_distribution_does_not_hide_the_others(site: Any) -> None:
    site.install("acme", {"acme-routing": "acme_routing"}, {"acme_routing": site.router("anywhere")})
    site.install("bolt", {}, {})
    [entry_points] = site.folder.glob("bolt-*/entry_points.txt")
    entry_points.write_text("[tiergate]\nno equals sign here\n")
    done = site.run("plugins", "list")
    assert done.returncode == 0
    assert "entry points of bolt 1.0 cannot be read" in done.stdout
    assert site.listed()["acme-routing@acme"]["status"] == "active"


def test_an_installation_that_is_found_twice_is_listed_once(site: Any) -> None:
    site.install("acme", {"acme-routing": "acme_routing"}, {"acme_routing": site.router("anywhere")})
    twice = site.folder.parent / "twice"
    twice.mkdir()
    for info in site.folder.glob("*.dist-info"):
        copy = twice / info.name
        copy.mkdir()
        for file in info.iterdir():
            (copy / file.name).write_text(file.read_text())
    done = site.run("plugins", "list", PYTHONPATH=f"{site.folder}:{twice}")
    assert done.stdout.count("acme-routing") == 1


def test_a_narrow_terminal_gets_a_block_per_plugin(site: Any) -> None:
    site.install("acme", {"acme-routing": "acme_routing"}, {"acme_routing": site.router("anywhere")})
    done = site.run("plugins", "list", "--no-plugin", "none", COLUMNS="40")
    lines = done.stdout.splitlines()
    at = lines.index("acme-routing")
    assert lines[at + 1 : at + 6] == [
        "  kind: router",
        "  version: 1.0",
        "  distribution: acme",
        "  status: active",
        "  declares: anywhere",
    ]


def test_every_built_in_plugin_is_active(site: Any) -> None:
    states = {name: plugin["status"] for name, plugin in site.listed().items()}
    assert len(states) >= 15
    # Peers of the benchmarks are an extra that nobody needs to run the tests.
    not_active = {name: status for name, status in states.items() if status != "active"}
    areas = ("flow", "storage", "pool", "reconcile")
    assert not_active.keys() <= {f"benchmarks-{area}@tiergate" for area in areas}
    assert set(not_active.values()) <= {"unavailable"}


def test_in_strict_mode_a_broken_plugin_stops_a_command_and_listing_goes_on(site: Any) -> None:
    site.install("acme", {"acme-broken": "acme_broken"}, {"acme_broken": "import acme_nowhere\n"})
    words = ("sessions", "list", "sqlite:none.db?mode=ro")
    loose = site.run(*words)
    assert "warning: plugin acme-broken" in loose.stderr
    strict = site.run(*words, TIERGATE_PLUGINS_STRICT="1")
    assert strict.returncode == 2
    [line] = strict.stderr.splitlines()
    assert line.startswith("tiergate: error: plugin acme-broken (acme 1.0): cannot be loaded")
    assert line.endswith("(mend it, or unset TIERGATE_PLUGINS_STRICT)")
    assert site.run("plugins", "list", TIERGATE_PLUGINS_STRICT="1").returncode == 0


def test_in_safe_mode_only_built_in_plugins_are_loaded(site: Any) -> None:
    site.install("acme", {"acme-evil": "acme_evil"}, {"acme_evil": "raise SystemExit('imported')\n"})
    done = site.run("plugins", "list", TIERGATE_PLUGINS_SAFE="1")
    assert done.returncode == 0
    assert "acme-evil" not in done.stdout
    assert "not loaded (TIERGATE_PLUGINS_SAFE=1): 1 plugin of other packages" in done.stdout
    assert "routing-shared-queue" in done.stdout
    both = site.run("bench", TIERGATE_PLUGINS_SAFE="1", TIERGATE_PLUGINS_STRICT="1")
    assert both.returncode == 0


@pytest.mark.parametrize("variable", ["TIERGATE_PLUGINS_SAFE", "TIERGATE_PLUGINS_STRICT"])
def test_a_switch_is_one_or_nought(site: Any, variable: str) -> None:
    done = site.run("load", "--rate", "5", **{variable: "yes"})
    assert done.returncode == 2
    assert f"environment {variable}: must be 1 or 0, not 'yes'" in done.stderr
