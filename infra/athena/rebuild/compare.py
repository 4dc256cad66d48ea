#!/usr/bin/env python3
"""Runs the rebuild on a lake with another engine: silver and gold must come out as the lake holds them, cell by cell.

    compare.py LAKE                    rebuilds with DuckDB, compares every row, runs every named query
    compare.py LAKE --engine spark     rebuilds with Spark in local mode (infra/spark/rebuild.py), compares every row
    compare.py LAKE --out DIR          keeps what the engine computed in a new folder (silver/…, gold/…)
    compare.py LAKE --rebuilt DIR      compares what an engine has written to a folder (silver/…, gold/…)
    compare.py LAKE --answers          also asks that every named query has an answer, as on a lake of some size

Every file is read in Athena's dialect and written in the engine's by sqlglot. Counts, text and times must be the same,
floats agree to 1e-9 of their size. Exit status 1, and the first differing cells, where they do not.
"""

import argparse
import math
import pathlib
import subprocess
import sys
import tempfile
import time

import duckdb
import xxhash
from statements import HERE, TABLES, StatementError, buckets_of, parse, statements

QUERIES = HERE.parent / "queries"
SPARK = HERE.parent.parent / "spark" / "rebuild.py"

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP",  # Athena's is UTC and carries no zone
    "date": "DATE",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "decimal(14,2)": "DECIMAL(14,2)",
}

# What makes a row of each table the same row in both engines.
KEYS = {
    "silver_patient": ["patient_id"],
    "silver_encounter": ["encounter_id"],
    "silver_condition": ["condition_id"],
    "gold_stay": ["stay_id"],
    "gold_readmission": ["hospital_name", "month", "definition"],
    "gold_mortality": ["hospital_name", "month", "definition"],
    "gold_length_of_stay": ["hospital_name", "department", "month"],
    "gold_infection": ["hospital_name", "month", "infection_type"],
    "gold_occupancy": ["hospital_name", "month"],
    "gold_department_load": ["hospital_name", "department", "month"],
    "gold_demographics": ["dimension", "value", "month"],
    "gold_census": ["hospital_name", "department", "date"],
    "gold_summary": ["metric", "definition"],
    "gold_cohort": ["hospital_name", "month", "cohort"],
    "silver_dim_patient": ["patient_id"],
    "silver_dim_provider": ["provider_id"],
    "silver_dim_facility": ["facility_id"],
    "silver_fact_encounter": ["encounter_id"],
    "silver_fact_claim": ["claim_id", "claim_line_number"],
    "silver_fact_registry": ["registry_id"],
    "silver_fact_measure": ["report_id"],
    "silver_fact_hai": ["report_id"],
}

# The first column of each key decides the bucket.
STAR = {name: key[0] for name, key in KEYS.items() if name.startswith(("silver_dim_", "silver_fact_"))}

# The bronze table that each table of the star is made from.
BRONZE_OF = dict(zip(STAR, [name for name in TABLES if name.startswith("bronze_rel_")], strict=True))

SHOWN = 20  # differing cells that are shown per table


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def connect():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def register(connection, lake, prefix="", tables=TABLES):
    """Makes a view of every table of a lake, as Athena shows it; a table without files has no rows."""
    for name in tables:
        table = TABLES[name]
        partition = table["partition"]
        files = sorted((lake / table["path"]).glob("*/*.parquet" if partition else "*.parquet"))
        kinds = {column: DUCKDB_TYPES[kind] for column, kind in table["columns"].items()}
        cells = ", ".join(f'CAST("{column}" AS {kind}) AS "{column}"' for column, kind in kinds.items())
        if files:
            hive = f"hive_types = {{'{partition}': {kinds[partition]}}}" if partition else "hive_partitioning = false"
            source = f"read_parquet([{', '.join(quoted(file) for file in files)}], {hive})"
        else:
            nothing = ", ".join(f'NULL AS "{column}"' for column in kinds)
            source = f"(SELECT {nothing} WHERE FALSE)"
        connection.execute(f"CREATE VIEW {prefix}{name} AS SELECT {cells} FROM {source}")


