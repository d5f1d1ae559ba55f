"""What SES tells of a mail it received: the event, member by member.

Stands for: what functions and topics are sent. AWS pages: *Example event record sent to Lambda function*
(SES), *Contents of notifications for Amazon SES email receiving*.
Leaves out: the headers that SES puts on top of a mail's own, but Return-Path; headers of a mail whose
headers are larger than 10 KB (``headersTruncated``); the time that processing takes.

Nobody filters spam here. The agreed test texts are found, GTUBE (spam) and EICAR (a virus); all else
passes, and nothing is looked at in a rule without ``ScanEnabled``. A mail that SES itself sent is signed
by it, so SPF and DKIM pass; no domain here publishes a DMARC policy, which makes that verdict GRAY.
"""

from __future__ import annotations

import email.policy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any, cast

from ..faults import iso

# From a mail's arrival until its action: never 0 on AWS, and no time passes here.
PROCESSING_MS = 1
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
EICAR = b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!"
_LISTS = {"from": "From", "to": "To", "cc": "Cc", "bcc": "Bcc", "replyTo": "Reply-To"}
_SINGLE = {"date": "Date", "sender": "Sender", "messageId": "Message-ID", "subject": "Subject"}


@dataclass(slots=True)
class Mail:
    """A mail as it came. ``recipients``: all of them; ``added``: headers that rules add."""

    id: str
    source: str
    recipients: Sequence[str]
    raw: bytes
    at: datetime
    added: list[tuple[str, str]]

    @property
    def content(self) -> bytes:
        """With the headers that rules added on top, as S3 and SNS are given it."""
        return "".join(f"{name}: {value}\r\n" for name, value in self.added).encode() + self.raw


def mail(one: Mail) -> dict[str, Any]:
    """The member ``mail``."""
    parsed = cast(EmailMessage, email.message_from_bytes(one.content, policy=email.policy.default))
    headers = [{"name": name, "value": " ".join(str(value).split())} for name, value in parsed.items()]
    common: dict[str, Any] = {"returnPath": one.source}
    for member, name in _LISTS.items():
        if parsed[name] is not None:
            common[member] = [str(address) for address in parsed[name].addresses]
    common |= {member: str(parsed[name]) for member, name in _SINGLE.items() if parsed[name] is not None}
    return {"timestamp": iso(one.at), "source": one.source, "messageId": one.id,
            "destination": list(one.recipients), "headersTruncated": False,
            "headers": [{"name": "Return-Path", "value": f"<{one.source}>"}, *headers],
            "commonHeaders": common}


def receipt(one: Mail, recipients: Sequence[str], scan: bool, action: Mapping[str, Any]
            ) -> dict[str, Any]:
    """The member ``receipt``, for one action of a rule."""
    spam, virus = (("FAIL" if mark in one.raw else "PASS") if scan else "DISABLED"
                   for mark in (GTUBE, EICAR))
    return {"timestamp": iso(one.at), "processingTimeMillis": PROCESSING_MS, "recipients": list(recipients),
            "spamVerdict": {"status": spam}, "virusVerdict": {"status": virus},
            "spfVerdict": {"status": "PASS"}, "dkimVerdict": {"status": "PASS"},
            "dmarcVerdict": {"status": "GRAY"}, "action": dict(action)}


def event(one: Mail, told: Mapping[str, Any]) -> dict[str, Any]:
    return {"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0",
                         "ses": {"mail": mail(one), "receipt": dict(told)}}]}
