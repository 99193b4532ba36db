"""Topics, and records outside any group."""

from __future__ import annotations

import pytest

from figbridge.errors import Refused
from figbridge.ports import Log, Outgoing, TopicPartition

from .harness import Harness, everything, numbered, values


class TestTopics:
    def test_creating_a_topic_again_with_as_many_partitions_does_nothing(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic(3)
        log.append(numbered(topic, [1]))
        log.create(topic, 3)
        assert log.topics()[topic] == 3
        assert sum(len(part) for part in everything(log, topic).values()) == 1

    def test_a_topic_keeps_its_number_of_partitions(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic(3)
        with pytest.raises(Refused, match="3"):
            log.create(topic, 4)
        assert log.topics()[topic] == 3

    @pytest.mark.parametrize("partitions", [0, -1])
    def test_a_topic_has_at_least_one_partition(self, make_log: Harness, log: Log, partitions: int) -> None:
        name = make_log.name("topic")
        with pytest.raises(Refused):
            log.create(name, partitions)
        assert name not in log.topics()

    def test_every_handle_sees_a_topic_that_one_created(self, make_log: Harness, log: Log) -> None:
        other = make_log.open()
        other.topics()
        topic = make_log.topic(2)
        assert log.topics()[topic] == other.topics()[topic] == 2

    def test_the_end_is_after_the_last_record_and_zero_before_the_first(self, make_log: Harness, log: Log) -> None:
        topic, absent = make_log.topic(2), make_log.name("topic")
        first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
        assert log.ends([topic, absent]) == {first: 0, second: 0}
        log.append([Outgoing(topic, None, b"a", partition=1), Outgoing(topic, None, b"b", partition=1)])
        ends = log.ends([topic])
        assert ends[first] == 0
        assert ends[second] > log.read(second, 0, 10)[-1].offset


class TestAppend:
    def test_records_of_a_partition_keep_their_order_over_appends_and_handles(
        self, make_log: Harness, log: Log
    ) -> None:
        topic, other = make_log.topic(), make_log.open()
        log.append(numbered(topic, range(50)))
        other.append(numbered(topic, range(50, 70)))
        log.append(numbered(topic, range(70, 99)))
        (records,) = everything(log, topic).values()
        assert values(records) == [b"%d" % n for n in range(99)]
        offsets = [record.offset for record in records]
        assert offsets == sorted(set(offsets))

    def test_records_with_one_key_go_to_one_partition(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic(6)
        keys = [b"order-%d" % n for n in range(40)]
        log.append([Outgoing(topic, key, b"first") for key in keys])
        make_log.open().append([Outgoing(topic, key, b"second") for key in reversed(keys)])
        found = everything(log, topic)
        homes = {key: {p for p, part in found.items() for r in part if r.key == key} for key in keys}
        assert {len(home) for home in homes.values()} == {1}
        assert sum(1 for part in found.values() if part) > 1, "keys spread over partitions"

    @pytest.mark.parametrize(("key", "crc"), [(b"", 0), (b"23456", 0xB1B451D7), (b"hejsan", 0xD077037E)])
    def test_the_key_chooses_as_librdkafka_does(self, make_log: Harness, log: Log, key: bytes, crc: int) -> None:
        """CRC-32 of the key modulo the partitions; the numbers are those of librdkafka's own test 0048."""
        topic = make_log.topic(17)
        log.append([Outgoing(topic, key, b"v", timestamp=1)])
        assert [p for p, part in everything(log, topic).items() if part] == [crc % 17]

    def test_a_record_without_key_goes_to_the_first_partition(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic(5)
        log.append([Outgoing(topic, None, b"v", timestamp=1)] * 20)
        assert [p for p, part in everything(log, topic).items() if part] == [0]

    def test_a_record_may_name_its_partition(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic(4)
        log.append([Outgoing(topic, b"same", b"%d" % n, timestamp=1, partition=n) for n in range(4)])
        assert {p: values(part) for p, part in everything(log, topic).items()} == {n: [b"%d" % n] for n in range(4)}

    @pytest.mark.parametrize("key", [None, b"", b"\x00\xff", b"k" * 300])
    @pytest.mark.parametrize("value", [None, b"", b"\x00\xff", b"v" * 70_000])
    def test_key_value_headers_and_timestamp_survive(
        self, make_log: Harness, log: Log, key: bytes | None, value: bytes | None
    ) -> None:
        topic = make_log.topic()
        headers = (("a", b"1"), ("a", b"2"), ("none", None), ("empty", b""), ("ü", b"\xff\x00"))
        log.append([Outgoing(topic, key, value, headers, 1_700_000_000_123), Outgoing(topic, key, value, (), 1)])
        first, second = log.read(TopicPartition(topic, 0), 0, 10)
        assert (first.topic, first.partition) == (topic, 0)
        assert (first.key, first.value, first.headers, first.timestamp) == (key, value, headers, 1_700_000_000_123)
        assert (second.key, second.value, second.headers, second.timestamp) == (key, value, (), 1)

    @pytest.mark.parametrize("partition", [None, 0])
    def test_an_append_to_a_missing_topic_leaves_nothing_of_it(
        self, make_log: Harness, log: Log, partition: int | None
    ) -> None:
        topic, missing = make_log.topic(), make_log.name("topic")
        with pytest.raises(Refused, match=missing):
            log.append([*numbered(topic, range(3)), Outgoing(missing, b"k", b"v", partition=partition)])
        assert everything(log, topic) == {0: []}
        assert missing not in log.topics()

    @pytest.mark.parametrize("partition", [2, -1])
    def test_an_append_to_a_missing_partition_leaves_nothing_of_it(
        self, make_log: Harness, log: Log, partition: int
    ) -> None:
        topic = make_log.topic(2)
        with pytest.raises(Refused, match=topic):
            log.append([*numbered(topic, range(3)), Outgoing(topic, b"k", b"v", partition=partition)])
        assert everything(log, topic) == {0: [], 1: []}

    def test_an_append_of_nothing_does_nothing(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic()
        log.append([])
        assert everything(log, topic) == {0: []}


class TestRead:
    def test_reading_starts_at_the_offset_and_stops_at_the_limit(self, make_log: Harness, log: Log) -> None:
        topic = make_log.topic()
        log.append(numbered(topic, range(20)))
        place = TopicPartition(topic, 0)
        all_of_it = log.read(place, 0, 100)
        assert log.read(place, all_of_it[7].offset, 5) == all_of_it[7:12]
        assert log.read(place, all_of_it[-1].offset + 1, 5) == []

    def test_a_place_that_does_not_exist_has_no_records(self, make_log: Harness, log: Log) -> None:
        assert log.read(TopicPartition(make_log.name("topic"), 0), 0, 5) == []
        assert log.read(TopicPartition(make_log.topic(), 1), 0, 5) == []
