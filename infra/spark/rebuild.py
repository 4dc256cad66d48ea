#!/usr/bin/env python3
"""Computes silver and gold from a lake's bronze with Spark, by the statements that Athena runs (infra/athena/rebuild).

    rebuild.py --lake ./lake --out ./rebuilt --buckets 16 --master 'local[2]'
    spark-submit … rebuild.py --lake s3://bucket --out s3://bucket/rebuilt/2026-01-31 --buckets 64

sqlglot reads each statement in Athena's dialect and writes it in Spark's. The result is laid out as the lake is:
<out>/silver/<table>/bucket=NN/*.parquet and <out>/gold/<table>/*.parquet. <out> must not exist, or be empty.
"""

import argparse
import os
import pathlib
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import types
from sqlglot import exp

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "athena" / "rebuild"))
from statements import TABLES, statements  # noqa: E402

SPARK_TYPES = {
    "string": types.StringType(),
    "timestamp": types.TimestampType(),
    "date": types.DateType(),
    "bigint": types.LongType(),
    "double": types.DoubleType(),
    "boolean": types.BooleanType(),
    "decimal(14,2)": types.DecimalType(14, 2),
}


def session(master):
    """A session in which times are UTC, as Athena's are, and files hold them in microseconds, as the lake's do."""
    builder = SparkSession.builder.appName("metriccare-rebuild")
    if master:
        # The workers on this machine run in this environment.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        # On one machine: no web page, no cluster's number of partitions, and every socket on the loopback.
        cores = master.removeprefix("local[").removesuffix("]")
        builder = (
            builder.master(master)
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", cores if cores.isdigit() else "8")
        )
    return (
        builder.config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
        .config("spark.sql.parquet.compression.codec", "zstd")
        # A partition's text is what it is: `bucket=00` is no number, a hospital may be called 2025.
        .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
        .config("spark.sql.ansi.enabled", "true")
        .getOrCreate()
    )


def hash_of(text):
    """Trino's `from_big_endian_64(xxhash64(to_utf8(text)))`: Spark's own xxhash64 has another seed."""
    import xxhash  # where the function runs

    return None if text is None else int.from_bytes(xxhash.xxh64_digest(text.encode()), "big", signed=True)


def adapt(body):
    """What Spark wants otherwise than sqlglot writes it."""

    def change(node):
        if isinstance(node, exp.Anonymous) and node.name.lower() == "from_big_endian_64":
            text = next(node.find_all(exp.Encode)).this
            return exp.Anonymous(this="hash_of", expressions=[text.copy()])
        if isinstance(node, exp.DateDiff) and node.text("unit").upper() == "MILLISECOND":
            # Spark cuts the microseconds off the difference; Athena, which sees milliseconds only, off both times.
            to, since = (exp.Anonymous(this="unix_millis", expressions=[end.copy()]) for end in (node.this, node.expression))
            return exp.Paren(this=exp.Sub(this=to, expression=since))
        if isinstance(node, exp.DateAdd):
            # Spark adds a whole number of the 32-bit kind.
            amount = node.expression
            node.set("expression", exp.cast(amount.copy(), "int"))
        return node

    return body.transform(change)


def has_files(spark, path):
    """Whether a folder of the lake, in any file system that Spark knows, exists."""
    place = spark._jvm.org.apache.hadoop.fs.Path(path)
    return place.getFileSystem(spark._jsc.hadoopConfiguration()).exists(place)


def register(spark, lake):
    """Makes a view of every bronze table, and returns those that have no file and so no rows."""
    empty = set()
    for name, table in TABLES.items():
        if not name.startswith("bronze_"):
            continue
        kinds = table["columns"]
        path, partition = f"{lake}/{table['path']}", table["partition"]
        fields = [types.StructField(c, SPARK_TYPES[k], True) for c, k in kinds.items() if c != partition]
        if partition:
            # Read from the path as text, and typed by the cast below.
            fields.append(types.StructField(partition, types.StringType(), True))
        schema = types.StructType(fields)
        if has_files(spark, path):
            rows = spark.read.schema(schema).option("basePath", path).parquet(path)
        else:
            rows = spark.createDataFrame([], schema)
            empty.add(name)
        rows.select([rows[c].cast(SPARK_TYPES[k]).alias(c) for c, k in kinds.items()]).createOrReplaceTempView(name)
    csv = f"{lake}/reference/hospitals.csv"
    if has_files(spark, csv):
        hospitals = spark.read.option("header", "true").option("escape", '"').csv(csv)
    if not has_files(spark, csv) or "staffed_beds" not in hospitals.columns:
        columns = [types.StructField(c, types.StringType(), True) for c in ("hospital_name", "staffed_beds")]
        hospitals = spark.createDataFrame([], types.StructType(columns))
    hospitals.createOrReplaceTempView("reference_hospitals")
    return empty


def of_an_empty_star(statement, tables):
    """Whether a statement reads only tables of the relational set that are among these: such a lake has no star."""
    read = {table.name for table in statement.body.find_all(exp.Table) if table.name.startswith("bronze_")}
    return bool(read) and all(name.startswith("bronze_rel_") and name in tables for name in read)


def write(rows, name, out):
    """Writes a table of the lake and returns it as it is read from there."""
    table = TABLES[name]
    path, partition = f"{out}/{table['path']}", table["partition"]
    typed = rows.select([rows[c].cast(SPARK_TYPES[k]).alias(c) for c, k in table["columns"].items()])
    if partition:
        typed.repartition(partition).sortWithinPartitions(partition, *sort_columns(name)).write.partitionBy(
            partition
        ).parquet(path)
    else:
        typed.coalesce(1).write.parquet(path)
    spark = rows.sparkSession
    fields = [types.StructField(c, SPARK_TYPES[k], True) for c, k in table["columns"].items()]
    return spark.read.schema(types.StructType(fields)).parquet(path)


def sort_columns(name):
    """By admission or recorded time, then id, as the lake's own files are sorted: row groups can then be skipped."""
    columns = list(TABLES[name]["columns"])
    return [c for c in ("admission_time", "recorded_time") if c in columns][:1] + columns[:1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lake", required=True, help="the lake: a folder, or s3://bucket")
    parser.add_argument("--out", required=True, help="where silver and gold are written")
    parser.add_argument("--buckets", type=int, required=True, help="the lake's number of buckets (_lake.json)")
    parser.add_argument("--master", help="local[2] on one machine; a cluster's own setting where it is not given")
    arguments = parser.parse_args()
    lake, out = (place.rstrip("/") for place in (arguments.lake, arguments.out))

    spark = session(arguments.master)
    spark.sparkContext.setLogLevel("ERROR")
    spark.udf.register("hash_of", hash_of, types.LongType())
    empty = register(spark, lake)
    for statement in statements():
        if of_an_empty_star(statement, empty):
            continue
        started = time.monotonic()
        rows = spark.sql(statement.select("spark", arguments.buckets, adapt))
        name = statement.table.removeprefix("rebuild_")
        if name in TABLES:
            rows = write(rows, name, out)
        else:
            rows = rows.cache()
        rows.createOrReplaceTempView(statement.table)
        print(f"{statement.path.stem:28}{time.monotonic() - started:8.1f} s", file=sys.stderr)
    spark.stop()


if __name__ == "__main__":
    main()
