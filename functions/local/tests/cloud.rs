//! The command on S3, on stand-ins for AWS: lakes, uploads, redriving, and logins that are refused before any work.
//!
//! `cargo test -p metriccare --features aws --test cloud`

#[path = "../../../shared/aws/tests/emulators/mod.rs"]
mod emulators;
mod folder;
#[path = "../../../shared/aws/tests/python/mod.rs"]
mod python;
mod scripted;

use std::{fs, process::Command};

use emulators::Emulator;
use folder::Folder;
use scripted::{endpoint, python};
use serde_json::Value;

/// A person at a command, in a folder with an `.env`.
struct Person {
    folder: Folder,
}

impl Person {
    /// With the names of variables that the source documents use.
    fn at(name: &str, emulator: &Emulator) -> Self {
        Self::with(
            name,
            &format!(
                "AWS_ACCESS_KEY=test\nAWS_SECRET_KEY=\"not-to-be-printed\"\nAWS_REGION=us-east-1\n\
                 AWS_ENDPOINT_URL={}\nS3_BUCKET_NAME=quality-data\n",
                endpoint(emulator)
            ),
        )
    }

    fn with(name: &str, variables: &str) -> Self {
        let folder = Folder::new(name);
        fs::write(folder.0.join(".env"), variables).expect("a fresh folder");
        Person { folder }
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metriccare"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .envs([("AWS_CONFIG_FILE", "none"), ("AWS_SHARED_CREDENTIALS_FILE", "none")]);
        let output = command.current_dir(&self.folder.0).args(arguments).envs(variables.iter().copied()).output();
        let output = output.expect("the command starts");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        assert!(!said.contains("not-to-be-printed"), "a secret is never printed: {said}");
        (output.status.code().expect("it was not killed"), said)
    }

    fn well(&self, arguments: &[&str]) -> String {
        let (status, said) = self.run(arguments, &[]);
        assert_eq!(status, 0, "{arguments:?}: {said}");
        said
    }

    fn badly(&self, arguments: &[&str], words: &[&str]) {
        let (status, said) = self.run(arguments, &[]);
        assert_eq!(status, 2, "{arguments:?}: {said}");
        words.iter().for_each(|words| assert!(said.contains(words), "{arguments:?}: {words:?} is not in {said}"));
    }
}

#[test]
fn a_folder_goes_up_once_and_becomes_a_lake_that_holds() {
    let emulator = Emulator::ministack();
    python(&emulator, "client('s3').create_bucket(Bucket='quality-data')");
    let person = Person::at("upload", &emulator);
    person.well(&["generate", "fhir", "--patients", "60", "--out", "world"]);

    let first = person.well(&["upload", "world", "s3://quality-data/lake/landing"]);
    assert!(first.contains("uploaded") && first.contains("  8 "), "{first}");
    assert!(first.contains("arn:aws:"), "it says who it is: {first}");
    let second: Value =
        serde_json::from_str(&person.well(&["upload", "world", "s3://quality-data/lake/landing", "--json"]))
            .expect("JSON");
    assert_eq!((&second["files"]["new"]["files"], &second["files"]["there"]["files"]), (&0.into(), &8.into()));

    let ingested = person.well(&["ingest", "--lake", "s3://quality-data/lake"]);
    assert!(ingested.contains(" 0 quarantined"), "{ingested}");
    let verified = person.well(&["verify", "--lake", "s3://quality-data/lake"]);
    assert!(verified.contains("answer key     holds") && verified.contains("the lake holds"), "{verified}");
    let again = person.well(&["ingest", "--lake", "s3://quality-data/lake", "--json"]);
    let again: Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!((&again["records"], &again["already_done"]), (&0.into(), &6.into()), "the ledger is in the lake");
    person.well(&["report", "--lake", "s3://quality-data/lake", "--out", "s3://quality-data/pages/report.html"]);

    // A file that cannot be read keeps none of the others; one that has changed takes the other's place.
    fs::write(person.folder.0.join("world/reference/more.csv"), "more").expect("it can be written");
    fs::create_dir(person.folder.0.join("odd")).expect("a fresh folder");
    for (name, text) in [("a.csv", "first"), ("b.csv", "second")] {
        fs::write(person.folder.0.join("odd").join(name), text).expect("it can be written");
    }
    person.well(&["upload", "odd"]);
    fs::write(person.folder.0.join("odd/a.csv"), "other").expect("it can be written");
    std::os::unix::fs::symlink("nowhere", person.folder.0.join("odd/c.csv")).expect("a link");
    let (status, said) = person.run(&["upload", "odd"], &[]);
    assert!(status == 1 && said.contains("replaced") && said.contains("1 failed") && said.contains("c.csv"), "{said}");
    let keys =
        python(&emulator, "print([o['Key'] for o in client('s3').list_objects_v2(Bucket='quality-data')['Contents']])");
    assert!(keys.contains("'a.csv'") && keys.contains("'pages/report.html'") && !keys.contains(".env"), "{keys}");

    // The simulator's own upload, to the bucket that the variables name.
    let said = person.well(&["simulate", "--patients", "20", "--upload"]);
    assert!(said.contains("uploaded to s3://quality-data/fhir_data/json"), "{said}");
    let prefix = "Bucket='quality-data', Prefix='fhir_data/json/'";
    let keys =
        python(&emulator, &format!("print([o['Key'] for o in client('s3').list_objects_v2({prefix})['Contents']])"));
    assert!(keys.contains("fhir_data/json/encounter/encounter_20231231T235959Z.json"), "{keys}");
}

