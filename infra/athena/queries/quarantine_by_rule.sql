-- What was quarantined, by rule and type of resource, with an example of the reason.
SELECT rule, resource_type,
       count(*) AS records,
       count(DISTINCT sourcename) AS objects,
       min(reason) AS example,
       max(ingest_date) AS last_seen
FROM bronze_quarantine
GROUP BY rule, resource_type
ORDER BY records DESC, rule, resource_type
