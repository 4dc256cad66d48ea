-- Which share of what was paid the costliest 1, 5, 10, 20 and 50 % of patients with claims account for.
WITH spend AS (
    SELECT patient_id, CAST(sum(paid_amount) AS double) AS paid
    FROM silver_fact_claim
    GROUP BY patient_id
),
ranked AS (
    SELECT paid,
           CAST(row_number() OVER (ORDER BY paid DESC, patient_id) AS bigint) AS place,
           count(*) OVER () AS patients,
           sum(paid) OVER () AS paid_by_all
    FROM spend
),
shares (top_percent) AS (
    VALUES (1), (5), (10), (20), (50), (100)
)
SELECT s.top_percent,
       count(*) AS patients,
       sum(r.paid) AS paid,
       sum(r.paid) / nullif(max(r.paid_by_all), 0) AS share_of_paid
FROM shares AS s
INNER JOIN ranked AS r ON r.place * 100 <= s.top_percent * r.patients + 99
GROUP BY s.top_percent
ORDER BY s.top_percent
