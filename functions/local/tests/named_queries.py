"""Prints what DuckDB answers to every named query of infra/athena/queries on the lake in a folder, as one JSON object."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "infra/athena/rebuild"))
import compare

connection = compare.connect()
lake = pathlib.Path(sys.argv[1])
compare.register(connection, lake)
compare.register_hospitals(connection, lake)
answers = {}
for path in sorted(compare.QUERIES.glob("*.sql")):
    result = compare.run(connection, path, compare.parse(path).sql(dialect="duckdb"))
    names = [column[0] for column in result.description]
    answers[path.name] = [dict(zip(names, row)) for row in result.fetchall()]
json.dump(answers, sys.stdout, default=str)
