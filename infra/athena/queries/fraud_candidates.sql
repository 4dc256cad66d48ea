-- Clinicians whose claims show a pattern of fraud, and how often: the same visit billed twice, more visits on a day than it
-- has hours for, the highest level for most visits. Candidates to look at, no verdicts.
WITH visits AS (
    SELECT provider_id, patient_id, service_date, procedure_code, claim_id, claim_line_number
    FROM silver_fact_claim
    WHERE procedure_code IN ('99211', '99212', '99213', '99214', '99215') AND adjudication_status NOT IN ('Reversed', 'Adjusted')
),
billed_twice AS (
    SELECT provider_id, sum(times - 1) AS found
    FROM (
        SELECT provider_id, patient_id, service_date, procedure_code, count(*) AS times
        FROM visits
        GROUP BY provider_id, patient_id, service_date, procedure_code
    ) AS same
    WHERE times > 1
    GROUP BY provider_id
),
too_many AS (
    SELECT provider_id, count(*) AS found
    FROM (
        SELECT provider_id, service_date
        FROM visits
        GROUP BY provider_id, service_date
        HAVING count(*) > 48
    ) AS days
    GROUP BY provider_id
),
highest AS (
    SELECT provider_id, sum(CASE WHEN procedure_code = '99215' THEN 1 ELSE 0 END) AS found
    FROM visits
    GROUP BY provider_id
    HAVING sum(CASE WHEN procedure_code = '99215' THEN 1 ELSE 0 END) > 0.5 * count(*) AND count(*) >= 10
)
SELECT 'billed twice' AS pattern, provider_id, found FROM billed_twice
UNION ALL
SELECT 'more visits than hours', provider_id, found FROM too_many
UNION ALL
SELECT 'highest level for most', provider_id, found FROM highest
ORDER BY pattern, found DESC, provider_id