#[test]
fn a_world_runs_and_is_written_on_s3() {
    let emulator = Emulator::ministack();
    python(
        &emulator,
        "client('s3').create_bucket(Bucket='quality-data')\n\
         client('dynamodb').create_table(TableName='ledger', BillingMode='PAY_PER_REQUEST', \
         AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], \
         KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}])",
    );
    let person = Person::at("run-on-s3", &emulator);
    let lake = ["--lake", "s3://quality-data", "--landing", "s3://quality-data/incoming"];
    let run = [&["run", "--patients", "60", "--json"], &lake[..]].concat();
    for (records, done) in [(false, 0), (true, 6)] {
        let (status, said) = person.run(&run, &[("LEDGER_TABLE", "ledger")]);
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!((status, said["records"] == 0, &said["already_done"]), (0, records, &done.into()), "{said}");
    }
    assert_eq!(python(&emulator, "print(client('dynamodb').scan(TableName='ledger')['Count'] > 12)"), "True");
    assert!(person.well(&[&["verify"], &lake[..]].concat()).contains("the lake holds"));
    let (status, said) = person.run(&run, &[("LEDGER_TABLE", "another")]);
    assert!(status == 2 && said.contains("the ledger's table another"), "{said}");

    person.well(&["generate", "tables", "--patients", "30", "--out", "s3://quality-data/tables"]);
    person.well(&["simulate", "--patients", "30", "--out", "s3://quality-data"]);
    person.well(&["generate", "fhir", "--patients", "30", "--out", "s3://quality-data/export", "--format", "bundle"]);
    let keys =
        python(&emulator, "print([o['Key'] for o in client('s3').list_objects_v2(Bucket='quality-data')['Contents']])");
    for key in
        ["tables/claims.csv", "fhir_data/json/patient/patient_20231231T235959Z.json", "export/reference/hospitals.csv"]
    {
        assert!(keys.contains(key), "{key} is not in {keys}");
    }
}

