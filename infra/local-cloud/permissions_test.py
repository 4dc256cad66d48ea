"""What the template allows each role, and what it denies: every call is made on moto with the credentials of a user who has the
role's policy from the template. The table of calls and results is printed, and their counts for each role."""
import unittest

import botocore.exceptions

from stack_on_moto import LAKE, LANDING, LEDGER, STAGES, Moto

ITEM = {"id": {"S": "a"}}


def on(bucket, call, **arguments):
    return "s3", call, {"Bucket": bucket, **arguments}


def get(bucket, key):
    return on(bucket, "get_object", Key=key)


def version(bucket, key):
    """Reads one version of a key; the setup fills in its id."""
    return on(bucket, "get_object", Key=key, VersionId=None)


def put(bucket, key):
    return on(bucket, "put_object", Key=key)


def lists(bucket, *prefix):
    return on(bucket, "list_objects_v2", **({"Prefix": prefix[0]} if prefix else {}))


def versions(bucket, prefix):
    return on(bucket, "list_object_versions", Prefix=prefix)


def look(table=LEDGER):
    return "dynamodb", "get_item", {"TableName": table, "Key": ITEM}


def claim(table=LEDGER):
    return "dynamodb", "put_item", {"TableName": table, "Item": ITEM}


def partition(table):
    return "glue", "create_partition", {"DatabaseName": "metriccare", "TableName": table, "PartitionInput": {"Values": ["a"]}}


def moved_partition(table):
    return "glue", "update_partition", {"DatabaseName": "metriccare", "TableName": table, "PartitionValueList": ["a"],
                                        "PartitionInput": {"Values": ["a"]}}


def delete(bucket, key):
    return on(bucket, "delete_object", Key=key)


def send(queue):
    return "sqs", "send_message", {"QueueUrl": queue, "MessageBody": "{}"}


def send_all(queue):
    return "sqs", "send_message_batch", {"QueueUrl": queue, "Entries": [{"Id": "0", "MessageBody": "{}"}]}


def receive(queue):
    return "sqs", "receive_message", {"QueueUrl": queue, "WaitTimeSeconds": 0}


# What each role needs, and may do.
ALLOWED = {
    "generator": [put(LANDING, "patient/b"), put(LAKE, "reference/hospitals.csv"), put(LAKE, "reference/_answers/b"),
                  get(LAKE, "reference/_answers/w/tables/sums/a"),
                  receive("GeneratorQueue"), send("GeneratorQueue"), send_all("GeneratorQueue"), send("GeneratorDeadLetters"), claim()],
    "bronze": [get(LANDING, "patient/a"), version(LANDING, "patient/a"), lists(LANDING), lists(LANDING, "patient/"), put(LAKE, "bronze/b"),
               get(LAKE, "bronze/_commits/a"), lists(LAKE, "bronze/_commits/"), claim(), look(), partition("bronze_patient"),
               get(LAKE, "bronze/encounter/a"), lists(LAKE, "bronze/"), lists(LAKE, "compaction/bronze/"), put(LAKE, "compaction/b"),
               get(LAKE, "compaction/b"), delete(LAKE, "compaction/b"), delete(LAKE, "bronze/b"), moved_partition("bronze_patient"),
               lists(LAKE, "bronze/withdrawal/"),
               receive("BronzeQueue"), versions(LANDING, ""), send_all("BronzeQueue")],
    "silver": [get(LAKE, "bronze/encounter/a"), version(LAKE, "bronze/_commits/a"), get(LAKE, "silver/a"), put(LAKE, "silver/b"),
               put(LAKE, "_lake.json"), get(LAKE, "_lake.json"), lists(LAKE, "bronze/"),
               lists(LAKE, "silver/"), lists(LAKE, "silver/_commits/"), claim(), look(), receive("SilverQueue"),
               versions(LAKE, "bronze/_commits/"), send_all("SilverQueue")],
    "gold": [get(LAKE, "silver/a"), version(LAKE, "silver/a"), get(LAKE, "gold/a"), put(LAKE, "gold/b"), get(LAKE, "reference/hospitals.csv"),
             get(LAKE, "_lake.json"),
             lists(LAKE, "gold/_partials/"), lists(LAKE, "silver/"), lists(LAKE, "reference/"), claim(), receive("GoldQueue"),
             versions(LAKE, "silver/_commits/"), send_all("GoldQueue")],
}
# Keys that do not exist, which the role has to be able to find out: 404, where all others would get 403.
MISSING = {
    "generator": [get(LAKE, "reference/_answers/w/tables/sums/none")],
    "bronze": [get(LANDING, "none"), get(LAKE, "bronze/_commits/none"), get(LAKE, "bronze/_compaction.json"),
               get(LAKE, "compaction/none"), get(LAKE, "_lake.json"), get(LAKE, "_withdrawal.key")],
    "silver": [get(LAKE, "bronze/_commits/none"), get(LAKE, "silver/encounter/none"), get(LAKE, "_lake.json")],
    "gold": [get(LAKE, "silver/none"), get(LAKE, "gold/none"), get(LAKE, "reference/hospitals.csv"), get(LAKE, "_lake.json")],
}
FOREIGN = {
    "generator": [get(LANDING, "patient/a"), version(LANDING, "patient/a"), lists(LANDING), lists(LANDING, "patient/"), put(LAKE, "gold/b"),
                  put(LAKE, "reference/other.csv"), get(LAKE, "reference/hospitals.csv"), lists(LAKE, "reference/"), claim("another-table"),
                  partition("bronze_patient"), receive("BronzeQueue"), send("BronzeQueue"), send_all("BronzeQueue"), receive("GeneratorDeadLetters"), look()],
    "bronze": [put(LANDING, "patient/b"), put(LAKE, "_lake.json"), put(LAKE, "silver/b"), put(LAKE, "gold/b"), get(LAKE, "silver/a"),
               delete(LAKE, "silver/a"), delete(LAKE, "_lake.json"), moved_partition("silver_patient"),
               lists(LAKE, ""), lists(LAKE, "silver/"),
               claim("another-table"), partition("silver_patient"), partition("gold_stay"), receive("SilverQueue"),
               send("SilverQueue"), versions(LAKE, "bronze/_commits/")],
    "silver": [delete(LAKE, "bronze/b"), moved_partition("bronze_patient"),
               get(LANDING, "patient/a"), version(LANDING, "patient/a"), put(LANDING, "patient/b"), lists(LANDING), lists(LANDING, "patient/"),
               lists(LAKE, ""), lists(LAKE, "gold/"), lists(LAKE, "silve"), put(LAKE, "bronze/b"), put(LAKE, "gold/b"),
               get(LAKE, "gold/none"), claim("another-table"), partition("bronze_patient"), receive("GoldQueue"), send("GoldQueue")],
    "gold": [get(LANDING, "patient/a"), put(LANDING, "patient/b"), lists(LANDING), lists(LAKE, ""),
             lists(LAKE, "bronze/"), lists(LAKE, "gol"), get(LAKE, "bronze/encounter/a"), get(LAKE, "bronze/none"),
             put(LAKE, "silver/b"), put(LAKE, "_lake.json"), put(LAKE, "reference/hospitals.csv"), claim("another-table"), partition("bronze_patient"),
             receive("SilverQueue"), send("SilverQueue"), look(), versions(LAKE, "bronze/")],
}
NOBODY = [
    on(LANDING, "delete_object", Key="patient/a"), on(LAKE, "delete_object", Key="gold/a"), on(LAKE, "delete_bucket"),
    on(LAKE, "put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"}),
    on(LAKE, "put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": [
        {"ID": "a", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}]}),
    ("dynamodb", "scan", {"TableName": LEDGER}),
    ("dynamodb", "delete_item", {"TableName": LEDGER, "Key": ITEM}), ("dynamodb", "delete_table", {"TableName": LEDGER}),
    ("glue", "delete_table", {"DatabaseName": "metriccare", "Name": "bronze_patient"}),
    ("glue", "delete_database", {"Name": "metriccare"}), ("iam", "list_users", {}),
]


