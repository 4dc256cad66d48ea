#!/usr/bin/env python3
"""Flattens a file of R5 encounters into Parquet by hospital with DuckDB, to be held against bronze.

usage: duckdb_flatten.py ENCOUNTER_NDJSON OUT_DIR THREADS

Ten of bronze's columns, no checks, no quarantine, no fingerprints: what an engine does that reads only what it is asked for.
"""
import sys
import time

import duckdb

source, out, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
started = time.perf_counter()
connection = duckdb.connect(config={"threads": threads})
connection.execute(f"""
    COPY (
        SELECT id AS encounter_id, status, type[1].text AS encounter_type, subject.reference AS patient_ref,
            actualPeriod.start::TIMESTAMP AS admission_time, actualPeriod."end"::TIMESTAMP AS discharge_time,
            location[1].location.display AS department, participant[1].type[1].text AS participant_role,
            participant[1].actor.reference AS practitioner_ref, serviceProvider.display AS hospital_name
        FROM read_json('{source}', format = 'newline_delimited', columns = {{
            id: 'VARCHAR', status: 'VARCHAR', type: 'STRUCT("text" VARCHAR)[]', subject: 'STRUCT(reference VARCHAR)',
            actualPeriod: 'STRUCT("start" VARCHAR, "end" VARCHAR)',
            location: 'STRUCT(location STRUCT(display VARCHAR))[]',
            participant: 'STRUCT(type STRUCT("text" VARCHAR)[], actor STRUCT(reference VARCHAR))[]',
            serviceProvider: 'STRUCT(display VARCHAR)'}})
    ) TO '{out}' (FORMAT parquet, PARTITION_BY (hospital_name), COMPRESSION zstd)""")
print(f"engine=duckdb seconds={time.perf_counter() - started:.3f}")
