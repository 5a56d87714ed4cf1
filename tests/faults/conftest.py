"""What the fault tests share: the package ``powerloss`` beside this file, stores, and places to work in."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tiergate.hooks import StoreDeclaration
from tiergate.plugins import PluginHost
from tiergate.store import Store, StoreAddress

# The recorded writer imports the package too, so it is one, and not a set of fixtures.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def open_at() -> Callable[[str], Store]:
    """Opens the store at an address."""
    host = PluginHost()

    def open_address(text: str) -> Store:
        address = StoreAddress.parse(text)
        return host.get(StoreDeclaration, address.scheme).open(address)

    return open_address


@pytest.fixture
def fast_folder() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of states are opened, and none has to survive."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="tiergate-", dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder) / "state"


@pytest.fixture
def strace() -> None:
    """Skips a test where strace is missing or may not trace."""
    from powerloss.recording import why_not

    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
