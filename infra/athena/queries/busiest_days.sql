-- The ten fullest midnights of each hospital: inpatients of all departments together.
SELECT hospital_name, date, patients
FROM (
    SELECT hospital_name, date,
           sum(patients) AS patients,
           row_number() OVER (PARTITION BY hospital_name ORDER BY sum(patients) DESC, date) AS place
    FROM gold_census
    GROUP BY hospital_name, date
)
WHERE place <= 10
ORDER BY hospital_name, place
