# What one can do here. `just` alone lists it; each recipe is one or two commands that also work without just.

# The list of recipes.
default:
    @{{just_executable()}} --list --unsorted

# Generate 1,000 patients and run the whole pipeline on this machine.
run *arguments:
    cargo run --release -- run {{arguments}}

# Check the laws on a lake.
verify lake="./lake":
    cargo run --release -- verify --lake {{lake}}

# Write the report of a lake.
report lake="./lake":
    cargo run --release -- report --lake {{lake}}

# All tests.
test:
    cargo test --workspace

# Format, lint, imports, documentation.
check:
    cargo fmt --all -- --check
    .ci/documents
    .ci/fence
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked --quiet

# Everything that a change must pass.
ci:
    .ci/run

# Write the sample of a few patients in samples/ again.
samples:
    samples/make

# Validate generated FHIR R4 and R5 with validators that are not ours.
fhir-checks:
    cargo build --locked -p metriccare
    .ci/fhir

# The checks of what is deployed: templates, permissions, functions in the runtime emulator, the local cloud.
cloud-checks:
    PROFILE=dev .ci/cloud

# The whole pipeline on an emulated cloud (--keep, --costs, --patients N).
cloud *arguments:
    infra/local-cloud/run {{arguments}}

# Write the generated parts of the templates: tables from the schema, saved queries from infra/athena/queries.
templates:
    cargo run --locked -p metriccare-lake --example glue_tables
    infra/athena/save-queries

# The templates' lints and tests.
template-checks:
    cargo test --locked -p metriccare-aws --test template

# Build and deploy the stack `metriccare`.
deploy *arguments:
    sam build && sam deploy {{arguments}}

# Sizes and start-up of the functions, beside a Lambda that does nothing.
start-up:
    infra/local-cloud/start-up

# What a month costs at three sizes.
costs:
    python3 infra/local-cloud/monthly_costs.py

# Benchmarks of the stages and of the two views.
bench:
    cargo bench -p metriccare-tests
    cargo bench -p metriccare-world

# Measure this machine against DuckDB and write docs/benchmarks.md; needs the Python package duckdb.
benchmarks *arguments:
    python3 tests/benches/benchmarks.py {{arguments}}

# Licences, sources and bans of dependencies, and known vulnerabilities.
deny:
    .ci/dependencies

# Bill of materials (CycloneDX) of what is linked into a package.
sbom package="metriccare" *features:
    infra/sbom {{package}} {{features}}
