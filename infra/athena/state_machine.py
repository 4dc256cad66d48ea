#!/usr/bin/env python3
"""Runs the state machine of infra/templates/rebuild.yaml on a local cloud, and compares what it published with a lake.

    state_machine.py LAKE

ministack plays S3, Glue and Step Functions. Its Athena neither understands Trino's SQL nor writes tables, so statements
are executed here as Athena would: translated by sqlglot, run on DuckDB, written to S3 as Parquet, and named in Glue. What is
tried is the definition itself: parameters and ranges of buckets, the order, polling, failures, publishing, removal.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "rebuild")]

import boto3  # noqa: E402
import yaml  # noqa: E402
from botocore.config import Config  # noqa: E402

import compare  # noqa: E402
from statements import TABLES, buckets_of, sqlglot, statements  # noqa: E402

TEMPLATE = HERE.parent / "templates" / "rebuild.yaml"
BUCKET, DATABASE, REBUILT, WORKGROUP = "lake", "metriccare", "metriccare_rebuilt", "metriccare-rebuild"
PARTITIONS = 100  # that Athena writes in one statement


class Refused(Exception):
    """What Athena would refuse."""


def client(name):
    return boto3.client(name, endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="us-east-1",
                        config=Config(s3={"addressing_style": "path"}))


# ── Athena, inside ministack's process ──────────────────────────────────────────────────────────────────────


def bound(sql, values):
    """A statement with its parameters, which Athena takes in a WHERE clause only."""
    statement = sqlglot.parse_one(sql, read="athena")
    holes = list(statement.find_all(sqlglot.exp.Placeholder))
    if len(holes) != len(values):
        raise Refused(f"{len(holes)} parameters, and {len(values)} values")
    for hole, value in zip(holes, values):
        if not hole.find_ancestor(sqlglot.exp.Where):
            raise Refused("a parameter outside a WHERE clause")
        hole.replace(sqlglot.exp.Literal.number(value))
    return statement


def write_table(rewritten, statement, database, place, lake):
    """Executes CREATE TABLE AS or INSERT INTO: Parquet below the place, and the table in Glue."""
    create = statement.key == "create"
    table = statement.this.name
    s3, glue = client("s3"), client("glue")
    connection = compare.connect()
    compare.register(connection, lake, tables=[name for name in TABLES if name.startswith("bronze_")])
    compare.register_hash(connection)
    connection.execute(f"CREATE TABLE result AS {rewritten}")
    # ministack's tables know no decimal of their own precision.
    for column, kind in TABLES.get(table.removeprefix("rebuild_"), {"columns": {}})["columns"].items():
        if kind.startswith("decimal"):
            connection.execute(f"ALTER TABLE result ALTER {column} TYPE {compare.DUCKDB_TYPES[kind]}")
    columns = connection.execute("DESCRIBE result").fetchall()
    partitioned = "partitioned_by" in statement.sql(dialect="athena") if create else None
    if not create:
        found = glue.get_table(DatabaseName=database, Name=table)["Table"]
        place, partitioned = found["StorageDescriptor"]["Location"], bool(found["PartitionKeys"])
    if partitioned:
        [(buckets,)] = connection.execute("SELECT count(DISTINCT bucket) FROM result").fetchall()
        if buckets > PARTITIONS:
            raise Refused(f"TOO_MANY_OPEN_PARTITIONS: {buckets} partitions in one statement")
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / "out"
        if partitioned:
            connection.execute(f"COPY result TO '{target}' (FORMAT parquet, PARTITION_BY (bucket))")
        else:
            target.mkdir()
            connection.execute(f"COPY result TO '{target}/data.parquet' (FORMAT parquet)")
        for file in target.rglob("*.parquet"):
            key = f"{prefix.rstrip('/')}/{file.relative_to(target).parent}/{os.urandom(8).hex()}.parquet"
            s3.put_object(Bucket=bucket, Key=key.replace("/./", "/"), Body=file.read_bytes())
    if create:
        kinds = {"VARCHAR": "string", "BIGINT": "bigint", "HUGEINT": "bigint", "INTEGER": "int", "DOUBLE": "double",
                 "BOOLEAN": "boolean", "DATE": "date", "TIMESTAMP": "timestamp", "TIMESTAMP WITH TIME ZONE": "timestamp", "DECIMAL(14,2)": "decimal(14,2)"}
        declared = [{"Name": column[0], "Type": kinds[column[1]]} for column in columns]
        keys = [c for c in declared if partitioned and c["Name"] == "bucket"]
        glue.create_table(DatabaseName=database, TableInput={
            "Name": table, "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys, "Parameters": {"classification": "parquet"},
            "StorageDescriptor": storage([c for c in declared if c not in keys], place)})
    return {"columns": ["rows"], "column_types": ["bigint"], "rows": []}


def serve(lake):
    """ministack, whose Athena executes the rebuild's statements."""
    import asyncio

    from ministack import app
    from ministack.services import athena, stepfunctions

    started, executed = athena._start_query_execution, athena._run_duckdb

    def start(data):
        try:
            statement = bound(data["QueryString"], data.get("ExecutionParameters", []))
        except Refused as error:
            return athena.error_response_json("InvalidRequestException", str(error), 400)
        place = data["ResultConfiguration"]["OutputLocation"]
        # The statement as it goes on inside: with its values, and where its results go.
        return started({**data, "QueryString": f"-- {place}\n{statement.sql(dialect='athena')}"})

    async def run(query, database, catalog=None):
        place, _, sql = query.removeprefix("-- ").partition("\n")
        statement = sqlglot.parse_one(sql, read="athena")
        if statement.key not in ("create", "insert"):
            return await executed(query, database, catalog)
        body = statement.expression.sql(dialect="duckdb", comments=False)
        rewritten, _, _ = await athena._rewrite_data_paths(body, database, catalog)
        location = f"{place}Unsaved/tables/{os.urandom(16).hex()}/"
        return await asyncio.to_thread(write_table, rewritten, statement, database, location, lake)

    dispatched = stepfunctions._dispatch_aws_sdk_rest_xml

    def dispatch(info, service, action, arguments):
        # The one call of the machine that ministack's Step Functions does not know; its S3 does.
        if (service, action) == ("s3", "deleteObjects"):
            return client("s3").delete_objects(**arguments)
        return dispatched(info, service, action, arguments)

    stepfunctions._dispatch_aws_sdk_rest_xml = dispatch
    athena._start_query_execution, athena._run_duckdb = start, run
    app.main()


