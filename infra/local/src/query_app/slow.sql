-- name: slow
-- title: A slow one
-- description: Takes as long as requested and returns the number of trips; one of the tenant's own queries
-- parameter: {"name": "seconds", "label": "Seconds", "type": "decimal", "minimum": "0", "maximum": "60", "default": "30"}
select count(*) as trips
from {schema}.nyc_yellow_taxi, (select pg_sleep(cast(:seconds as double precision))) as waited
