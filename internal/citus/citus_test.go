package citus

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/internal/observe"
	"github.com/loadgrid/loadgrid/internal/pg"
)

// server answers like a server with or without Citus.
type server struct {
	version string
	group   int32
	workers int

	nodes   []func(look int) node // the answers of each node to each look
	recover error                 // the result of finishing transactions
	looks   int
	asked   []string
}

// node is the answer of a node: what is prepared and committed there, or why there is no answer.
type node struct {
	committed []string
	failure   string
}

func (s *server) Exec(_ context.Context, sql string, _ ...any) (pgconn.CommandTag, error) {
	s.asked = append(s.asked, sql)
	return pgconn.CommandTag{}, s.recover
}

func (s *server) Query(context.Context, string, ...any) (pgx.Rows, error) {
	s.looks++
	var all rows
	for i, n := range s.nodes {
		answer := n(s.looks)
		all.values = append(all.values, []any{fmt.Sprintf("w%d:5432", i+1), answer.failure == "", answer.failure, answer.committed})
	}

	return &all, nil
}

func (s *server) QueryRow(_ context.Context, sql string, _ ...any) pgx.Row {
	s.asked = append(s.asked, sql)
	if strings.Contains(sql, "pg_extension") {
		return row{s.version}
	}

	return row{s.group, s.workers, true}
}

type row []any

func (r row) Scan(to ...any) error {
	for i, v := range r {
		reflect.ValueOf(to[i]).Elem().Set(reflect.ValueOf(v))
	}
	return nil
}

// rows are the answers of all nodes.
type rows struct {
	pgx.Rows
	values [][]any
	next   int
}

func (r *rows) Next() bool                    { r.next++; return r.next <= len(r.values) }
func (r *rows) Scan(to ...any) error          { return row(r.values[r.next-1]).Scan(to...) }
func (r *rows) Close()                        {}
func (r *rows) Err() error                    { return nil }
func (r *rows) CommandTag() pgconn.CommandTag { return pgconn.CommandTag{} }

// Without Citus a run sends one query only.
func TestReadWithoutCitus(t *testing.T) {
	s := &server{}
	c, err := Read(t.Context(), s)
	if err != nil || c.Installed() || c.Refuse() != nil {
		t.Errorf("%+v, %v", c, err)
	}

	if table, err := c.Table(t.Context(), s, 17); err != nil || table.Distributed() || table.String() != "not distributed" {
		t.Errorf("a table is %s, %v", table, err)
	}

	if spread, err := c.SchemaDistributed(t.Context(), s, "public"); err != nil || spread {
		t.Errorf("a schema is distributed: %v, %v", spread, err)
	}

	if len(s.asked) != 1 {
		t.Errorf("the server got %d queries: %q", len(s.asked), s.asked)
	}
}

func TestReadACluster(t *testing.T) {
	for group, refused := range map[int32]bool{0: false, 3: true} {
		c, err := Read(t.Context(), &server{version: "13.2-1", group: group, workers: 2})
		if err != nil || c.Version != "13.2-1" || c.Workers != 2 {
			t.Errorf("%+v, %v", c, err)
		}

		var failed *pg.ServerError
		if err := c.Refuse(); errors.As(err, &failed) != refused {
			t.Errorf("a node of group %d: %v", group, err)
		} else if refused && !strings.Contains(err.Error(), "connect to the coordinator") {
			t.Errorf("the error gives no advice: %v", err)
		}
	}
}

// settle calls Settle with a server, and returns how long it took by the server's clock.
func settle(t *testing.T, s *server) (took time.Duration, err error) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err = Settle(t.Context(), s, observe.New(nil, nil, nil))
		took = time.Since(began)
	})

	return took, err
}

func always(n node) func(int) node { return func(int) node { return n } }

func TestSettle(t *testing.T) {
	open := node{committed: []string{"citus_0_7_1_0"}}
	from := func(look int, before, after node) func(int) node {
		return func(now int) node {
			if now < look {
				return before
			}
			return after
		}
	}
	denied := &pgconn.PgError{Code: pgerrcode.InsufficientPrivilege}

	for name, test := range map[string]struct {
		server
		looks   int  // expected number of looks
		recover bool // Settle asks Citus to finish
	}{
		"nothing is open":                    {server{nodes: []func(int) node{always(node{}), always(node{})}}, 1, false},
		"finished on request":                {server{nodes: []func(int) node{always(node{}), from(2, open, node{})}}, 2, true},
		"finished by Citus":                  {server{recover: denied, nodes: []func(int) node{from(6, open, node{})}}, 6, true},
		"a node comes back with nothing":     {server{nodes: []func(int) node{from(4, node{failure: "connection refused"}, node{})}}, 4, true},
		"a node comes back, its part stays":  {server{nodes: []func(int) node{from(4, node{failure: "connection refused"}, open)}}, 0, true},
		"others commit all the time":         {server{nodes: []func(int) node{func(look int) node { return node{committed: []string{fmt.Sprint("citus_0_9_", look)}} }}}, 2, true},
		"another node commits after its own": {server{nodes: []func(int) node{from(2, node{}, open), from(2, open, node{})}}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := test.server
			_, err := settle(t, &s)

			if test.looks == 0 { // its part stays open
				var left *UnsettledError
				if !errors.As(err, &left) || !strings.Contains(err.Error(), "w1:5432 has 1 of them prepared") {
					t.Errorf("error %v", err)
				}
				return
			}

			if err != nil || s.looks != test.looks || (len(s.asked) > 0) != test.recover {
				t.Errorf("after %d looks, want %d, asked %q: %v", s.looks, test.looks, s.asked, err)
			}
		})
	}
}

// Settle gives up in the end with the state of each node, and the error is not transient.
func TestSettleGivesUp(t *testing.T) {
	s := server{nodes: []func(int) node{always(node{committed: []string{"a", "b"}}), always(node{failure: "connection\nrefused"}), always(node{})}}
	took, err := settle(t, &s)

	want := "commits are not finished on all nodes of the cluster: w1:5432 has 2 of them prepared, w2:5432 does not answer (connection refused): when the nodes are back, Citus finishes them within a minute, or you finish them with 'select recover_prepared_transactions()'"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}

	if pg.IsTransient(err) {
		t.Error("Settle would wait forever")
	}

	if took < observe.RetryFor/2 || took > 2*observe.RetryFor {
		t.Errorf("it gave up after %v", took)
	}
}

func TestTableText(t *testing.T) {
	for want, table := range map[string]Table{
		"hash of cell_id, 8 shards":       {Kind: Hash, Column: "cell_id", Shards: 8},
		"a reference table":               {Kind: Reference, Shards: 1},
		"one shard":                       {Kind: Single, Shards: 1, Schema: true},
		"append, 3 shards":                {Kind: Append, Shards: 3},
		"a local table that workers know": {Kind: Managed, Shards: 1},
	} {
		if got := table.String(); got != want {
			t.Errorf("%+v is %q, want %q", table, got, want)
		}

		if table.Distributed() != (table.Kind != Managed) {
			t.Errorf("%s: distributed %v", table, table.Distributed())
		}
	}
}
