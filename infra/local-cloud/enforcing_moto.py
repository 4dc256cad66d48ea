"""moto's server, with what it lacks to judge the template's policies: resources besides those of S3, conditions on `s3:prefix`,
and who may know that a key is missing.

moto asks a policy for an action on a resource of S3, or on any resource of the other services, and takes every condition for
one that does not hold. Amazon puts the prefix of a list into `s3:prefix`; and it says of a missing key that it is missing
(404) only to those who may list, all others are refused (403). Whether that question has the key for a prefix, as
https://github.com/ceph/ceph/pull/68577 has it, or no prefix is not documented: here a role has to stand both.
"""
import json
import re
import threading

from moto import server
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.responses import S3Response

asked = threading.local()


def like(pattern: str, text: str) -> bool:
    wild = {"*": ".*", "?": "."}
    return re.fullmatch("".join(wild.get(letter, re.escape(letter)) for letter in pattern), text, re.DOTALL) is not None


def holds(condition: dict, context: dict) -> bool:
    """Whether every key that is known is like one of its values; no operator but StringLikeIfExists is known here."""
    assert set(condition) <= {"StringLikeIfExists"}, condition
    return all(key not in context or any(like(value, context[key]) for value in values)
               for key, values in condition.get("StringLikeIfExists", {}).items())


def resources(call) -> list:
    """The names of what a call of DynamoDB, SQS or Glue is about; all of them have to be allowed."""
    try:
        said = json.loads(call.raw_body)
    except ValueError:
        return ["*"]
    names = {
        "dynamodb": lambda: [f"table/{said['TableName']}"],
        "sqs": lambda: [said["QueueUrl"].rsplit("/", 1)[1]],
        "glue": lambda: ["catalog", f"database/{said['DatabaseName']}", f"table/{said['DatabaseName']}/{said['TableName']}"],
    }
    try:
        return [f"arn:aws:{call.service_name}:{call.region}:{call.current_account}:{name}" for name in names[call.service_name]()]
    except KeyError:
        return ["*"]


# What a call needs the permission of, where that is another call's.
NEEDS = {"sqs:SendMessageBatch": "sqs:SendMessage"}

judge_without_condition = IAMPolicyStatement.is_action_permitted
authorize_on_s3 = ActionAuthenticatorMixin._authenticate_and_authorize_s3_action
authorize_on_resource = ActionAuthenticatorMixin._authenticate_and_authorize_normal_action


def judge(self, action, resource="*", principal=None, context=None):
    if not holds(self._statement.get("Condition", {}), getattr(asked, "context", {})):
        return PermissionResult.NEUTRAL
    bare = IAMPolicyStatement({name: value for name, value in self._statement.items() if name != "Condition"})
    return judge_without_condition(bare, NEEDS.get(action, action), resource, principal)


def authorize(self, bucket_name=None, key_name=None):
    asked.context = {"s3:prefix": self.querystring["prefix"][0]} if "prefix" in self.querystring else {}
    authorize_on_s3(self, bucket_name, key_name)
    if key_name and self._get_action() == "GetObject" and key_name not in self.backend.get_bucket(bucket_name).keys:
        self.data["Action"] = "ListBucket"
        for asked.context in ({"s3:prefix": key_name}, {}):
            authorize_on_s3(self, bucket_name)
        self.data["Action"] = "GetObject"


def authorize_elsewhere(self, resource="*"):
    asked.context = {}
    for name in resources(self):
        authorize_on_resource(self, name)


IAMPolicyStatement.is_action_permitted = judge
S3Response._authenticate_and_authorize_s3_action = authorize
ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = authorize_elsewhere

if __name__ == "__main__":
    server.main()
