"""How the deployed stages take a load: a simulation of the event flow, a tenth of a second at a time, with Lambda's, SQS's and S3's limits.

    python3 infra/local-cloud/load_simulation.py

Landed objects arrive, wait in queues, are taken in batches by as many invocations as the template allows, and what an invocation
writes notifies the next stage. How long one takes follows from its requests (30 ms each, sixteen at once, as the stages wait) and its
bytes (seconds of a processor, as monthly_costs.py has them). `docs/scale.md` has its output. Every assumption is a name below.
"""
import dataclasses

from costs import GB_SECOND, INVOCATION, PRICES
from monthly_costs import (BRONZE_SECONDS, FOLD_PUTS, GOLD_BYTES, GOLD_GETS, GOLD_PUTS, GOLD_SECONDS, REQUEST_SECONDS, REQUESTS_AT_ONCE,
                           SILVER_BYTES, SILVER_GETS, SILVER_PUTS, SILVER_SECONDS)

# template.yaml: concurrency of bronze, silver and gold, batch and window of the last two, seconds of an invocation.
BRONZE_AT_ONCE, SILVER_AT_ONCE, GOLD_AT_ONCE = 20, 4, 2
BATCH, WINDOW, TIMEOUT = 3000, 60, 900
# Published: an event source begins with five invocations and adds 300 a minute; a standard queue has 120,000 messages in flight at
# most; a prefix of S3 takes 3,500 writes a second; a function has six processors and 10,240 MB at the most.
FIRST_INVOCATIONS, MORE_A_SECOND, IN_FLIGHT, WRITES_A_SECOND, MOST_MB = 5, 5, 120_000, 3_500, 10_240
# Steps of a second.
TICKS = 10
# Requests that follow one another: of an object of bronze, of a batch, of a bucket that is merged or measured.
BRONZE_IN_ROW, BATCH_IN_ROW, BUCKET_IN_ROW = 7, 6, 6
# A byte of a file takes eight while it is merged or measured, in three quarters of the memory (shared/flow/src/memory.rs).
EXPANSION, DATA_SHARE = 8, 0.75


@dataclasses.dataclass
class Case:
    name: str
    lake: int             # encounters in the lake before the load
    buckets: int
    memory_mb: int
    objects: int          # landed objects in all
    a_minute: int         # how many of them land in a minute
    rows: int             # encounters in each
    hospitals: int = 1    # in each object: a bronze file each