#[test]
fn a_patient_is_withdrawn_from_every_version_on_s3() {
    let emulator = Emulator::ministack();
    python(
        &emulator,
        "client('s3').create_bucket(Bucket='quality-data')\n\
         client('s3').put_bucket_versioning(Bucket='quality-data', VersioningConfiguration={'Status': 'Enabled'})",
    );
    let person = Person::at("withdraw-on-s3", &emulator);
    let patient = |id: &str| format!("{{\"resourceType\":\"Patient\",\"id\":\"{id}\"}}\n");
    let lake = ["--lake", "s3://quality-data/lake"];
    let with_lake = |arguments: &[&str]| person.well(&[arguments, &lake[..]].concat());
    fs::create_dir(person.folder.0.join("in")).expect("a fresh folder");
    for other in ["p1", "p2"] {
        let path = person.folder.0.join("in/all.ndjson");
        fs::write(&path, patient("secret-id") + &patient(other)).expect("it can be written");
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_750_000_000);
        fs::File::options().write(true).open(&path).expect("there").set_modified(time).expect("it has a time");
        person.well(&["upload", "in", "s3://quality-data/lake/landing"]);
        with_lake(&["ingest"]);
    }
    let holders = || {
        python(
            &emulator,
            "s3 = client('s3')\n\
             names = [(v['Key'], v['VersionId']) for v in s3.list_object_versions(Bucket='quality-data')['Versions']]\n\
             read = lambda k, v: s3.get_object(Bucket='quality-data', Key=k, VersionId=v)['Body'].read()\n\
             print(sorted(k for k, v in names if b'secret-id' in read(k, v)))",
        )
    };
    let held = holders();
    assert!(held.matches("lake/landing/all.ndjson").count() == 2 && held.contains("silver/patient"), "{held}");
    let said = with_lake(&["withdraw", "--patient", "secret-id", "--reason", "asked to"]);
    assert!(said.starts_with("2 records withdrawn"), "{said}");
    assert_eq!(holders(), "[]");
    let landed = python(
        &emulator,
        "s3 = client('s3')\n\
         head = s3.head_object(Bucket='quality-data', Key='lake/landing/all.ndjson')\n\
         print(head['Metadata']['metriccare-landed'])",
    );
    assert_eq!(landed, "1750000000000000", "it keeps the time that the file had");
    let shown = with_lake(&["show", "silver_patient", "--format", "csv"]);
    assert!(shown.contains("p1") && shown.contains("p2"), "others stay, of an older version too: {shown}");

    // It lands again, and another object is withdrawn with all its versions.
    fs::write(person.folder.0.join("in/all.ndjson"), patient("secret-id") + &patient("p3")).expect("it can be written");
    person.well(&["upload", "in", "s3://quality-data/lake/landing"]);
    assert!(with_lake(&["ingest"]).contains("withdrawn patient 1"));
    with_lake(&["withdraw", "all.ndjson", "--reason", "sent by mistake"]);
    let left = python(
        &emulator,
        "print([v['Key'] for v in client('s3').list_object_versions(Bucket='quality-data', Prefix='lake/landing/')\
         .get('Versions', [])])",
    );
    assert_eq!(left, "[]");
    assert!(with_lake(&["show", "silver_patient", "--format", "csv"]).lines().count() <= 1);
}

#[test]
fn a_deployed_stack_is_found_by_its_buckets_names_and_its_losses_come_back() {
    let emulator = Emulator::ministack();
    let account = python(
        &emulator,
        "account = client('sts').get_caller_identity()['Account']\n\
         for role in ('landing', 'lake'):\n    \
             client('s3').create_bucket(Bucket=f'metriccare-{role}-{account}-us-east-1')\n\
         for stage in ('generator', 'bronze', 'silver', 'gold'):\n    \
             for name in (stage, f'{stage}-dead-letters'):\n        \
                 client('sqs').create_queue(QueueName=f'metriccare-{name}')\n\
         client('dynamodb').create_table(TableName='metriccare-ledger', BillingMode='PAY_PER_REQUEST', \
         AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], \
         KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}])\n\
         client('glue').create_database(DatabaseInput={'Name': 'metriccare'})\n\
         for table in ('encounter', 'patient', 'condition', 'quarantine', 'ingest_log'):\n    \
             client('glue').create_table(DatabaseName='metriccare', TableInput={'Name': f'bronze_{table}', \
         'PartitionKeys': [{'Name': 'part', 'Type': 'string'}], 'StorageDescriptor': {'Columns': []}})\n\
         print(account)",
    );
    let person = Person::at("stack", &emulator);
    let (landing, lake) =
        (format!("s3://metriccare-landing-{account}-us-east-1"), format!("s3://metriccare-lake-{account}-us-east-1"));
    person.well(&["generate", "fhir", "--patients", "60", "--out", &landing]);
    person.badly(&["verify", "--lake", &lake], &["there is no lake here"]);
    person.badly(&["ingest", "--lake", &lake], &["set BUCKETS to the stack's parameter Buckets"]);

    let would = person.well(&["redrive", "--from", "landing", "--dry-run"]);
    assert!(would.contains("6 of 6 landed objects have no bronze commit and would be sent to bronze"), "{would}");
    person.well(&["redrive", "--from", "landing"]);
    let told = python(
        &emulator,
        "queue = client('sqs').get_queue_url(QueueName='metriccare-bronze')['QueueUrl']\n\
         bodies = [json.loads(m['Body']) for _ in range(3) for m in \
         client('sqs').receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get('Messages', [])]\n\
         print(len(bodies), sorted(body['Records'][0]['s3']['object']['key'] for body in bodies)[0])",
    );
    assert_eq!(told, "6 condition/2025/12/31/condition-00000001-00000060.ndjson");

    let (status, said) = person.run(&["ingest", "--lake", &lake], &[("BUCKETS", "4")]);
    assert_eq!(status, 0, "{said}");
    assert!(person.well(&["verify", "--lake", &lake]).contains("the lake holds"), "four buckets, as silver says");
    let seen = python(
        &emulator,
        "lake = [b['Name'] for b in client('s3').list_buckets()['Buckets'] if 'lake' in b['Name']][0]\n\
         keys = [o['Key'] for o in client('s3').list_objects_v2(Bucket=lake)['Contents']]\n\
         parts = client('glue').get_partitions(DatabaseName='metriccare', TableName='bronze_encounter')['Partitions']\n\
         print('_lake.json' in keys, any(key.startswith('_ledger/') for key in keys), len(parts) > 0, \
         client('dynamodb').scan(TableName='metriccare-ledger')['Count'] > 6)",
    );
    assert_eq!(seen, "True False True True", "the stack's own ledger and catalog are used");
    assert!(person.well(&["redrive", "--from", "landing"]).contains("0 of 6 landed objects"));

    python(
        &emulator,
        "queue = client('sqs').get_queue_url(QueueName='metriccare-silver-dead-letters')['QueueUrl']\n\
         for n in range(12):\n    client('sqs').send_message(QueueUrl=queue, MessageBody=f'letter {n}')",
    );
    let would = person.well(&["redrive", "--stage", "silver", "--dry-run"]);
    assert!(would.contains("silver") && would.contains("12 dead letters") && !would.contains("gold"), "{would}");
    let came = person.well(&["redrive"]);
    assert!(came.contains("12 of 12 dead letters are back") && came.contains("gold"), "{came}");
    let back = python(
        &emulator,
        "names = ('metriccare-silver', 'metriccare-silver-dead-letters')\n\
         url = lambda name: client('sqs').get_queue_url(QueueName=name)['QueueUrl']\n\
         count = lambda name: client('sqs').get_queue_attributes(QueueUrl=url(name), \
         AttributeNames=['ApproximateNumberOfMessages'])['Attributes']['ApproximateNumberOfMessages']\n\
         print(*(count(name) for name in names))",
    );
    assert_eq!(back, "12 0");
    person.badly(&["redrive", "--stack", "other"], &["other-generator", "other-gold"]);
    person.badly(&["redrive", "--from", "landing", "--stage", "gold"], &["leave --stage out"]);
}

