"""The log and the state on Kafka: transactions, consumer groups and compacted changelogs. Knows confluent-kafka alone.

Start with session.py (one commit is one transaction), then member.py (which source logs this process holds).
"""
