-- gold_stay: the ledger, one row per stay with every verdict and its reason.
CREATE TABLE rebuild_gold_stay
WITH (format = 'PARQUET', write_compression = 'ZSTD', partitioned_by = ARRAY['bucket']) AS
WITH deaths AS (
    -- What the death conditions that are linked to a stay say: that it ended so, and when, where that lies within it.
    SELECT
        e.patient_id, e.encounter_id,
        bool_or(coalesce(c.onset_time, c.recorded_time) IS NULL) AS death_undated,
        min(
            CASE
                WHEN CAST(coalesce(c.onset_time, c.recorded_time) AS date)
                    BETWEEN CAST(e.admission_time AS date) AND CAST(e.discharge_time AS date)
                    THEN CAST(coalesce(c.onset_time, c.recorded_time) AS date)
            END
        ) AS death_within
    FROM rebuild_silver_condition AS c
    INNER JOIN rebuild_silver_encounter AS e ON e.patient_id = c.patient_id AND e.encounter_id = c.encounter_id
    WHERE c.death
    GROUP BY e.patient_id, e.encounter_id
),
facts AS (
    SELECT
        e.encounter_id, e.patient_id, e.hospital_name, e.department, e.admission_time, e.discharge_time,
        CAST(e.admission_time AS date) AS admission_date,
        CAST(e.discharge_time AS date) AS discharge_date,
        e.length_days, e.length_hours,
        year(e.admission_time) - year(p.birth_date)
        - CASE
            WHEN month(e.admission_time) * 100 + day(e.admission_time)
                < month(p.birth_date) * 100 + day(p.birth_date) THEN 1
            ELSE 0
        END AS age_at_admission,
        p.gender, p.state, p.language,
        CAST(p.deceased_time AS date) AS deceased_date,
        d.death_undated, d.death_within,
        nullif(e.reason_code, '') AS reason_code,
        -- Reasons carry no code system here: an ICD-10 code is known by its shape.
        CASE
            WHEN regexp_like(e.reason_code, '^[A-Z][0-9][A-Z0-9]([.][A-Z0-9]{1,4})?$') THEN substr(e.reason_code, 1, 3)
        END AS icd_category,
        e.discharge_disposition, e.priority, e.bucket
    FROM rebuild_silver_encounter AS e
    LEFT JOIN rebuild_silver_patient AS p ON p.patient_id = e.patient_id
    LEFT JOIN deaths AS d ON d.patient_id = e.patient_id AND d.encounter_id = e.encounter_id
    WHERE e.encounter_class = 'inpatient'
        AND e.status IN ('completed', 'discharged')
        AND e.discharge_time >= e.admission_time
        -- Athena writes at most 100 partitions a statement. A patient's stays are in one bucket.
        AND CAST(e.bucket AS bigint) BETWEEN ? AND ?
),
stays AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY patient_id ORDER BY admission_time, discharge_time, encounter_id
        ) AS place,
        coalesce(icd_category, reason_code) AS cause,
        CASE
            WHEN upper(trim(priority)) = 'EL' THEN 'priority'
            WHEN reason_code LIKE 'Z51.0%' OR reason_code LIKE 'Z51.1%' THEN 'chemotherapy'
            WHEN reason_code LIKE 'Z51.89%' THEN 'rehabilitation'
            WHEN reason_code LIKE 'O80%' OR reason_code LIKE 'O82%' OR reason_code LIKE 'Z37%' THEN 'delivery'
            WHEN reason_code LIKE 'Z49%' THEN 'dialysis'
        END AS planned_rule,
        CASE
            WHEN icd_category BETWEEN 'F20' AND 'F99' THEN 'psychiatric'
            WHEN reason_code LIKE 'Z51.89%' THEN 'rehabilitation'
            WHEN icd_category BETWEEN 'C00' AND 'C96'
                OR icd_category BETWEEN 'D00' AND 'D09'
                -- D3A sorts among D37 to D49 as text, but stands before them in the classification.
                OR (icd_category BETWEEN 'D37' AND 'D49' AND icd_category <> 'D3A')
                OR reason_code LIKE 'Z51.0%'
                OR reason_code LIKE 'Z51.1%' THEN 'cancer-treatment'
            WHEN reason_code LIKE 'U07.1%' THEN 'covid-19'
        END AS exclusion,
        CASE
            WHEN discharge_disposition = 'exp' THEN TRUE
            WHEN coalesce(discharge_disposition, 'oth') = 'oth'
                THEN coalesce(deceased_date BETWEEN admission_date AND discharge_date, FALSE)
                    OR coalesce(death_undated, FALSE) OR death_within IS NOT NULL
            ELSE FALSE
        END AS died_in_hospital
    FROM facts
),
-- Admissions and discharges of a patient in one order, in which the admission after a discharge is the next stay's.
-- At one moment, stays that began earlier end first; then those of no length begin and end, each in its place.
moments AS (
    SELECT patient_id, place, admission_time AS moment, 1 AS turn, 0 AS is_end
    FROM stays
    WHERE patient_id IS NOT NULL
    UNION ALL
    SELECT patient_id, place, discharge_time, CASE WHEN discharge_time > admission_time THEN 0 ELSE 1 END, 1
    FROM stays
    WHERE patient_id IS NOT NULL
),
later AS (
    SELECT
        patient_id, place, is_end,
        last_value(CASE WHEN is_end = 0 THEN place END) IGNORE NULLS OVER (
            PARTITION BY patient_id ORDER BY moment DESC, turn DESC, place DESC, is_end DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS next_place
    FROM moments
),
nexts AS (
    SELECT
        this.patient_id, this.encounter_id,
        next.encounter_id AS next_stay_id,
        next.hospital_name AS next_hospital,
        next.cause AS next_cause,
        next.planned_rule AS next_planned_rule,
        date_diff('day', this.discharge_date, next.admission_date) AS days_to_next
    FROM later AS l
    INNER JOIN stays AS this ON this.patient_id = l.patient_id AND this.place = l.place
    INNER JOIN stays AS next ON next.patient_id = l.patient_id AND next.place = l.next_place
    WHERE l.is_end = 1
),
infected AS (
    SELECT patient_id, encounter_id, count(*) AS infections
    FROM rebuild_infection_case
    WHERE hospital_onset
    GROUP BY patient_id, encounter_id
),
indexed AS (
    SELECT
        s.*, n.next_stay_id, n.days_to_next, n.next_planned_rule,
        CASE
            WHEN s.died_in_hospital THEN 'died'
            WHEN s.discharge_disposition = 'aadvice' THEN 'against-advice'
            WHEN n.days_to_next <= 1 AND n.next_hospital <> s.hospital_name THEN 'transferred'
            WHEN n.days_to_next = 0 AND n.next_hospital = s.hospital_name AND n.next_cause = s.cause
                THEN 'same-day-same-cause'
            ELSE 'index'
        END AS index_status,
        CASE WHEN s.died_in_hospital THEN coalesce(s.death_within, s.discharge_date) END AS stay_death_date,
        coalesce(i.infections, 0) AS infections
    FROM stays AS s
    LEFT JOIN nexts AS n ON n.patient_id = s.patient_id AND n.encounter_id = s.encounter_id
    LEFT JOIN infected AS i ON i.patient_id = s.patient_id AND i.encounter_id = s.encounter_id
),
judged AS (
    SELECT
        *,
        -- A planned first return ends the search.
        index_status = 'index' AND coalesce(days_to_next <= 30 AND next_planned_rule IS NULL, FALSE) AS readmitted,
        -- The patient's own date of death, else the earliest that the patient's stays give.
        coalesce(
            deceased_date,
            CASE
                WHEN patient_id IS NULL THEN stay_death_date
                ELSE min(stay_death_date) OVER (PARTITION BY patient_id)
            END
        ) AS death_date
    FROM indexed
)
SELECT
    encounter_id AS stay_id, patient_id, hospital_name, department, admission_time, discharge_time,
    date_format(discharge_time, '%Y-%m') AS month,
    length_days, length_hours, age_at_admission,
    CASE
        WHEN age_at_admission IS NULL THEN 'unknown'
        WHEN age_at_admission <= 17 THEN '0-17'
        WHEN age_at_admission <= 44 THEN '18-44'
        WHEN age_at_admission <= 64 THEN '45-64'
        WHEN age_at_admission <= 74 THEN '65-74'
        WHEN age_at_admission <= 84 THEN '75-84'
        ELSE '85+'
    END AS age_band,
    gender, state, language, reason_code, discharge_disposition, priority,
    planned_rule IS NOT NULL AS planned,
    planned_rule, next_stay_id, days_to_next,
    TRUE AS naive_index,
    coalesce(days_to_next <= 30, FALSE) AS naive_readmitted,
    index_status, readmitted,
    CASE WHEN readmitted THEN next_stay_id END AS readmission_stay_id,
    CASE
        WHEN index_status <> 'index' THEN index_status
        WHEN age_at_admission < 65 THEN 'under-65'
        WHEN age_at_admission IS NULL THEN 'age-unknown'
        ELSE coalesce(exclusion, 'index')
    END AS hwr_status,
    died_in_hospital,
    coalesce(date_diff('day', admission_date, death_date) BETWEEN 0 AND 30, FALSE) AS died_30d,
    infections, bucket
FROM judged
