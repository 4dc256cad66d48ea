-- gold_infection: infections by hospital, month and type, per patient-days.
-- Patient-days are NHSN's denominator for cdi and mrsa only; the others' are device-days and procedures.
CREATE TABLE rebuild_gold_infection
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH types (infection_type) AS (
    VALUES ('clabsi'), ('cauti'), ('ssi'), ('mrsa'), ('cdi'), ('vap'), ('other')
),
parts AS (
    SELECT d.hospital_name, d.month, t.infection_type, 0 AS infections, 0 AS present_on_admission, d.patient_days
    FROM rebuild_inpatient_day AS d
    CROSS JOIN types AS t
    UNION ALL
    SELECT
        hospital_name, month, infection_type,
        CASE WHEN hospital_onset THEN 1 ELSE 0 END,
        CASE WHEN hospital_onset THEN 0 ELSE 1 END,
        0
    FROM rebuild_infection_case
),
counts AS (
    SELECT
        hospital_name, month, infection_type,
        sum(infections) AS infections,
        sum(present_on_admission) AS present_on_admission,
        sum(patient_days) AS patient_days,
        CAST(CASE WHEN infection_type = 'cdi' THEN 10000 ELSE 1000 END AS bigint) AS per,
        CAST(sum(infections) AS double) AS n
    FROM parts
    GROUP BY hospital_name, month, infection_type
)
SELECT
    hospital_name, month, infection_type, infections, present_on_admission, patient_days,
    n / nullif(CAST(patient_days AS double), 0) * per AS rate,
    per,
    -- Byar's limits of a Poisson count.
    CASE
        WHEN infections = 0 THEN DOUBLE '0'
        ELSE n * power(1 - 1 / (9 * n) - 1.959964 / (3 * sqrt(n)), 3)
    END / nullif(CAST(patient_days AS double), 0) * per AS ci_low,
    (n + 1) * power(1 - 1 / (9 * (n + 1)) + 1.959964 / (3 * sqrt(n + 1)), 3)
        / nullif(CAST(patient_days AS double), 0) * per AS ci_high
FROM counts
