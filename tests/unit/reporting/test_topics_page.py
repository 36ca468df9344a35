"""The page about topics names everything that is published."""

import re
from pathlib import Path

import msgspec
import pytest

from appliance.reporting.mqtt import payloads, topics
from appliance.reporting.mqtt.payloads import Birth, Chain, Event, Payload, Recent, State, Summary
from appliance.reporting.mqtt.topics import Topics

PAGE = (Path(topics.__file__).parent / "TOPICS.md").read_text()


@pytest.mark.parametrize("payload", [Birth, Chain, Event, Recent, State, Summary])
def test_every_field_is_on_the_page(payload: type[Payload]) -> None:
    """Each field stands on the page in code marks; wrong if one were published that nobody can look up."""
    for field in msgspec.structs.fields(payload):
        assert f"`{field.name}`" in PAGE, field.name


def test_every_topic_is_on_the_page() -> None:
    """Each topic of the tree stands in the table; wrong if one were added without a word."""
    tree = Topics("", "…")
    for topic in (
        tree.availability,
        tree.birth,
        tree.state,
        tree.chain,
        tree.recent,
        tree.summary,
        tree.stop,
        "…/event/<kind>",
    ):
        assert f"| `{topic.removeprefix('/')}` |" in PAGE


def test_the_page_has_the_schema_s_version() -> None:
    """The version on the page is the one in the messages; wrong if a change of meaning were not told."""
    match = re.search(r"the version of this page \((\d+)\)", PAGE)
    assert match is not None
    assert int(match[1]) == payloads.SCHEMA_VERSION
