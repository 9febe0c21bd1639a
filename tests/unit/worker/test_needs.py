import pytest

from hatchet_worker import EnvironmentSecrets, Integration, MissingSecret, action
from hatchet_worker.needs import check_needs


class Slack(Integration):
    """Needs two secrets."""

    id = "slack"
    secrets = ("SLACK_TOKEN", "SLACK_COOKIE")

    @action("send")
    def send(self, data: dict[str, str]) -> None:
        """Do nothing."""


def test_what_is_missing_is_named_with_its_places() -> None:
    provider = EnvironmentSecrets(environment={"HATCHET_SECRET_SLACK_COOKIE": "crumbs"})

    with pytest.raises(MissingSecret) as caught:
        check_needs([Slack()], [provider])

    assert str(caught.value) == (
        "integration slack needs secret SLACK_TOKEN: "
        "set the environment variable HATCHET_SECRET_SLACK_TOKEN"
    )


def test_all_that_is_missing_is_named() -> None:
    with pytest.raises(MissingSecret, match=r"SLACK_TOKEN.*; .*SLACK_COOKIE"):
        check_needs([Slack()], [])


def test_nothing_is_missing() -> None:
    check_needs([Slack()], [lambda name: f"the value of {name}"])
