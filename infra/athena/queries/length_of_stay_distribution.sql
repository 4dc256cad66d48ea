-- How many stays lasted how many days, and what share of all stays was as short or shorter.
SELECT length_days,
       count(*) AS stays,
       CAST(sum(count(*)) OVER (ORDER BY length_days) AS double) / sum(count(*)) OVER () AS share_up_to_here
FROM gold_stay
GROUP BY length_days
ORDER BY length_days
