"""Connector documents, `connect/<name>.yaml`: where a source is; what to capture of it follows from the mappings."""
