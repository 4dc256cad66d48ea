"""The real functions in Amazon's runtime emulator, each with its own role's policy: the real work succeeds, and every sample
event is answered.

Wants BINARIES (the folder of the built functions) and EMULATOR (aws-lambda-rie) in the environment.
"""
import json
import os
import pathlib
import subprocess
import unittest
import urllib.parse
import urllib.request

import template
from stack_on_moto import LAKE, LANDING, PLAIN, STACK, STAGES, Moto, T, answers, free_port

BINARIES, EMULATOR = pathlib.Path(os.environ["BINARIES"]), os.environ["EMULATOR"]


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


def each_once(pairs) -> dict:
    """The fields of a JSON object; one that stands twice would be lost to whoever reads the log."""
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


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
            messages = [notice(bucket, key) for key in self.keys(bucket, prefix)]
            self.assertEqual(run[stage](batch(*messages)), {"batchItemFailures": []}, f"see {run[stage].log}")
            self.assertEqual(run[stage](batch(*messages)), {"batchItemFailures": []}, "a redelivery is done already")
        self.assertEqual(run["gold"](batch(notice(LAKE, "reference/hospitals.csv"))), {"batchItemFailures": []})
        self.assertIn("gold/summary/part.parquet", self.keys(LAKE, "gold/"))
        for stage in STAGES:
            lines = [line for line in run[stage].log.read_text().splitlines() if line.startswith("{")]
            logged = [json.loads(line, object_pairs_hook=each_once) for line in lines]
            outcomes = {line["fields"].get("outcome") for line in logged if "fields" in line}
            # A request without a queue's message has no name of its own: the generator cannot know it as done before.
            self.assertLessEqual({"done"} if stage == "generator" else {"done", "already-done"}, outcomes, stage)
            counted = [line for line in logged if "_aws" in line]
            if stage == "generator":
                self.assertLess(0, sum(line.get("ObjectsLanded", 0) for line in counted), "objects landed")
                self.assertIn(3, [line.get("ShardsSent") for line in counted])
            self.assertTrue(all(line["Stage"] == stage for line in counted) and counted, stage)

    def test_every_sample_event_is_answered(self):
        done, samples = {"batchItemFailures": []}, template.ROOT / "events"
        undecodable = {"batchItemFailures": [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975970003"}]}
        # What a stage is sent: objects that are gone, of another stage's prefix, or no event at all need no retry, or one alone.
        objects = {"s3-put": done, "s3-put-odd-key": done, "s3-test-event": done, "eventbridge-object-created": done,
                   "silver-batch": done, "gold-batch": done, "gold-eventbridge": done, "sqs-batch-mixed": undecodable}
        jobs = ["schedule", "shard-message", "spec", "tables"]
        self.assertEqual(sorted(path.stem for path in samples.glob("*.json")), sorted([*objects, *jobs, "settings"]))
        read = lambda name: json.loads((samples / f"{name}.json").read_text())
        for stage in STAGES[1:]:
            for name, expected in objects.items():
                self.assertEqual(self.functions[stage](read(name)), expected, (stage, name))
            for name in jobs:
                answer = self.functions[stage](read(name))
                self.assertTrue("errorType" in answer or answer["batchItemFailures"], (stage, name, answer))
        generator = self.functions["generator"]
        self.assertIn("landed", generator(read("schedule")))
        self.assertEqual(generator(read("shard-message")), done)
        self.assertIn("shards", generator(read("spec")))
        self.assertIn("landed", generator(read("tables")))
        for name in objects:
            answer = generator(read(name))
            self.assertTrue("errorType" in answer or answer["batchItemFailures"], (name, answer))

    def test_the_settings_for_sam_name_what_the_template_calls_them(self):
        settings = json.loads((template.ROOT / "events" / "settings.json").read_text())
        for stage in STAGES:
            properties = T["Resources"][stage.capitalize()]["Properties"]
            variables = {**T["Globals"]["Function"]["Environment"]["Variables"], **properties["Environment"]["Variables"]}
            for name, value in settings[stage.capitalize()].items():
                wanted = STACK.resolve(variables[name])
                self.assertTrue(value == wanted or name == "QUEUE_URL" and value.endswith("/" + wanted), (stage, name))


if __name__ == "__main__":
    unittest.main()
