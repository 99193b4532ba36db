"""The pipeline, from records to committed verdicts."""
