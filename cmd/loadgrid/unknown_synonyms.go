package main

import "strings"

// synonymOf returns the flag for which people type a word that they know from psql, ogr2ogr, QGIS or GeoPandas, empty for
// none. It has its value if the word has one in it.
func synonymOf(word string) string {
	switch strings.ToLower(strings.ReplaceAll(word, "_", "-")) {
	case "bbox", "bounds", "te", "spat", "window":
		return "extent"
	case "crs", "epsg", "srs", "t-srs", "a-srs", "projection", "proj":
		return "srid"
	case "size", "resolution", "res", "tr", "spacing", "step", "width", "height", "side":
		return "cell-size"
	case "area", "mask", "polygon", "polygons", "boundary", "clipsrc", "cutline", "geojson", "shapefile", "input", "file", "i":
		return "aoi"
	case "sql", "query":
		return "aoi-sql"
	case "filter", "where":
		return "aoi-where"
	case "layer", "layers":
		return "aoi-layer"
	case "name", "nln", "to", "target", "relation", "t":
		return "table"
	case "overwrite", "replace", "force", "f":
		return "if-exists replace"
	case "append", "add":
		return "if-exists append"
	case "truncate":
		return "publish truncate"
	case "threads", "workers", "parallel", "jobs", "j", "connections":
		return "streams"
	case "host", "port", "user", "username", "dbname", "database", "db", "url", "connection", "conn", "d", "h", "p", "u":
		return "dsn"
	case "yaml", "config", "jobfile", "job-file":
		return "job"
	case "hex", "hexagons", "type", "geom-type":
		return "shape"
	case "z", "zoom-level", "level":
		return "zoom"
	case "output", "o", "png", "image":
		return "out"
	case "message", "comment", "m":
		return "reason"
	case "y", "confirm":
		return "yes"
	}

	return ""
}
