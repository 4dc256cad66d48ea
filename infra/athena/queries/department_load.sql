-- Encounters, emergencies and hours by department, over all hospitals and months.
SELECT department,
       sum(encounters) AS encounters,
       sum(emergency_encounters) AS emergency_encounters,
       sum(inpatient_encounters) AS inpatient_encounters,
       sum(total_hours) AS total_hours
FROM gold_department_load
GROUP BY department
ORDER BY encounters DESC, department
