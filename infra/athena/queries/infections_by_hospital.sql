-- Infections that began in hospital, and those present on admission, by hospital and type. Rates are per 1,000
-- patient-days (C. difficile: per 10,000), which is NHSN's denominator for C. difficile and MRSA only.
SELECT hospital_name, infection_type,
       sum(infections) AS infections,
       sum(present_on_admission) AS present_on_admission,
       sum(patient_days) AS patient_days,
       CAST(sum(infections) * per AS double) / nullif(sum(patient_days), 0) AS rate
FROM gold_infection
GROUP BY hospital_name, infection_type, per
HAVING sum(infections) + sum(present_on_admission) > 0
ORDER BY hospital_name, infection_type
