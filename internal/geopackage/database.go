package geopackage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
	"modernc.org/sqlite/vfs"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// fileName is the only file that SQLite can see.
const fileName = "gpkg"

// onlyFile is a file system with one file. It has neither a journal nor a log, and nothing that SQL
// could attach.
type onlyFile struct {
	f    io.ReaderAt
	size int64
	err  *error // of the last failed read
}

// Open opens the file.
func (o onlyFile) Open(name string) (fs.File, error) {
	if name != fileName {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &opened{io.NewSectionReader(o.f, 0, o.size), o}, nil
}

// opened is the open file. SQLite's bridge seeks and reads.
type opened struct {
	*io.SectionReader
	of onlyFile
}

func (f *opened) Read(b []byte) (int, error) {
	n, err := f.SectionReader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		*f.of.err = err // SQLite reports only that there was an error
	}
	return n, err
}

func (f *opened) Stat() (fs.FileInfo, error) { return info{f.of.size}, nil }

func (f *opened) Close() error { return nil }

// info holds the size of the file.
type info struct{ size int64 }

func (i info) Name() string     { return fileName }
func (i info) Size() int64      { return i.size }
func (info) Mode() fs.FileMode  { return 0o400 }
func (info) ModTime() time.Time { return time.Time{} }
func (info) IsDir() bool        { return false }
func (info) Sys() any           { return nil }

// database is an open SQLite file.
type database struct {
	files   *vfs.FS
	db      *sql.DB
	conn    *sql.Conn
	handle  uintptr         // SQLite's own handle of the connection
	size    int64           // of the file, in bytes
	tables  map[string]bool // the names of ordinary tables, in lower case
	readErr error           // error in reading the file
	outside bool            // the sink is running
}

// Memory limits of a query. The cache holds at most 8 MiB of pages, and sorting has the same. More
// would go to a file, which the VFS does not have, so the query fails. A text or geometry is at
// most as long as the file.
const (
	dataSource = "file:" + fileName + "?vfs=%s&mode=ro&immutable=1&_defensive=1&_dqs=0&_pragma=trusted_schema(0)" +
		"&_pragma=query_only(1)&_pragma=cell_size_check(1)&_pragma=cache_size(-8192)&_pragma=temp_store(1)&_pragma=mmap_size(0)"
	leastLength = 16 << 20
)

// open opens a file and reads its schema.
func open(ctx context.Context, f io.ReaderAt, size int64) (*database, error) {
	d := &database{size: size, tables: map[string]bool{}}

	name, files, err := vfs.New(onlyFile{f, size, &d.readErr})
	if err != nil {
		return nil, fmt.Errorf("preparing SQLite: %w", err)
	}
	d.files = files

	if d.db, err = sql.Open("sqlite", fmt.Sprintf(dataSource, name)); err == nil {
		d.db.SetMaxOpenConns(1)
		d.conn, err = d.db.Conn(ctx)
	}

	if err == nil {
		err = d.findHandle()
	}

	if err == nil {
		err = d.protect(ctx, size)
	}

	if err != nil {
		err = d.explain(ctx, err)
		_ = d.close()
		return nil, err
	}
	return d, nil
}

func (d *database) close() (err error) {
	if d.conn != nil {
		err = d.conn.Close()
	}

	if d.db != nil {
		err = errors.Join(err, d.db.Close())
	}
	return errors.Join(err, d.files.Close())
}

// protect restricts what the SQL of the file can do. From here on, SQLite compiles only SELECT. It
// allows no virtual tables, whose modules trust the content of their tables, and no recursion,
// which might not end.
func (d *database) protect(ctx context.Context, size int64) error {
	for limit, most := range map[int]int{
		sqlite3.SQLITE_LIMIT_ATTACHED:            0,
		sqlite3.SQLITE_LIMIT_LENGTH:              int(min(max(size, leastLength), 1<<30)),
		sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
		sqlite3.SQLITE_LIMIT_EXPR_DEPTH:          200,
	} {
		if _, err := sqlite.Limit(d.conn, limit, most); err != nil {
			return err
		}
	}

	virtual, err := d.schema(ctx)
	if err != nil {
		return err
	}

	return d.conn.Raw(func(c any) error {
		r, ok := c.(sqlite.AuthorizerRegisterer)
		if !ok {
			return fmt.Errorf("preparing SQLite: a %T has no authorizer", c)
		}
		return r.RegisterAuthorizer(authorizer(virtual))
	})
}

const schemaQuery = `select type, name, coalesce(sql, '') from main.sqlite_schema where type in ('table', 'view')`

// schema records the tables of the file, and returns the names of the virtual ones.
func (d *database) schema(ctx context.Context) (virtual map[string]bool, err error) {
	found, err := d.conn.QueryContext(ctx, schemaQuery)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()

	virtual = map[string]bool{}
	for found.Next() {
		var kind, name, text string
		if err := found.Scan(&kind, &name, &text); err != nil {
			return nil, err
		}

		// SQLite stores the text as CREATE VIRTUAL TABLE, however it was written.
		switch name = strings.ToLower(name); {
		case strings.HasPrefix(strings.ToUpper(text), "CREATE VIRTUAL"):
			virtual[name] = true
		case kind == "table":
			d.tables[name] = true
		}
	}

	return virtual, found.Err()
}

// authorizer allows SELECT, and queries for the columns of a table.
func authorizer(virtual map[string]bool) sqlite.AuthorizerFn {
	return func(action sqlite.AuthorizerActionCode, first, second, _, _ string) sqlite.AuthorizerReturnCode {
		switch action {
		case sqlite.AuthSelect:
			return sqlite.AuthorizerOK
		case sqlite.AuthRead:
			if !virtual[strings.ToLower(first)] {
				return sqlite.AuthorizerOK
			}
		case sqlite.AuthFunction:
			if !strings.EqualFold(second, "load_extension") {
				return sqlite.AuthorizerOK
			}
		case sqlite.AuthPragma:
			if strings.EqualFold(first, "table_xinfo") {
				return sqlite.AuthorizerOK
			}
		}
		return sqlite.AuthorizerDeny
	}
}

// explain describes those of SQLite's errors that the file causes.
func (d *database) explain(ctx context.Context, err error) error {
	var own *sqlite.Error

	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case d.readErr != nil:
		return fmt.Errorf("reading the area of interest: %w", d.readErr)
	case !errors.As(err, &own):
		return err
	}

	switch own.Code() & 0xff {
	case sqlite3.SQLITE_AUTH:
		return feature.BadArea("is a GeoPackage with a view that does more than select from tables, and loadgrid does not run it: write the layer to a table (ogr2ogr -f GPKG): %w", err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_TOOBIG:
		return feature.BadArea("is a damaged GeoPackage, or has a view that needs more memory than it gets: %w", err)
	}
	return feature.BadArea("is a GeoPackage that cannot be read: %w", err)
}
