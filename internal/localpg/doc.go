// Package localpg owns throwaway servers with PostGIS: for `loadgrid demo`, and for
// tests where no container engine is at hand.
//
// [Find] looks for an installed PostgreSQL that has PostGIS, [Start] runs it as
// a server of its own in a temporary directory, and [Provision] decides where a
// database comes from: the one it is given, an installed server, or a container. It
// installs nothing. Whatever it starts, it stops and removes again.
package localpg
