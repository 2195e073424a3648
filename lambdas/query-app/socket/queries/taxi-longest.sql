-- name: taxi-longest
-- title: Longest trips
-- description: The trips of a month with the most miles, of those with enough passengers
-- parameter: {"name": "month", "label": "Month", "type": "month", "minimum": "2015-01", "maximum": "2015-12", "default": "2015-01"}
-- parameter: {"name": "passengers", "label": "Passengers at least", "type": "integer", "minimum": "0", "maximum": "9", "default": "1", "required": false}
-- parameter: {"name": "miles", "label": "Miles at most", "type": "decimal", "minimum": "0.1", "maximum": "1000", "default": "200", "required": false}
-- parameter: {"name": "count", "label": "How many", "type": "integer", "minimum": "1", "maximum": "10000", "default": "100", "required": false}
-- chart: {"kind": "scatter", "x": "miles", "y": "total"}
select place, pickup_datetime, dropoff_datetime, passenger_count, miles, total
from (
    select
        row_number() over (order by trip_distance desc, pickup_datetime) as place,
        pickup_datetime,
        dropoff_datetime,
        passenger_count,
        cast(trip_distance as decimal(10, 2)) as miles,
        cast(total_amount as decimal(18, 2)) as total
    from {schema}.nyc_yellow_taxi
    where pickup_date >= to_date(:month, 'YYYY-MM')
        and pickup_date < to_date(:month, 'YYYY-MM') + interval '1 month'
        and passenger_count >= cast(:passengers as integer)
        and trip_distance <= cast(:miles as decimal(18, 4))
) as trips
where place <= cast(:count as integer)
order by place
