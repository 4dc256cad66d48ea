-- Every landed object, newest first: its status, and its records, each counted once.
SELECT ingest_date, sourcename, status, bytes, records, accepted, quarantined, skipped,
       records = accepted + quarantined + skipped AS every_record_counted
FROM bronze_ingest_log
ORDER BY precombine_ts DESC, sourcename
