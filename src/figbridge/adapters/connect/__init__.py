"""Kafka Connect: its REST API, the configurations it is given, and the topics and databases around it."""
