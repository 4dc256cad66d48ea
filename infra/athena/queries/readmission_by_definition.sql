-- 30-day readmission of all hospitals month by month, by three definitions side by side: every return (naive),
-- unplanned returns of all payers, and the 65-plus definition that resembles CMS's. Provisional months can change.
SELECT month, definition,
       sum(index_stays) AS index_stays,
       sum(readmissions) AS readmissions,
       CAST(sum(readmissions) AS double) / nullif(sum(index_stays), 0) AS rate,
       bool_or(provisional) AS provisional
FROM gold_readmission
GROUP BY month, definition
ORDER BY month, definition
