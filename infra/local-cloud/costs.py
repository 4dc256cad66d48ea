"""What a run on the local cloud would have cost on AWS: its own counts and durations, times list prices.

Requests are counted by the functions (every try, as CloudWatch's metrics show them), durations by the runtime. S3 and
DynamoDB answer here from the same machine, so a share for their distance is added to every request and said.
"""
import dataclasses
import json
import re

# List prices for us-east-1 and arm64 without the free tier, in dollars. Prices change: hold them against
# https://aws.amazon.com/{lambda,s3,dynamodb,sqs,glue,cloudwatch}/pricing/ before a figure is cited.
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
# What a request to S3, DynamoDB, Glue or SQS takes longer on AWS than on the loopback.
DISTANCE_SECONDS = 0.030


@dataclasses.dataclass
class Stage:
    """What one function did in a run."""

    invocations: int = 0
    millis: int = 0
    logged: int = 0
    messages: int = 0
    counts: dict = dataclasses.field(default_factory=lambda: dict.fromkeys(PRICES, 0))

    def read(self, message: str):
        self.logged += len(message) + 26
        if found := re.search(r"Billed Duration: (\d+) ms", message):
            self.invocations += 1
            self.millis += int(found[1])
        elif message.startswith('{"_aws"') or '"_aws":' in message:
            line = json.loads(message)
            for name in PRICES:
                self.counts[name] += line.get(name, 0)
            self.messages += sum(line.get(f"Messages{fate}", 0) for fate in ("Done", "Failed", "Busy"))

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


def report(stages: dict, memory_mb: int, encounters: int, objects: int) -> list:
    """The lines of a report, and the dollars of a million encounters at the end."""
    messages = sum(stage.messages for stage in stages.values())
    lines = [f"  {'stage':<10} {'invocations':>11} {'seconds':>8} {'S3 writes':>9} {'S3 reads':>9} {'ledger':>7} {'dollars':>9}"]
    total = 0.0
    for name, stage in stages.items():
        dollars = sum(stage.dollars(memory_mb).values())
        total += dollars
        ledger = stage.counts["LedgerWriteRequests"] + stage.counts["LedgerReadRequests"]
        lines.append(f"  {name:<10} {stage.invocations:>11,} {stage.millis / 1000:>8.1f} {stage.counts['S3WriteRequests']:>9,} "
                     f"{stage.counts['S3ReadRequests']:>9,} {ledger:>7,} {dollars:>9.5f}")
    # A message is sent, received and deleted; S3 sends its own, and they are charged to the queue.
    queues = 3 * messages * PRICES["SqsRequests"]
    total += queues
    lines.append(f"  {'queues':<10} {messages:>11,} messages {queues:>48.5f}")
    million = total * 1e6 / encounters
    lines.append(f"  {encounters:,} encounters in {objects:,} landed objects cost {total:.4f} dollars: a million cost {million:.2f}")
    return lines
