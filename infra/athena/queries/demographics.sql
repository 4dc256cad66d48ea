-- Stays, readmissions and deaths by gender, age band, language and state, over all months.
SELECT dimension, value,
       sum(stays) AS stays,
       sum(readmissions) AS readmissions,
       CAST(sum(readmissions) AS double) / nullif(sum(index_stays), 0) AS readmission_rate,
       sum(deaths) AS deaths,
       CAST(sum(deaths) AS double) / nullif(sum(stays), 0) AS mortality_rate
FROM gold_demographics
GROUP BY dimension, value
ORDER BY dimension, value
