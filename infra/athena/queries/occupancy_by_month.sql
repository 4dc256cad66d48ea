-- Occupied and staffed beds month by month, over the hospitals whose staffed beds are known.
SELECT month,
       sum(patient_days) AS patient_days,
       sum(bed_days) AS bed_days,
       CAST(sum(patient_days) AS double) / nullif(sum(bed_days), 0) AS occupancy_rate
FROM gold_occupancy
WHERE staffed_beds IS NOT NULL
GROUP BY month
ORDER BY month
