-- silver_condition: the latest version of every condition, with the infection or the death that it is.
CREATE TABLE rebuild_silver_condition
WITH (format = 'PARQUET', write_compression = 'ZSTD', partitioned_by = ARRAY['bucket']) AS
WITH versions AS (
    SELECT
        *,
        CASE
            WHEN coalesce(version_id, '') = '' THEN 0
            WHEN regexp_like(version_id, '^[0-9]+$') THEN 1
            ELSE 2
        END AS version_kind,
        CASE
            WHEN regexp_like(version_id, '^[0-9]+$') THEN regexp_replace(version_id, '^0+', '')
            ELSE version_id
        END AS version_text
    FROM bronze_condition
),
ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY condition_id
            ORDER BY
                last_updated DESC NULLS LAST,
                version_kind DESC,
                CASE WHEN version_kind = 1 THEN length(version_text) ELSE 0 END DESC,
                version_text DESC NULLS LAST,
                precombine_ts DESC NULLS LAST,
                content_id DESC NULLS LAST,
                patient_id DESC NULLS LAST
        ) AS newness
    FROM versions
),
hashed AS (
    -- A condition without a subject goes by its own id.
    SELECT *, from_big_endian_64(xxhash64(to_utf8(coalesce(patient_id, condition_id)))) AS hash
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
    condition_id, patient_id, encounter_id, code_system, code, display, clinical_status, category,
    infection_type, death,
    onset_time, recorded_time, last_updated, version_id, precombine_ts, content_id,
    lpad(CAST(bucket_number AS varchar), bucket_digits, '0') AS bucket
FROM numbered
-- Athena writes at most 100 partitions a statement.
WHERE bucket_number BETWEEN ? AND ?
