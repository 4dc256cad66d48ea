-- What landed each day: objects, and records that were accepted, quarantined and skipped.
SELECT ingest_date,
       count(*) AS objects,
       sum(records) AS records,
       sum(accepted) AS accepted,
       sum(quarantined) AS quarantined,
       sum(skipped) AS skipped
FROM bronze_ingest_log
GROUP BY ingest_date
ORDER BY ingest_date
