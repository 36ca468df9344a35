"""Where a demonstration keeps its files."""

import tempfile
from pathlib import Path

import pytest

from appliance.core.errors import ConfigError
from appliance.engine.together import with_settings
from appliance.hardware.demo_folder import demo_folder, fresh_demo_folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the demonstration of this test to itself."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("temporary")
def test_the_folder_is_empty_at_the_start_and_at_the_end() -> None:
    """Show that what a killed run left is gone, and that this run leaves nothing; fails when a journal survives."""
    demo_folder().mkdir()
    (demo_folder() / "state").mkdir()
    (demo_folder() / "state" / "journal.db").write_text("old")
    with fresh_demo_folder() as folder:
        assert folder == demo_folder()
        assert not (folder / "state").exists()
        (folder / "run").mkdir()
    assert not (demo_folder() / "run").exists()


@pytest.mark.usefixtures("temporary")
def test_a_second_run_at_a_time_gets_another_folder() -> None:
    """Show that two runs never share a folder; fails when the second empties the first's."""
    with fresh_demo_folder() as first:
        (first / "mine").touch()
        with fresh_demo_folder() as second:
            assert second != first
        assert (first / "mine").exists()
        assert not second.exists()


def test_a_link_in_its_place_is_refused(temporary: Path) -> None:
    """Show that a planted link is not followed; fails when files of somebody else would be emptied."""
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    demo_folder().symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="belongs to somebody else"), fresh_demo_folder():
        pass
    assert (elsewhere / "precious").exists()


def test_settings_are_replaced_only_where_they_stand_once() -> None:
    """Show that a text gets other values in place, and that a missing key is told; fails when one is silently added."""
    assert with_settings("[a]\nx = 1\ny = 2\n", {"x": "3"}) == "[a]\nx = 3\ny = 2\n"
    with pytest.raises(Exception, match="exactly once"):
        with_settings("[a]\ny = 2\n", {"x": "3"})
