package pg

// Without a schema, a session of a run finds only the server's own functions, operators, types and catalogue.
// Otherwise, a role that can create objects in a schema of the loading role's search_path could have a run call
// them with that role's rights. A setting of the session keeps the role's own path: see package ownpath.

// SearchPath is the search_path of sessions. pg_temp comes last: if it is not named, it is searched first.
const SearchPath = "pg_catalog, pg_temp"

// OwnPathSetting is the setting that keeps the session's original search_path.
const OwnPathSetting = "loadgrid.search_path"

// runPathSQL runs before any other statement, so it names all schemas. A session that already has the path keeps
// the original one, unless "reset all" removed it.
const runPathSQL = `
	select pg_catalog.set_config('` + OwnPathSetting + `', pg_catalog.current_setting('search_path'), false),
	       pg_catalog.set_config('search_path', '` + SearchPath + `', false)
	where pg_catalog.current_setting('search_path') operator(pg_catalog.<>) '` + SearchPath + `'
	   or pg_catalog.current_setting('` + OwnPathSetting + `', true) is null`
