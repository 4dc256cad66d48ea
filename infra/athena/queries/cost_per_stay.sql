-- What was paid for a stay, by hospital and whether the patient came back: lines of the patient whose service lies within the
-- stay. The encounters of the relational set and those of FHIR have the same ids where both are of one world.
WITH paid AS (
    SELECT s.hospital_name, s.stay_id, s.readmitted, s.length_days,
           CAST(sum(c.paid_amount) AS double) AS paid
    FROM gold_stay AS s
    INNER JOIN silver_fact_claim AS c
        ON c.patient_id = s.patient_id
        AND c.service_date BETWEEN CAST(s.admission_time AS date) AND CAST(s.discharge_time AS date)
    GROUP BY s.hospital_name, s.stay_id, s.readmitted, s.length_days
)
SELECT hospital_name, readmitted,
       count(*) AS stays,
       sum(paid) / count(*) AS paid_per_stay,
       sum(paid) / sum(length_days) AS paid_per_day
FROM paid
GROUP BY hospital_name, readmitted
ORDER BY hospital_name, readmitted
