-- The usual ways to answer the questions of queries.md: spatial joins. A test compares the answers, and
-- bench compares the times. Each part has the heading of its section on the page, and one query for each
-- answer that the page shows. The parts use the tables of the page.

-- ## The example

select count(*) as cells, (select round(sum(st_area(geom) / 1e6)::numeric) from countries) as km2
from (select distinct i, j from countries f cross join lateral st_squaregrid(10000, f.geom) s where st_intersects(f.geom, s.geom)) c;

-- ## How many points are in each cell?

create table usual_density as
select c.cell_id, count(p.id) as count, coalesce(sum(p.amount), 0) as amount
from cells c left join points p on st_intersects(c.geom, p.geom)
group by c.cell_id;

alter table usual_density add primary key (cell_id);
analyze usual_density;

select count(*) as cells, count(*) filter (where count = 0) as empty, sum(count) as points, sum(amount) as amount,
       (select count(*) from points p where not exists (select from cells c where st_intersects(c.geom, p.geom))) as outside
from usual_density;

-- ## How dense are points in a cell that a border cuts?

create table usual_land_density as
select l.cell_id, l.coverage, count(p.id) as count, 1e6 * count(p.id) / nullif(st_area(l.geom), 0) as per_km2
from land l left join points p on st_intersects(l.geom, p.geom)
group by l.cell_id;

select cell_id, count, round(per_km2::numeric, 4) as per_km2
from usual_land_density
where coverage between 0.2 and 0.9
order by per_km2 desc, cell_id limit 3;

-- ## How do I get a grid that is 10 times as coarse?

create table usual_coarse as
with world as (select st_extent(geom)::geometry as e from cells),
     size as (select 10 * (st_xmax(geom) - st_xmin(geom)) as size from cells limit 1)
select s.geom, sum(d.count) as count, sum(d.count * c.coverage::float8) / nullif(sum(c.coverage::float8), 0) as mean,
       sum(st_area(c.geom) * c.coverage) / st_area(s.geom) as coverage
from world cross join size cross join lateral st_squaregrid(size, st_setsrid(e, 3035)) s
join cells c on s.geom && c.geom and st_intersects(s.geom, st_centroid(c.geom)) join density d using (cell_id)
group by s.geom;

select count, round(mean::numeric, 3) as mean, round(coverage::numeric, 3) as coverage, box2d(geom)
from usual_coarse
order by count desc, st_xmin(geom) limit 3;

with world as (select st_extent(geom)::geometry as e from cells),
     size as (select 4 * (st_xmax(geom) - st_xmin(geom)) as size from cells limit 1)
select count(*) as cells, sum(count) as points, max(count) as most
from (select s.geom, sum(d.count) as count
      from world cross join size cross join lateral st_squaregrid(size, st_setsrid(e, 3035)) s
      join cells c on s.geom && c.geom and st_intersects(s.geom, st_centroid(c.geom)) join density d using (cell_id)
      group by s.geom) coarse;

-- ## What part of each country has many points?

select f.name, round((100 * sum(st_area(st_intersection(f.geom, c.geom))) filter (where d.count > 3) / st_area(f.geom))::numeric, 2) as percent
from countries f join cells c on st_intersects(f.geom, c.geom) join density d on d.cell_id = c.cell_id
group by f.name, f.geom order by f.name;

-- ## What is the mean of a cell and its neighbours?

create table usual_windows as
select c.cell_id, count(*) as cells, sum(d.count) as count
from cells c join cells n on st_intersects(c.geom, n.geom) join density d on d.cell_id = n.cell_id
group by c.cell_id;

select cells, count(*), round(avg(count / cells), 4) as mean, round(max(count / cells), 4) as most
from usual_windows group by cells order by cells desc limit 3;

-- ## What is around one cell?

select n.cell_id, d.count
from cells c join cells n on st_touches(c.geom, n.geom) join density d on d.cell_id = n.cell_id
where c.cell_id = (select cell_id from density order by count desc, cell_id limit 1)
order by n.cell_id;

-- ## Which cell with many points is nearest to a place?