class Stage:
    """Messages that wait, and invocations that are at work on some of them."""

    def __init__(self, at_once, batch, window):
        self.at_once, self.batch, self.window = at_once, batch, window
        self.waiting, self.oldest, self.working = 0, None, []
        self.most_waiting = self.invocations = self.requests = self.writes = self.seconds = self.bytes = self.longest = 0

    def add(self, count, now):
        if count and not self.waiting:
            self.oldest = now
        self.waiting += count
        self.most_waiting = max(self.most_waiting, self.waiting)

    def ready(self, now):
        allowed = min(self.at_once, FIRST_INVOCATIONS + MORE_A_SECOND * now // TICKS)
        return (self.waiting and len(self.working) < allowed
                and (self.waiting >= self.batch or now - self.oldest >= self.window * TICKS))

    def start(self, now, work):
        count = min(self.waiting, self.batch, IN_FLIGHT)
        self.waiting -= count
        self.oldest = now if self.waiting else None
        reads, writes, in_row, processor, moved = work(count)
        seconds = (in_row + (reads + writes) / REQUESTS_AT_ONCE) * REQUEST_SECONDS + processor
        self.working.append((now + max(1, round(seconds * TICKS)), count))
        self.invocations += 1
        self.requests += reads + writes
        self.writes += writes
        self.seconds += seconds
        self.bytes += moved
        self.longest = max(self.longest, seconds)

    def finished(self, now):
        done = [count for end, count in self.working if end <= now]
        self.working = [(end, count) for end, count in self.working if end > now]
        return done

    @property
    def idle(self):
        return not self.waiting and not self.working


def simulate(case):
    processors = max(1, case.memory_mb / 1769)
    bronze, silver, gold = Stage(BRONZE_AT_ONCE, 1, 0), Stage(SILVER_AT_ONCE, BATCH, WINDOW), Stage(GOLD_AT_ONCE, BATCH, WINDOW)
    lake, landed, now, touched = case.lake, 0, 0, 0

    def flatten(count):
        return 2 * count, (case.hospitals * 3 + 2 + 3) * count, BRONZE_IN_ROW, case.rows * BRONZE_SECONDS * count, 0

    def touches(count):
        # Patients are spread over buckets by a hash: a batch of many rows touches them all.
        return round(case.buckets * (1 - (1 - 1 / case.buckets) ** (count * case.rows)))

    def merge(count):
        nonlocal lake
        buckets = touches(count)
        share = lake * buckets / case.buckets
        # Invocations side by side write the same buckets: of two that meet, one merges once more.
        again = 1 + 0.5 * len(silver.working)
        lake += count * case.rows
        reads = count * (3 + case.hospitals * 3) + buckets * SILVER_GETS * again
        return reads, buckets * SILVER_PUTS * again + 2 * count, BATCH_IN_ROW + BUCKET_IN_ROW * again, share * SILVER_SECONDS * again / processors, share * SILVER_BYTES * again

    def measure(count):
        share = lake * min(count, case.buckets) / case.buckets
        reads = min(count, case.buckets) * GOLD_GETS + case.buckets + count
        return reads, min(count, case.buckets) * GOLD_PUTS + FOLD_PUTS + 2 * count, BATCH_IN_ROW + BUCKET_IN_ROW, share * GOLD_SECONDS / processors, share * GOLD_BYTES

    while landed < case.objects or not (bronze.idle and silver.idle and gold.idle):
        due = min(case.objects, round(case.a_minute * (now + 1) / (60 * TICKS)))
        bronze.add(due - landed, now)
        landed = due
        silver.add(sum(bronze.finished(now)), now)
        for count in silver.finished(now):
            touched = touches(count)
            gold.add(touched, now)
        gold.finished(now)
        for stage, work in ((bronze, flatten), (silver, merge), (gold, measure)):
            while stage.ready(now):
                stage.start(now, work)
        now += 1
    return now / TICKS, lake, bronze, silver, gold


def limit(case, lake, bronze, silver, gold, seconds):
    """The first limit that binds, or none."""
    bucket_mb = lake / case.buckets * SILVER_BYTES * EXPANSION / 1e6
    data_mb = case.memory_mb * DATA_SHARE / 2
    if bucket_mb > data_mb:
        return f"memory: a bucket takes {bucket_mb:,.0f} of {data_mb:,.0f} MB"
    for name, stage in (("silver", silver), ("gold", gold)):
        if stage.longest > TIMEOUT:
            return f"time: {name} takes {stage.longest:,.0f} of {TIMEOUT} s"
    if (bronze.writes + silver.writes + gold.writes) / seconds > WRITES_A_SECOND:
        return "S3's writes a second"
    for name, stage, at_once in (("bronze", bronze, BRONZE_AT_ONCE), ("silver", silver, SILVER_AT_ONCE)):
        if stage.most_waiting > 3 * max(case.a_minute, BATCH) and case.objects > 3 * case.a_minute:
            return f"concurrency of {name}: {stage.most_waiting:,} waited for {at_once} invocations"
    return "none"


def dollars(case, *stages):
    requests = sum(stage.writes * PRICES["S3WriteRequests"] + (stage.requests - stage.writes) * PRICES["S3ReadRequests"] for stage in stages)
    compute = sum(stage.seconds * case.memory_mb / 1024 * GB_SECOND + stage.invocations * INVOCATION for stage in stages)
    return requests + compute


CASES = [
    Case("1 M encounters, 10,000 objects at once", 1_000_000, 16, 1769, 10_000, 600_000, 20),
    Case("1 M, 1,000 objects a minute for an hour", 1_000_000, 16, 1769, 60_000, 1_000, 20),
    Case("1 M, the same with 50 hospitals in each", 1_000_000, 16, 1769, 60_000, 1_000, 100, 50),
    Case("100 M, its daily feed of 2,000 objects", 100_000_000, 256, 10_240, 2_000, 1_000, 140),
    Case("100 M, the same in 1,024 buckets", 100_000_000, 1_024, 10_240, 2_000, 1_000, 140),
    Case("1 B, its daily feed of 20,000 objects", 1_000_000_000, 1_024, 10_240, 20_000, 1_000, 140),
]


def main():
    print("| load | buckets, memory | quiet after its last object | invocations | requests | silver written | of the final silver | dollars | first limit |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---|")
    for case in CASES:
        seconds, lake, bronze, silver, gold = simulate(case)
        arrived = case.objects / case.a_minute * 60
        stages = (bronze, silver, gold)
        print(f"| {case.name} | {case.buckets:,}, {case.memory_mb:,} MB | {seconds - arrived:,.0f} s | {sum(s.invocations for s in stages):,} "
              f"| {sum(s.requests for s in stages):,.0f} | {silver.bytes / 1e9:,.1f} GB | {silver.bytes / (lake * SILVER_BYTES):.1f} × "
              f"| {dollars(case, *stages):,.2f} | {limit(case, lake, *stages, seconds)} |")


if __name__ == "__main__":
    main()
