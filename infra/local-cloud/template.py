"""Reads template.yaml with its nested templates as one: short forms become long forms, the parameters of a nested template
become what it is passed for them, and references can be resolved for one stack."""
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCOUNT, REGION, STACK = "123456789012", "us-east-1", "metriccare"
NOTHING = {"Ref": "AWS::NoValue"}


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


def read(path: pathlib.Path) -> dict:
    """One template file, with every `!Sub` as `Fn::Sub` and so on."""
    return yaml.load(path.read_text(), _Loader)


def load(path: pathlib.Path = ROOT / "template.yaml") -> dict:
    """The whole stack as one template. Outputs of a nested template become the values behind them; where one template is
    nested several times, the names of its resources begin with the stack's: `BronzeAlarms/ErrorsAlarm`."""
    template, outputs = read(path), {}
    stacks = {name: r["Properties"] for name, r in template["Resources"].items() if r["Type"] == "AWS::CloudFormation::Stack"}
    uses = [properties["TemplateURL"] for properties in stacks.values()]
    for name, properties in stacks.items():
        nested, passed = load(path.parent / properties["TemplateURL"]), properties.get("Parameters", {})
        assert set(passed) <= set(nested["Parameters"]), (name, set(passed) - set(nested["Parameters"]))
        passed = {**{parameter: p["Default"] for parameter, p in nested["Parameters"].items() if "Default" in p}, **passed}
        assert set(passed) == set(nested["Parameters"]), (name, set(nested["Parameters"]) - set(passed))
        for key in ("Conditions", "Mappings"):
            _add(template.setdefault(key, {}), _bind(nested.get(key, {}), passed))
        prefix = f"{name}/" if uses.count(properties["TemplateURL"]) > 1 else ""
        resources = {f"{prefix}{logical}": resource for logical, resource in nested["Resources"].items()}
        _add(template["Resources"], _bind(resources, passed))
        for output, declared in nested.get("Outputs", {}).items():
            outputs[name, f"Outputs.{output}"] = _bind(declared["Value"], passed)
    template["Outputs"] = _outputs(template.get("Outputs", {}), outputs)
    return template


def of(template: dict, kind: str) -> dict:
    """The properties of all resources of a kind, by their logical names."""
    return {name: r.get("Properties", {}) for name, r in template["Resources"].items() if r["Type"] == kind}


def _add(to: dict, more: dict):
    for name, value in more.items():
        assert name not in to, f"{name} is declared twice"
        to[name] = value


def _bind(value, passed: dict):
    """A nested template's part with its parameters replaced by what they are passed."""
    if isinstance(value, list):
        return [_bind(item, passed) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"} and value["Ref"] in passed:
        return passed[value["Ref"]]
    if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
        text, left = value["Fn::Sub"], {}
        for name in re.findall(r"\$\{([^!}]+)\}", text):
            given = passed.get(name)
            if isinstance(given, dict) and set(given) == {"Ref"}:
                text = text.replace(f"${{{name}}}", f"${{{given['Ref']}}}")
            elif isinstance(given, (str, int)):
                text = text.replace(f"${{{name}}}", str(given))
            elif given is not None:
                left[name] = given
        return {"Fn::Sub": [text, left] if left else text}
    return {key: _bind(item, passed) for key, item in value.items()}


def _outputs(value, outputs: dict):
    if isinstance(value, list):
        return [_outputs(item, outputs) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::GetAtt"} and tuple(value["Fn::GetAtt"]) in outputs:
        return outputs[tuple(value["Fn::GetAtt"])]
    return {key: _outputs(item, outputs) for key, item in value.items()}


class Stack:
    """The template as one stack of one account has it: every reference is resolved to a name or an ARN."""

    def __init__(self, template: dict, **parameters):
        self.template = template
        self.parameters = {name: p.get("Default", "") for name, p in template["Parameters"].items()} | parameters

    def holds(self, condition) -> bool:
        """Whether a condition of the template, or an expression of one, is true."""
        if isinstance(condition, str):
            return self.holds(self.template["Conditions"][condition])
        [(operator, operands)] = condition.items()
        if operator == "Condition":
            return self.holds(operands)
        if operator == "Fn::Equals":
            left, right = (str(self.resolve(operand)) for operand in operands)
            return left == right
        return {"Fn::Not": lambda: not self.holds(operands[0]), "Fn::And": lambda: all(map(self.holds, operands)),
                "Fn::Or": lambda: any(map(self.holds, operands))}[operator]()

    def made(self, kind: str) -> dict:
        """The resolved properties of all resources of a kind that this stack has."""
        return {name: self.resolve(properties) for name, properties in of(self.template, kind).items()
                if self.holds(self.template["Resources"][name].get("Condition", {"Fn::And": []}))}

    def name(self, logical: str) -> str:
        pseudo = {"AWS::StackName": STACK, "AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws"}
        if logical in pseudo:
            return pseudo[logical]
        if logical in self.parameters:
            return str(self.parameters[logical])
        properties = self.template["Resources"][logical]["Properties"]
        for key in ("BucketName", "QueueName", "TableName", "FunctionName", "LogGroupName", "TopicName", "StateMachineName", "Name"):
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
            return [self.resolve(item) for item in value if self.chosen(item) != NOTHING]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            return self.name(value["Ref"])
        if set(value) == {"Fn::If"}:
            return self.resolve(self.chosen(value))
        if set(value) == {"Fn::FindInMap"}:
            name, first, second = (self.resolve(key) for key in value["Fn::FindInMap"])
            return self.resolve(self.template["Mappings"][name][str(first)][second])
        if set(value) == {"Fn::GetAtt"}:
            logical, attribute = value["Fn::GetAtt"]
            return self.arn(logical) if attribute == "Arn" else self.name(logical)
        if set(value) == {"Fn::Sub"}:
            text, more = value["Fn::Sub"] if isinstance(value["Fn::Sub"], list) else (value["Fn::Sub"], {})
            def known(match):
                if match[1] in more:
                    return str(self.resolve(more[match[1]]))
                return self.arn(match[1][:-4]) if match[1].endswith(".Arn") else self.name(match[1])
            return re.sub(r"\$\{([^!}]+)\}", known, text).replace("${!", "${")
        return {key: self.resolve(item) for key, item in value.items() if self.chosen(item) != NOTHING}

    def chosen(self, value):
        """What an `Fn::If` comes to, and everything else as it is."""
        while isinstance(value, dict) and set(value) == {"Fn::If"}:
            condition, then, otherwise = value["Fn::If"]
            value = then if self.holds(condition) else otherwise
        return value
