-- In-hospital and 30-day mortality by hospital, over all months.
SELECT hospital_name, definition,
       sum(stays) AS stays,
       sum(deaths) AS deaths,
       CAST(sum(deaths) AS double) / nullif(sum(stays), 0) AS rate
FROM gold_mortality
GROUP BY hospital_name, definition
ORDER BY definition, rate DESC NULLS LAST, hospital_name
