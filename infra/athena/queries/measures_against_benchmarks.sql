-- Every quality measure: hospitals by how they compare with the national rate, and the mean of their values beside it.
SELECT measure_code, measure_name,
       count(*) AS hospitals,
       avg(measure_value) AS mean_value,
       max(benchmark_value) AS benchmark,
       sum(CASE WHEN lower(performance_status) LIKE 'better%' THEN 1 ELSE 0 END) AS better,
       sum(CASE WHEN lower(performance_status) LIKE 'no different%' THEN 1 ELSE 0 END) AS no_different,
       sum(CASE WHEN lower(performance_status) LIKE 'worse%' THEN 1 ELSE 0 END) AS worse,
       sum(CASE WHEN lower(performance_status) LIKE 'number of cases%' THEN 1 ELSE 0 END) AS too_few_cases
FROM silver_fact_measure
WHERE benchmark_value IS NOT NULL
GROUP BY measure_code, measure_name
ORDER BY measure_code