class EveryRole(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto, cls.versions = Moto(), {}
        auditor = cls.moto.client("s3")
        for bucket, key in [(LANDING, "patient/a"), (LAKE, "bronze/encounter/a"), (LAKE, "bronze/_commits/a"),
                            (LAKE, "silver/a"), (LAKE, "gold/a"), (LAKE, "reference/_answers/w/tables/sums/a")]:
            put = auditor.put_object(Bucket=bucket, Key=key, Body=b"a")
            cls.versions[bucket, key] = put["VersionId"]

    @classmethod
    def tearDownClass(cls):
        cls.moto.end()

    def verdict(self, stage, service, call, arguments) -> str:
        if "QueueUrl" in arguments:
            arguments = {**arguments, "QueueUrl": self.moto.queues[arguments["QueueUrl"]]}
        if "VersionId" in arguments:
            arguments = {**arguments, "VersionId": self.versions[arguments["Bucket"], arguments["Key"]]}
        try:
            getattr(self.moto.client(service, self.moto.keys[stage]), call)(**arguments)
            return "allowed"
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return {403: "denied", 404: "missing"}.get(status, f"{status} {code}")

    def test_each_may_do_what_it_needs_and_nothing_else(self):
        rows, counts, wrong = {stage: [] for stage in STAGES}, {}, []
        # What is missing comes first: the generator then puts the hospitals that gold reads.
        for expected, calls in [("missing", MISSING), ("allowed", ALLOWED), ("denied", FOREIGN)]:
            for stage in STAGES:
                asked = calls[stage] + (NOBODY if expected == "denied" else [])
                for service, call, arguments in asked:
                    verdict = self.verdict(stage, service, call, arguments)
                    rows[stage].append(f"  {stage:<10} {f'{service}:{call}':<40} {about(arguments):<30} {verdict}")
                    if verdict != expected:
                        wrong.append(f"{rows[stage][-1]}, not {expected}")
                counts[stage, expected] = len(asked)
        print()
        for stage in STAGES:
            print(*rows[stage], sep="\n")
        for stage in STAGES:
            print(f"  {stage}: {counts[stage, 'allowed']} allowed, {counts[stage, 'missing']} missing, "
                  f"{counts[stage, 'denied']} denied")
        self.assertEqual(wrong, [])


def about(arguments) -> str:
    """What a call was about, with the stack's buckets by their logical names."""
    place = {LANDING: "landing/", LAKE: "lake/"}.get(arguments.get("Bucket"), "")
    known = [arguments[name] for name in ("TableName", "QueueUrl", "Prefix", "Key", "Name") if name in arguments]
    return place + (known[0] if known else "") + (" by version" if "VersionId" in arguments else "")


if __name__ == "__main__":
    unittest.main()
