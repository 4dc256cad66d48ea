-- The staffed beds of hospitals, as people keep them in the lake bucket. Replace LAKE_BUCKET before running it.
-- The columns are in the order of the file's first line; whoever changes that order changes it here too.
CREATE EXTERNAL TABLE IF NOT EXISTS reference_hospitals (
    hospital_name string,
    staffed_beds string,
    city string,
    state string
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
STORED AS TEXTFILE
LOCATION 's3://LAKE_BUCKET/reference/'
TBLPROPERTIES ('skip.header.line.count' = '1')
