-- gold_census: inpatients of each department at midnight of each date.
CREATE TABLE rebuild_gold_census
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH present AS (
    SELECT
        e.hospital_name, e.department,
        CAST(e.admission_time AS date) AS from_date,
        CASE
            WHEN e.status IN ('completed', 'discharged')
                THEN date_diff('day', CAST(e.admission_time AS date), CAST(e.discharge_time AS date))
            -- An open stay is counted on the last date too.
            ELSE date_diff('day', CAST(e.admission_time AS date), l.last_date) + 1
        END AS days
    FROM rebuild_silver_encounter AS e
    CROSS JOIN rebuild_last_date AS l
    WHERE e.encounter_class = 'inpatient'
        AND (
            (e.status IN ('completed', 'discharged') AND e.discharge_time >= e.admission_time)
            OR (e.status IN ('in-progress', 'on-hold') AND e.admission_time IS NOT NULL)
        )
),
-- A sequence holds at most ten thousand entries, fewer than the days of a slip of the keyboard: stays are cut first.
pieces AS (
    SELECT p.hospital_name, p.department, p.from_date, t.first_day, least(p.days, t.first_day + 1000) AS end_day
    FROM present AS p
    CROSS JOIN UNNEST(sequence(0, p.days - 1, 1000)) AS t (first_day)
    WHERE p.days > 0
),
dates AS (
    SELECT p.hospital_name, p.department, CAST(date_add('day', t.nth, p.from_date) AS date) AS date
    FROM pieces AS p
    CROSS JOIN UNNEST(sequence(p.first_day, p.end_day - 1)) AS t (nth)
)
SELECT hospital_name, department, date, count(*) AS patients
FROM dates
GROUP BY hospital_name, department, date
