-- Claim lines and the denied ones of each month of filing, with the amount that was denied. Corrections are left out.
SELECT substr(CAST(claim_date AS varchar), 1, 7) AS month,
       count(*) AS lines,
       sum(CASE WHEN adjudication_status = 'Denied' THEN 1 ELSE 0 END) AS denied,
       CAST(sum(CASE WHEN adjudication_status = 'Denied' THEN 1 ELSE 0 END) AS double) / count(*) AS denial_rate,
       CAST(sum(CASE WHEN adjudication_status = 'Denied' THEN claim_amount ELSE 0 END) AS double) AS denied_amount
FROM silver_fact_claim
WHERE adjudication_status NOT IN ('Reversed', 'Adjusted')
GROUP BY substr(CAST(claim_date AS varchar), 1, 7)
ORDER BY month
