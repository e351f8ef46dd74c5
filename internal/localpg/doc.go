// Package localpg owns throwaway servers with PostGIS, for `loadgrid demo`, and for tests if no
// container engine is available.
//
// [Find] looks for an installed PostgreSQL that has PostGIS, [Start] runs it as a separate server
// in a temporary directory, and [Provision] decides where a database comes from: a given database,
// an installed server, or a container. It installs nothing. It stops and removes everything that it
// starts.
package localpg
