-- Each hospital and month against the national rate of readmission, 65 and older, in CMS's words. Crude rates: they are
-- not adjusted for how ill a hospital's patients are.
SELECT hospital_name, month, index_stays, readmissions, rate, ci_low, ci_high, national_rate, comparison, provisional
FROM gold_readmission
WHERE definition = 'hwr_65plus'
ORDER BY hospital_name, month
