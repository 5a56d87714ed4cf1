"""The contract suite for stores."""

from __future__ import annotations

from tiergate.testing.store_lifetime import LifetimeChecks
from tiergate.testing.store_queries import QueryChecks
from tiergate.testing.store_sessions import SessionChecks


class StoreContract(SessionChecks, QueryChecks, LifetimeChecks):
    """Every method and error of `tiergate.store.Store`, tested against one implementation.

    Subclass it, and override the fixture ``declaration``; also ``address`` when your store does not live
    at a path. A capability that the declaration lacks must raise `Unsupported` when it is asked for::

        class TestMyStore(StoreContract):
            @pytest.fixture
            def declaration(self) -> StoreDeclaration:
                return MY_STORE
    """
