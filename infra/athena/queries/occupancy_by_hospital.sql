-- Occupied and staffed beds by hospital, where the staffed beds are known.
SELECT hospital_name,
       sum(patient_days) AS patient_days,
       sum(bed_days) AS bed_days,
       CAST(sum(patient_days) AS double) / nullif(sum(bed_days), 0) AS occupancy_rate
FROM gold_occupancy
WHERE staffed_beds IS NOT NULL
GROUP BY hospital_name
ORDER BY occupancy_rate DESC NULLS LAST, hospital_name
