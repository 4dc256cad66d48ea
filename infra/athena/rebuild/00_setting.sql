-- setting: the number of buckets of the lake, which `_lake.json` states and every statement that writes buckets reads here.
CREATE TABLE rebuild_setting
WITH (format = 'PARQUET', write_compression = 'ZSTD') AS
-- Athena takes a parameter in a WHERE clause only.
SELECT
    bucket_count,
    CAST(greatest(2, length(CAST(bucket_count - 1 AS varchar))) AS integer) AS bucket_digits
FROM UNNEST(sequence(1, 4096)) AS t (bucket_count)
WHERE bucket_count = ?
