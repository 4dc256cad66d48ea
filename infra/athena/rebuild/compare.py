#!/usr/bin/env python3
"""Runs Athena's SQL on a lake with DuckDB: the rebuild must give what the lake holds, cell by cell.

    compare.py LAKE              rebuilds silver and gold from bronze, compares every row, runs every named query
    compare.py LAKE --answers    also asks that every named query has an answer, as on a lake of some size

Every file is read in Athena's dialect and written in DuckDB's by sqlglot. Counts, text and times must be the same,
floats agree to 1e-9 of their size. Exit status 1, and the first differing cells, where they do not.
"""

import argparse
import json
import math
import pathlib
import sys

import duckdb
import sqlglot
import xxhash

HERE = pathlib.Path(__file__).resolve().parent
QUERIES = HERE.parent / "queries"
# Every table of the lake with its columns; a test holds this file against the schema that the pipeline writes.
TABLES = json.loads((HERE.parent / "tables.json").read_text())

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP",  # Athena's is UTC and carries no zone
    "date": "DATE",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
}

# What makes a row of each table the same row in both engines.
KEYS = {
    "silver_patient": ["patient_id"],
    "silver_encounter": ["patient_id", "encounter_id"],
    "silver_condition": ["patient_id", "condition_id"],
    "gold_stay": ["patient_id", "stay_id"],
    "gold_readmission": ["hospital_name", "month", "definition"],
    "gold_mortality": ["hospital_name", "month", "definition"],
    "gold_length_of_stay": ["hospital_name", "department", "month"],
    "gold_infection": ["hospital_name", "month", "infection_type"],
    "gold_occupancy": ["hospital_name", "month"],
    "gold_department_load": ["hospital_name", "department", "month"],
    "gold_demographics": ["dimension", "value", "month"],
    "gold_census": ["hospital_name", "department", "date"],
    "gold_summary": ["metric", "definition"],
}

SHOWN = 20  # differing cells that are shown per table


def connect():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def register(connection, lake):
    """Makes a view of every table of the lake, as Athena shows it; a table without files has no rows."""
    for name, table in TABLES.items():
        partition = table["partition"]
        files = sorted((lake / table["path"]).glob("*/*.parquet" if partition else "*.parquet"))
        kinds = {column: DUCKDB_TYPES[kind] for column, kind in table["columns"].items()}
        cells = ", ".join(f'CAST("{column}" AS {kind}) AS "{column}"' for column, kind in kinds.items())
        if files:
            hive = f"hive_types = {{'{partition}': {kinds[partition]}}}" if partition else "hive_partitioning = false"
            listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
            source = f"read_parquet([{listed}], {hive})"
        else:
            nothing = ", ".join(f'NULL AS "{column}"' for column in kinds)
            source = f"(SELECT {nothing} WHERE FALSE)"
        connection.execute(f"CREATE VIEW {name} AS SELECT {cells} FROM {source}")
    csv = lake / "reference" / "hospitals.csv"
    source = (
        "read_csv('{}', header = true, all_varchar = true)".format(str(csv).replace("'", "''"))
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
    texts = [row[0] for row in ids if row[0] is not None]
    hashes = [int.from_bytes(xxhash.xxh64_digest(text.encode()), "big", signed=True) for text in texts]
    connection.execute(
        "CREATE TABLE hashes AS SELECT encode(unnest(?::VARCHAR[])) AS bytes, unnest(?::BIGINT[]) AS hash",
        [texts, hashes],
    )
    connection.execute("CREATE MACRO xxhash64(x) AS (SELECT hash FROM hashes WHERE bytes = x)")
    connection.execute("CREATE MACRO from_big_endian_64(x) AS x")


def transpile(path):
    """The one statement of a file, as sqlglot understands it in Athena's dialect."""
    statements = [s for s in sqlglot.parse(path.read_text(), read="athena") if s is not None]
    if len(statements) != 1:
        sys.exit(f"{path}: one statement a file, not {len(statements)}")
    return statements[0]


def run(connection, path, sql):
    try:
        return connection.execute(sql)
    except duckdb.Error as error:
        sys.exit(f"{path}: {error}\n\nas DuckDB was asked:\n{sql}")


def rebuild(connection):
    """Runs the rebuild's files in order; each makes the table that its statement names."""
    for path in sorted((HERE).glob("[0-9]*.sql")):
        statement = transpile(path)
        if statement.key != "create" or statement.expression is None:
            sys.exit(f"{path}: a file of the rebuild is one CREATE TABLE … AS")
        body = statement.expression.sql(dialect="duckdb")
        run(connection, path, f"CREATE TABLE {statement.this.name} AS {body}")


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=pathlib.Path)
    parser.add_argument("--answers", action="store_true", help="every named query must have an answer")
    arguments = parser.parse_args()
    settings = arguments.lake / "_lake.json"
    if not (arguments.lake / "bronze").is_dir():
        sys.exit(f"{arguments.lake}: there is no lake here")
    if settings.is_file() and json.loads(settings.read_text()).get("buckets", 16) != 16:
        sys.exit(f"{arguments.lake}: the rebuild is written for 16 buckets; change 15 in files 01 to 03 to B - 1")

    connection = connect()
    register(connection, arguments.lake)
    register_hash(connection)
    rebuild(connection)
    failed = False
    print(f"{'table':24}{'rows':>10}{'cells':>12}")
    for name in KEYS:
        rows, faults = compare(connection, name)
        print(f"{name:24}{rows:>10}{rows * len(TABLES[name]['columns']):>12}" + ("  differs" if faults else ""))
        for fault in faults[:SHOWN]:
            print(f"  {fault}")
        if len(faults) > SHOWN:
            print(f"  and {len(faults) - SHOWN} more")
        failed |= bool(faults)

    print(f"\n{'query':40}{'rows':>10}")
    for path in sorted(QUERIES.glob("*.sql")):
        rows = len(run(connection, path, transpile(path).sql(dialect="duckdb")).fetchall())
        print(f"{path.stem:40}{rows:>10}" + ("  no answer" if arguments.answers and not rows else ""))
        failed |= arguments.answers and not rows
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
