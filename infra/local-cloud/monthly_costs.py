"""What a month costs at three sizes: a model of the deployed stages' requests, times and bytes, at the list prices of costs.py.

    python3 infra/local-cloud/monthly_costs.py

`docs/costs.md` has its output and says what it rests on. Every assumption is a name below; change it there.
"""
import dataclasses

from costs import ALARM_MONTH, GB_SECOND, INVOCATION, LOGGED_GB, METRIC_MONTH, PRICES

STORED_GB_MONTH, ARCHIVED_GB_MONTH, SCANNED_TB = 0.023, 0.004, 5.00
MEMORY_GB = 1769 / 1024
ALARMS, METRICS = 38, 47
# Bytes of an encounter with its conditions and patient (infra/athena/README.md): landed as gzip, in bronze, in silver, in gold.
LANDED_BYTES, BRONZE_BYTES, SILVER_BYTES, GOLD_BYTES = 300, 235, 190, 120
# Versions that arrive of an encounter: one while it is in progress, one when it is completed, a few corrections.
VERSIONS = 2.1
# Seconds of one processor: to flatten a version, to read, merge and write an encounter of a bucket, to measure it.
BRONZE_SECONDS, SILVER_SECONDS, GOLD_SECONDS = 3e-6, 4e-6, 3e-6
REQUEST_SECONDS, REQUESTS_AT_ONCE = 0.030, 16
# Requests of a bucket that is rewritten, by silver and by gold: three tables and their commit; stays, partial and commit.
SILVER_PUTS, SILVER_GETS, GOLD_PUTS, GOLD_GETS = 4, 4, 2, 5
FOLD_PUTS, LOG_BYTES = 10, 1500


@dataclasses.dataclass
class Size:
    name: str
    encounters_year: int
    years: int
    hospitals: int
    objects_day: int
    batches_day: int
    buckets: int
    scanned_tb: float

    def dollars(self) -> dict:
        lake, month = self.encounters_year * self.years, self.encounters_year / 12 * VERSIONS
        objects, batches = self.objects_day * 30, self.batches_day * 30
        # Each landed object has the rows of one hospital: encounter, patient and condition files, log and commit.
        puts = objects * 5 + batches * (self.buckets * (SILVER_PUTS + GOLD_PUTS) + FOLD_PUTS)
        gets = objects * (3 + 4) + batches * self.buckets * (SILVER_GETS + GOLD_GETS + 1)
        ledger, messages = 2 * (objects * 2 + batches * self.buckets), objects * 2 + batches * self.buckets
        waiting = (puts + gets + ledger) * REQUEST_SECONDS / REQUESTS_AT_ONCE
        working = month * BRONZE_SECONDS + batches * lake * (SILVER_SECONDS + GOLD_SECONDS)
        rewritten = lake * (SILVER_BYTES + GOLD_BYTES)
        # Overwritten versions live for one to two days, half a day more on average than the one that is asked for.
        kept = rewritten * min(self.batches_day * 1.5, 1e9)
        landed = lake * VERSIONS * LANDED_BYTES
        stored = lake * VERSIONS * BRONZE_BYTES + rewritten
        return {
            "compute": (working + waiting) * MEMORY_GB * GB_SECOND + (objects + 2 * batches) * INVOCATION,
            "requests": puts * PRICES["S3WriteRequests"] + gets * PRICES["S3ReadRequests"]
                        + ledger * PRICES["LedgerWriteRequests"] + 3 * messages * PRICES["SqsRequests"],
            "storage": (stored / 1e9) * STORED_GB_MONTH + landed / 1e9 * ARCHIVED_GB_MONTH,
            "old versions": kept / 1e9 * STORED_GB_MONTH,
            "queries": self.scanned_tb * SCANNED_TB,
            "logs, alarms, metrics": messages * LOG_BYTES / 1e9 * LOGGED_GB + ALARMS * ALARM_MONTH + METRICS * METRIC_MONTH,
        }


SIZES = [
    Size("one hospital, files once an hour", 40_000, 5, 1, 24, 24, 4, 0.05),
    Size("twenty hospitals, files every five minutes", 2_000_000, 5, 20, 20 * 288, 288, 64, 1),
    Size("two hundred hospitals, files every fifteen minutes", 20_000_000, 5, 200, 200 * 96, 96, 100, 10),
]


def main():
    columns = [size.dollars() for size in SIZES]
    print("| dollars a month | " + " | ".join(size.name for size in SIZES) + " |")
    print("|---|" + "---:|" * len(SIZES))
    print("| encounters a year, in the lake | " + " | ".join(
        f"{size.encounters_year:,}, {size.encounters_year * size.years:,}" for size in SIZES) + " |")
    print("| landed objects, batches of silver a day | " + " | ".join(f"{size.objects_day:,}, {size.batches_day:,}" for size in SIZES) + " |")
    for kind in columns[0]:
        print(f"| {kind} | " + " | ".join(f"{column[kind]:,.2f}" for column in columns) + " |")
    print("| **all** | " + " | ".join(f"**{sum(column.values()):,.0f}**" for column in columns) + " |")


if __name__ == "__main__":
    main()
