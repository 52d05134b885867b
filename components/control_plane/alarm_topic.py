"""Who hears of alarms."""

import re
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import sns

from components.base import Component
from components.naming import apart, slug

# One `@`, then dots: of such an address nothing is lost where `-` stands for both.
_PLAIN: Final = r"[a-z0-9]+@[a-z0-9]+(?:\.[a-z0-9]+)*"


@dataclass(frozen=True)
class AlarmTopicArgs:
    """Who is told."""

    emails: tuple[str, ...]
    """Each gets a message to confirm first."""


class AlarmTopic(Component):
    """A topic that alarms go to.

    Creates: the topic; a subscription for each e-mail address. It holds nothing secret and is not encrypted
    by a key: CloudWatch may not use the key that AWS keeps for SNS, and alarms would vanish without a word.
    """

    def __init__(self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._topic = sns.Topic(self.child("topic"), opts=self.options())
        for email in args.emails:
            sns.TopicSubscription(
                self.child(_name_of(email)),
                topic=self._topic.arn,
                protocol="email",
                endpoint=email,
                opts=self.options(),
            )
        self.register_outputs({"arn": self.arn})

    @property
    def arn(self) -> pulumi.Output[str]:
        return self._topic.arn


def _name_of(email: str) -> str:
    """What its subscription is called: `a.b@x.com` and `a-b@x.com` are two."""
    return slug(email) if re.fullmatch(_PLAIN, email) else apart(slug(email), email)
