-- gold_cohort: returns and deaths of patients of 65 and over within 30 days, by hospital, month of discharge and disease.
CREATE TABLE rebuild_gold_cohort
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
-- CMS Care Compare, July 2024, Medicare from 65: discharges of July 2020 to June 2023. Of strokes, deaths only.
WITH national (cohort, readmission_rate, mortality_rate) AS (
    VALUES
        ('ami', DOUBLE '0.137', DOUBLE '0.126'),
        ('heart_failure', DOUBLE '0.198', DOUBLE '0.119'),
        ('pneumonia', DOUBLE '0.164', DOUBLE '0.179'),
        ('copd', DOUBLE '0.185', DOUBLE '0.094'),
        ('stroke', CAST(NULL AS double), DOUBLE '0.139')
),
members AS (
    SELECT
        hospital_name, month, patient_id, stay_id, age_at_admission, hwr_status, readmitted, died_30d,
        CASE
            WHEN reason_code LIKE 'I21%' THEN 'ami'
            WHEN reason_code LIKE 'I50%' OR reason_code LIKE 'I11.0%' OR reason_code LIKE 'I13.0%'
                OR reason_code LIKE 'I13.2%' THEN 'heart_failure'
            WHEN substr(reason_code, 1, 3) BETWEEN 'J12' AND 'J18' THEN 'pneumonia'
            WHEN substr(reason_code, 1, 3) BETWEEN 'J41' AND 'J44' THEN 'copd'
            WHEN reason_code LIKE 'I63%' THEN 'stroke'
        END AS cohort
    FROM rebuild_gold_stay
),
counts AS (
    SELECT
        m.hospital_name, m.month, m.cohort,
        count_if(m.hwr_status = 'index') AS index_stays,
        count_if(m.hwr_status = 'index' AND m.readmitted) AS readmissions,
        -- A stay that a transfer led to is left out: the first hospital carries the outcome.
        count_if(m.age_at_admission >= 65 AND t.next_stay_id IS NULL) AS stays,
        count_if(m.age_at_admission >= 65 AND t.next_stay_id IS NULL AND m.died_30d) AS deaths_30d
    FROM members AS m
    LEFT JOIN (
        SELECT DISTINCT patient_id, next_stay_id
        FROM rebuild_gold_stay
        WHERE index_status = 'transferred'
    ) AS t ON t.patient_id = m.patient_id AND t.next_stay_id = m.stay_id
    WHERE m.cohort IS NOT NULL
    GROUP BY m.hospital_name, m.month, m.cohort
),
shares AS (
    SELECT
        *,
        nullif(CAST(index_stays AS double), 0) AS n,
        CAST(readmissions AS double) / nullif(CAST(index_stays AS double), 0) AS p,
        nullif(CAST(stays AS double), 0) AS m,
        CAST(deaths_30d AS double) / nullif(CAST(stays AS double), 0) AS q
    FROM counts
    WHERE index_stays + stays > 0
),
intervals AS (
    -- Wilson's interval of 95 %, whose ends are exact where nobody or everybody came back or died; null where nobody counts.
    SELECT
        *,
        CASE
            WHEN readmissions = 0 THEN 0 * n
            ELSE (p + 3.841458881296 / (2 * n) - 1.959964 * sqrt(p * (1 - p) / n + 3.841458881296 / (4 * n * n)))
                / (1 + 3.841458881296 / n)
        END AS readmission_ci_low,
        CASE
            WHEN readmissions = index_stays THEN n / n
            ELSE (p + 3.841458881296 / (2 * n) + 1.959964 * sqrt(p * (1 - p) / n + 3.841458881296 / (4 * n * n)))
                / (1 + 3.841458881296 / n)
        END AS readmission_ci_high,
        CASE
            WHEN deaths_30d = 0 THEN 0 * m
            ELSE (q + 3.841458881296 / (2 * m) - 1.959964 * sqrt(q * (1 - q) / m + 3.841458881296 / (4 * m * m)))
                / (1 + 3.841458881296 / m)
        END AS mortality_ci_low,
        CASE
            WHEN deaths_30d = stays THEN m / m
            ELSE (q + 3.841458881296 / (2 * m) + 1.959964 * sqrt(q * (1 - q) / m + 3.841458881296 / (4 * m * m)))
                / (1 + 3.841458881296 / m)
        END AS mortality_ci_high
    FROM shares
)
SELECT
    i.hospital_name, i.month, i.cohort, i.index_stays, i.readmissions,
    i.p AS readmission_rate,
    i.readmission_ci_low, i.readmission_ci_high,
    n.readmission_rate AS national_readmission_rate,
    CASE
        WHEN n.readmission_rate IS NULL THEN NULL
        WHEN i.index_stays < 25 THEN 'Number of Cases Too Small'
        WHEN i.readmission_ci_high < n.readmission_rate THEN 'Better Than the National Rate'
        WHEN i.readmission_ci_low > n.readmission_rate THEN 'Worse Than the National Rate'
        ELSE 'No Different Than the National Rate'
    END AS readmission_comparison,
    i.stays, i.deaths_30d,
    i.q AS mortality_rate,
    i.mortality_ci_low, i.mortality_ci_high,
    n.mortality_rate AS national_mortality_rate,
    CASE
        WHEN n.mortality_rate IS NULL THEN NULL
        WHEN i.stays < 25 THEN 'Number of Cases Too Small'
        WHEN i.mortality_ci_high < n.mortality_rate THEN 'Better Than the National Rate'
        WHEN i.mortality_ci_low > n.mortality_rate THEN 'Worse Than the National Rate'
        ELSE 'No Different Than the National Rate'
    END AS mortality_comparison
FROM intervals AS i
LEFT JOIN national AS n ON n.cohort = i.cohort
