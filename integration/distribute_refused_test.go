package integration

import "testing"

// A server without Citus cannot distribute tables, so --distribute is refused before anything is written.
func TestDistributeNeedsCitus(t *testing.T) {
	s := newSandbox(t)
	for _, args := range [][]string{
		{"--distribute", "hash"},
		{"--distribute", "hash", "--before", "create table {{table}}_before (n integer)"},
		{"--distribute", "hash:4", "--distribute-by", "parent:3"},
		{"--distribute", "hash", "--colocate-with", "points"},
	} {
		cli(t, s.dsn, s.load("grid", append(boxes(5, 5), args...)...)...).expect(t, 2, "--distribute", "Citus is not in this database", "leave distribute out")
	}

	if n := queryOne[int64](t, s.pool, "select count(*) from pg_class where relnamespace = $1::regnamespace", s.schema); n != 0 {
		t.Errorf("%d tables, indexes and sequences exist", n)
	}

	cli(t, s.dsn, s.load("grid", append(boxes(5, 5), "--distribute", "hash", "--partitions", "2")...)...).expect(t, 2, "--distribute", "conflicts with partitions")
	cli(t, s.dsn, s.load("grid", append(boxes(5, 5), "--distribute", "range")...)...).expect(t, 2, "--distribute range", "must be hash")
	cli(t, s.dsn, s.load("grid", append(boxes(5, 5), "--distribute-by", "parent:3")...)...).expect(t, 2, "--distribute-by parent:3", "needs distribute")
}
