-- In-hospital and 30-day mortality of all hospitals, month by month.
SELECT month, definition,
       sum(stays) AS stays,
       sum(deaths) AS deaths,
       CAST(sum(deaths) AS double) / nullif(sum(stays), 0) AS rate
FROM gold_mortality
GROUP BY month, definition
ORDER BY month, definition
