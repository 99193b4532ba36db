"""The same with Quix Streams, exactly-once, in an environment of its own: see measure.py."""

from __future__ import annotations

import sys
from pathlib import Path

from quixstreams import Application

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.kafka.task import BOOTSTRAP, COMMIT_S, CONSUMER, GROUP, LOGS, OUT, PRODUCER, changed, event

if __name__ == "__main__":
    app = Application(
        broker_address=BOOTSTRAP,
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_S,
        auto_create_topics=False,
        consumer_extra_config=dict(CONSUMER),
        producer_extra_config=dict(PRODUCER),
    )
    out = app.topic(OUT, key_serializer="bytes", value_serializer="json")
    for log in LOGS:
        rows = app.dataframe(app.topic(log, key_deserializer="bytes", value_deserializer="json"))
        rows.filter(changed).apply(event).to_topic(out)
    app.run()
