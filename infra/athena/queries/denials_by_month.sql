-- Claim lines and the denied ones of each month of filing, with the amount that was denied. Corrections are left out.
SELECT date_format(claim_date, '%Y-%m') AS month,
       count(*) AS lines,
       sum(CASE WHEN adjudication_status = 'Denied' THEN 1 ELSE 0 END) AS denied,
       CAST(sum(CASE WHEN adjudication_status = 'Denied' THEN 1 ELSE 0 END) AS double) / count(*) AS denial_rate,
       CAST(sum(CASE WHEN adjudication_status = 'Denied' THEN claim_amount ELSE 0 END) AS double) AS denied_amount
FROM silver_fact_claim
WHERE adjudication_status NOT IN ('Reversed', 'Adjusted')
GROUP BY date_format(claim_date, '%Y-%m')
ORDER BY month
