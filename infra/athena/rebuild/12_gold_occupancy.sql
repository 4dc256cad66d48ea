-- gold_occupancy: patient-days of each hospital and month against its staffed beds, where they are known.
CREATE TABLE rebuild_gold_occupancy
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH months AS (
    SELECT
        hospital_name, month,
        CAST(month || '-01' AS date) AS month_start,
        sum(patient_days) AS patient_days
    FROM rebuild_inpatient_day
    GROUP BY hospital_name, month
),
hospitals AS (
    -- The reference is a CSV file: every column is text.
    SELECT trim(hospital_name) AS hospital_name, CAST(nullif(trim(staffed_beds), '') AS bigint) AS staffed_beds
    FROM reference_hospitals
),
days AS (
    SELECT
        m.hospital_name, m.month, m.patient_days, h.staffed_beds,
        -- The days of the month up to the lake's last date.
        date_diff('day', m.month_start, least(last_day_of_month(m.month_start), l.last_date)) + 1 AS month_days
    FROM months AS m
    CROSS JOIN rebuild_last_date AS l
    LEFT JOIN hospitals AS h ON h.hospital_name = m.hospital_name
)
SELECT
    hospital_name, month, patient_days,
    CAST(patient_days AS double) / month_days AS average_daily_census,
    staffed_beds,
    staffed_beds * month_days AS bed_days,
    CAST(patient_days AS double) / nullif(CAST(staffed_beds * month_days AS double), 0) AS occupancy_rate
FROM days
