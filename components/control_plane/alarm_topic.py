"""Who hears of alarms."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import sns

from components.base import Component
from components.naming import slug


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
                self.child(slug(email)),
                topic=self._topic.arn,
                protocol="email",
                endpoint=email,
                opts=self.options(),
            )
        self.register_outputs({"arn": self.arn})

    @property
    def arn(self) -> pulumi.Output[str]:
        return self._topic.arn
