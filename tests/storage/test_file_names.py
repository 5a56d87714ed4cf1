"""File names for session ids: one each, inside the folder, on any file system."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiergate.testing import AWKWARD_TEXTS
from tiergate_plugins.storage.file_names import file_name, session_id_of

IDS = st.text(max_size=80) | st.sampled_from([*AWKWARD_TEXTS.values(), "con", "CON", "~", "%41", "a.json"])


@settings(deadline=None, max_examples=200)
@given(st.lists(IDS, max_size=8, unique=True))
def test_no_two_ids_share_a_name_however_a_file_system_compares(ids: list[str]) -> None:
    names = [file_name(session_id) for session_id in ids]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names}) == len(ids)


@settings(deadline=None, max_examples=200)
@given(IDS)
def test_a_name_stays_in_its_folder_and_leads_back(session_id: str) -> None:
    name = file_name(session_id)
    assert name.isascii()
    assert name.isprintable()
    assert len(name) < 255
    assert not set(name) & set('/\\:*?"<>| ')
    assert not name.startswith(".")
    assert session_id_of(name) in (session_id, None)


def test_short_ids_can_be_read() -> None:
    assert file_name("session-2025-12-28") == "session-2025-12-28.json"
    assert file_name("bd-1.2/A") == "bd-1%2e2%2f%41.json"
    assert file_name("") == "~.json"


def test_long_ids_are_told_apart() -> None:
    first, second = "x" * 1000, "x" * 999 + "y"
    assert file_name(first) != file_name(second)
    assert session_id_of(file_name(first)) is None
    assert len(file_name("\N{ROCKET}" * 1000)) < 255


@pytest.mark.parametrize(
    "name", ["A.json", "%4A.json", "%61.json", "%ff.json", "%.json", "~x.json", " .json", ".json"]
)
def test_names_of_no_session(name: str) -> None:
    with pytest.raises(ValueError, match="is not the file name of a session"):
        session_id_of(name)
