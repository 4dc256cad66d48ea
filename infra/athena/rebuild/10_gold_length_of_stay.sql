-- gold_length_of_stay: mean, median and geometric mean days by hospital, department and month of discharge.
CREATE TABLE rebuild_gold_length_of_stay
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
WITH ordered AS (
    SELECT
        hospital_name, department, month, length_days,
        row_number() OVER (PARTITION BY hospital_name, department, month ORDER BY length_days) AS place,
        count(*) OVER (PARTITION BY hospital_name, department, month) AS stays
    FROM rebuild_gold_stay
)
SELECT
    hospital_name, department, month,
    count(*) AS discharges,
    sum(length_days) AS total_days,
    CAST(sum(length_days) AS double) / count(*) AS alos,
    -- The middle stay, or the two middle ones: exact, which approx_percentile is not.
    avg(CASE WHEN 2 * place BETWEEN stays AND stays + 2 THEN CAST(length_days AS double) END) AS median_days,
    exp(sum(ln(CAST(length_days AS double))) / count(*)) AS geometric_mean_days
FROM ordered
GROUP BY hospital_name, department, month
