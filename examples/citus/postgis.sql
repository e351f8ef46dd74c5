-- Every node creates the extensions itself: Citus does not send them to nodes that join later with their own.
create extension if not exists citus;
create extension if not exists postgis;
