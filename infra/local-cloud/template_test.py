"""What production pipelines on S3 events most often get wrong, line by line, checked on template.yaml and its nested templates."""
import contextlib
import io
import json
import unittest

import monthly_costs
from template import NOTHING, ROOT, Stack, load, of

T = load()
STACK = Stack(T)
FUNCTIONS = of(T, "AWS::Serverless::Function")
QUEUES = of(T, "AWS::SQS::Queue")
BUCKETS = of(T, "AWS::S3::Bucket")
ROLES = of(T, "AWS::IAM::Role")
ALARMS = of(T, "AWS::CloudWatch::Alarm")
GLOBALS = T["Globals"]["Function"]
STAGES = ["Generator", "Bronze", "Silver", "Gold"]
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WITH_KEY = Stack(T, KmsKeyArn=KEY)
SOURCES = {name: q for name, q in QUEUES.items() if "RedrivePolicy" in q}
DEAD = {name: q for name, q in QUEUES.items() if "RedrivePolicy" not in q}


def sqs_events():
    for stage in STAGES:
        events = [e["Properties"] for e in FUNCTIONS[stage]["Events"].values() if e["Type"] == "SQS"]
        assert len(events) == 1, stage
        yield stage, events[0]


def statements(stack=STACK):
    for name, role in ROLES.items():
        for policy in role["Policies"]:
            for statement in map(stack.chosen, policy["PolicyDocument"]["Statement"]):
                if statement != NOTHING:
                    yield name, statement


