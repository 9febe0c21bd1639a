"""Slack: channels, messages and files, through Slack's own SDK."""

from hatchet_worker.integrations.slack.integration import Slack

__all__ = ["Slack"]
