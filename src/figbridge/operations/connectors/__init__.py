"""Connectors in Kafka Connect: plan, apply, look, steer. Nothing here prints, and only `apply` and verbs change."""
