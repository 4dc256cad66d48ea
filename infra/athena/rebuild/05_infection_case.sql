-- infection_case: the infections that count, one per encounter and type, of a stay or an open inpatient encounter.
CREATE TABLE rebuild_infection_case
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH inpatients AS (
    SELECT
        patient_id, encounter_id, hospital_name,
        CAST(admission_time AS date) AS admission_date,
        date_trunc('day', admission_time) AS admission_midnight,
        CASE WHEN status IN ('completed', 'discharged') THEN CAST(discharge_time AS date) END AS discharge_date
    FROM rebuild_silver_encounter
    WHERE encounter_class = 'inpatient'
        AND (
            (status IN ('completed', 'discharged') AND discharge_time >= admission_time)
            OR (status IN ('in-progress', 'on-hold') AND admission_time IS NOT NULL)
        )
),
linked AS (
    SELECT
        i.patient_id, i.encounter_id, i.hospital_name, i.admission_date, i.discharge_date, c.infection_type,
        -- What has no time is as old as the admission.
        CAST(coalesce(c.onset_time, c.recorded_time, i.admission_midnight) AS date) AS onset_date,
        row_number() OVER (
            PARTITION BY i.patient_id, i.encounter_id, c.infection_type
            ORDER BY coalesce(c.onset_time, c.recorded_time, i.admission_midnight), c.condition_id
        ) AS earliness
    FROM rebuild_silver_condition AS c
    INNER JOIN inpatients AS i ON i.patient_id = c.patient_id AND i.encounter_id = c.encounter_id
    WHERE c.infection_type IS NOT NULL
),
placed AS (
    SELECT
        *,
        infection_type = 'ssi'
        OR date_diff('day', admission_date, onset_date)
            >= CASE WHEN infection_type IN ('cdi', 'mrsa') THEN 3 ELSE 2 END AS hospital_onset
    FROM linked
    WHERE earliness = 1
        AND (discharge_date IS NULL OR onset_date <= date_add('day', 1, discharge_date))
)
SELECT
    patient_id, encounter_id, hospital_name, infection_type, hospital_onset,
    date_format(CASE WHEN hospital_onset THEN onset_date ELSE admission_date END, '%Y-%m') AS month
FROM placed
