-- Hospital-onset infections by type, per 1,000 patient-days (C. difficile: per 10,000). Patient-days are NHSN's
-- denominator for C. difficile and MRSA only; device-days and procedures are for the others.
SELECT infection_type, per,
       sum(infections) AS infections,
       sum(patient_days) AS patient_days,
       CAST(sum(infections) * per AS double) / nullif(sum(patient_days), 0) AS rate
FROM gold_infection
GROUP BY infection_type, per
ORDER BY infection_type
