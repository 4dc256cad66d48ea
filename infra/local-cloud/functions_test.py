"""The real functions in Amazon's runtime emulator: every sample event is answered, and the template's permissions are enough
and no more. Under moto, which enforces policies, each function works with credentials that have its own role's policy.

Wants BINARIES (the folder of the built functions) and EMULATOR (aws-lambda-rie) in the environment.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

from moto.iam.access_control import IAMPolicy, PermissionResult

import template

BINARIES, EMULATOR = pathlib.Path(os.environ["BINARIES"]), os.environ["EMULATOR"]
T = template.load()
STACK = template.Stack(T)
STAGES = ["generator", "bronze", "silver", "gold"]
LANDING, LAKE, LEDGER = STACK.name("LandingBucket"), STACK.name("LakeBucket"), STACK.name("Ledger")
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(url: str, tries: int = 300) -> None:
    for _ in range(tries):
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url}")


class Moto:
    """moto's server, with the stack's buckets, queues, ledger and tables in it."""

    def __init__(self):
        self.endpoint = f"http://127.0.0.1:{free_port()}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", self.endpoint.rsplit(":", 1)[1]]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={
            **PLAIN, "MOTO_ACCOUNT_ID": template.ACCOUNT, "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"})
        answers(f"{self.endpoint}/moto-api/")
        self.root = ("test", "test")
        s3, sqs = self.client("s3"), self.client("sqs")
        for bucket in (LANDING, LAKE):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.queues = {name: sqs.create_queue(QueueName=STACK.name(name))["QueueUrl"] for name in template.of(T, "AWS::SQS::Queue")}
        for table in (LEDGER,):
            self.client("dynamodb").create_table(
                TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        glue = self.client("glue")
        glue.create_database(DatabaseInput={"Name": "metriccare"})
        for table in template.of(T, "AWS::Glue::Table").values():
            glue.create_table(DatabaseName="metriccare", TableInput={
                "Name": table["TableInput"]["Name"], "PartitionKeys": table["TableInput"].get("PartitionKeys", [])})
        iam, self.keys, self.policies = self.client("iam"), {}, {}
        for stage in STAGES:
            iam.create_user(UserName=stage)
            [policy] = T["Resources"][f"{stage.capitalize()}Role"]["Properties"]["Policies"]
            document = STACK.resolve(policy["PolicyDocument"])
            self.policies[stage] = IAMPolicy(json.dumps(document))
            for statement in document["Statement"]:
                # moto takes any condition on a list for one that does not hold; the template's test looks at it.
                statement.pop("Condition", None)
                # Its server knows resources of S3 only; those of the others are put to its policy engine directly.
                if not all(action.startswith("s3:") for action in statement["Action"]):
                    statement["Resource"] = "*"
            iam.put_user_policy(UserName=stage, PolicyName=stage, PolicyDocument=json.dumps(document))
            key = iam.create_access_key(UserName=stage)["AccessKey"]
            self.keys[stage] = (key["AccessKeyId"], key["SecretAccessKey"])
        iam.create_user(UserName="auditor")
        iam.put_user_policy(UserName="auditor", PolicyName="all", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
        key = iam.create_access_key(UserName="auditor")["AccessKey"]
        enforce = urllib.request.Request(f"{self.endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
        urllib.request.urlopen(enforce).close()
        self.root = (key["AccessKeyId"], key["SecretAccessKey"])

    def client(self, service: str, keys=None):
        user, secret = keys or self.root
        return boto3.client(service, endpoint_url=self.endpoint, region_name=template.REGION, aws_access_key_id=user,
                            aws_secret_access_key=secret, config=botocore.config.Config(retries={"max_attempts": 1}))

    def end(self):
        self.process.kill()
        self.process.wait()


class Function:
    """A function in the runtime emulator, with its role's credentials and its template's environment."""

    def __init__(self, moto: Moto, stage: str):
        properties = T["Resources"][stage.capitalize()]["Properties"]
        variables = {**T["Globals"]["Function"]["Environment"]["Variables"], **properties["Environment"]["Variables"]}
        user, secret = moto.keys[stage]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        environment = {**PLAIN, **{name: str(STACK.resolve(value)) for name, value in variables.items()},
                       "QUEUE_URL": moto.queues[f"{stage.capitalize()}Queue"],
                       "AWS_ENDPOINT_URL": moto.endpoint, "AWS_REGION": template.REGION, "AWS_ACCESS_KEY_ID": user,
                       "AWS_SECRET_ACCESS_KEY": secret, "AWS_LAMBDA_FUNCTION_NAME": stage,
                       "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769", "AWS_LAMBDA_FUNCTION_TIMEOUT": "60"}
        self.log = pathlib.Path(os.environ.get("WORK", ".")) / f"{stage}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [EMULATOR, "--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address",
                 f"127.0.0.1:{free_port()}", str((BINARIES / stage).resolve())],
                stdout=log, stderr=log, env=environment, start_new_session=True)
        answers(f"http://127.0.0.1:{port}/")

    def __call__(self, event):
        request = urllib.request.Request(self.url, json.dumps(event).encode())
        return json.loads(urllib.request.urlopen(request, timeout=120).read())

    def end(self):
        os.killpg(self.process.pid, 9)
        self.process.wait()


def batch(*bodies: str) -> dict:
    return {"Records": [{"messageId": f"m{n}", "receiptHandle": f"r{n}", "body": body, "eventSource": "aws:sqs",
                         "attributes": {"ApproximateReceiveCount": "1"}} for n, body in enumerate(bodies)]}


def notice(bucket: str, key: str) -> str:
    return json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": {
        "bucket": {"name": bucket}, "object": {"key": urllib.parse.quote_plus(key, safe="/")}}}]})


class UnderTheirOwnPolicies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.moto = Moto()
        cls.functions = {stage: Function(cls.moto, stage) for stage in STAGES}

    @classmethod
    def tearDownClass(cls):
        for function in cls.functions.values():
            function.end()
        cls.moto.end()

    def keys(self, bucket: str, prefix: str):
        pages = self.moto.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [listed["Key"] for page in pages for listed in page.get("Contents", [])]

    def test_the_real_work_succeeds(self):
        run = self.functions
        self.assertEqual(run["generator"]({"patients": 60})["landed"]["patients"], 60)
        cut = run["generator"]({"patients": 40001})
        self.assertEqual(cut, {"shards": 3})
        for stage, bucket, prefix in [("bronze", LANDING, ""), ("silver", LAKE, "bronze/_commits/"), ("gold", LAKE, "silver/_commits/")]:
            told = [notice(bucket, key) for key in self.keys(bucket, prefix)]
            self.assertEqual(run[stage](batch(*told)), {"batchItemFailures": []}, f"see {run[stage].log}")
            self.assertEqual(run[stage](batch(*told)), {"batchItemFailures": []}, "a redelivery is done already")
        self.assertEqual(run["gold"](batch(notice(LAKE, "reference/hospitals.csv"))), {"batchItemFailures": []})
        self.assertIn("gold/summary/part.parquet", self.keys(LAKE, "gold/"))

    def test_every_sample_event_is_answered(self):
        done, samples = {"batchItemFailures": []}, template.ROOT / "events"
        bad = {"batchItemFailures": [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975970003"}]}
        for stage in STAGES[1:]:
            for name, expected in [("s3-put", done), ("s3-put-odd-key", done), ("s3-test-event", done),
                                   ("eventbridge-object-created", done), ("sqs-batch-mixed", bad)]:
                answer = self.functions[stage](json.loads((samples / f"{name}.json").read_text()))
                self.assertEqual(answer, expected, (stage, name))
            for name in ("schedule", "shard-message"):
                answer = self.functions[stage](json.loads((samples / f"{name}.json").read_text()))
                self.assertTrue("errorType" in answer or answer["batchItemFailures"], (stage, name, answer))
        generator = self.functions["generator"]
        self.assertIn("landed", generator(json.loads((samples / "schedule.json").read_text())))
        self.assertEqual(generator(json.loads((samples / "shard-message.json").read_text())), done)
        self.assertIn("errorType", generator(json.loads((samples / "s3-put.json").read_text())))

    def test_what_is_allowed_is_allowed_on_its_own_resources_only(self):
        arn = lambda service, rest: f"arn:aws:{service}:{template.REGION}:{template.ACCOUNT}:{rest}"
        own, other = arn("dynamodb", f"table/{LEDGER}"), arn("dynamodb", "table/somebody-elses-table")
        for stage in STAGES:
            allowed = lambda action, resource: (
                self.moto.policies[stage].is_action_permitted(action, resource) == PermissionResult.PERMITTED)
            self.assertEqual(allowed("dynamodb:PutItem", own), stage != "generator")
            self.assertFalse(allowed("dynamodb:PutItem", other))
            for table in ("bronze_patient", "silver_patient", "gold_stay"):
                resource = arn("glue", f"table/metriccare/{table}")
                self.assertEqual(allowed("glue:CreatePartition", resource), stage == "bronze" and table.startswith("bronze_"))
            for queue in STAGES:
                resource = arn("sqs", f"metriccare-{queue}")
                self.assertEqual(allowed("sqs:ReceiveMessage", resource), queue == stage)
                self.assertEqual(allowed("sqs:SendMessage", resource), queue == stage == "generator")

    def test_everything_else_is_denied(self):
        foreign = {
            "generator": [("s3", "get_object", dict(Bucket=LANDING, Key="a")), ("s3", "put_object", dict(Bucket=LAKE, Key="gold/a")),
                          ("dynamodb", "put_item", dict(TableName=LEDGER, Item={"id": {"S": "a"}}))],
            "bronze": [("s3", "put_object", dict(Bucket=LANDING, Key="a")), ("s3", "put_object", dict(Bucket=LAKE, Key="silver/a")),
                       ("s3", "put_object", dict(Bucket=LAKE, Key="gold/a")), ("s3", "get_object", dict(Bucket=LAKE, Key="silver/a")),
                       ("glue", "delete_table", dict(DatabaseName="metriccare", Name="bronze_patient"))],
            "silver": [("s3", "get_object", dict(Bucket=LANDING, Key="a")), ("s3", "put_object", dict(Bucket=LAKE, Key="bronze/a")),
                       ("s3", "put_object", dict(Bucket=LAKE, Key="gold/a"))],
            "gold": [("s3", "get_object", dict(Bucket=LANDING, Key="a")), ("s3", "get_object", dict(Bucket=LAKE, Key="bronze/a")),
                     ("s3", "put_object", dict(Bucket=LAKE, Key="silver/a")), ("s3", "put_object", dict(Bucket=LAKE, Key="reference/hospitals.csv"))],
        }
        nobody = [
            ("s3", "delete_object", dict(Bucket=LANDING, Key="a")), ("s3", "delete_object", dict(Bucket=LAKE, Key="gold/a")),
            ("s3", "put_bucket_lifecycle_configuration", dict(Bucket=LAKE, LifecycleConfiguration={"Rules": [
                {"ID": "a", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}}]})),
            ("s3", "delete_bucket", dict(Bucket=LAKE)),
            ("dynamodb", "scan", dict(TableName=LEDGER)), ("dynamodb", "delete_item", dict(TableName=LEDGER, Key={"id": {"S": "a"}})),
            ("dynamodb", "delete_table", dict(TableName=LEDGER)), ("glue", "delete_database", dict(Name="metriccare")),
            ("iam", "list_users", {}),
        ]
        allowed, rows = [], []
        for stage in STAGES:
            for service, call, arguments in [*foreign[stage], *nobody]:
                client = self.moto.client(service, self.moto.keys[stage])
                try:
                    getattr(client, call)(**arguments)
                    verdict = "ALLOWED"
                except botocore.exceptions.ClientError as error:
                    code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
                    verdict = "denied" if status == 403 else f"ALLOWED ({code})"
                what = arguments.get("Key") or arguments.get("TableName") or arguments.get("Name") or ""
                rows.append(f"  {stage:<10} {service}:{call:<38} {str(what):<26} {verdict}")
                if verdict != "denied":
                    allowed.append(rows[-1])
        print("\n" + "\n".join(rows))
        self.assertEqual(allowed, [])


if __name__ == "__main__":
    unittest.main()
