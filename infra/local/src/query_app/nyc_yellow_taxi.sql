-- A million taxi-shaped trips of 2015, the same on every machine: every figure of a trip is a hash of its number. This is
-- PostgreSQL's SQL. A Redshift would COPY such rows from S3.

create table query_app.nyc_yellow_taxi (
    pickup_datetime timestamp,
    dropoff_datetime timestamp,
    pickup_date date,
    passenger_count integer,
    trip_distance decimal(10, 2),
    payment_type integer,
    fare_amount decimal(10, 2),
    tip_amount decimal(10, 2),
    total_amount decimal(10, 2)
);

insert into query_app.nyc_yellow_taxi
select pickup, pickup + make_interval(secs => floor(240 + miles * 170)), pickup, passengers, miles, payment, fare, tip, fare + tip + 0.8
from (
    select *, 2.5 + miles * 2.5 as fare, case payment when 1 then (2.5 + miles * 2.5) * 0.2 else 0 end as tip
    from (
        select
            -- A wave each week, and most trips at five in the afternoon.
            timestamp '2015-01-01' + make_interval(
                days => floor(364.999 * (a + 0.0012 * (1 + sin(a * 326.7) / 2)))::integer % 365,
                hours => (5 + floor(12 * (b + c))::integer) % 24,
                secs => floor(3600 * d)
            ) as pickup,
            floor(1 + 5 * c * c * c)::integer as passengers,
            floor(40 + 2400 * d * d * d * d) / 100 as miles,
            case when e < 0.62 then 1 when e < 0.97 then 2 else 3 end as payment
        from (
            select
                one % 65521 / 65521.0::float8 as a,
                one / 65521 % 65519 / 65519.0::float8 as b,
                two % 65497 / 65497.0::float8 as c,
                two / 65497 % 65479 / 65479.0::float8 as d,
                (one # two) % 65449 / 65449.0::float8 as e
            from (
                select trip * 2654435761 % 4294967296 as one, trip * 2246822519 % 4294967291 as two
                from generate_series(cast(1 as bigint), 1000000) as trips (trip)
            ) as hashes
        ) as parts
    ) as trips
) as fares;

-- Where a Redshift would have a sort key.
create index nyc_yellow_taxi_by_day on query_app.nyc_yellow_taxi (pickup_date);
