-- Readmission and death in hospital by the state that patients live in, month by month.
SELECT value AS state, month, stays, patients, readmissions, readmission_rate, deaths, mortality_rate
FROM gold_demographics
WHERE dimension = 'state'
ORDER BY state, month
