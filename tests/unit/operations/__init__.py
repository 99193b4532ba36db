"""Use cases, on logs and stores in memory."""
