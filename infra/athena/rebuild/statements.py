"""The statements of the rebuild, read in Athena's dialect by sqlglot and written in another engine's.

Each file holds one `CREATE TABLE rebuild_<table> … AS SELECT`, and they run in the order of their names. A question mark
is a parameter: one alone is the lake's number of buckets; two are the first and the last bucket that the statement writes,
since Athena writes at most a hundred partitions a statement.
"""

import dataclasses
import json
import pathlib

import sqlglot
from sqlglot import exp

HERE = pathlib.Path(__file__).resolve().parent
# Every table of the lake with its columns; a test holds this file against the schema that the pipeline writes.
TABLES = json.loads((HERE.parent / "tables.json").read_text())


class StatementError(Exception):
    """A file that is not what the rebuild's files are."""


@dataclasses.dataclass
class Statement:
    """One statement of the rebuild."""

    path: pathlib.Path
    table: str
    body: exp.Expression

    @property
    def parameters(self):
        """How many parameters the statement takes: none, the number of buckets, or the first and the last bucket."""
        return sum(1 for _ in self.body.find_all(exp.Placeholder))

    def select(self, dialect, buckets, adapt=lambda body: body):
        """The statement's SELECT in another dialect, for all buckets at once."""
        values = {0: [], 1: [buckets], 2: [0, buckets - 1]}.get(self.parameters)
        if values is None:
            raise StatementError(f"{self.path}: a statement has at most two parameters, not {self.parameters}")
        body = self.body.copy()
        for placeholder, value in zip(list(body.find_all(exp.Placeholder)), values):
            placeholder.replace(exp.Literal.number(value))
        return adapt(body).sql(dialect=dialect, comments=False)


def parse(path):
    """The one statement of a file, in Athena's dialect."""
    found = [statement for statement in sqlglot.parse(path.read_text(), read="athena") if statement is not None]
    if len(found) != 1:
        raise StatementError(f"{path}: one statement a file, not {len(found)}")
    return found[0]


def statements(folder=HERE):
    """The statements of the rebuild in their order."""
    found = []
    for path in sorted(folder.glob("[0-9]*.sql")):
        statement = parse(path)
        if statement.key != "create" or statement.expression is None:
            raise StatementError(f"{path}: a file of the rebuild is one CREATE TABLE … AS")
        found.append(Statement(path, statement.this.name, statement.expression))
    return found


def buckets_of(lake):
    """The number of buckets that a lake in a folder was made with."""
    settings = lake / "_lake.json"
    return json.loads(settings.read_text()).get("buckets", 16) if settings.is_file() else 16
