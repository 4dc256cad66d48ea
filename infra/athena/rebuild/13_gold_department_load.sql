-- gold_department_load: encounters of every class by month of admission, and the patient-days of that month.
CREATE TABLE rebuild_gold_department_load
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH parts AS (
    SELECT
        hospital_name, department,
        date_format(admission_time, '%Y-%m') AS month,
        1 AS encounters,
        CASE WHEN encounter_class = 'emergency' THEN 1 ELSE 0 END AS emergency_encounters,
        CASE WHEN encounter_class = 'inpatient' THEN 1 ELSE 0 END AS inpatient_encounters,
        coalesce(length_hours, 0) AS hours,
        0 AS patient_days
    FROM rebuild_silver_encounter
    WHERE status IN ('completed', 'discharged', 'in-progress', 'on-hold')
    UNION ALL
    SELECT hospital_name, department, month, 0, 0, 0, 0, patient_days
    FROM rebuild_inpatient_day
),
cells AS (
    SELECT
        hospital_name, department, month,
        sum(encounters) AS encounters,
        sum(emergency_encounters) AS emergency_encounters,
        sum(inpatient_encounters) AS inpatient_encounters,
        sum(hours) AS total_hours,
        sum(patient_days) AS patient_days
    FROM parts
    GROUP BY hospital_name, department, month
)
SELECT
    c.hospital_name, c.department, c.month, c.encounters, c.emergency_encounters, c.inpatient_encounters,
    c.total_hours, c.patient_days,
    CAST(c.patient_days AS double) / (
        date_diff(
            'day', CAST(c.month || '-01' AS date),
            least(last_day_of_month(CAST(c.month || '-01' AS date)), l.last_date)
        ) + 1
    ) AS average_daily_census,
    CAST(c.encounters AS double) / nullif(
        CAST(sum(c.encounters) OVER (PARTITION BY c.hospital_name, c.month) AS double), 0
    ) AS share_of_hospital
FROM cells AS c
CROSS JOIN rebuild_last_date AS l
