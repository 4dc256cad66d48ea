"""The stack on moto: its buckets, queues, ledger and tables, and a user for every role, who may do what the role may."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import botocore.config

import template

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
        server = pathlib.Path(__file__).with_name("enforcing_moto.py")
        command = [sys.executable, server, "-H", "127.0.0.1", "-p", self.endpoint.rsplit(":", 1)[1]]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={
            **PLAIN, "MOTO_ACCOUNT_ID": template.ACCOUNT, "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"})
        answers(f"{self.endpoint}/moto-api/")
        self.root = ("test", "test")
        s3, sqs = self.client("s3"), self.client("sqs")
        for bucket in (LANDING, LAKE):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        self.queues = {name: sqs.create_queue(QueueName=STACK.name(name))["QueueUrl"] for name in template.of(T, "AWS::SQS::Queue")}
        for table in (LEDGER, "another-table"):
            self.client("dynamodb").create_table(
                TableName=table, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        glue = self.client("glue")
        glue.create_database(DatabaseInput={"Name": "metriccare"})
        for table in template.of(T, "AWS::Glue::Table").values():
            glue.create_table(DatabaseName="metriccare", TableInput={
                "Name": table["TableInput"]["Name"], "PartitionKeys": table["TableInput"].get("PartitionKeys", [])})
        iam, self.keys = self.client("iam"), {}
        for stage in STAGES:
            iam.create_user(UserName=stage)
            [policy] = T["Resources"][f"{stage.capitalize()}Role"]["Properties"]["Policies"]
            document = STACK.resolve(policy["PolicyDocument"])
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
