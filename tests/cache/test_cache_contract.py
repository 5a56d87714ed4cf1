"""The built-in cache keeps the contract in front of every built-in store."""

from __future__ import annotations

import inspect

import pytest

from tiergate.hooks import CacheDeclaration, StoreDeclaration
from tiergate.plugins import PluginHost
from tiergate.store import Store
from tiergate.store_front import StoreFront
from tiergate.testing import CacheContract
from tiergate_plugins.cache.cached_store import CachedStore

HOST = PluginHost()


@pytest.mark.parametrize("behind", HOST.names("store"), indirect=True)
class TestZstd(CacheContract):
    @pytest.fixture
    def cache(self) -> CacheDeclaration:
        return HOST.get(CacheDeclaration, "zstd")

    @pytest.fixture
    def behind(self, request: pytest.FixtureRequest) -> StoreDeclaration:
        return HOST.get(StoreDeclaration, request.param)


def test_no_method_of_a_store_is_left_to_its_slow_default() -> None:
    methods = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}
    assert methods - {"once"} <= vars(StoreFront).keys()  # `once` is made of others
    assert issubclass(CachedStore, StoreFront)