def register_hospitals(connection, lake):
    """Makes a view of the reference file, whose columns are all text, as Athena shows it."""
    csv = lake / "reference" / "hospitals.csv"
    source = (
        f"read_csv({quoted(csv)}, header = true, all_varchar = true)"
        if csv.is_file() and csv.stat().st_size
        else "(SELECT NULL AS hospital_name, NULL AS staffed_beds WHERE FALSE)"
    )
    columns = ", ".join(f"CAST({c} AS VARCHAR) AS {c}" for c in ("hospital_name", "staffed_beds"))
    connection.execute(f"CREATE VIEW reference_hospitals AS SELECT {columns} FROM {source}")


def register_hash(connection):
    """Gives DuckDB the two functions of Trino's behind `bucket` that it lacks, as a table of the lake's own ids.

    A function in Python would need numpy.
    """
    ids = connection.execute(
        "SELECT patient_id FROM bronze_patient UNION SELECT patient_id FROM bronze_encounter"
        " UNION SELECT patient_id FROM bronze_condition UNION SELECT encounter_id FROM bronze_encounter"
        " WHERE patient_id IS NULL UNION SELECT condition_id FROM bronze_condition WHERE patient_id IS NULL"
    ).fetchall()
    for name, column in STAR.items():
        ids += connection.execute(f"SELECT DISTINCT {column} FROM {BRONZE_OF[name]}").fetchall()
    texts = list({row[0] for row in ids if row[0] is not None})
    hashes = [int.from_bytes(xxhash.xxh64_digest(text.encode()), "big", signed=True) for text in texts]
    connection.execute(
        "CREATE TABLE hashes AS SELECT encode(unnest(?::VARCHAR[])) AS bytes, unnest(?::BIGINT[]) AS hash",
        [texts, hashes],
    )
    connection.execute("CREATE MACRO xxhash64(x) AS (SELECT hash FROM hashes WHERE bytes = x)")
    connection.execute("CREATE MACRO from_big_endian_64(x) AS x")


def run(connection, path, sql):
    try:
        return connection.execute(sql)
    except duckdb.Error as error:
        raise StatementError(f"{path}: {error}\n\nas DuckDB was asked:\n{sql}") from error


def rebuild_with_duckdb(connection, lake):
    """Makes the table of every statement in memory."""
    register_hash(connection)
    for statement in statements():
        sql = statement.select("duckdb", buckets_of(lake))
        run(connection, statement.path, f"CREATE TABLE {statement.table} AS {sql}")


def write_tables(connection, lake, out):
    """Writes DuckDB's tables to a folder, laid out as the lake is."""
    for name in compared_tables(lake):
        table = TABLES[name]
        # The files' times are in UTC, as the lake's are.
        types = {**DUCKDB_TYPES, "timestamp": "TIMESTAMPTZ"}
        cells = ", ".join(f'CAST("{column}" AS {types[kind]}) AS "{column}"' for column, kind in table["columns"].items())
        place = out / table["path"]
        place.mkdir(parents=True)
        options = "FORMAT parquet, COMPRESSION zstd"
        if table["partition"]:
            options += f", PARTITION_BY ({table['partition']})"
        else:
            place /= "part-0.parquet"
        connection.execute(f"COPY (SELECT {cells} FROM rebuild_{name}) TO {quoted(place)} ({options})")


def rebuild_with_spark(lake, out, master):
    """Has the Spark job write silver and gold into a folder."""
    command = [sys.executable, SPARK, "--lake", lake, "--out", out, "--buckets", str(buckets_of(lake)), "--master", master]
    done = subprocess.run([str(part) for part in command], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise StatementError(f"infra/spark/rebuild.py failed:\n{done.stderr[-6000:]}")


def compared_tables(lake):
    """The tables that both hold: a lake of older rules knew no cohorts, and one without relational files has no star."""
    younger = {"gold_cohort", *STAR}
    return [name for name in KEYS if name in TABLES and (name not in younger or (lake / TABLES[name]["path"]).is_dir())]


def rows_of(connection, relation, columns, key):
    """Every row of a relation by its key."""
    places = [columns.index(column) for column in key]
    listed = ", ".join(f'"{column}"' for column in columns)
    rows = connection.execute(f"SELECT {listed} FROM {relation}").fetchall()
    found = {tuple(row[place] for place in places): row for row in rows}
    return found, len(rows)


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=0.0)
    return a == b


