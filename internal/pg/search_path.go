package pg

// A session of a run finds nothing but the server's own functions, operators, types and
// catalogue without a schema: whoever may create in a schema of the role's search_path could
// otherwise have a run call theirs, with the rights of the role that loads. The role's own
// path is kept in a setting of the session: see package ownpath.

// SearchPath is the search_path of sessions. pg_temp comes last: it is searched first where it
// is not named.
const SearchPath = "pg_catalog, pg_temp"

// OwnPathSetting is the setting that keeps the search_path that a session has of its own.
const OwnPathSetting = "loadgrid.search_path"

// runPathSQL comes before any other statement, so all that it names has its schema. A
// session that has the path already keeps what it had before, unless "reset all" took that
// away.
const runPathSQL = `
	select pg_catalog.set_config('` + OwnPathSetting + `', pg_catalog.current_setting('search_path'), false),
	       pg_catalog.set_config('search_path', '` + SearchPath + `', false)
	where pg_catalog.current_setting('search_path') operator(pg_catalog.<>) '` + SearchPath + `'
	   or pg_catalog.current_setting('` + OwnPathSetting + `', true) is null`
