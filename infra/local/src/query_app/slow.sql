-- name: slow
-- title: A slow one
-- description: Takes as long as you say and returns the number of trips, as a query of a tenant's own
-- parameter: {"name": "seconds", "label": "Seconds", "type": "decimal", "minimum": "0", "maximum": "60", "default": "30"}
select count(*) as trips
from {schema}.nyc_yellow_taxi, (select pg_sleep(cast(:seconds as double precision))) as waited
