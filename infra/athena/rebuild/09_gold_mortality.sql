-- gold_mortality: deaths in hospital by month of discharge, and within 30 days by month of admission.
CREATE TABLE rebuild_gold_mortality
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH verdicts AS (
    SELECT hospital_name, month, 'in_hospital' AS definition, died_in_hospital AS died
    FROM rebuild_gold_stay
    UNION ALL
    -- A stay that a transfer led to is left out: the first hospital carries the outcome.
    SELECT s.hospital_name, date_format(s.admission_time, '%Y-%m'), '30_day', s.died_30d
    FROM rebuild_gold_stay AS s
    LEFT JOIN (
        SELECT DISTINCT patient_id, next_stay_id
        FROM rebuild_gold_stay
        WHERE index_status = 'transferred'
    ) AS t ON t.patient_id = s.patient_id AND t.next_stay_id = s.stay_id
    WHERE t.next_stay_id IS NULL
),
counts AS (
    SELECT
        hospital_name, month, definition,
        count(*) AS stays,
        count_if(died) AS deaths,
        CAST(count(*) AS double) AS n,
        CAST(count_if(died) AS double) / count(*) AS p
    FROM verdicts
    GROUP BY hospital_name, month, definition
)
SELECT
    c.hospital_name, c.month, c.definition, c.stays, c.deaths,
    c.p AS rate,
    -- Wilson's interval of 95 %, whose ends are exact where nobody or everybody died.
    CASE
        WHEN c.deaths = 0 THEN DOUBLE '0'
        ELSE (c.p + 3.841458881296 / (2 * c.n)
            - 1.959964 * sqrt(c.p * (1 - c.p) / c.n + 3.841458881296 / (4 * c.n * c.n)))
            / (1 + 3.841458881296 / c.n)
    END AS ci_low,
    CASE
        WHEN c.deaths = c.stays THEN DOUBLE '1'
        ELSE (c.p + 3.841458881296 / (2 * c.n)
            + 1.959964 * sqrt(c.p * (1 - c.p) / c.n + 3.841458881296 / (4 * c.n * c.n)))
            / (1 + 3.841458881296 / c.n)
    END AS ci_high,
    date_add('day', 30, last_day_of_month(CAST(c.month || '-01' AS date))) > l.last_date AS provisional
FROM counts AS c
CROSS JOIN rebuild_last_date AS l
