"""Validates every FHIR resource below a folder (NDJSON) with the models of the Python package fhir.resources.

usage: validate.py r4|r5 FOLDER      prints how many resources of each type are valid; exit status 1 where one is not

Checks structure, types, cardinality, unknown elements, codes of required value sets, targets of references, lengths of ids,
empty arrays, periods that end before they start, and that an abated Condition is not active. R4 goes through the models of
R4B, which changed no resource type that is generated here. Resources with a fault put in must be refused, so that a validator that
accepts everything is found out.
"""
import collections
import copy
import importlib
import json
import pathlib
import sys

PACKAGES = {"r4": "fhir.resources.R4B", "r5": "fhir.resources"}
CLINICAL_STATUS = {"active", "recurrence", "relapse", "inactive", "remission", "resolved", "unknown"}
ABATED = {"inactive", "resolved", "remission"}
SHOWN = 10


def model(version, kind):
    return getattr(importlib.import_module(f"{PACKAGES[version]}.{kind.lower()}"), kind)


def required_values(element, path):
    """Faults that the models describe and do not check: codes outside required value sets, references to other types."""
    for name, field in type(element).model_fields.items():
        value, extra = getattr(element, name, None), field.json_schema_extra
        if value is None:
            continue
        codes, targets = (extra.get(key) if isinstance(extra, dict) else None for key in ("enum_values", "enum_reference_types"))
        for item in value if isinstance(value, list) else [value]:
            if codes and isinstance(item, str) and item not in codes:
                yield f"{path}.{name}: '{item}' is not one of {', '.join(codes)}"
            reference = getattr(item, "reference", None)
            if targets and isinstance(reference, str) and "/" in reference and not reference.startswith(("urn:", "http", "#")):
                if reference.partition("/")[0].partition("?")[0] not in targets:
                    yield f"{path}.{name}: reference to {reference}, allowed are {', '.join(targets)}"
            if hasattr(type(item), "model_fields"):
                yield from required_values(item, f"{path}.{name}")


def general_rules(node, path):
    if isinstance(node, dict):
        start, end = node.get("start"), node.get("end")
        if isinstance(start, str) and isinstance(end, str) and start > end and start[-1:] == end[-1:]:
            yield f"{path}: ends before it starts"
        for name, value in node.items():
            yield from general_rules(value, f"{path}.{name}")
    elif isinstance(node, list):
        if not node:
            yield f"{path}: empty array"
        for item in node:
            yield from general_rules(item, path)


def condition_rules(resource):
    codes = {coding.get("code") for coding in resource.get("clinicalStatus", {}).get("coding", [])}
    if codes - CLINICAL_STATUS:
        yield f"Condition.clinicalStatus: {codes}"
    if any(name.startswith("abatement") for name in resource) and not codes & ABATED:
        yield "Condition: abated, but not inactive, resolved or in remission"


def faults(version, resource):
    kind = resource.get("resourceType", "no resourceType")
    try:
        found = list(required_values(model(version, kind).model_validate(resource), kind))
    # The models raise errors of several libraries; each means that the resource is not valid.
    except Exception as error:  # noqa: BLE001
        return [" ".join(str(error).split())[:300]]
    found += general_rules(resource, kind)
    if len(resource.get("id", "")) > 64:
        found.append(f"{kind}.id: longer than 64 characters")
    return found + list(condition_rules(resource) if kind == "Condition" else [])


def spoiled(samples):
    """Copies of valid resources with one fault each, and what the fault is."""

    def with_fault(kind, name, value):
        resource = copy.deepcopy(samples[kind])
        if value is None:
            del resource[name]
        else:
            resource[name] = value
        return resource

    yield "Encounter without status", with_fault("Encounter", "status", None)
    yield "Encounter with a status that does not exist", with_fault("Encounter", "status", "over")
    yield "Encounter whose subject is a Location", with_fault("Encounter", "subject", {"reference": "Location/1"})
    yield "Encounter with an unknown element", with_fault("Encounter", "ward", "7")
    yield "Encounter with an empty array", with_fault("Encounter", "identifier", [])
    yield "Patient with a birth date that is no date", with_fault("Patient", "birthDate", "2025-02-30")
    yield "Patient with a gender outside the value set", with_fault("Patient", "gender", "m")
    yield "Patient with a long id", with_fault("Patient", "id", "1" * 65)
    yield "Condition without subject", with_fault("Condition", "subject", None)
    active = with_fault("Condition", "clinicalStatus", {"coding": [{"code": "active"}]})
    yield "Condition that is active and abated", active | {"abatementDateTime": "2025-03-01"}


def main(version, folder):
    counts, samples, shown = collections.Counter(), {}, 0
    for path in sorted(pathlib.Path(folder).rglob("*.ndjson")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            resource = json.loads(line)
            kind = resource.get("resourceType")
            samples.setdefault(kind, resource)
            found = faults(version, resource)
            counts[kind, not found] += 1
            if found and shown < SHOWN:
                shown += 1
                print(f"{path}:{number}: {'; '.join(found)}")
    valid = {kind: count for (kind, good), count in sorted(counts.items()) if good}
    invalid = sum(count for (_, good), count in counts.items() if not good)
    missing = {"Patient", "Encounter", "Condition", "Organization", "Location", "Practitioner"} - valid.keys()
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in valid.items())
    print(f"{version}, fhir.resources: {sum(valid.values()):,} valid ({kinds}), {invalid:,} invalid")
    if invalid or missing:
        sys.exit(f"no valid {', '.join(sorted(missing))}" if missing else 1)
    accepted = [fault for fault, resource in spoiled(samples) if not faults(version, resource)]
    if accepted:
        sys.exit(f"{version}: the validator accepts: {'; '.join(accepted)}")


main(*sys.argv[1:])
