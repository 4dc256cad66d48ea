-- Why claim lines were denied, and what was claimed on them.
SELECT denial_reason,
       count(*) AS lines,
       CAST(sum(claim_amount) AS double) AS claimed
FROM silver_fact_claim
WHERE adjudication_status = 'Denied'
GROUP BY denial_reason
ORDER BY lines DESC, denial_reason
