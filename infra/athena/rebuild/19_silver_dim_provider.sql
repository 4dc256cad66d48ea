-- silver_dim_provider: the latest row of every clinician of the relational set.
CREATE TABLE rebuild_silver_dim_provider
WITH (format = 'PARQUET', write_compression = 'ZSTD', partitioned_by = ARRAY['bucket']) AS
WITH ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY provider_id ORDER BY precombine_ts DESC NULLS LAST, content_id DESC NULLS LAST
        ) AS newness
    FROM bronze_rel_providers
),
hashed AS (
    SELECT *, from_big_endian_64(xxhash64(to_utf8(provider_id))) AS hash
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
)
SELECT
    provider_id, first_name, last_name, gender, specialty, credential, facility_id, active, precombine_ts, content_id,
    lpad(CAST(bucket_number AS varchar), bucket_digits, '0') AS bucket
FROM numbered
-- Athena writes at most 100 partitions a statement.
WHERE bucket_number BETWEEN ? AND ?
