-- 30-day readmission by hospital: all payers, unplanned, months that can no longer change.
SELECT hospital_name,
       sum(index_stays) AS index_stays,
       sum(readmissions) AS readmissions,
       CAST(sum(readmissions) AS double) / nullif(sum(index_stays), 0) AS rate
FROM gold_readmission
WHERE definition = 'all_payer_unplanned' AND NOT provisional
GROUP BY hospital_name
ORDER BY rate DESC NULLS LAST, hospital_name
