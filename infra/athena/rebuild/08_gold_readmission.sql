-- gold_readmission: returns within 30 days of discharge by hospital, month of discharge and definition.
CREATE TABLE rebuild_gold_readmission
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH verdicts AS (
    SELECT hospital_name, month, 'naive' AS definition, naive_readmitted AS readmitted
    FROM rebuild_gold_stay
    UNION ALL
    SELECT hospital_name, month, 'all_payer_unplanned', readmitted
    FROM rebuild_gold_stay
    WHERE index_status = 'index'
    UNION ALL
    SELECT hospital_name, month, 'hwr_65plus', readmitted
    FROM rebuild_gold_stay
    WHERE hwr_status = 'index'
),
counts AS (
    SELECT
        hospital_name, month, definition,
        count(*) AS index_stays,
        count_if(readmitted) AS readmissions,
        CAST(count(*) AS double) AS n,
        CAST(count_if(readmitted) AS double) / count(*) AS p,
        -- Hospital-wide, all-cause, Medicare from 65: CMS Care Compare, July 2024, for July 2022 to June 2023.
        CASE WHEN definition = 'hwr_65plus' THEN DOUBLE '0.146' END AS national_rate
    FROM verdicts
    GROUP BY hospital_name, month, definition
),
intervals AS (
    -- Wilson's interval of 95 %, whose ends are exact where nobody or everybody came back.
    SELECT
        *,
        CASE
            WHEN readmissions = 0 THEN DOUBLE '0'
            ELSE (p + 3.841458881296 / (2 * n) - 1.959964 * sqrt(p * (1 - p) / n + 3.841458881296 / (4 * n * n)))
                / (1 + 3.841458881296 / n)
        END AS ci_low,
        CASE
            WHEN readmissions = index_stays THEN DOUBLE '1'
            ELSE (p + 3.841458881296 / (2 * n) + 1.959964 * sqrt(p * (1 - p) / n + 3.841458881296 / (4 * n * n)))
                / (1 + 3.841458881296 / n)
        END AS ci_high
    FROM counts
)
SELECT
    i.hospital_name, i.month, i.definition, i.index_stays, i.readmissions,
    i.p AS rate,
    i.ci_low, i.ci_high, i.national_rate,
    CASE
        WHEN i.national_rate IS NULL THEN NULL
        WHEN i.index_stays < 25 THEN 'Number of Cases Too Small'
        WHEN i.ci_high < i.national_rate THEN 'Better Than the National Rate'
        WHEN i.ci_low > i.national_rate THEN 'Worse Than the National Rate'
        ELSE 'No Different Than the National Rate'
    END AS comparison,
    date_add('day', 30, last_day_of_month(CAST(i.month || '-01' AS date))) > l.last_date AS provisional
FROM intervals AS i
CROSS JOIN rebuild_last_date AS l
