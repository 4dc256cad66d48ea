-- inpatient_day: patient-days by hospital, department and month.
CREATE TABLE rebuild_inpatient_day
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH present AS (
    SELECT
        e.hospital_name, e.department,
        CAST(e.admission_time AS date) AS from_date,
        -- The first date on which the patient is no longer counted; an open stay is counted on the last date too.
        CASE
            WHEN e.status IN ('completed', 'discharged') THEN CAST(e.discharge_time AS date)
            ELSE CAST(date_add('day', 1, l.last_date) AS date)
        END AS to_date
    FROM rebuild_silver_encounter AS e
    CROSS JOIN rebuild_last_date AS l
    WHERE e.encounter_class = 'inpatient'
        AND (
            (e.status IN ('completed', 'discharged') AND e.discharge_time >= e.admission_time)
            OR (e.status IN ('in-progress', 'on-hold') AND e.admission_time IS NOT NULL)
        )
),
months AS (
    SELECT
        p.hospital_name, p.department, p.from_date, p.to_date,
        CAST(date_add('month', t.nth, date_trunc('month', p.from_date)) AS date) AS month_start,
        CAST(date_add('month', t.nth + 1, date_trunc('month', p.from_date)) AS date) AS next_month
    FROM present AS p
    CROSS JOIN UNNEST(sequence(
        0, date_diff('month', date_trunc('month', p.from_date), date_trunc('month', p.to_date))
    )) AS t (nth)
    WHERE p.from_date < p.to_date
)
SELECT
    hospital_name, department,
    date_format(month_start, '%Y-%m') AS month,
    sum(greatest(0, date_diff('day', greatest(from_date, month_start), least(to_date, next_month)))) AS patient_days
FROM months
GROUP BY hospital_name, department, month_start
-- The month of a discharge on its first day has no patient-day.
HAVING sum(greatest(0, date_diff('day', greatest(from_date, month_start), least(to_date, next_month)))) > 0
