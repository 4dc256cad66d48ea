-- gold_demographics: stays and outcomes by gender, age band, language and state, by month of discharge.
CREATE TABLE rebuild_gold_demographics
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH members AS (
    SELECT 'gender' AS dimension, gender AS value, month, patient_id, index_status, readmitted, died_in_hospital
    FROM rebuild_gold_stay
    UNION ALL
    SELECT 'age_band', age_band, month, patient_id, index_status, readmitted, died_in_hospital
    FROM rebuild_gold_stay
    UNION ALL
    SELECT 'language', language, month, patient_id, index_status, readmitted, died_in_hospital
    FROM rebuild_gold_stay
    UNION ALL
    SELECT 'state', state, month, patient_id, index_status, readmitted, died_in_hospital
    FROM rebuild_gold_stay
)
SELECT
    dimension,
    coalesce(value, 'unknown') AS value,
    month,
    count(*) AS stays,
    count_if(index_status = 'index') AS index_stays,
    count_if(readmitted) AS readmissions,
    CAST(count_if(readmitted) AS double)
        / nullif(CAST(count_if(index_status = 'index') AS double), 0) AS readmission_rate,
    count_if(died_in_hospital) AS deaths,
    CAST(count_if(died_in_hospital) AS double) / count(*) AS mortality_rate,
    -- Distinct within the row: these do not add up over months.
    count(DISTINCT patient_id) AS patients
FROM members
GROUP BY dimension, coalesce(value, 'unknown'), month
