-- gold_summary: the whole lake, one row per metric and definition, each the sum of its table's counts.
CREATE TABLE rebuild_gold_summary
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH ratios AS (
    SELECT
        'readmission' AS metric, definition,
        sum(readmissions) AS numerator,
        sum(index_stays) AS denominator,
        1 AS factor,
        bool_or(provisional) AS provisional
    FROM rebuild_gold_readmission
    GROUP BY definition
    UNION ALL
    SELECT 'mortality', definition, sum(deaths), sum(stays), 1, bool_or(provisional)
    FROM rebuild_gold_mortality
    GROUP BY definition
    UNION ALL
    SELECT 'length_of_stay', '', sum(total_days), sum(discharges), 1, FALSE
    FROM rebuild_gold_length_of_stay
    UNION ALL
    SELECT
        'infection', '',
        (SELECT count(*) FROM rebuild_infection_case WHERE hospital_onset),
        (SELECT coalesce(sum(patient_days), 0) FROM rebuild_inpatient_day),
        1000, FALSE
    UNION ALL
    -- Only hospitals whose staffed beds are known have a share of them in use.
    SELECT 'occupancy', '', sum(patient_days), sum(bed_days), 1, FALSE
    FROM rebuild_gold_occupancy
    WHERE staffed_beds IS NOT NULL
),
plain AS (
    SELECT 'patients' AS metric, count(*) AS total FROM rebuild_silver_patient
    UNION ALL
    SELECT 'encounters', count(*) FROM rebuild_silver_encounter
    UNION ALL
    SELECT 'stays', count(*) FROM rebuild_gold_stay
    UNION ALL
    SELECT 'conditions', count(*) FROM rebuild_silver_condition
)
SELECT
    metric, definition, numerator, denominator,
    CAST(numerator AS double) / nullif(CAST(denominator AS double), 0) * factor AS value,
    provisional
FROM ratios
WHERE coalesce(numerator, 0) <> 0 OR coalesce(denominator, 0) <> 0
UNION ALL
SELECT metric, '', total, CAST(NULL AS bigint), CAST(total AS double), FALSE
FROM plain
WHERE total <> 0