class Functions(unittest.TestCase):
    def test_there_are_four_on_the_small_runtime_and_arm64_by_default(self):
        self.assertEqual(sorted(FUNCTIONS), sorted(STAGES))
        self.assertEqual(GLOBALS["Runtime"], "provided.al2023")
        self.assertEqual(GLOBALS["Handler"], "bootstrap")
        self.assertEqual(T["Parameters"]["Architecture"]["Default"], "arm64")
        self.assertIn("x86_64", T["Parameters"]["Architecture"]["AllowedValues"])
        for name in FUNCTIONS:
            self.assertEqual(T["Resources"][name]["Metadata"]["BuildMethod"], "rust-cargolambda")

    def test_batches_answer_in_parts(self):
        for stage, event in sqs_events():
            self.assertEqual(event["FunctionResponseTypes"], ["ReportBatchItemFailures"], stage)

    def test_landed_objects_are_worked_on_at_once_and_commits_in_hundreds_a_minute(self):
        events = dict(sqs_events())
        for stage in ("Generator", "Bronze"):
            self.assertLessEqual(events[stage]["BatchSize"], 10, stage)
            self.assertLessEqual(events[stage]["MaximumBatchingWindowInSeconds"], 5, stage)
        for stage in ("Silver", "Gold"):
            self.assertGreaterEqual(events[stage]["BatchSize"], 500, stage)
            self.assertEqual(events[stage]["MaximumBatchingWindowInSeconds"], {"Ref": "BatchWindow"}, stage)
        # More than ten messages take a window of a second at least, and Lambda has none over 300.
        window = T["Parameters"]["BatchWindow"]
        self.assertEqual((window["Default"], window["MinValue"], window["MaxValue"]), (60, 1, 300))

    def test_concurrency_is_bound_at_the_queue_and_never_reserved(self):
        for stage, event in sqs_events():
            self.assertEqual(event["ScalingConfig"]["MaximumConcurrency"], {"Ref": f"{stage}Concurrency"}, stage)
            bounds = T["Parameters"][f"{stage}Concurrency"]
            self.assertTrue(2 <= bounds["MinValue"] <= bounds["Default"] <= bounds["MaxValue"] <= 1000, stage)
            self.assertNotIn("ReservedConcurrentExecutions", FUNCTIONS[stage])

    def test_a_message_is_hidden_six_times_as_long_as_it_may_be_worked_on(self):
        for seconds in ("300", "600", "900"):
            stack = Stack(T, IngestTimeout=seconds, MergeTimeout=seconds, BatchWindow="300")
            for stage, event in sqs_events():
                timeout = int(stack.resolve(FUNCTIONS[stage].get("Timeout", GLOBALS["Timeout"])))
                self.assertEqual(timeout, int(seconds))
                needed = 6 * timeout + int(stack.resolve(event["MaximumBatchingWindowInSeconds"]))
                self.assertGreaterEqual(int(stack.resolve(QUEUES[f"{stage}Queue"]["VisibilityTimeout"])), needed, stage)
        for name in ("IngestTimeout", "MergeTimeout"):
            self.assertEqual(T["Parameters"][name]["AllowedValues"], ["300", "600", "900"])

    def test_logs_are_json_in_a_group_of_their_own_with_an_end(self):
        groups = of(T, "AWS::Logs::LogGroup")
        for stage in STAGES:
            logging = FUNCTIONS[stage]["LoggingConfig"]
            self.assertEqual(logging["LogFormat"], "JSON")
            self.assertEqual(logging["ApplicationLogLevel"], {"Ref": "LogLevel"})
            self.assertIn("RetentionInDays", groups[logging["LogGroup"]["Ref"]])
        self.assertEqual(GLOBALS["Tracing"], "Active")

    def test_what_sam_makes_of_an_event_has_a_name_of_its_own(self):
        # SAM calls the mapping of an event by the function's name and the event's, one after the other.
        for stage, function in FUNCTIONS.items():
            for event in function["Events"]:
                self.assertNotIn(f"{stage}{event}", T["Resources"])

    def test_every_function_knows_its_own_queue_and_may_ask_for_a_message_sooner(self):
        for stage in STAGES:
            self.assertEqual(FUNCTIONS[stage]["Environment"]["Variables"]["QUEUE_URL"], {"Ref": f"{stage}Queue"})
            own = [s for name, s in statements() if name == f"{stage}Role" and "sqs:ChangeMessageVisibility" in s["Action"]]
            self.assertEqual([s["Resource"] for s in own], [{"Fn::GetAtt": [f"{stage}Queue", "Arn"]}])

    def test_the_feed_is_scheduled_by_its_parameters_and_every_stage_reconciles_each_day_and_bronze_compacts_each_hour(self):
        schedules = {stage: [e["Properties"] for e in FUNCTIONS[stage]["Events"].values() if e["Type"] == "Schedule"] for stage in STAGES}
        self.assertEqual([s["Schedule"] for s in schedules["Generator"]], [{"Ref": "ScheduleExpression"}])
        for stage in STAGES[1:]:
            schedule, *more = schedules[stage]
            self.assertEqual((schedule["Schedule"], json.loads(schedule["Input"])), ("rate(1 day)", {"reconcile": True}), stage)
            compacts = [(s["Schedule"], s["State"], json.loads(s["Input"])) for s in more]
            self.assertEqual(compacts, [("rate(1 hour)", {"Ref": "CompactionState"}, {"compact": True})] if stage == "Bronze" else [])

    def test_the_functions_know_after_how_many_deliveries_a_message_is_given_up(self):
        known = GLOBALS["Environment"]["Variables"]["MAX_RECEIVES"]
        # Variables of functions are texts.
        self.assertEqual({str(queue["RedrivePolicy"]["maxReceiveCount"]) for queue in SOURCES.values()}, {known})


