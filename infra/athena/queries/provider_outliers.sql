-- Clinicians whose mean allowed amount per line is far from that of their specialty: two standard deviations or more.
WITH means AS (
    SELECT c.provider_id, p.specialty,
           count(*) AS lines,
           avg(CAST(c.allowed_amount AS double)) AS mean_allowed
    FROM silver_fact_claim AS c
    INNER JOIN silver_dim_provider AS p ON p.provider_id = c.provider_id
    WHERE c.adjudication_status = 'Paid'
    GROUP BY c.provider_id, p.specialty
    HAVING count(*) >= 10
),
compared AS (
    SELECT provider_id, specialty, lines, mean_allowed,
           avg(mean_allowed) OVER (PARTITION BY specialty) AS mean_of_specialty,
           stddev_pop(mean_allowed) OVER (PARTITION BY specialty) AS deviation
    FROM means
)
SELECT provider_id, specialty, lines, mean_allowed, mean_of_specialty,
       (mean_allowed - mean_of_specialty) / nullif(deviation, 0) AS deviations
FROM compared
WHERE abs(mean_allowed - mean_of_specialty) >= 2 * deviation AND deviation > 0
ORDER BY deviations DESC, provider_id
