drop table if exists run_features;
