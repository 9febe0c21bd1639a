"""Tests of workflow files, written in YAML: an event, and what is expected to come of it."""
