-- name: every-trip
-- title: Every trip
-- description: The trips of some days, one by one: more than is pushed at once, and more than a result may have
-- parameter: {"name": "first_day", "label": "First day", "type": "date", "minimum": "2015-01-01", "maximum": "2015-12-31", "default": "2015-07-01"}
-- parameter: {"name": "last_day", "label": "Last day", "type": "date", "minimum": "2015-01-01", "maximum": "2015-12-31", "default": "2015-07-31"}
select *, md5(pickup_datetime::text || dropoff_datetime::text) as receipt
from {schema}.nyc_yellow_taxi
where pickup_date between cast(:first_day as date) and cast(:last_day as date)
order by pickup_datetime, dropoff_datetime
