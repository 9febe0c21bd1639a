"""E-mail through a stand-in for SES, and through one that says what a test tells it to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.worker.integrations.aws.conftest import Scripted

from hatchet_worker import Context, InvalidInput, use_context
from hatchet_worker.integrations._aws import ACCESS_KEY_SECRETS
from hatchet_worker.integrations.ses import SES
from hatchet_worker.provider_errors import ProviderFailed, Refused, Throttled

EMAIL = {"to": "ada@example.com", "from": "us@example.org", "subject": "Grüße", "text": "Hi"}
REGION = "eu-west-1"


def sent(ses: SES, context: Context, verb: str = "send-email", **fields: Any) -> Any:
    data = {**EMAIL, **fields} if verb == "send-email" else fields
    with use_context(context):
        return ses.perform_action(verb, {k: v for k, v in data.items() if v is not None})


@pytest.fixture(scope="module")
def of_stand_in(moto_url: str) -> Iterator[SES]:
    """An integration that calls the stand-in; its client takes long to make."""
    ses = SES(secrets=ACCESS_KEY_SECRETS, region=REGION, endpoint_url=moto_url)
    yield ses
    ses._clients.close()


@pytest.fixture(scope="module")
def of_scripted(scripted_server: Scripted) -> Iterator[SES]:
    """An integration that calls the scripted server."""
    ses = SES(secrets=ACCESS_KEY_SECRETS, region=REGION, endpoint_url=scripted_server.url)
    yield ses
    ses._clients.close()


@pytest.fixture
def ses(scripted: Scripted, of_scripted: SES) -> SES:
    """The same, without defaults, and with a server that has been asked nothing."""
    of_scripted.sender = of_scripted.template = of_scripted.configuration_set = None
    return of_scripted


def test_an_email_is_taken_from_a_verified_sender_alone(
    moto_url: str, aws_context: Context, of_stand_in: SES
) -> None:
    with pytest.raises(Refused, match="ses: 400 MessageRejected"):
        sent(of_stand_in, aws_context, **{"from": "nobody@example.net"})
    client = of_stand_in._clients.client(aws_context)
    client.create_email_identity(EmailIdentity="us@example.org")

    assert sent(of_stand_in, aws_context).message_id


def test_all_of_an_email_is_told(scripted: Scripted, aws_context: Context, ses: SES) -> None:
    scripted.says(200, {"MessageId": "m-1"})
    ses.configuration_set = "events"

    answer = sent(
        ses,
        aws_context,
        to=["a@example.com", "Bob <b@example.com>"],
        cc="c@example.com",
        bcc="d@example.com",
        reply_to="e@example.com",
        html="<p>Hi</p>",
        tags={"kind": "greeting"},
    )

    assert answer.message_id == "m-1"
    assert scripted.asked == [
        (
            "POST",
            "/v2/email/outbound-emails",
            {
                "FromEmailAddress": "us@example.org",
                "Destination": {
                    "ToAddresses": ["a@example.com", "Bob <b@example.com>"],
                    "CcAddresses": ["c@example.com"],
                    "BccAddresses": ["d@example.com"],
                },
                "ReplyToAddresses": ["e@example.com"],
                "Content": {
                    "Simple": {
                        "Subject": {"Data": "Grüße", "Charset": "UTF-8"},
                        "Body": {
                            "Text": {"Data": "Hi", "Charset": "UTF-8"},
                            "Html": {"Data": "<p>Hi</p>", "Charset": "UTF-8"},
                        },
                    }
                },
                "EmailTags": [{"Name": "kind", "Value": "greeting"}],
                "ConfigurationSetName": "events",
            },
        )
    ]


@pytest.mark.parametrize(
    ("template", "named"),
    [("welcome", "TemplateName"), ("arn:aws:ses:eu-west-1:1:template/welcome", "TemplateArn")],
)
def test_a_template_gets_its_values(
    scripted: Scripted, aws_context: Context, ses: SES, template: str, named: str
) -> None:
    scripted.says(200, {"MessageId": "m-1"})
    ses.sender, ses.template = "us@example.org", template

    sent(ses, aws_context, "email-from-template", firstName="Ada", email="ada@example.com")

    [(_, _, body)] = scripted.asked
    assert body["FromEmailAddress"] == "us@example.org"
    assert body["Destination"]["ToAddresses"] == ["ada@example.com"]
    assert body["Content"]["Template"] == {
        named: template,
        "TemplateData": '{"email":"ada@example.com","firstName":"Ada"}',
    }


@pytest.mark.parametrize(
    ("status", "code", "raised"),
    [
        (429, "TooManyRequestsException", Throttled),
        (400, "MailFromDomainNotVerifiedException", Refused),
        (400, "SendingPausedException", Refused),
        (404, "NotFoundException", Refused),
        (500, "InternalFailure", ProviderFailed),
    ],
)
def test_errors_are_sorted_and_asked_for_once(
    scripted: Scripted,
    aws_context: Context,
    ses: SES,
    status: int,
    code: str,
    raised: type[Exception],
) -> None:
    scripted.says(status, {"message": "so it is"}, x_amzn_ErrorType=code)

    with pytest.raises(raised, match=f"ses: {status} {code}: so it is"):
        sent(ses, aws_context)

    assert len(scripted.asked) == 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"from": None}, "from: Field required; or .* HATCHET_SES_SENDER"),
        ({"to": "nobody"}, "expected an e-mail address"),
        ({"subject": "a\r\nBcc: b@example.com"}, "subject: .*expected one line"),
        ({"text": None}, "expected text or html"),
        ({"subjekt": "x"}, "subjekt: Extra inputs"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(
    scripted: Scripted, aws_context: Context, ses: SES, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        sent(ses, aws_context, **fields)

    assert scripted.asked == []