# ── The run, from outside ───────────────────────────────────────────────────────────────────────────────────


def storage(columns, location):
    hive = "org.apache.hadoop.hive.ql.io.parquet"
    return {"Columns": columns, "Location": location, "InputFormat": f"{hive}.MapredParquetInputFormat",
            "OutputFormat": f"{hive}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{hive}.serde.ParquetHiveSerDe"}}


def definition(buckets, **changes):
    """The definition of the template, with the values that CloudFormation would put in."""

    class Plain(yaml.SafeLoader):
        pass

    Plain.add_multi_constructor("!", lambda loader, suffix, node: None)
    machine = yaml.load(TEMPLATE.read_text(), Plain)["Resources"]["RebuildMachine"]["Properties"]["Definition"]
    values = {"LakeBucket": BUCKET, "Database": DATABASE, "RebuiltDatabase": REBUILT, "Workgroup": WORKGROUP,
              "Buckets": buckets, "GraceSeconds": 1, "PollSeconds": 1} | changes
    return re.sub(r"\$\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), json.dumps(machine))


def prepare(lake):
    """The lake in S3, its tables in Glue, the workgroup."""
    s3, glue, athena = client("s3"), client("glue"), client("athena")
    s3.create_bucket(Bucket=BUCKET)
    for file in [*lake.glob("bronze/*/*/*.parquet"), *lake.glob("reference/hospitals.csv")]:
        s3.put_object(Bucket=BUCKET, Key=str(file.relative_to(lake)), Body=file.read_bytes())
    for database in (DATABASE, REBUILT):
        glue.create_database(DatabaseInput={"Name": database})
    for name, table in TABLES.items():
        columns = [{"Name": c, "Type": t} for c, t in table["columns"].items() if c != table["partition"]]
        keys = [{"Name": c, "Type": t} for c, t in table["columns"].items() if c == table["partition"]]
        location = f"s3://{BUCKET}/{table['path']}/"
        parameters = {"EXTERNAL": "TRUE", "classification": "parquet"}
        if table["partition"] == "bucket":
            parameters |= {"projection.enabled": "true", "storage.location.template": location + "bucket=${bucket}/"}
        glue.create_table(DatabaseName=DATABASE, TableInput={
            "Name": name, "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys, "Parameters": parameters,
            "StorageDescriptor": storage(columns, location)})
    columns = [{"Name": c, "Type": "string"} for c in ("hospital_name", "staffed_beds", "city", "state")]
    glue.create_table(DatabaseName=DATABASE, TableInput={
        "Name": "reference_hospitals", "TableType": "EXTERNAL_TABLE", "Parameters": {"classification": "csv", "skip.header.line.count": "1"},
        "StorageDescriptor": storage(columns, f"s3://{BUCKET}/reference/") | {
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat", "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"}}})
    athena.create_work_group(Name=WORKGROUP)


def run(machine, name):
    """One execution to its end; its status, and why it failed."""
    sfn = client("stepfunctions")
    execution = sfn.start_execution(stateMachineArn=machine, name=name, input="{}")["executionArn"]
    while (found := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.5)
    return found["status"], found.get("cause", "")


def locations():
    """Where the published tables look for their files."""
    found = client("glue").get_tables(DatabaseName=REBUILT)["TableList"]
    return {table["Name"]: table["StorageDescriptor"]["Location"] for table in found}


def keys(prefix):
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def fetch(out):
    """Copies what the published tables name into a folder, laid out as a lake."""
    s3 = client("s3")
    for name, location in locations().items():
        prefix = location.removeprefix(f"s3://{BUCKET}/")
        for key in keys(prefix):
            target = out / TABLES[name]["path"] / key.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())


def expect(holds, what):
    if not holds:
        sys.exit(f"not so: {what}")
    print(f"  {what}")


def exercise(lake):
    """Two runs and one that fails; the tables that they leave."""
    prepare(lake)
    buckets, sfn = buckets_of(lake), client("stepfunctions")
    create = lambda name, text: sfn.create_state_machine(
        name=name, definition=text, roleArn="arn:aws:iam::000000000000:role/rebuild")["stateMachineArn"]
    machine = create("rebuild", definition(buckets))
    wanted = {s.table.removeprefix("rebuild_") for s in statements()} & set(TABLES)

    started = time.monotonic()
    status, cause = run(machine, "first")
    expect(status == "SUCCEEDED", f"the first run succeeds in {time.monotonic() - started:.0f} s {cause}")
    first = locations()
    expect(set(first) == wanted, f"{len(wanted)} tables are published under the lake's own names")
    expect(all(f"/rebuilt/first/" in place for place in first.values()), "they look where the first run wrote")
    silver = client("glue").get_table(DatabaseName=REBUILT, Name="silver_patient")["Table"]
    expect(silver["Parameters"]["storage.location.template"] == first["silver_patient"] + "bucket=${bucket}/",
           "buckets are projected on the run's own folder")
    left = [t["Name"] for t in client("glue").get_tables(DatabaseName=DATABASE)["TableList"] if t["Name"].startswith("rebuild_")]
    expect(not left, "no name of the run is left in the lake's database")

    # The last statement fails: nothing that readers see may have changed.
    broken = definition(buckets).replace("FROM rebuild_gold_occupancy", "FROM rebuild_never_made")
    status, cause = run(create("broken", broken), "broken")
    expect(status == "FAILED" and "rebuild_" in cause, f"a run whose statement fails says so: {cause[:90]}…")
    expect(locations() == first, "the tables of the first run stay published")

    status, cause = run(machine, "second")
    expect(status == "SUCCEEDED", f"the run after it succeeds {cause}")
    expect(all("/rebuilt/second/" in place for place in locations().values()), "all tables have switched")
    expect(not keys("rebuilt/first/") and not keys("rebuilt/broken/"), "the files of earlier runs are removed")
    with tempfile.TemporaryDirectory() as folder:
        fetch(pathlib.Path(folder))
        subprocess.run([sys.executable, HERE / "rebuild" / "compare.py", lake, "--rebuilt", folder], check=True)


def main():
    if sys.argv[1] == "--serve":
        sys.argv = [sys.argv[0], *sys.argv[3:]] if len(sys.argv) > 3 else sys.argv[:1]
        serve(pathlib.Path(os.environ["REBUILT_LAKE"]))
        return
    lake = pathlib.Path(sys.argv[1]).resolve()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
                   "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    settings = {"BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "IOT_MTLS_ENABLED": "0",
                "REBUILT_LAKE": str(lake)}
    with tempfile.TemporaryDirectory() as work:
        log = pathlib.Path(work) / "ministack.log"
        with open(log, "wb") as out:
            server = subprocess.Popen([sys.executable, __file__, "--serve"], cwd=work, stdin=subprocess.DEVNULL, stdout=out,
                                      stderr=out, env=os.environ | settings, start_new_session=True)
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/_ministack/health", timeout=1).close()
                    break
                except urllib.error.HTTPError:
                    break
                except OSError:
                    time.sleep(0.1)
            exercise(lake)
        except BaseException:
            print(log.read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            os.killpg(server.pid, 9)
            server.wait()


if __name__ == "__main__":
    main()
