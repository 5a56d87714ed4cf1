"""Where the values of the configuration come from, and what is said of wrong ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiergate.config import Config, resolve, variable_of
from tiergate.errors import UsageError

TIERS = "tiers must be numbers of workers, at least 1, for hot, warm and cold"


def write(folder: Path, text: str, name: str = "tiergate.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def failure(folder: Path, environment: Mapping[str, str] | None = None, **overrides: object) -> str:
    with pytest.raises(UsageError) as caught:
        resolve(folder, environment or {}, overrides)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    resolved = resolve(tmp_path, {}, {})
    assert resolved.config == Config()
    assert set(resolved.origins.values()) == {"default"}
    assert (resolved.file, resolved.notes) == (None, ())
    assert resolved.config.budgets == {
        "by_length.short.response_ms.p95": "< 100 ms",
        "tier_accuracy.balanced_accuracy": "> 0.9",
        "requests.lost": "= 0",
    }


def test_command_line_over_environment_over_file_over_default(tmp_path: Path) -> None:
    write(tmp_path, "[tool.tiergate]\nseed = 2\neffort = 'quick'\nrouter = 'a'\n", "pyproject.toml")
    environment = {"TIERGATE_SEED": "3", "TIERGATE_EFFORT": "thorough"}
    resolved = resolve(tmp_path, environment, {"seed": 4, "store": None, "routers": ()})
    config, origins = resolved.config, resolved.origins
    assert (config.seed, origins["seed"]) == (4, "command line")
    assert (config.effort, origins["effort"]) == ("thorough", "environment TIERGATE_EFFORT")
    assert (config.router, origins["router"]) == ("a", "pyproject.toml")
    assert (config.store, origins["store"]) == ("sqlite:", "default")
    assert (config.routers, origins["routers"]) == (Config().routers, "default")


def test_the_nearest_folder_upwards_counts_and_its_origin_leads_there(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    write(tmp_path, "seed = 1\n")
    path = write(tmp_path / "a", "[tool.tiergate]\nseed = 2\n", "pyproject.toml")
    write(below, "[tool.other]\n", "pyproject.toml")
    resolved = resolve(below, {}, {})
    assert (resolved.config.seed, resolved.origins["seed"], resolved.file) == (2, "../pyproject.toml", path)


def test_of_two_files_in_a_folder_the_own_one_is_used_and_a_note_says_so(tmp_path: Path) -> None:
    own = write(tmp_path, "seed = 5\n")
    write(tmp_path, "[tool.tiergate]\nseed = 6\nrouter = 'a'\n", "pyproject.toml")
    resolved = resolve(tmp_path, {}, {})
    assert (resolved.config.seed, resolved.config.router) == (5, "size-heuristic")
    assert resolved.notes == (f"{own}: is used; [tool.tiergate] of pyproject.toml beside it is not",)


def test_a_pyproject_of_others_is_not_read_whatever_is_wrong_with_it(tmp_path: Path) -> None:
    write(tmp_path, "[tool.other\n", "pyproject.toml")
    assert resolve(tmp_path, {}, {}).file is None


def test_lists_and_tables_can_stand_in_variables(tmp_path: Path) -> None:
    environment = {
        "TIERGATE_ROUTERS": "oracle, shared-queue",
        "TIERGATE_TIERS": "hot=4, cold=3",
        "TIERGATE_BUDGETS": "requests.lost=< 3,response_ms.p50=< 10 ms",
        "TIERGATE_POOL": "",
    }
    resolved = resolve(tmp_path, environment, {})
    assert resolved.config.routers == ["oracle", "shared-queue"]
    assert resolved.config.tiers == {"hot": 4, "warm": 1, "cold": 3}
    assert resolved.config.budgets["requests.lost"] == "< 3"
    assert resolved.config.budgets["tier_accuracy.balanced_accuracy"] == "> 0.9"
    assert resolved.origins["tiers.hot"] == "environment TIERGATE_TIERS"
    assert resolved.origins["tiers.warm"] == "default"
    assert resolved.origins["tiers"] == "environment TIERGATE_TIERS, default"
    assert resolved.origins["pool"] == "default"


def test_a_dotted_metric_need_not_be_quoted_and_an_empty_budget_drops_it(tmp_path: Path) -> None:
    write(tmp_path, "[budgets]\nrequests.lost = '< 3'\n'tier_accuracy.balanced_accuracy' = ''\n")
    resolved = resolve(tmp_path, {}, {})
    assert resolved.config.budgets == {
        "by_length.short.response_ms.p95": "< 100 ms",
        "requests.lost": "< 3",
    }
    assert resolved.origins["budgets.requests.lost"] == "tiergate.toml"
    assert "budgets.tier_accuracy.balanced_accuracy" not in resolved.origins


def test_plugins_that_are_switched_off_anywhere_are_off(tmp_path: Path) -> None:
    write(tmp_path, "disable_plugins = ['a', 'b']\n")
    resolved = resolve(tmp_path, {"TIERGATE_DISABLE_PLUGINS": "b,c"}, {"disable_plugins": ("d",)})
    assert resolved.config.disable_plugins == ["a", "b", "c", "d"]
    assert resolved.origins["disable_plugins"] == (
        "tiergate.toml, environment TIERGATE_DISABLE_PLUGINS, command line"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed = 1", "tiergate.toml: unknown key 'sed' (did you mean 'seed'?)"),
        ("offered-load = 0.1", "tiergate.toml: unknown key 'offered-load' (did you mean 'offered_load'?)"),
        ("seed = 'x'", "tiergate.toml: seed must be a whole number, at least 0, not 'x'"),
        ("seed = 1.5", "tiergate.toml: seed must be a whole number, at least 0, not 1.5"),
        ("seed = true", "tiergate.toml: seed must be a whole number, at least 0, not True"),
        ("seed = -1", "tiergate.toml: seed must be a whole number, at least 0, not -1"),
        ("offered_load = 1", "tiergate.toml: offered_load must be a number above 0 and below 1, not 1"),
        ("offered_load = nan", "tiergate.toml: offered_load must be a number above 0 and below 1, not nan"),
        ("deadline_s = inf", "tiergate.toml: deadline_s must be seconds, above 0 and at most 86400, not inf"),
        ("effort = 'fast'", "tiergate.toml: effort must be quick, default or thorough, not 'fast'"),
        ("inconclusive = 1", "tiergate.toml: inconclusive must be fail, warn or pass, not 1"),
        ("routers = 'oracle'", "tiergate.toml: routers must be a list of at least one name, not 'oracle'"),
        ("routers = []", "tiergate.toml: routers must be a list of at least one name, not []"),
        ("store = ''", "tiergate.toml: store must be a text, not ''"),
        (
            "tiers = 3",
            f"tiergate.toml: {TIERS}, not 3",
        ),
        ("tiers.hott = 3", "tiergate.toml: tiers: unknown tier 'hott' (did you mean 'hot'?)"),
        (
            "tiers.hot = 0",
            f"tiergate.toml: {TIERS}, not {{'hot': 0}}",
        ),
        (
            "budgets.a.b = 3",
            "tiergate.toml: budgets must be texts such as '< 100 ms' by metric, not {'a': {'b': 3}}",
        ),
    ],
)
def test_a_wrong_key_or_value_says_where_it_stands_and_what_was_expected(
    tmp_path: Path, text: str, message: str
) -> None:
    write(tmp_path, text)
    assert failure(tmp_path) == message


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        (
            "TIERGATE_SEED",
            "one",
            "environment TIERGATE_SEED: seed must be a whole number, at least 0, not 'one'",
        ),
        (
            "TIERGATE_TIERS",
            "hot",
            "environment TIERGATE_TIERS: 'hot' is not name=value (write name=value,name=value)",
        ),
        (
            "TIERGATE_TIERS",
            "hot=many",
            f"environment TIERGATE_TIERS: {TIERS}, not {{'hot': 'many'}}",
        ),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, text: str, message: str) -> None:
    assert failure(tmp_path, {variable: text}) == message


def test_a_wrong_option_is_named(tmp_path: Path) -> None:
    assert failure(tmp_path, seed="x") == "command line: seed must be a whole number, at least 0, not 'x'"
    assert failure(tmp_path, sead=1).startswith("command line: unknown key 'sead'")


def test_a_syntax_error_names_file_line_and_column(tmp_path: Path) -> None:
    path = write(tmp_path, "seed = 1\nrouter = \n")
    assert failure(tmp_path) == f"{path}: is not valid TOML: Invalid value (at line 2, column 10)"


def test_other_unreadable_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "tiergate.toml"
    path.write_bytes(b"seed = 1 # \xff\n")
    assert failure(tmp_path) == f"{path}: is not UTF-8 at byte 11"
    path.unlink()
    path.symlink_to(path)
    assert failure(tmp_path).startswith(f"{path}: cannot read the configuration: ")
    path.unlink()
    shared = write(tmp_path, "[tool]\ntiergate = 3\n", "pyproject.toml")
    assert failure(tmp_path) == f"{shared}: tool.tiergate must be a table (write [tool.tiergate])"


def test_variables_that_look_like_a_key_are_noted_and_others_are_left_alone(tmp_path: Path) -> None:
    environment = {
        "TIERGATE_SEEDS": "3",
        "TIERGATE_TEST_DATA": "/data",
        "TIERGATE_DEBUG": "1",
        "TIERGATE_TOKEN": "what mcp config lets clients send",
        "TIERGATE_SOMETHING_ELSE": "1",
        "SEED": "9",
    }
    resolved = resolve(tmp_path, environment, {})
    assert resolved.config == Config()
    assert resolved.notes == ("environment TIERGATE_SEEDS: no such key; did you mean TIERGATE_SEED?",)


WORDS = st.text("abcdefghijklmnopqrstuvwxyz-0123456789:/._", min_size=1, max_size=12)
CONFIGS = st.builds(
    Config,
    store=WORDS,
    router=WORDS,
    routers=st.lists(WORDS, min_size=1, max_size=4),
    workload=WORDS,
    seed=st.integers(0, 2**62),
    effort=st.sampled_from(["quick", "default", "thorough"]),
    offered_load=st.floats(0, 1, exclude_min=True, exclude_max=True),
    pool=WORDS,
    deadline_s=st.floats(0, 86_400, exclude_min=True),
    inconclusive=st.sampled_from(["fail", "warn", "pass"]),
    disable_plugins=st.lists(WORDS, max_size=3, unique=True),
    tiers=st.fixed_dictionaries({name: st.integers(1, 99) for name in ("hot", "warm", "cold")}),
    budgets=st.dictionaries(
        st.text("abcdef", min_size=1, max_size=8), st.sampled_from(["< 1 ms", "= 0", "> 0.9", "<= 3"])
    ).map(lambda budgets: {**Config().budgets, **budgets}),
)


def toml(config: Config) -> str:
    """A string and a list are written in TOML as in JSON."""
    lines = []
    for key, value in msgspec.structs.asdict(config).items():
        if isinstance(value, dict):
            lines += [f"{key}.{json.dumps(name)} = {json.dumps(part)}" for name, part in value.items()]
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines)


def variables(config: Config) -> dict[str, str]:
    texts = {}
    for key, value in msgspec.structs.asdict(config).items():
        match value:
            case dict():
                texts[variable_of(key)] = ",".join(f"{name}={part}" for name, part in value.items())
            case list():
                texts[variable_of(key)] = ",".join(value)
            case _:
                texts[variable_of(key)] = str(value)
    return texts


@given(CONFIGS)
def test_whatever_is_written_to_a_file_or_to_variables_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, config: Config
) -> None:
    folder = tmp_path_factory.mktemp("config")
    assert resolve(folder, variables(config), {}).config == config
    write(folder, toml(config))
    resolved = resolve(folder, {}, {})
    assert resolved.config == config
    assert {origin for key, origin in resolved.origins.items() if key != "disable_plugins"} == {
        "tiergate.toml"
    }
    assert resolve(folder, {}, msgspec.structs.asdict(Config(seed=7))).config.seed == 7