class Queues(unittest.TestCase):
    def test_every_source_gives_up_after_five_tries_at_least(self):
        self.assertEqual(sorted(SOURCES), sorted(f"{stage}Queue" for stage in STAGES))
        for name, queue in SOURCES.items():
            self.assertGreaterEqual(queue["RedrivePolicy"]["maxReceiveCount"], 5, name)
            target = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
            self.assertIn(target, DEAD)

    def test_messages_and_dead_letters_live_fourteen_days(self):
        for name, queue in QUEUES.items():
            self.assertEqual(queue["MessageRetentionPeriod"], 1209600, name)

    def test_all_are_encrypted(self):
        for queue in STACK.made("AWS::SQS::Queue").values():
            self.assertTrue(queue["SqsManagedSseEnabled"] is True and "KmsMasterKeyId" not in queue)

    def test_only_our_own_bucket_may_send(self):
        policies = of(T, "AWS::SQS::QueuePolicy")
        self.assertEqual(len(policies), 3)
        for name, policy in policies.items():
            [statement] = policy["PolicyDocument"]["Statement"]
            self.assertEqual(statement["Principal"], {"Service": "s3.amazonaws.com"}, name)
            arn = STACK.resolve(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
            self.assertIn(arn, [STACK.arn(bucket) for bucket in BUCKETS], name)
            self.assertEqual(statement["Condition"]["StringEquals"], {"aws:SourceAccount": {"Ref": "AWS::AccountId"}})


class Buckets(unittest.TestCase):
    def test_landing_and_lake_are_two_private_encrypted_versioned_buckets(self):
        self.assertEqual(sorted(BUCKETS), ["LakeBucket", "LandingBucket"])
        for name, bucket in BUCKETS.items():
            self.assertEqual(set(bucket["PublicAccessBlockConfiguration"].values()), {True}, name)
            self.assertIn("BucketEncryption", bucket)
            self.assertEqual(bucket["VersioningConfiguration"], {"Status": "Enabled"})
            self.assertIn("LifecycleConfiguration", bucket)
            # Kept when the stack goes, but not in the way of the next try where its first creation fails.
            self.assertEqual(T["Resources"][name]["DeletionPolicy"], "RetainExceptOnCreate")

    def test_overwritten_silver_and_gold_are_kept_for_a_day_and_the_last_three_for_longer(self):
        rules = BUCKETS["LakeBucket"]["LifecycleConfiguration"]["Rules"]
        expired = {r.get("Prefix"): r["NoncurrentVersionExpiration"] for r in rules if "NoncurrentVersionExpiration" in r}
        for prefix in ("silver/", "gold/"):
            self.assertEqual(expired[prefix], {"NoncurrentDays": 1, "NewerNoncurrentVersions": 3})
        self.assertEqual(expired[None], {"NoncurrentDays": {"Ref": "VersionDays"}})

    def test_a_key_of_ones_own_encrypts_everything_and_every_role_may_use_it(self):
        for name, bucket in WITH_KEY.made("AWS::S3::Bucket").items():
            [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            self.assertEqual(rule["ServerSideEncryptionByDefault"], {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}, name)
            self.assertTrue(rule["BucketKeyEnabled"])
        for name, bucket in STACK.made("AWS::S3::Bucket").items():
            [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            self.assertEqual(rule, {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}, name)
        for name, queue in WITH_KEY.made("AWS::SQS::Queue").items():
            self.assertTrue(queue["KmsMasterKeyId"] == KEY and "SqsManagedSseEnabled" not in queue, name)
        [ledger] = WITH_KEY.made("AWS::DynamoDB::Table").values()
        self.assertEqual(ledger["SSESpecification"], {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY})
        for name, group in WITH_KEY.made("AWS::Athena::WorkGroup").items():
            results = group["WorkGroupConfiguration"]["ResultConfiguration"]
            self.assertEqual(results["EncryptionConfiguration"], {"EncryptionOption": "SSE_KMS", "KmsKey": KEY}, name)
        users = [role for role, s in statements(WITH_KEY) if s["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
                 and WITH_KEY.resolve(s["Resource"]) == KEY]
        self.assertLessEqual({f"{stage}Role" for stage in STAGES}, set(users))
        self.assertFalse([role for role, s in statements() if any(a.startswith("kms:") for a in s["Action"])])

    def test_access_logs_are_an_option(self):
        for name, bucket in Stack(T, AccessLogBucket="logs").made("AWS::S3::Bucket").items():
            prefix = f"metriccare/{name.removesuffix('Bucket').lower()}/"
            self.assertEqual(bucket["LoggingConfiguration"], {"DestinationBucketName": "logs", "LogFilePrefix": prefix})
        self.assertFalse([b for b in STACK.made("AWS::S3::Bucket").values() if "LoggingConfiguration" in b])

    def test_what_landed_never_expires(self):
        rules = BUCKETS["LandingBucket"]["LifecycleConfiguration"]["Rules"]
        self.assertFalse([r for r in rules if r.keys() & {"ExpirationInDays", "NoncurrentVersionExpiration"}])

    def test_they_speak_tls_only(self):
        policies = of(T, "AWS::S3::BucketPolicy")
        self.assertEqual({p["Bucket"]["Ref"] for p in policies.values()}, set(BUCKETS))
        for policy in policies.values():
            [statement] = policy["PolicyDocument"]["Statement"]
            self.assertEqual((statement["Effect"], statement["Principal"], statement["Action"]), ("Deny", "*", "s3:*"))
            self.assertEqual(statement["Condition"], {"Bool": {"aws:SecureTransport": "false"}})

    def test_names_come_from_account_and_region_and_policies_come_first(self):
        for name, bucket in BUCKETS.items():
            self.assertIn("${AWS::AccountId}-${AWS::Region}", bucket["BucketName"]["Fn::Sub"])
            queues = {c["Queue"]["Fn::GetAtt"][0] for c in bucket["NotificationConfiguration"]["QueueConfigurations"]}
            needed = {f"{queue}Policy" for queue in queues}
            self.assertLessEqual(needed, set(T["Resources"][name]["DependsOn"]), name)

    def test_only_three_prefixes_of_the_path_notify_and_no_stage_wakes_itself(self):
        routes = {}
        for name, bucket in BUCKETS.items():
            for c in bucket["NotificationConfiguration"]["QueueConfigurations"]:
                rules = c.get("Filter", {}).get("S3Key", {}).get("Rules", [])
                prefix = rules[0]["Value"] if rules else ""
                routes[(name, prefix)] = c["Queue"]["Fn::GetAtt"][0]
        self.assertEqual(routes, {
            ("LandingBucket", ""): "BronzeQueue",
            ("LakeBucket", "bronze/_commits/"): "SilverQueue",
            ("LakeBucket", "silver/_commits/"): "GoldQueue",
            ("LakeBucket", "reference/"): "GoldQueue",
        })
        for (bucket, prefix), queue in routes.items():
            role = f"{queue.removesuffix('Queue')}Role"
            written = [STACK.resolve(r) for name, s in statements() if name == role and "s3:PutObject" in s["Action"]
                       for r in (s["Resource"] if isinstance(s["Resource"], list) else [s["Resource"]])]
            woken = f"{STACK.arn(bucket)}/{prefix}"
            for resource in written:
                self.assertFalse(woken.startswith(resource.rstrip("*")) or resource.startswith(woken), (queue, resource))


class Permissions(unittest.TestCase):
    def test_every_function_has_a_role_of_its_own_and_no_ready_made_policy(self):
        for stage in STAGES:
            self.assertEqual(FUNCTIONS[stage]["Role"], {"Fn::GetAtt": [f"{stage}Role", "Arn"]})
            self.assertNotIn("Policies", FUNCTIONS[stage])
            self.assertNotIn("ManagedPolicyArns", ROLES[f"{stage}Role"])

    def test_actions_are_named_one_by_one_and_resources_too(self):
        for role, statement in statements():
            self.assertFalse([a for a in statement["Action"] if "*" in a], role)
            if statement["Resource"] == "*":
                self.assertEqual(statement["Sid"], "WriteTraces", role)

    def test_only_a_compaction_deletes_and_no_stage_lists_tables_or_changes_configuration(self):
        allowed = {"GetObject", "GetObjectVersion", "PutObject", "ListBucket", "ListBucketVersions", "PutItem", "GetItem", "CreatePartition", "SendMessage", "ReceiveMessage",
                   "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility", "CreateLogStream", "PutLogEvents",
                   "PutTraceSegments", "PutTelemetryRecords"}
        stages = [f"{stage}Role" for stage in STAGES]
        used = {action.split(":")[1] for role, statement in statements() if role in stages for action in statement["Action"]}
        # Of two prefixes, bronze deletes what it has compacted, and moves the partitions of its own tables.
        self.assertLessEqual(used - {"DeleteObject", "UpdatePartition"}, allowed)
        deletes = [(role, STACK.resolve(s["Resource"])) for role, s in statements() if role in stages and "s3:DeleteObject" in s["Action"]]
        lake = STACK.arn("LakeBucket")
        self.assertEqual(deletes, [("BronzeRole", [f"{lake}/bronze/*", f"{lake}/compaction/*"])])
        self.assertEqual([role for role, s in statements() if "glue:UpdatePartition" in s["Action"]], ["BronzeRole"])

    def test_readers_may_list_what_they_read_so_that_gone_and_forbidden_differ(self):
        stages = [f"{stage}Role" for stage in STAGES]
        lists = sorted((role, STACK.resolve(s["Resource"]), s.get("Condition")) for role, s in statements()
                       if role in stages and "s3:ListBucket" in s["Action"])
        below = lambda *prefixes, keys=(): {"StringLikeIfExists": {"s3:prefix": [*(f"{prefix}/*" for prefix in prefixes), "_lake.json", *keys]}}
        self.assertEqual(lists, [
            ("BronzeRole", STACK.arn("LakeBucket"), below("bronze", "compaction", keys=["_withdrawal.key"])),
            ("BronzeRole", STACK.arn("LandingBucket"), None),
            ("GeneratorRole", STACK.arn("LakeBucket"), {"StringLikeIfExists": {"s3:prefix": ["reference/_answers/*"]}}),
            ("GoldRole", STACK.arn("LakeBucket"), below("silver", "gold", "reference")),
            ("SilverRole", STACK.arn("LakeBucket"), below("bronze", "silver")),
        ])


class Tables(unittest.TestCase):
    def test_the_ledger_is_on_demand_expires_and_can_be_restored(self):
        [ledger] = of(T, "AWS::DynamoDB::Table").values()
        self.assertEqual(ledger["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(ledger["TimeToLiveSpecification"], {"AttributeName": "expires_at_seconds", "Enabled": True})
        self.assertTrue(ledger["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])

    def test_the_workgroup_limits_a_scan_and_writes_where_nothing_listens(self):
        settings = of(T, "AWS::Athena::WorkGroup")["Workgroup"]["WorkGroupConfiguration"]
        self.assertEqual(settings["BytesScannedCutoffPerQuery"], {"Ref": "ScanLimitBytes"})
        self.assertTrue(settings["EnforceWorkGroupConfiguration"])
        self.assertTrue(STACK.resolve(settings["ResultConfiguration"]["OutputLocation"]).endswith("/_athena/"))

    def test_tables_that_are_rebuilt_outlive_the_answers_of_queries(self):
        settings = of(T, "AWS::Athena::WorkGroup")["RebuildWorkgroup"]["WorkGroupConfiguration"]
        # The state machine says where a run writes.
        self.assertFalse(settings["EnforceWorkGroupConfiguration"])
        [machine] = of(T, "AWS::StepFunctions::StateMachine").values()
        place = machine["Definition"]["States"]["Plan"]["Assign"]["location"]
        self.assertIn("'s3://${LakeBucket}/rebuilt/' & $states.context.Execution.Name", place)
        rules = BUCKETS["LakeBucket"]["LifecycleConfiguration"]["Rules"]
        expiring = [r["Prefix"] for r in rules if "ExpirationInDays" in r]
        self.assertFalse([prefix for prefix in expiring if "rebuilt/".startswith(prefix)])
        # What a person rebuilds by hand does not stay for ever.
        by_hand = STACK.resolve(settings["ResultConfiguration"]["OutputLocation"]).split("/", 3)[3]
        self.assertIn(by_hand, expiring)

    def test_the_rebuild_runs_on_a_schedule_only_where_it_is_switched_on(self):
        [schedule] = STACK.made("AWS::Scheduler::Schedule").values()
        self.assertEqual((schedule["State"], schedule["FlexibleTimeWindow"]), ("DISABLED", {"Mode": "OFF"}))
        [switched] = Stack(T, RebuildScheduleState="ENABLED").made("AWS::Scheduler::Schedule").values()
        self.assertEqual(switched["State"], "ENABLED")

    def test_the_rebuild_writes_its_own_tables_and_files_and_no_other(self):
        writes = {"glue:CreateTable", "glue:UpdateTable", "glue:DeleteTable", "glue:BatchDeleteTable", "glue:BatchCreatePartition",
                  "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
        for role, statement in statements():
            if role == "RebuildRole" and writes & set(statement["Action"]):
                resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                for resource in map(STACK.resolve, resources):
                    part = resource.split(":", 5)[5]
                    self.assertRegex(part, r"^(catalog|database/metriccare(_rebuilt)?|table/metriccare/rebuild_\*|"
                                           r"table/metriccare_rebuilt/\*|.*/rebuilt/\*)$")

    def test_every_number_of_buckets_finds_its_partitions(self):
        for buckets in T["Parameters"]["Buckets"]["AllowedValues"]:
            stack = Stack(T, Buckets=buckets)
            last = str(int(buckets) - 1)
            parameters = stack.made("AWS::Glue::Table")["SilverEncounterTable"]["TableInput"]["Parameters"]
            self.assertEqual(parameters["projection.bucket.range"], f"0,{last}")
            self.assertEqual(parameters["projection.bucket.digits"], str(max(2, len(last))))

    def test_there_are_named_queries(self):
        self.assertGreaterEqual(len(of(T, "AWS::Athena::NamedQuery")), 6)


class Operations(unittest.TestCase):
    def test_every_stage_is_watched(self):
        watched = {(str(a["Namespace"]), a["MetricName"], STACK.resolve(a["Dimensions"][0]["Value"])) for a in ALARMS.values()}
        for stage in ("generator", "bronze", "silver", "gold"):
            for namespace, metric, name in [
                ("AWS/SQS", "ApproximateNumberOfMessagesVisible", f"metriccare-{stage}-dead-letters"),
                ("AWS/SQS", "ApproximateAgeOfOldestMessage", f"metriccare-{stage}"),
                ("AWS/Lambda", "Errors", f"metriccare-{stage}"),
                ("AWS/Lambda", "Throttles", f"metriccare-{stage}"),
                ("AWS/Lambda", "Duration", f"metriccare-{stage}"),
                ("AWS/Lambda", "RecursiveInvocationsDropped", f"metriccare-{stage}"),
                ("{'Ref': 'AWS::StackName'}", "MessagesFailed", stage),
                ("{'Ref': 'AWS::StackName'}", "LeasesLost", stage),
            ]:
                self.assertIn((namespace, metric, name), watched)
        metrics = {metric for _, metric, _ in watched}
        self.assertLessEqual({"WriteThrottleEvents", "RecordsQuarantined", "ObjectsRejected"}, metrics)

    def test_cloudwatch_may_publish_alarms(self):
        # A topic under the account's own key of SNS takes none: that key's policy does not know CloudWatch.
        self.assertNotIn("KmsMasterKeyId", T["Resources"]["AlarmTopic"]["Properties"])

    def test_silence_is_an_alarm_where_data_is_expected_and_no_other_and_every_alarm_notifies(self):
        silence = {"NothingLandedAlarm": "SilenceHours", "StaleGoldAlarm": "GoldAgeHours"}
        for name, alarm in ALARMS.items():
            self.assertEqual(alarm["TreatMissingData"], "breaching" if name in silence else "notBreaching", name)
            self.assertEqual(alarm["AlarmActions"], [{"Ref": "AlarmTopic"}], name)
        for name, hours in silence.items():
            alarm = ALARMS[name]
            self.assertEqual((alarm["Period"], alarm["EvaluationPeriods"]), (3600, {"Ref": hours}), name)
            # CloudWatch looks back seven days at most.
            self.assertLessEqual(T["Parameters"][hours]["MaxValue"], 7 * 24)
            self.assertIn(name, STACK.made("AWS::CloudWatch::Alarm"))
            self.assertNotIn(name, Stack(T, **{hours: "0"}).made("AWS::CloudWatch::Alarm"))

    def test_a_budget_takes_an_amount_and_an_address(self):
        made = lambda **parameters: Stack(T, **parameters).made("AWS::Budgets::Budget")
        self.assertFalse(made() or made(MonthlyBudget="50") or made(AlarmEmail="a@example.org"))
        [budget] = made(MonthlyBudget="50", AlarmEmail="a@example.org").values()
        self.assertEqual(budget["Budget"]["BudgetLimit"], {"Amount": "50", "Unit": "USD"})
        for notified in budget["NotificationsWithSubscribers"]:
            self.assertEqual(notified["Subscribers"], [{"SubscriptionType": "EMAIL", "Address": "a@example.org"}])

    def test_no_log_level_filters_out_the_metrics(self):
        # Metrics are log lines of level INFO.
        self.assertEqual(T["Parameters"]["LogLevel"]["AllowedValues"], ["TRACE", "DEBUG", "INFO"])

    def test_the_runbook_has_one_section_per_alarm_and_none_for_an_alarm_that_is_not(self):
        kinds = set()
        for alarm in ALARMS.values():
            kind = alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
            stage, _, rest = kind.partition("-")
            kinds.add(rest if stage.capitalize() in STAGES else kind)
        sections = (ROOT / "infra" / "runbook.md").read_text().split("\n## ")[1:]
        explained = {s.split("`…-")[1].split("`")[0]: s for s in sections if s.startswith("`…-")}
        self.assertEqual(sorted(kinds), sorted(explained))
        self.assertEqual(len(explained), sum(s.startswith("`…-") for s in sections), "no alarm has two sections")
        for kind, section in explained.items():
            for part in ("**Means:**", "**Look:**", "**Do:**", "```sh"):
                self.assertIn(part, section, kind)

    def test_the_duration_alarm_is_at_four_fifths_of_the_timeout(self):
        found = 0
        for seconds in ("300", "600", "900"):
            stack = Stack(T, IngestTimeout=seconds, MergeTimeout="900")
            for stage in STAGES:
                for name, alarm in stack.made("AWS::CloudWatch::Alarm").items():
                    if alarm["MetricName"] == "Duration" and alarm["Dimensions"][0]["Value"] == f"metriccare-{stage.lower()}":
                        timeout = int(stack.resolve(FUNCTIONS[stage].get("Timeout", GLOBALS["Timeout"])))
                        self.assertEqual(int(alarm["Threshold"]), 0.8 * 1000 * timeout, name)
                        found += 1
        self.assertEqual(found, 12)

    def test_the_dashboard_is_json_and_names_only_what_exists(self):
        [board] = of(T, "AWS::CloudWatch::Dashboard").values()
        widgets = json.loads(STACK.resolve(board["DashboardBody"]))["widgets"]
        names = {STACK.name(name) for name in [*QUEUES, *FUNCTIONS, "Ledger"]}
        for widget in widgets:
            for metric in widget["properties"]["metrics"]:
                if metric[0].startswith("AWS/"):
                    self.assertIn(metric[3], names)

    def test_the_dashboard_begins_with_freshness_and_backlog_age(self):
        [board] = of(T, "AWS::CloudWatch::Dashboard").values()
        widgets = json.loads(STACK.resolve(board["DashboardBody"]))["widgets"]
        first = [w for w in widgets if w["y"] == 0]
        used = {metric[1] for widget in first for metric in widget["properties"]["metrics"]}
        self.assertEqual(used, {"NumberOfMessagesSent", "MessagesDone", "ApproximateAgeOfOldestMessage"})

    def test_the_monthly_costs_count_the_alarms_and_stand_in_their_document(self):
        self.assertEqual(monthly_costs.ALARMS, len(STACK.made("AWS::CloudWatch::Alarm")))
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            monthly_costs.main()
        self.assertIn(printed.getvalue(), (ROOT / "docs" / "costs.md").read_text(), "run infra/local-cloud/monthly_costs.py")

    def test_the_documents_say_what_concurrency_the_defaults_need(self):
        needed = sum(T["Parameters"][f"{stage}Concurrency"]["Default"] for stage in STAGES)
        for document in ("README.md", "docs/aws.md"):
            self.assertIn(f"add up to {needed}", (ROOT / document).read_text())

    def test_every_parameter_is_in_the_documentation(self):
        page = (ROOT / "docs" / "aws.md").read_text()
        self.assertEqual([name for name in T["Parameters"] if f"`{name}`" not in page], [])

    def test_the_root_template_can_be_deployed_without_a_bucket_for_it(self):
        self.assertLessEqual((ROOT / "template.yaml").stat().st_size, 51_200)

    def test_every_parameter_is_described_and_every_output_too(self):
        for name, parameter in T["Parameters"].items():
            self.assertIn("Description", parameter, name)
            self.assertIn("Default", parameter, name)
        self.assertTrue(all("Description" in output for output in T["Outputs"].values()))


if __name__ == "__main__":
    unittest.main()
