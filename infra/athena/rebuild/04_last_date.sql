-- last_date: the greatest admission or discharge date of any completed or open encounter, of any class.
CREATE TABLE rebuild_last_date
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
SELECT
    CAST(max(greatest(
        coalesce(admission_time, discharge_time), coalesce(discharge_time, admission_time)
    )) AS date) AS last_date
FROM rebuild_silver_encounter
WHERE status IN ('completed', 'discharged', 'in-progress', 'on-hold')
