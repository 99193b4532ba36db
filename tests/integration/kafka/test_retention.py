"""What the bridge says stays: brokers delete by the time of the source's commit, which may be long ago."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import ConfigResource

from .conftest import Scene

pytestmark = pytest.mark.sandbox


def test_a_topic_that_the_log_makes_keeps_records_of_any_age(scene: Scene) -> None:
    """With the brokers' default of a week, events of a transaction of last month would be deleted within minutes."""
    topic = f"old-{scene.run}"
    scene.open().create(topic)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    (found,) = scene.admin.describe_configs([resource]).values()
    settings = found.result(30)
    assert settings["retention.ms"].value == "-1"
    assert settings["cleanup.policy"].value == "delete"
