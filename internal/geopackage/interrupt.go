package geopackage

import (
	"context"
	"fmt"
	"reflect"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// findHandle records SQLite's own handle of the connection. The driver neither exports it nor anything
// else that interrupts a query.
func (d *database) findHandle() error {
	return d.conn.Raw(func(c any) error {
		v := reflect.Indirect(reflect.ValueOf(c))
		if v.Kind() == reflect.Struct {
			if f := v.FieldByName("db"); f.Kind() == reflect.Uintptr {
				d.handle = uintptr(f.Uint())
				return nil
			}
		}
		return fmt.Errorf("preparing SQLite: a %T has no handle", c)
	})
}

// interruptAfter interrupts SQLite when ctx ends, until the caller calls release. The driver itself
// interrupts a query only before its first row.
func (d *database) interruptAfter(ctx context.Context) (release func()) {
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)

		tls := libc.NewTLS() // the connection's own TLS is in use
		defer tls.Close()
		sqlite3.Xsqlite3_interrupt(tls, d.handle)
	})

	return func() {
		if !stop() {
			<-interrupted // the handle must stay open until then
		}
	}
}
