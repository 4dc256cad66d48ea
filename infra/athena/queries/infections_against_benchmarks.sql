-- Reported infections of each type over all hospitals and periods, per 1,000 patient-days (10,000 for CDI), beside the
-- national benchmark. Patient-days are NHSN's denominator for CDI and MRSA only.
SELECT hai_type,
       sum(infection_count) AS infections,
       sum(patient_days) AS patient_days,
       max(CASE WHEN hai_type = 'CDI' THEN 10000 ELSE 1000 END) AS per,
       max(CASE WHEN hai_type = 'CDI' THEN 10000 ELSE 1000 END) * CAST(sum(infection_count) AS double)
           / nullif(sum(patient_days), 0) AS rate,
       max(national_benchmark) AS national_benchmark,
       sum(CASE WHEN lower(status) LIKE 'worse%' THEN 1 ELSE 0 END) AS reports_worse
FROM silver_fact_hai
GROUP BY hai_type
ORDER BY hai_type
