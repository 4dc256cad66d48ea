-- From all stays to the index stays of both definitions: how many stays each rule leaves out, and how many came back.
SELECT index_status, hwr_status,
       count(*) AS stays,
       count_if(readmitted) AS readmissions,
       count_if(naive_readmitted) AS naive_readmissions
FROM gold_stay
GROUP BY index_status, hwr_status
ORDER BY stays DESC, index_status, hwr_status