def compare(connection, name):
    """Compares one table and returns the rows compared and what differs, in words."""
    kinds = TABLES[name]["columns"]
    described = connection.execute(f"DESCRIBE rebuild_{name}").fetchall()
    # DuckDB sums whole numbers into a wider type than Athena does.
    found = {row[0]: "BIGINT" if row[1] == "HUGEINT" else row[1] for row in described}
    wanted = {column: DUCKDB_TYPES[kind] for column, kind in kinds.items()}
    if list(found.items()) != list(wanted.items()):
        odd = sorted(set(found.items()) ^ set(wanted.items()))
        return 0, [f"{name}: the columns are not those of the table: {odd or 'their order differs'}"]
    columns, key = list(kinds), KEYS[name]
    lake, lake_rows = rows_of(connection, name, columns, key)
    sql, sql_rows = rows_of(connection, f"rebuild_{name}", columns, key)
    faults = []
    for rows, by_key, where in ((lake_rows, lake, "lake"), (sql_rows, sql, "SQL")):
        if rows != len(by_key):
            faults.append(f"{name}: {rows} rows of the {where} share {len(by_key)} keys ({', '.join(key)})")
    faults += [f"{name} {k}: in the lake, not in the SQL's result" for k in lake if k not in sql]
    faults += [f"{name} {k}: in the SQL's result, not in the lake" for k in sql if k not in lake]
    for k, row in lake.items():
        for column, a, b in zip(columns, row, sql.get(k, row)):
            if not same(a, b):
                faults.append(f"{name} {k}: {column} is {a!r} in the lake, {b!r} by the SQL")
    return lake_rows, faults


def run_queries(connection, answers):
    """Runs every named query; returns whether one failed to answer where answers are asked for."""
    failed = False
    print(f"\n{'query':40}{'rows':>10}")
    for path in sorted(QUERIES.glob("*.sql")):
        rows = len(run(connection, path, parse(path).sql(dialect="duckdb")).fetchall())
        print(f"{path.stem:40}{rows:>10}" + ("  no answer" if answers and not rows else ""))
        failed |= answers and not rows
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("--engine", choices=["duckdb", "spark"], default="duckdb")
    parser.add_argument("--master", default="local[2]", help="Spark's master (local[2]: two workers on this machine)")
    parser.add_argument("--out", type=pathlib.Path, help="keep the engine's tables in this folder, which must not exist")
    parser.add_argument("--rebuilt", type=pathlib.Path, help="a folder that an engine has written, instead of running one")
    parser.add_argument("--answers", action="store_true", help="every named query must have an answer")
    arguments = parser.parse_args()
    if not (arguments.lake / "bronze").is_dir():
        sys.exit(f"{arguments.lake}: there is no lake here")

    if arguments.out and (arguments.rebuilt or arguments.out.exists()):
        sys.exit(f"{arguments.out}: --out is a new folder for what an engine computes now")

    connection = connect()
    register(connection, arguments.lake)
    register_hospitals(connection, arguments.lake)
    failed = False
    engine = "files" if arguments.rebuilt else arguments.engine
    with tempfile.TemporaryDirectory() as scratch:
        started = time.monotonic()
        out = arguments.rebuilt or arguments.out or pathlib.Path(scratch)
        if engine == "spark":
            rebuild_with_spark(arguments.lake, out, arguments.master)
        if engine == "duckdb":
            rebuild_with_duckdb(connection, arguments.lake)
            if arguments.out:
                write_tables(connection, arguments.lake, out)
        else:
            register(connection, out, "rebuild_", compared_tables(arguments.lake))
        if engine != "files":
            print(f"rebuilt with {engine} in {time.monotonic() - started:.1f} s\n")
        print(f"{'table':24}{'rows':>10}{'cells':>12}")
        total = 0
        for name in compared_tables(arguments.lake):
            rows, faults = compare(connection, name)
            total += rows
            print(f"{name:24}{rows:>10}{rows * len(TABLES[name]['columns']):>12}" + ("  differs" if faults else ""))
            for fault in faults[:SHOWN]:
                print(f"  {fault}")
            if len(faults) > SHOWN:
                print(f"  and {len(faults) - SHOWN} more")
            failed |= bool(faults)
        print(f"{'all':24}{total:>10}")
    if engine == "duckdb":
        failed |= run_queries(connection, arguments.answers)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    try:
        main()
    except StatementError as error:
        sys.exit(str(error))
