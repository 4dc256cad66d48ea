-- Readmission, death in hospital and length of stay by preferred language, over all months.
SELECT coalesce(language, 'unknown') AS language,
       count(*) AS stays,
       count(DISTINCT patient_id) AS patients,
       CAST(count_if(readmitted) AS double) / nullif(count_if(index_status = 'index'), 0) AS readmission_rate,
       CAST(count_if(died_in_hospital) AS double) / count(*) AS mortality_rate,
       avg(CAST(length_days AS double)) AS alos
FROM gold_stay
GROUP BY coalesce(language, 'unknown')
ORDER BY stays DESC, language