#[test]
fn what_is_wrong_with_a_login_is_said_before_any_work() {
    // One request is not asked who it is from: the one that makes the bucket.
    let emulator = Emulator::moto(1);
    python(&emulator, "client('s3').create_bucket(Bucket='quality-data')");
    let person = Person::at("login", &emulator);
    fs::create_dir(person.folder.0.join("data")).expect("a fresh folder");
    fs::write(person.folder.0.join("data/a.csv"), "a").expect("it can be written");
    person.badly(&["upload", "data"], &["AWS cannot be used", "AWS refuses these credentials"]);
    person.badly(&["run", "--patients", "5", "--lake", "s3://quality-data"], &["AWS refuses these credentials"]);
    drop(emulator);

    let emulator = Emulator::moto(1_000_000);
    python(&emulator, "client('s3').create_bucket(Bucket='quality-data')");
    let person = Person::at("bucket", &emulator);
    let lake = ["--lake", "s3://not-there", "--landing", "s3://nor-there"];
    person.badly(
        &[&["run", "--patients", "5"], &lake[..]].concat(),
        &["s3://not-there: there is no such bucket", "s3://nor-there: there is no such bucket"],
    );
    person.badly(&["verify", "--lake", "s3://quality-data/empty"], &["there is no lake here"]);
    person.badly(
        &["ingest", "--lake", "s3://quality-data", "--landing", "s3://quality-data"],
        &["the lake itself cannot be its landing location"],
    );

    let halves = Person::with("halves", "AWS_SECRET_KEY=YOUR_SECRET_KEY\nAWS_REGION=Frankfurt\n");
    halves.badly(
        &["verify", "--lake", "s3://quality-data"],
        &[
            ".env has no AWS_ACCESS_KEY_ID or AWS_ACCESS_KEY",
            "AWS_SECRET_KEY of .env is no key",
            "the region is Frankfurt",
        ],
    );
    let none = Person::with("none", "");
    none.badly(&["verify", "--lake", "s3://quality-data"], &["there are no credentials", "there is no region"]);
    none.badly(&["verify", "--lake", "s3://quality-data", "--env-file", "aws.env"], &["aws.env"]);
    let broken = Person::with("broken-env", "AWS_REGION=us-east-1\nAWS_SECRET_KEY not-to-be-printed\n");
    broken.badly(&["verify", "--lake", "s3://quality-data"], &[".env: entry 2 cannot be read"]);
}