select p.name, n.cell_id, n.count, round(n.metres) as metres
from (values ('Hamburg', 9.99, 53.55), ('Milan', 9.19, 45.46), ('Rome', 12.48, 41.89)) p (name, lon, lat)
cross join lateral (
  select c.cell_id, d.count, st_distance(c.geom, st_transform(st_setsrid(st_makepoint(lon, lat), 4326), 3035)) as metres
  from cells c join density d using (cell_id)
  where d.count > 3
  order by metres limit 1) n
order by name;

-- ## How do I spread figures of regions over cells, and bring them back?

create table usual_spread as
select c.cell_id, sum(r.orders * part / st_area(f.geom)) as orders
from countries f join figures r using (name) join cells c on st_intersects(f.geom, c.geom)
cross join lateral st_area(st_intersection(f.geom, c.geom)) part
where part > 0
group by c.cell_id;

select count(*) as cells, round(sum(orders)::numeric, 3) as orders, round(max(orders)::numeric, 3) as most from usual_spread;

select f.name, round((sum(d.count * part) / sum(part))::numeric, 4) as mean, round(sum(d.count * part / whole)::numeric, 1) as points
from countries f join cells c on st_intersects(f.geom, c.geom) join density d on d.cell_id = c.cell_id
cross join lateral (select st_area(st_intersection(f.geom, c.geom)) as part, st_area(c.geom) as whole) a
group by f.name order by f.name;

-- ## Where are the hot spots?

create table usual_hot as
with w as (
  select c.cell_id, count(*) as cells, sum(d.count) as count
  from cells c join cells n on st_intersects(c.geom, n.geom) join density d on d.cell_id = n.cell_id
  group by c.cell_id)
select w.cell_id, (w.count - s.mean * w.cells) / (s.deviation * sqrt((s.n * w.cells - w.cells ^ 2) / (s.n - 1))) as z
from w, (select count(*)::float8 as n, avg(count)::float8 as mean, stddev_pop(count)::float8 as deviation from density) s;

select count(*) filter (where z > 2.58) as hot, round(max(z)::numeric, 4) as most, st_astext(st_centroid(st_collect(geom)), 0) as centre
from usual_hot join cells using (cell_id)
where z > 2.58;

-- ## How do I bring values of one grid to another one?

create table usual_resampled as
with counted as (
  select m.cell_id, m.geom, count(*) from model m join points p on st_intersects(m.geom, p.geom) group by m.cell_id, m.geom)
select c.cell_id, sum(m.count * (part / st_area(m.geom))::numeric) as count
from cells c join counted m on st_intersects(m.geom, c.geom)
cross join lateral st_area(st_intersection(m.geom, c.geom)) part
where part > 0
group by c.cell_id;

select count(*) as cells, round(sum(count), 3) as points, round(max(count), 3) as most from usual_resampled;

-- ## What changed between two versions?

select case when old.cell_id is null then 'added' when new.cell_id is null then 'removed'
            when new.coverage <> old.coverage then 'changed' else 'same' end as change, count(*)
from area new full join area_run6 old on new.geom = old.geom
group by 1 order by 1;

-- ## Can I do without a table of cells?

select count(*) as cells, count(*) filter (where n > 0) as with_points, sum(n) as points, round((st_area(st_union(geom)) / 1e6)::numeric, 2) as km2
from (select s.geom, count(p.id) as n
      from st_makeenvelope(4440100, 2780100, 4459900, 2799900, 3035) place
      cross join lateral st_squaregrid(500, place) s left join points p on st_intersects(s.geom, p.geom)
      where st_intersects(s.geom, place)
      group by s.geom) counted;

select count(*), box2d(st_expand(middle, 250))
from (select st_snaptogrid(geom, 250, 250, 500, 500) as middle from points) p
group by middle
order by 1 desc, loadgrid.cell_id(((st_x(middle) - 250) / 500)::integer, ((st_y(middle) - 250) / 500)::integer) limit 2;

-- ## How do I serve the cells as vector tiles?

with tile as (
  select d.cell_id, d.count::integer, st_asmvtgeom(st_transform(c.geom, 3857), st_tileenvelope(6, 34, 22), 4096, 64) as mvt
  from cells c join density d using (cell_id)
  where st_intersects(st_transform(c.geom, 3857), st_tileenvelope(6, 34, 22, margin => 64 / 4096.0)))
select count(*) as cells, sum(count) as points, length(st_asmvt(tile, 'density', 4096, 'mvt', 'cell_id')) > 0 as tile
from tile where mvt is not null;
