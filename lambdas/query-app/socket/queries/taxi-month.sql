-- name: taxi-month
-- title: Trips of a month
-- description: Trips, passengers, miles and fares of New York's yellow taxis, one row for each day of pick-up
-- parameter: {"name": "month", "label": "Month", "type": "month", "minimum": "2015-01", "maximum": "2015-12", "default": "2015-01"}
-- chart: {"kind": "bar", "x": "pickup_date", "y": "trips"}
select
    pickup_date,
    count(*) as trips,
    sum(passenger_count) as passengers,
    cast(avg(trip_distance) as decimal(10, 2)) as average_miles,
    cast(sum(fare_amount) as decimal(18, 2)) as fares,
    cast(sum(total_amount) as decimal(18, 2)) as total
from {schema}.nyc_yellow_taxi
where pickup_date >= to_date(:month, 'YYYY-MM')
    and pickup_date < to_date(:month, 'YYYY-MM') + interval '1 month'
group by pickup_date
order by pickup_date
