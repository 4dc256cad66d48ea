-- Every metric of the whole lake in one row each.
SELECT metric, definition, numerator, denominator, value, provisional
FROM gold_summary
ORDER BY metric, definition
