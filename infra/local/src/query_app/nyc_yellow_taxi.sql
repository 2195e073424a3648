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
select
    pickup,
    pickup + make_interval(secs => 240 + miles * 170),
    cast(pickup as date),
    passengers,
    miles,
    payment,
    fare,
    tip,
    fare + tip + 0.8
from (
    select
        pickup,
        passengers,
        miles,
        payment,
        cast(2.5 + miles * 2.5 as decimal(10, 2)) as fare,
        cast(case payment when 1 then (2.5 + miles * 2.5) * 0.2 else 0 end as decimal(10, 2)) as tip
    from (
        select
            -- More trips in the evening than before dawn, and more on the days of some weeks than of others.
            timestamp '2015-01-01' + make_interval(
                days => cast(floor(365 * (a + 0.3 * sin(a * 40) / 40)) as integer) % 365,
                hours => cast(floor(24 * power(b, 0.7)) as integer),
                secs => 3599 * c
            ) as pickup,
            cast(floor(1 + 5 * power(c, 3)) as integer) as passengers,
            cast(0.4 + power(d, 4) * 24 as decimal(10, 2)) as miles,
            case when e < 0.62 then 1 when e < 0.97 then 2 else 3 end as payment
        from (
            select
                (one % 65521) / 65521.0 as a,
                (one / 65521 % 65519) / 65519.0 as b,
                (two % 65497) / 65497.0 as c,
                (two / 65497 % 65479) / 65479.0 as d,
                (one # two) % 65449 / 65449.0 as e
            from (
                select trip * 2654435761 % 4294967296 as one, trip * 2246822519 % 4294967291 as two
                from generate_series(cast(1 as bigint), 1000000) as trips (trip)
            ) as hashes
        ) as parts
    ) as trips
) as fares;
