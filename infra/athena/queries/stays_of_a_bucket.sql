-- The ledger of stays of one bucket, with the verdict on each: readmitted or not, index or why not.
SELECT hospital_name, month, index_status, hwr_status, readmitted, days_to_next, planned_rule, length_days
FROM gold_stay
WHERE bucket = '00'
ORDER BY hospital_name, month, admission_time, stay_id
