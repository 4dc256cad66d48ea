-- Length of stay in days by hospital and month: the mean, and how many days the discharges had in all.
SELECT hospital_name, month,
       sum(discharges) AS discharges,
       sum(total_days) AS total_days,
       CAST(sum(total_days) AS double) / nullif(sum(discharges), 0) AS alos
FROM gold_length_of_stay
GROUP BY hospital_name, month
ORDER BY hospital_name, month
