-- Average length of stay (ALOS) in days by department, over all hospitals and months.
SELECT department,
       sum(discharges) AS discharges,
       sum(total_days) AS total_days,
       CAST(sum(total_days) AS double) / nullif(sum(discharges), 0) AS alos
FROM gold_length_of_stay
GROUP BY department
ORDER BY alos DESC NULLS LAST, department
