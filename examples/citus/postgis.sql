-- On every node: Citus does not send extensions to nodes that join later with their own.
create extension if not exists citus;
create extension if not exists postgis;
