-- How complete the encounters are: of each class and hospital, how many lack what the metrics need.
SELECT encounter_class, hospital_name,
       count(*) AS encounters,
       count_if(patient_id IS NULL) AS without_patient,
       count_if(department IS NULL) AS without_department,
       count_if(admission_time IS NULL) AS without_admission,
       count_if(status IN ('completed', 'discharged') AND discharge_time IS NULL) AS completed_without_discharge,
       count_if(discharge_time < admission_time) AS ending_before_they_start,
       count_if(reason_code IS NULL) AS without_reason
FROM silver_encounter
GROUP BY encounter_class, hospital_name
ORDER BY encounters DESC, encounter_class, hospital_name
