-- What each department does in a month: encounters, emergencies, hours, patients at midnight, share of its hospital.
SELECT hospital_name, department, month, encounters, emergency_encounters, inpatient_encounters, total_hours,
       average_daily_census, share_of_hospital
FROM gold_department_load
ORDER BY hospital_name, department, month
