"""What a run on the local cloud would have cost on AWS: its own counts and durations, times list prices.

Requests are counted by the functions (every try, as CloudWatch's metrics show them), durations by the runtime. S3 and
DynamoDB answer from the same machine here, so the time of a network round trip is added to every request.
"""
import dataclasses
import json
import re

# List prices of November 2026 for us-east-1 and arm64, first tier, without the free tier, in dollars. Prices change: compare
# them with https://aws.amazon.com/{lambda,s3,dynamodb,sqs,glue,cloudwatch}/pricing/ before citing a figure.
GB_SECOND = 0.0000133334
INVOCATION = 0.20e-6
PRICES = {
    "S3WriteRequests": 5.00e-6,
    "S3ReadRequests": 0.40e-6,
    "LedgerWriteRequests": 0.625e-6,
    "LedgerReadRequests": 0.125e-6,
    "GlueRequests": 1.00e-6,
    "SqsRequests": 0.40e-6,
}
LOGGED_GB = 0.50
# A month of an alarm, and of a metric that is written in every hour of it.
ALARM_MONTH = 0.10
METRIC_MONTH = 0.30
# How much longer a request to S3, DynamoDB, Glue or SQS takes on AWS than on the loopback.
DISTANCE_SECONDS = 0.030


@dataclasses.dataclass
class Stage:
    """What one function did in a run."""

    invocations: int = 0
    millis: int = 0
    logged: int = 0
    messages: int = 0
    counts: dict = dataclasses.field(default_factory=lambda: dict.fromkeys(PRICES, 0))
    metrics: set = dataclasses.field(default_factory=set)

    def read(self, message: str):
        self.logged += len(message) + 26
        if found := re.search(r"Billed Duration: (\d+) ms", message):
            self.invocations += 1
            self.millis += int(found[1])
        elif message.startswith('{"_aws"') or '"_aws":' in message:
            line = json.loads(message)
            self.metrics.update(metric["Name"] for group in line["_aws"]["CloudWatchMetrics"] for metric in group["Metrics"])
            for name in PRICES:
                self.counts[name] += line.get(name, 0)
            self.messages += sum(line.get(f"Messages{outcome}", 0) for outcome in ("Done", "Failed", "Busy"))

    def dollars(self, memory_mb: int) -> dict:
        waits = sum(self.counts.values()) * DISTANCE_SECONDS
        return {
            "compute": (self.millis / 1000 + waits) * memory_mb / 1024 * GB_SECOND + self.invocations * INVOCATION,
            **{name: count * PRICES[name] for name, count in self.counts.items()},
            "logs": self.logged / 1e9 * LOGGED_GB,
        }


def read(logs, group: str) -> Stage:
    """Reads the log group of a function."""
    stage = Stage()
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            stage.read(event["message"])
    return stage


KINDS = {
    "compute": ["compute"], "S3": ["S3WriteRequests", "S3ReadRequests"], "ledger": ["LedgerWriteRequests", "LedgerReadRequests"],
    "Glue": ["GlueRequests"], "queues": ["SqsRequests"], "logs": ["logs"],
}


def report(stages: dict, memory_mb: int, alarms: int, encounters: int, objects: int) -> list:
    """The lines of a report: what each stage did, what it cost by kind, and what a million encounters would."""
    lines = [f"  {'stage':<10} {'invocations':>11} {'seconds':>8} {'S3 writes':>9} {'S3 reads':>9} {'ledger':>7} {'messages':>9}"]
    kinds = dict.fromkeys(KINDS, 0.0)
    for name, stage in stages.items():
        counts, dollars = stage.counts, stage.dollars(memory_mb)
        for kind, charges in KINDS.items():
            kinds[kind] += sum(dollars[charge] for charge in charges)
        # A message is sent, received and deleted; S3 sends its own, and they are charged to the queue.
        kinds["queues"] += 3 * stage.messages * PRICES["SqsRequests"]
        lines.append(f"  {name:<10} {stage.invocations:>11,} {stage.millis / 1000:>8.1f} {counts['S3WriteRequests']:>9,} "
                     f"{counts['S3ReadRequests']:>9,} {counts['LedgerWriteRequests'] + counts['LedgerReadRequests']:>7,} "
                     f"{stage.messages:>9,}")
    total = sum(kinds.values())
    metrics = sum(len(stage.metrics) for stage in stages.values())
    month = alarms * ALARM_MONTH + metrics * METRIC_MONTH
    lines += [
        f"  {encounters:,} encounters in {objects:,} landed objects cost {total:.4f} dollars: "
        + ", ".join(f"{kind} {dollars:.4f}" for kind, dollars in kinds.items()),
        f"  a million encounters cost {total * 1e6 / encounters:.2f} dollars in objects of this size",
        f"  a month costs {alarms * ALARM_MONTH:.2f} dollars for {alarms} alarms, and at most {month - alarms * ALARM_MONTH:.2f} "
        f"for {metrics} metrics, charged for the hours in which they are written",
    ]
    return lines
