"""Deploys the template on ministack with the real SAM CLI, runs it, and compares the result with the local pipeline."""
import argparse
import csv
import datetime
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import boto3
import duckdb

import costs
import template
from ministack import Ministack

STACK = "metriccare"
STAGES = ["generator", "bronze", "silver", "gold"]
DROPPED = {
    "resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": {"resourceType": "Patient", "id": "dropped", "gender": "female", "birthDate": "1950-02-03"}},
        {"resource": {"resourceType": "Encounter", "id": "dropped-stay", "status": "finished",
                      "class": {"code": "IMP"}, "subject": {"reference": "Patient/dropped"},
                      "serviceProvider": {"display": "Dropped & Söhne + 1"},
                      "period": {"start": "2025-04-01T08:00:00Z", "end": "2025-04-05T10:00:00Z"}}},
        {"resource": {"resourceType": "Encounter", "status": "finished"}}]}


class Run:
    def __init__(self, arguments):
        self.sam, self.binaries, self.work = arguments.sam, arguments.binaries, arguments.work
        self.patients, self.costs, self.report, self.faults = arguments.patients, arguments.costs, [], []

    def say(self, what: str, value: str):
        self.report.append((what, value))
        print(f"  {what:<28} {value}", flush=True)

    def check(self, holds: bool, what: str):
        if not holds:
            self.faults.append(what)
            print(f"  WRONG: {what}", flush=True)

    def go(self, cloud: Ministack):
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        client = lambda service: session.client(service, endpoint_url=cloud.endpoint)
        self.s3, self.sqs, self.lambdas = client("s3"), client("sqs"), client("lambda")
        self.athena, self.events, self.glue = client("athena"), client("events"), client("glue")
        self.stacks, self.dynamodb = client("cloudformation"), client("dynamodb")
        self.deploy(cloud)
        self.generate()
        self.let_the_schedule_fire()
        self.drop_a_file()
        self.wait_for_gold()
        self.ask_athena()
        self.compare()
        self.ask_the_command(cloud)
        if self.costs:
            self.say_costs(client("logs"))

    def deploy(self, cloud: Ministack):
        text = (template.ROOT / "template.yaml").read_text()
        for stage in STAGES:
            built = self.work / "built" / stage
            built.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.binaries / stage, built / "bootstrap")
            text = text.replace(f"CodeUri: functions/{stage}\n", f"CodeUri: built/{stage}\n")
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.write(built / "bootstrap", "bootstrap")
            self.say(f"zip of {stage}", f"{packed.tell() / 1e6:.2f} MB")
        # CloudFormation makes a number of a parameter that is one; ministack keeps its text, and cannot compare it.
        parameters = template.load()["Parameters"]
        number = lambda found: f"MaximumConcurrency: {parameters[found[1]]['Default']}"
        text = re.sub(r"MaximumConcurrency: !Ref (\w+)", number, text)
        (self.work / "template.yaml").write_text(text)
        shutil.copytree(template.ROOT / "infra" / "templates", self.work / "infra" / "templates")
        # ministack has Athena's saved queries in its API, not in its CloudFormation: they are saved below.
        values = {"Architecture": "x86_64", "SaveQueries": "false", "FeedPatients": "400", "BatchWindow": "5",
                  "ScheduleExpression": "rate(1 minute)"}
        started = time.monotonic()
        done = subprocess.run(
            [self.sam / "sam", "deploy", "--template-file", self.work / "template.yaml", "--stack-name", STACK,
             "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar",
             "--region", "us-east-1", "--parameter-overrides", *[f'{k}="{v}"' for k, v in values.items()]],
            env={**cloud.environment, "SAM_CLI_TELEMETRY": "0"}, cwd=self.work, text=True, capture_output=True)
        (self.work / "deploy.log").write_text(done.stdout + done.stderr)
        if done.returncode != 0:
            sys.exit(f"sam deploy failed:\n{(done.stdout + done.stderr)[-4000:]}")
        [stack] = self.stacks.describe_stacks(StackName=STACK)["Stacks"]
        self.say("sam deploy", f"{stack['StackStatus']}, {self.count_resources(STACK)} resources, {time.monotonic() - started:.1f} s")
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
        self.landing, self.lake = self.outputs["LandingBucketName"], self.outputs["LakeBucketName"]

    def count_resources(self, stack: str) -> int:
        """How many resources a stack has, those of its nested stacks included."""
        resources = self.stacks.describe_stack_resources(StackName=stack)["StackResources"]
        nested = [r["PhysicalResourceId"] for r in resources if r["ResourceType"] == "AWS::CloudFormation::Stack"]
        return len(resources) + sum(self.count_resources(name) for name in nested)

    def generate(self):
        started = time.monotonic()
        landed = self.land({"patients": self.patients})
        self.say("generator invoked", f"{landed['patients']} patients, {landed['objects']} objects, "
                                      f"{landed['bytes'] / 1e6:.1f} MB, {time.monotonic() - started:.1f} s")

        started = time.monotonic()
        self.land({"view": "tables", "patients": self.patients})
        self.say("tables generated", f"{self.patients} patients as eight tables, {time.monotonic() - started:.1f} s")

    def land(self, job: dict) -> dict:
        answer = self.lambdas.invoke(FunctionName=f"{STACK}-generator", Payload=json.dumps(job))
        payload = json.loads(answer["Payload"].read())
        if "landed" not in payload:
            sys.exit(f"the generator answered {payload}")
        return payload["landed"]

    def let_the_schedule_fire(self):
        today = datetime.datetime.now(datetime.timezone.utc)
        started = time.monotonic()
        while time.monotonic() - started < 150:
            days = {today.strftime("%Y/%m/%d"), datetime.datetime.now(datetime.timezone.utc).strftime("%Y/%m/%d")}
            fed = [key for key in self.keys(self.landing) if any(day in key for day in days)]
            if fed:
                break
            time.sleep(1)
        for rule in self.events.list_rules()["Rules"]:
            self.events.disable_rule(Name=rule["Name"])
        self.check(bool(fed), "the schedule fired and landed the feed of the day")
        self.say("schedule fired", f"{len(fed)} objects of the day, after {time.monotonic() - started:.0f} s")

    def drop_a_file(self):
        self.s3.put_object(Bucket=self.landing, Key="from outside/a b+ö %2F.json", Body=json.dumps(DROPPED))
        self.say("file dropped", "a Bundle under a key with a space, a plus, a percent sign and an umlaut")

    def wait_for_gold(self):
        started, quiet = time.monotonic(), 0
        while quiet < 4 and time.monotonic() - started < 300:
            time.sleep(2)
            quiet = quiet + 1 if sum(self.waiting(stage) for stage in STAGES) == 0 else 0
        self.check(quiet >= 4, "all queues are empty after five minutes")
        dead = {stage: self.waiting(f"{stage}-dead-letters") for stage in STAGES}
        self.check(not any(dead.values()), f"no dead letters: {dead}")
        keys = self.keys(self.lake)
        count = lambda prefix: sum(key.startswith(prefix) for key in keys)
        self.say("gold came", f"{count('gold/')} objects, {time.monotonic() - started:.1f} s after the last landing")
        self.say("bronze, silver", f"{count('bronze/')} and {count('silver/')} objects")
        partitions = len(self.glue.get_partitions(DatabaseName="metriccare", TableName="bronze_encounter")["Partitions"])
        self.check(partitions > 0, "bronze partitions are known to Glue")
        works = self.dynamodb.scan(TableName=self.outputs["LedgerTable"])["Items"]
        unfinished = [w["id"]["S"] for w in works if w.get("status", {"S": "COMPLETED"})["S"] != "COMPLETED"]
        self.check(not unfinished, f"the ledger has completed everything: {unfinished}")
        self.say("Glue, ledger", f"{partitions} partitions of bronze_encounter, {len(works)} ledger items")

    def ask_athena(self):
        started, rows = time.monotonic(), {}
        queries = template.of(template.load(), "AWS::Athena::NamedQuery")
        for query in queries.values():
            saved = self.athena.create_named_query(Name=query["Name"], Database="metriccare", WorkGroup=STACK,
                                                   QueryString=query["QueryString"])
            text = self.athena.get_named_query(NamedQueryId=saved["NamedQueryId"])["NamedQuery"]["QueryString"]
            answer = self.answer_of(query["Name"], text)
            if answer is not None:
                rows[query["Name"]] = len(answer)
        self.check(all(rows.values()), f"every saved query has rows: {rows}")
        self.say("Athena", f"{len(rows)} of {len(queries)} saved queries, {sum(rows.values())} rows, "
                           f"{time.monotonic() - started:.1f} s")
        body = self.s3.get_object(Bucket=self.lake, Key="reference/hospitals.csv")["Body"].read().decode()
        written = [tuple(line) for line in csv.reader(io.StringIO(body))][1:]
        read = self.answer_of("reference_hospitals", "SELECT hospital_name, staffed_beds, city, state FROM reference_hospitals")
        self.check(sorted(read or []) == sorted(written), f"reference_hospitals equals the file: {read}")
        self.say("reference_hospitals", f"{len(written)} hospitals, as the generator wrote them")

    def answer_of(self, name: str, sql: str):
        """The rows of a query, by Athena's API; none where it failed, which is reported."""
        asked = self.athena.start_query_execution(QueryString=sql, WorkGroup=STACK, QueryExecutionContext={"Database": "metriccare"})
        for _ in range(300):
            execution = self.athena.get_query_execution(QueryExecutionId=asked["QueryExecutionId"])["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.2)
        state = execution["Status"]
        self.check(state["State"] == "SUCCEEDED", f"{name}: {state.get('StateChangeReason', state)}")
        if state["State"] != "SUCCEEDED":
            return None
        page = self.athena.get_query_results(QueryExecutionId=asked["QueryExecutionId"])["ResultSet"]["Rows"]
        return [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in page[1:]]

    def compare(self):
        """Runs the local pipeline on the same landed objects: its silver and gold have to equal the cloud's."""
        local, cloud = (self.work / name for name in ("lake", "cloud"))
        # Into the lake's own landing folder: ingest would take a file of the future, such as the end of today, as one of now.
        landed = local / "landing"
        for listed in self.list(self.landing):
            path = self.fetch(self.landing, listed["Key"], landed)
            stated = self.s3.head_object(Bucket=self.landing, Key=listed["Key"])["Metadata"].get("metriccare-landed")
            moment = int(listed["LastModified"].timestamp()) * 10**9 if stated is None else int(stated) * 1000
            os.utime(path, ns=(moment, moment))
        hospitals = self.fetch(self.lake, "reference/hospitals.csv", cloud)
        (local / "reference").mkdir(parents=True)
        shutil.copy(hospitals, local / "reference" / "hospitals.csv")
        command = [self.binaries / "metriccare", "ingest", "--lake", local, "--json"]
        done = subprocess.run(command, text=True, capture_output=True)
        (self.work / "ingest.json").write_text(done.stdout)
        self.check(done.returncode == 0, f"the local pipeline takes the same objects: {done.stderr[-500:]}")
        tables = sorted({table["TableInput"]["Name"] for table in
                         template.of(template.load(), "AWS::Glue::Table").values()})
        cells = 0
        for table in (t for t in tables if t.startswith(("silver_", "gold_"))):
            path = table.replace("_", "/", 1)
            for key in self.keys(self.lake, f"{path}/"):
                self.fetch(self.lake, key, cloud)
            here, there = f"{local}/{path}/**/*.parquet", f"{cloud}/{path}/**/*.parquet"
            read = lambda files: f"SELECT * FROM read_parquet('{files}', hive_partitioning = true, hive_types_autocast = false)"
            differ = duckdb.sql(f"SELECT count(*) FROM (({read(here)} EXCEPT ALL {read(there)}) UNION ALL "
                                f"({read(there)} EXCEPT ALL {read(here)}))").fetchall()[0][0]
            rows, columns = duckdb.sql(read(there)).shape
            cells += rows * columns
            self.check(differ == 0, f"{path}: {differ} rows differ between the cloud and the local pipeline")
        self.say("cloud = local pipeline", f"{cells} cells of silver and gold compared")
        verified = subprocess.run([self.binaries / "metriccare", "verify", "--lake", local], text=True, capture_output=True)
        self.check(verified.returncode == 0, f"the laws hold on the local lake: {verified.stdout[-800:]}")
        self.say("verify", verified.stdout.strip().splitlines()[-1] if verified.stdout.strip() else verified.stderr.strip())

    def ask_the_command(self, cloud: Ministack):
        """Verifies the deployed lake with the command, and looks for landed objects that bronze was not notified of."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | cloud.environment
        command = lambda *words: subprocess.run([self.binaries / "metriccare", *words], text=True, capture_output=True, env=env)
        verified = command("verify", "--lake", f"s3://{self.lake}")
        self.check(verified.returncode == 0, f"the laws hold on the deployed lake: {verified.stdout[-800:]}{verified.stderr[-400:]}")
        self.say("verify of the deployed lake", (verified.stdout.strip() or verified.stderr.strip()).splitlines()[-1])
        missed = command("redrive", "--from", "landing", "--dry-run", "--stack", STACK)
        self.check(missed.stdout.startswith("0 of "), f"bronze was notified of everything: {missed.stdout}{missed.stderr}")
        letters = command("redrive", "--dry-run", "--stack", STACK)
        self.check(letters.stdout.count("no dead letters") == len(STAGES), f"no dead letters: {letters.stdout}{letters.stderr}")

    def say_costs(self, logs):
        stages = {stage: costs.read(logs, f"/aws/lambda/{STACK}-{stage}") for stage in STAGES}
        self.check(all(stage.invocations for stage in stages.values()), "every function's invocations are in its log")
        objects, encounters = duckdb.sql(
            f"SELECT count(*), sum(encounters) FROM '{self.work}/lake/bronze/ingest_log/**/*.parquet'").fetchall()[0]
        document = template.load()
        memory, alarms = document["Parameters"]["MemorySize"]["Default"], len(template.of(document, "AWS::CloudWatch::Alarm"))
        print("\n".join(costs.report(stages, memory, alarms, encounters, objects)), flush=True)

    def stay(self, cloud: Ministack):
        """Leaves the cloud up, with the settings of a function for `cargo lambda watch`, until Ctrl-C."""
        settings = self.lambdas.get_function_configuration(FunctionName=f"{STACK}-bronze")["Environment"]["Variables"]
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL")
        variables = {**settings, **{name: cloud.environment[name] for name in names}}
        path = self.work / "bronze.env"
        path.write_text("".join(f"{name}={value}\n" for name, value in sorted(variables.items())))
        self.say("the cloud stays up", f"at {cloud.endpoint} until Ctrl-C; bronze's settings are in {path}")
        try:
            while cloud.process.poll() is None:
                time.sleep(1)
        except KeyboardInterrupt:
            print()

    def waiting(self, name: str) -> int:
        url = self.sqs.get_queue_url(QueueName=f"{STACK}-{name}")["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        return sum(int(n) for n in self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values())

    def list(self, bucket: str, prefix: str = ""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [listed for page in pages for listed in page.get("Contents", [])]

    def keys(self, bucket: str, prefix: str = ""):
        return [listed["Key"] for listed in self.list(bucket, prefix)]

    def fetch(self, bucket: str, key: str, folder: pathlib.Path) -> pathlib.Path:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("emulators", "sam", "binaries", "work"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--patients", type=int, default=1000)
    parser.add_argument("--costs", action="store_true", help="work out what the run would have cost on AWS")
    parser.add_argument("--keep", action="store_true", help="leave the cloud up at the end, until Ctrl-C")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    run, started = Run(arguments), time.monotonic()
    # Ending this process ends the emulator too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    print("MetricCare on a local cloud", flush=True)
    with Ministack(arguments.emulators, arguments.work) as cloud:
        run.go(cloud)
        if arguments.keep:
            run.stay(cloud)
    print(f"  {'taken down':<28} after {time.monotonic() - started:.0f} s")
    if run.faults:
        sys.exit(f"{len(run.faults)} of the checks failed")
    print("everything holds")


if __name__ == "__main__":
    main()
