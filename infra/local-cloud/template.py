"""Reads template.yaml: CloudFormation's short forms become their long forms, and references can be resolved for one stack."""
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCOUNT, REGION, STACK = "123456789012", "us-east-1", "metriccare"


class _Loader(yaml.SafeLoader):
    pass


def _long_form(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _long_form)


def load(path: pathlib.Path = ROOT / "template.yaml") -> dict:
    """The template, with every `!Sub` as `Fn::Sub` and so on."""
    return yaml.load(path.read_text(), _Loader)


def of(template: dict, kind: str) -> dict:
    """The properties of all resources of a kind, by their logical names."""
    return {name: r.get("Properties", {}) for name, r in template["Resources"].items() if r["Type"] == kind}


class Stack:
    """The template as one stack of one account has it: every reference is resolved to a name or an ARN."""

    def __init__(self, template: dict):
        self.template = template
        self.parameters = {name: p.get("Default", "") for name, p in template["Parameters"].items()}

    def name(self, logical: str) -> str:
        pseudo = {"AWS::StackName": STACK, "AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws"}
        if logical in pseudo:
            return pseudo[logical]
        if logical in self.parameters:
            return str(self.parameters[logical])
        properties = self.template["Resources"][logical]["Properties"]
        for key in ("BucketName", "QueueName", "TableName", "FunctionName", "LogGroupName", "TopicName", "Name"):
            if key in properties:
                return self.resolve(properties[key])
        return self.resolve(properties["DatabaseInput"]["Name"]) if "DatabaseInput" in properties else logical

    def arn(self, logical: str) -> str:
        service, name = self.template["Resources"][logical]["Type"].split("::")[1].lower(), self.name(logical)
        return {
            "s3": f"arn:aws:s3:::{name}",
            "sqs": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
            "dynamodb": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}",
            "logs": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*",
        }.get(service, f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}")

    def resolve(self, value):
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            return self.name(value["Ref"])
        if set(value) == {"Fn::GetAtt"}:
            logical, attribute = value["Fn::GetAtt"]
            return self.arn(logical) if attribute == "Arn" else self.name(logical)
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            known = lambda m: self.arn(m[1][:-4]) if m[1].endswith(".Arn") else self.name(m[1])
            return re.sub(r"\$\{([^!}]+)\}", known, value["Fn::Sub"])
        return {key: self.resolve(item) for key, item in value.items()}
