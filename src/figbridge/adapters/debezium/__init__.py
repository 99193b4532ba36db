"""Debezium's envelope: bytes of a record to what it says, never an exception."""
