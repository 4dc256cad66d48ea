-- silver_encounter: the latest version of every encounter in silver's words, and each stay's prior stay.
CREATE TABLE rebuild_silver_encounter
WITH (format = 'PARQUET', write_compression = 'ZSTD', partitioned_by = ARRAY['bucket']) AS
WITH classes (word, encounter_class) AS (
    VALUES
        ('imp', 'inpatient'), ('acute', 'inpatient'), ('inpatient', 'inpatient'),
        ('inpatient encounter', 'inpatient'), ('inpatient acute', 'inpatient'),
        ('emer', 'emergency'), ('emergency', 'emergency'),
        ('amb', 'outpatient'), ('obsenc', 'outpatient'), ('ss', 'outpatient'), ('ambulatory', 'outpatient'),
        ('outpatient', 'outpatient'),
        ('vr', 'virtual'), ('virtual', 'virtual'),
        ('hh', 'home'), ('home', 'home'), ('home health', 'home')
),
statuses (word, status) AS (
    VALUES
        ('finished', 'completed'), ('arrived', 'in-progress'), ('triaged', 'in-progress'), ('onleave', 'on-hold'),
        ('planned', 'planned'), ('in-progress', 'in-progress'), ('on-hold', 'on-hold'), ('discharged', 'discharged'),
        ('completed', 'completed'), ('cancelled', 'cancelled'), ('discontinued', 'discontinued'),
        ('entered-in-error', 'entered-in-error'), ('unknown', 'unknown')
),
departments (word, department) AS (
    VALUES
        ('ed', 'Emergency'), ('er', 'Emergency'), ('emergency', 'Emergency'), ('emergency room', 'Emergency'),
        ('emergency department', 'Emergency'), ('emergency dept', 'Emergency'), ('a&e', 'Emergency'),
        ('accident and emergency', 'Emergency'), ('icu', 'Intensive Care'), ('intensive care', 'Intensive Care'),
        ('intensive care unit', 'Intensive Care'), ('critical care', 'Intensive Care'),
        ('critical care unit', 'Intensive Care'), ('nicu', 'Neonatal Intensive Care'),
        ('neonatal icu', 'Neonatal Intensive Care'), ('neonatal intensive care', 'Neonatal Intensive Care'),
        ('neonatal intensive care unit', 'Neonatal Intensive Care'), ('picu', 'Pediatric Intensive Care'),
        ('pediatric icu', 'Pediatric Intensive Care'), ('pediatric intensive care', 'Pediatric Intensive Care'),
        ('pediatric intensive care unit', 'Pediatric Intensive Care'), ('ward', 'General Ward'),
        ('general ward', 'General Ward'), ('med', 'Medicine'), ('medicine', 'Medicine'),
        ('general medicine', 'Medicine'), ('internal medicine', 'Medicine'), ('medical ward', 'Medicine'),
        ('surgery', 'Surgery'), ('surgical', 'Surgery'), ('general surgery', 'Surgery'), ('surgical ward', 'Surgery'),
        ('cardio', 'Cardiology'), ('cardiac', 'Cardiology'), ('cardiology', 'Cardiology'), ('onc', 'Oncology'),
        ('oncology', 'Oncology'), ('neuro', 'Neurology'), ('neurology', 'Neurology'), ('ortho', 'Orthopedics'),
        ('orthopedics', 'Orthopedics'), ('orthopaedics', 'Orthopedics'), ('peds', 'Pediatrics'),
        ('pediatrics', 'Pediatrics'), ('paediatrics', 'Pediatrics'), ('l&d', 'Maternity'),
        ('labor and delivery', 'Maternity'), ('maternity', 'Maternity'), ('obstetrics', 'Maternity'),
        ('psych', 'Psychiatry'), ('psychiatry', 'Psychiatry'), ('behavioral health', 'Psychiatry'),
        ('rehab', 'Rehabilitation'), ('rehabilitation', 'Rehabilitation'), ('outpatient', 'Outpatient'),
        ('outpatient clinic', 'Outpatient'), ('clinic', 'Outpatient'), ('virtual', 'Telehealth'),
        ('telehealth', 'Telehealth'), ('telemedicine', 'Telehealth')
),
dispositions (word, disposition) AS (
    VALUES
        ('home', 'home'), ('alt-home', 'alt-home'), ('other-hcf', 'other-hcf'), ('hosp', 'hosp'), ('long', 'long'),
        ('aadvice', 'aadvice'), ('exp', 'exp'), ('psy', 'psy'), ('rehab', 'rehab'), ('snf', 'snf'), ('oth', 'oth'),
        -- NUBC's numbers, with and without the leading zero.
        ('01', 'home'), ('1', 'home'), ('06', 'home'), ('6', 'home'), ('81', 'home'), ('86', 'home'),
        ('02', 'hosp'), ('2', 'hosp'), ('05', 'hosp'), ('5', 'hosp'), ('43', 'hosp'), ('66', 'hosp'), ('82', 'hosp'),
        ('03', 'snf'), ('3', 'snf'), ('61', 'snf'), ('83', 'snf'),
        ('04', 'other-hcf'), ('4', 'other-hcf'), ('64', 'other-hcf'),
        ('62', 'rehab'), ('90', 'rehab'), ('63', 'long'), ('91', 'long'), ('65', 'psy'), ('93', 'psy'),
        ('07', 'aadvice'), ('7', 'aadvice'),
        ('20', 'exp'), ('40', 'exp'), ('41', 'exp'), ('42', 'exp')
),
versions AS (
    SELECT
        b.encounter_id, b.patient_id,
        nullif(trim(b.hospital_name), '') AS hospital_name,
        coalesce(c.encounter_class, 'other') AS encounter_class,
        b.encounter_type,
        CASE WHEN b.status IS NOT NULL THEN coalesce(s.status, 'unknown') END AS status,
        coalesce(d.department, nullif(trim(b.department), '')) AS department,
        b.practitioner_id,
        b.admission_time, b.discharge_time, b.priority, b.admit_source,
        CASE
            WHEN nullif(trim(b.discharge_disposition), '') IS NOT NULL THEN coalesce(x.disposition, 'oth')
        END AS discharge_disposition,
        b.reason_code, b.reason_display, b.last_updated, b.version_id, b.precombine_ts, b.content_id,
        -- versionIds: missing, then numbers of any length by size, then text.
        CASE
            WHEN coalesce(b.version_id, '') = '' THEN 0
            WHEN regexp_like(b.version_id, '^[0-9]+$') THEN 1
            ELSE 2
        END AS version_kind,
        CASE
            WHEN regexp_like(b.version_id, '^[0-9]+$') THEN regexp_replace(b.version_id, '^0+', '')
            ELSE b.version_id
        END AS version_text
    FROM bronze_encounter AS b
    -- The class decides; only without one does the type's text stand in.
    LEFT JOIN classes AS c
        ON c.word = lower(trim(coalesce(nullif(trim(b.encounter_class), ''), b.encounter_type)))
    LEFT JOIN statuses AS s ON s.word = lower(trim(b.status))
    LEFT JOIN departments AS d ON d.word = lower(trim(b.department))
    LEFT JOIN dispositions AS x ON x.word = lower(trim(b.discharge_disposition))
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY encounter_id
            ORDER BY
                last_updated DESC NULLS LAST,
                version_kind DESC,
                CASE WHEN version_kind = 1 THEN length(version_text) ELSE 0 END DESC,
                version_text DESC NULLS LAST,
                precombine_ts DESC NULLS LAST,
                content_id DESC NULLS LAST,
                patient_id DESC NULLS LAST,
                -- The same bytes can land twice at one time with different Organizations and Locations beside them.
                hospital_name DESC NULLS LAST,
                department DESC NULLS LAST
        ) AS newness
    FROM versions
),
hashed AS (
    -- An encounter without a subject goes by its own id.
    SELECT *, from_big_endian_64(xxhash64(to_utf8(coalesce(patient_id, encounter_id)))) AS hash
    FROM ranked
    WHERE newness = 1
),
numbered AS (
    SELECT
        h.*, s.bucket_digits,
        -- The hash is unsigned and a bigint is not: modulo by its low 63 bits, then by its highest.
        mod(
            mod(bitwise_and(h.hash, 9223372036854775807), s.bucket_count)
            + CASE WHEN h.hash < 0 THEN mod(9223372036854775807, s.bucket_count) + 1 ELSE 0 END,
            s.bucket_count
        ) AS bucket_number
    FROM hashed AS h
    CROSS JOIN rebuild_setting AS s
),
latest AS (
    SELECT
        *,
        -- Null where a time is missing: no order of times, no length.
        coalesce(status IN ('completed', 'discharged') AND discharge_time >= admission_time, FALSE) AS has_length
    FROM numbered
    -- Athena writes at most 100 partitions a statement. A patient's encounters are in one bucket.
    WHERE bucket_number BETWEEN ? AND ?
),
stays AS (
    SELECT
        patient_id, encounter_id, admission_time, discharge_time,
        row_number() OVER (
            PARTITION BY patient_id ORDER BY admission_time, discharge_time, encounter_id
        ) AS place
    FROM latest
    WHERE has_length AND encounter_class = 'inpatient' AND patient_id IS NOT NULL
),
-- Admissions and discharges of a patient in one order, in which the discharge before an admission is the prior stay's.
-- At one moment, stays that began earlier end first; then those of no length begin and end, each in its place.
moments AS (
    SELECT patient_id, place, admission_time AS moment, 1 AS turn, 0 AS is_end
    FROM stays
    UNION ALL
    SELECT patient_id, place, discharge_time, CASE WHEN discharge_time > admission_time THEN 0 ELSE 1 END, 1
    FROM stays
),
earlier AS (
    SELECT
        patient_id, place, is_end,
        last_value(CASE WHEN is_end = 1 THEN place END) IGNORE NULLS OVER (
            PARTITION BY patient_id ORDER BY moment, turn, place, is_end
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS prior_place
    FROM moments
),
priors AS (
    SELECT
        this.encounter_id,
        prior.encounter_id AS prior_encounter_id,
        date_diff('day', CAST(prior.discharge_time AS date), CAST(this.admission_time AS date)) AS days_since_prior,
        this.patient_id
    FROM earlier AS e
    INNER JOIN stays AS this ON this.patient_id = e.patient_id AND this.place = e.place
    INNER JOIN stays AS prior ON prior.patient_id = e.patient_id AND prior.place = e.prior_place
    WHERE e.is_end = 0
)
SELECT
    e.encounter_id, e.patient_id, e.hospital_name, e.encounter_class, e.encounter_type, e.status, e.department,
    e.practitioner_id, e.admission_time, e.discharge_time,
    CASE
        WHEN e.has_length
            THEN greatest(1, date_diff('day', CAST(e.admission_time AS date), CAST(e.discharge_time AS date)))
    END AS length_days,
    CASE
        WHEN e.has_length THEN date_diff('millisecond', e.admission_time, e.discharge_time) / DOUBLE '3600000'
    END AS length_hours,
    e.priority, e.admit_source, e.discharge_disposition, e.reason_code, e.reason_display,
    p.prior_encounter_id, p.days_since_prior,
    coalesce(p.days_since_prior <= 30, FALSE) AS readmit_flag,
    e.last_updated, e.version_id, e.precombine_ts, e.content_id,
    lpad(CAST(e.bucket_number AS varchar), e.bucket_digits, '0') AS bucket
FROM latest AS e
LEFT JOIN priors AS p ON p.patient_id = e.patient_id AND p.encounter_id = e.encounter_id
