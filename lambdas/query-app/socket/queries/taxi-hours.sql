-- name: taxi-hours
-- title: Trips by hour of the day
-- description: When yellow taxis are taken, how far they go and what they cost, by hour of pick-up and way of payment
-- parameter: {"name": "first_day", "label": "First day", "type": "date", "minimum": "2015-01-01", "maximum": "2015-12-31", "default": "2015-01-01"}
-- parameter: {"name": "last_day", "label": "Last day", "type": "date", "minimum": "2015-01-01", "maximum": "2015-12-31", "default": "2015-01-31"}
-- parameter: {"name": "payment", "label": "Paid by", "type": "choice", "options": ["all", "credit card", "cash", "other"], "default": "all", "required": false}
-- chart: {"kind": "bar", "x": "pickup_hour", "y": "trips"}
select
    cast(extract(hour from pickup_datetime) as integer) as pickup_hour,
    count(*) as trips,
    cast(avg(passenger_count) as decimal(10, 2)) as average_passengers,
    cast(avg(trip_distance) as decimal(10, 2)) as average_miles,
    cast(avg(total_amount) as decimal(18, 2)) as average_total
from {schema}.nyc_yellow_taxi
where pickup_date between cast(:first_day as date) and cast(:last_day as date)
    and :payment in ('all', case payment_type when 1 then 'credit card' when 2 then 'cash' else 'other' end)
group by 1
order by 1
