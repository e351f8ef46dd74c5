package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// asLoadgrid makes the test binary behave as loadgrid itself, for tests that
// need a process.
const asLoadgrid = "LOADGRID_TEST_AS_LOADGRID"

func TestMain(m *testing.M) {
	if os.Getenv(asLoadgrid) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// call runs loadgrid with these arguments. No test of the package may see one of its
// passwords in what it writes.
func call(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, args, strings.NewReader(""), &out, &errs)
	for _, s := range []string{secret, "s3kr1tPw"} { // the tests' passwords
		if strings.Contains(out.String(), s) || strings.Contains(errs.String(), s) {
			panic("a password is shown: " + out.String() + errs.String())
		}
	}

	return code, out.String(), errs.String()
}

// clearEnv takes away what would lead a test to some server: the variables, and
// the service and password files of the home directory.
func clearEnv(t testing.TB) {
	t.Helper()
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "PG") || name == "LOADGRID_DSN" {
			t.Setenv(name, "") // so that it is put back
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}

	t.Setenv("HOME", t.TempDir())
}

// unusedServer is a server that nobody may connect to.
func unusedServer(t *testing.T) (dsn string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	touched := make(chan bool)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_ = conn.Close()
		}
		touched <- err == nil
	}()

	t.Cleanup(func() {
		_ = l.Close()
		if <-touched {
			t.Error("somebody connected to the server")
		}
	})

	return "postgresql://me@" + l.Addr().String() + "/gis?sslmode=disable"
}

func TestBadInput(t *testing.T) {
	clearEnv(t)
	t.Setenv("LOADGRID_DSN", unusedServer(t))

	const grid = "--cell-size=1 --cols=10 --rows=10"
	long := strings.Repeat("x", 64)
	for _, tt := range []struct {
		name string
		args string   // separated by spaces
		want []string // the flag and the value
	}{
		{"cell size missing", "plan --cols=10 --rows=10", []string{"--cell-size (none)"}},
		{"cell size empty", "plan --cell-size= --cols=10 --rows=10", []string{"--cell-size (none)"}},
		{"cell size without a value", "plan --cols=10 --rows=10 --cell-size", []string{"--cell-size"}},
		{"cell size zero", "plan --cell-size=0 --cols=10 --rows=10", []string{"--cell-size 0:"}},
		{"cell size zero in one direction", "plan --cell-size=1,0 --cols=10 --rows=10", []string{"--cell-size 1,0:"}},
		{"cell size negative", "plan --cell-size=-2.5 --cols=10 --rows=10", []string{"--cell-size -2.5:"}},
		{"cell size not a number", "plan --cell-size=big --cols=10 --rows=10", []string{"--cell-size big:"}},
		{"cell size NaN", "plan --cell-size=NaN --cols=10 --rows=10", []string{"--cell-size NaN"}},
		{"cell size infinite", "plan --cell-size=Inf --cols=10 --rows=10", []string{"--cell-size +Inf:"}},
		{"cell size minus infinite", "plan --cell-size=-Inf --cols=10 --rows=10", []string{"--cell-size -Inf:"}},
		{"cell size beyond the largest number", "plan --cell-size=1e999 --cols=10 --rows=10", []string{"--cell-size 1e999:"}},
		{"cell size of three numbers", "plan --cell-size=1,2,3 --cols=10 --rows=10", []string{"--cell-size 1,2,3:"}},
		{"cell size with a comma too many", "plan --cell-size=1, --cols=10 --rows=10", []string{"--cell-size 1,:"}},
		{"cell size with a decimal comma and unit", "plan --cell-size=1,5m --cols=10 --rows=10", []string{"--cell-size 1,5m:"}},
		{"cell size too small at these coordinates", "plan --cell-size=1e-10 --origin=4321000,3210000 --cols=10 --rows=10",
			[]string{"--cell-size 1e-10:", "x = 4321000", "coincide"}},
		{"cells beyond the largest number", "plan --cell-size=1e308 --cols=10 --rows=10", []string{"--cell-size 1e+308:"}},

		{"extent missing", "plan --cell-size=1", []string{"--extent (none)"}},
		{"extent empty text", "plan --cell-size=1 --extent=", []string{`--extent ""`}},
		{"extent reversed in x", "plan --cell-size=1 --extent=10,0,0,10", []string{"--extent 10,0,0,10:", "reversed"}},
		{"extent reversed in y", "plan --cell-size=1 --extent=0,10,10,0", []string{"--extent 0,10,10,0:", "reversed"}},
		{"extent empty in x", "plan --cell-size=1 --extent=5,0,5,10", []string{"--extent 5,0,5,10:", "empty"}},
		{"extent empty in y", "plan --cell-size=1 --extent=0,5,10,5", []string{"--extent 0,5,10,5:", "empty"}},
		{"extent thinner than the tolerance", "plan --cell-size=1 --extent=0,0,1e-12,1", []string{"--extent 0,0,1e-12,1:"}},
		{"extent NaN", "plan --cell-size=1 --extent=0,0,NaN,10", []string{"--extent 0,0,NaN,10:"}},
		{"extent infinite", "plan --cell-size=1 --extent=-Inf,0,10,10", []string{"--extent -Inf,0,10,10:"}},
		{"extent of three numbers", "plan --cell-size=1 --extent=0,0,10", []string{"--extent 0,0,10:"}},
		{"extent of five numbers", "plan --cell-size=1 --extent=0,0,10,10,10", []string{"--extent 0,0,10,10,10:"}},
		{"extent not numbers", "plan --cell-size=1 --extent=a,b,c,d", []string{"--extent a,b,c,d:"}},
		{"extent with spaces", "plan --cell-size=1 --extent 0, 0, 10, 10", []string{`"0,"`}},
		{"extent beyond 2^30 columns", "plan --cell-size=1 --extent=0,0,1073741826,1", []string{"--extent 0,0,1073741826,1:", "2^30"}},
		{"extent beyond -2^30 rows", "plan --cell-size=0.001 --extent=0,-1e9,1,1", []string{"--extent 0,-1000000000,1,1:", "2^30"}},
		{"extent and cols", "plan --extent=0,0,1,1 " + grid, []string{"--extent 0,0,1,1:", "cols"}},
		{"extent and rows", "plan --cell-size=1 --extent=0,0,1,1 --rows=4", []string{"--extent 0,0,1,1:", "rows"}},

		{"cols zero", "plan --cell-size=1 --cols=0 --rows=10", []string{"--cols 0:"}},
		{"cols negative", "plan --cell-size=1 --cols=-1 --rows=10", []string{"--cols -1:"}},
		{"cols zero beside an extent", "plan --cell-size=1 --cols=0 --extent=0,0,1,1", []string{"--cols 0:"}},
		{"cols beyond 2^30", "plan --cell-size=1 --cols=1073741825 --rows=1", []string{"--cols 1073741825:", "2^30"}},
		{"cols not a number", "plan --cell-size=1 --cols=ten --rows=1", []string{"--cols", `"ten"`}},
		{"cols beyond an int64", "plan --cell-size=1 --cols=99999999999999999999 --rows=1", []string{"--cols", "99999999999999999999"}},
		{"cols without rows", "plan --cell-size=1 --cols=10", []string{"--rows (none):", "go together"}},
		{"rows without cols", "plan --cell-size=1 --rows=10", []string{"--cols (none):", "go together"}},
		{"rows zero", "plan --cell-size=1 --cols=10 --rows=0", []string{"--rows 0:"}},
		{"rows negative", "plan --cell-size=1 --cols=10 --rows=-7", []string{"--rows -7:"}},
		{"rows beyond 2^30", "plan --cell-size=1 --cols=1 --rows=1073741825", []string{"--rows 1073741825:", "2^30"}},

		{"origin of one number", "plan --origin=1 " + grid, []string{"--origin 1:"}},
		{"origin not a number", "plan --origin=1,here " + grid, []string{"--origin 1,here:"}},
		{"origin not finite", "plan --origin=Inf,0 " + grid, []string{"--origin +Inf,0:"}},
		{"srid negative", "plan --srid=-1 " + grid, []string{"--srid -1:"}},
		{"srid not a number", "plan --srid=ETRS89 " + grid, []string{"--srid", "ETRS89:"}},
		{"srid beyond an integer", "plan --srid=4294967296 " + grid, []string{"--srid", "4294967296"}},

		{"id-column empty", "plan --id-column= " + grid, []string{`--id-column ""`}},
		{"id-column taken by a cell's column", "plan --id-column=col " + grid, []string{"--id-column col:"}},
		{"id-column equal to geom-column", "plan --id-column=geom " + grid, []string{"--geom-column geom:", "--id-column"}},
		{"id-column of the system", "plan --id-column=ctid " + grid, []string{"--id-column ctid:"}},
		{"id-column too long", "plan --id-column=" + long + " " + grid, []string{"--id-column " + long + ":"}},
		{"geom-column empty", "plan --geom-column= " + grid, []string{`--geom-column ""`}},
		{"geom-column taken by a cell's row", "plan --geom-column=row " + grid, []string{"--geom-column row:"}},
		{"geom-column of the system", "plan --geom-column=xmin " + grid, []string{"--geom-column xmin:"}},

		{"set without a value", "plan --set=year " + grid, []string{"--set year:"}},
		{"set empty", "plan --set= " + grid, []string{`--set ""`}},
		{"set without a name", "plan --set==2026 " + grid, []string{"--set"}},
		{"set of an unknown type", "plan --set=a:colour=red " + grid, []string{"--set a:colour=red:", "colour", "integer"}},
		{"set with a value of another type", "plan --set=year:integer=now " + grid, []string{"--set year:integer=now:"}},
		{"set with a value beyond its type", "plan --set=n:smallint=40000 " + grid, []string{"--set n:smallint=40000:"}},
		{"set with no date", "plan --set=d:date=yesterdayish " + grid, []string{"--set d:date=yesterdayish:"}},
		{"set with no JSON", "plan --set=j:jsonb={ " + grid, []string{"--set j:jsonb={:"}},
		{"set twice", "plan --set=year=1 --set=year=2 " + grid, []string{"--set year"}},
		{"set with the key's name", "plan --set=cell_id=1 " + grid, []string{"--set cell_id"}},
		{"set with a system column's name", "plan --set=tableoid=1 " + grid, []string{"--set tableoid"}},

		{"streams zero", "plan --streams=0 " + grid, []string{"--streams 0:"}},
		{"streams negative", "plan --streams=-1 " + grid, []string{"--streams -1:"}},
		{"streams too many", "plan --streams=65 " + grid, []string{"--streams 65:"}},
		{"streams not a number", "plan --streams=many " + grid, []string{"--streams", `"many"`}},
		{"chunk-rows zero", "plan --chunk-rows=0 " + grid, []string{"--chunk-rows 0:"}},
		{"chunk-rows negative", "plan --chunk-rows=-5 " + grid, []string{"--chunk-rows -5:"}},

		{"table missing", "load " + grid, []string{`--table ""`}},
		{"table empty", "load --table= " + grid, []string{`--table ""`}},
		{"table empty after its schema", "load --table=stats. " + grid, []string{`--table ""`}},
		{"table with an empty schema", "load --table=.grid " + grid, []string{"--table .grid:"}},
		{"table too long", "load --table=" + long + " " + grid, []string{"--table " + long + ":", "63"}},
		{"table too long in letters of two bytes", "load --table=" + strings.Repeat("é", 32) + " " + grid, []string{"--table é", "63"}},
		{"schema too long", "load --table=" + long + ".grid " + grid, []string{"--table " + long + ":"}},
		{"table with two dots", "load --table=a.b.c " + grid, []string{"--table a.b.c:"}},
		{"table with an open quote", `load --table="grid ` + grid, []string{`--table "grid:`}},
		{"table with text after a quote", `load --table="a"b ` + grid, []string{`--table "a"b:`}},
		{"table with a byte that is no UTF-8", "load --table=gr\xffid " + grid, []string{"--table gr?id:"}},
		{"if-exists unknown", "load --table=g --if-exists=truncate " + grid, []string{"--if-exists truncate:"}},
		{"if-exists empty", "load --table=g --if-exists= " + grid, []string{`--if-exists ""`}},
		{"on-conflict unknown", "load --table=g --if-exists=append --on-conflict=update " + grid, []string{"--on-conflict update:"}},
		{"on-conflict empty", "load --table=g --if-exists=append --on-conflict= " + grid, []string{`--on-conflict ""`}},
		{"on-conflict without append", "load --table=g --on-conflict=skip " + grid, []string{"--on-conflict skip:", "if-exists append"}},
		{"on-conflict with partitions", "load --table=g --if-exists=append --on-conflict=skip --partitions=2 " + grid, []string{"--on-conflict skip:", "partitions"}},
		{"plan with on-conflict empty", "plan --table=g --if-exists=append --on-conflict= " + grid, []string{`--on-conflict ""`}},
		{"plan with on-conflict without append", "plan --on-conflict=skip " + grid, []string{"--on-conflict skip:"}},
		{"ledger-schema empty", "load --table=g --ledger-schema= " + grid, []string{`--ledger-schema ""`}},
		{"ledger-schema too long", "load --table=g --ledger-schema=" + long + " " + grid, []string{"--ledger-schema " + long}},
		{"progress unknown", "load --table=g --progress=dots " + grid, []string{"--progress dots:"}},
		{"progress by an inner name", "load --table=g --progress=lines " + grid, []string{"--progress lines:"}},
		{"progress empty", "load --table=g --progress= " + grid, []string{`--progress ""`}},
		{"load with a bad grid", "load --table=g --cell-size=0 --cols=1 --rows=1", []string{"--cell-size 0:"}},
		{"dump with a bad grid", "dump --cell-size=0 --cols=1 --rows=1", []string{"--cell-size 0:"}},
		{"dump with a bad column", "dump --id-column=col " + grid, []string{"--id-column col:"}},
		{"plan of an append without a table", "plan --if-exists=append " + grid, []string{"--table (none):"}},
		{"plan of an append to an empty name", "plan --if-exists=append --table= " + grid, []string{`--table ""`}},
		{"plan of a table with two dots", "plan --table=a.b.c " + grid, []string{"--table a.b.c:"}},
		{"plan with if-exists unknown", "plan --table=g --if-exists=add " + grid, []string{"--if-exists add:"}},
		{"plan with if-exists empty", "plan --table=g --if-exists= " + grid, []string{`--if-exists ""`}},
		{"plan of an append to an unlogged table", "plan --table=g --if-exists=append --unlogged " + grid, []string{"--unlogged true:"}},
		{"plan of an append with a bad grid", "plan --table=g --if-exists=append --cell-size=0 --cols=1 --rows=1", []string{"--cell-size 0:"}},
		{"bench with no rows", "bench --rows=0", []string{"--rows 0:"}},
		{"bench with a negative number of rows", "bench --rows=-1", []string{"--rows -1:"}},
		{"bench with too many rows", "bench --rows=10000001", []string{"--rows 10000001:", "10000000"}},
		{"bench in a schema of no name", "bench --schema=", []string{`--schema ""`}},
		{"bench in a schema too long", "bench --schema=" + long, []string{"--schema " + long}},
		{"bench with a bad progress", "bench --progress=dots", []string{"--progress dots:"}},
		{"bench with an argument", "bench grid", []string{`"grid"`}},
		{"demo with a bad progress", "demo --progress=dots", []string{"--progress dots:"}},

		{"flag unknown", "plan --cell-sise=1", []string{"--cell-sise", "'loadgrid plan --help'"}},
		{"flag of another command", "dump --table=g " + grid, []string{"--table"}},
		{"flag unknown at the top", "--verbose", []string{"--verbose", "'loadgrid --help'"}},
		{"short flag unknown", "plan -x", []string{"-x"}},
		{"command unknown", "laod --table=g", []string{"--table"}},
		{"command unknown alone", "laod", []string{`"laod"`}},
		{"command in short", "pla", []string{`"pla"`}},
		{"argument too many", "plan surplus " + grid, []string{`"surplus"`}},
		{"argument too many to version", "version 2", []string{`"2"`}},
		{"argument too many to runs list", "runs list 3", []string{`"3"`}},
		{"runs show without a number", "runs show", []string{"0", "'loadgrid runs show --help'"}},
		{"runs show with two numbers", "runs show 1 2", []string{"2"}},
		{"runs show with no number", "runs show x", []string{`"x"`}},
		{"runs show with zero", "runs show 0", []string{`"0"`}},
		{"runs resume with no number", "runs resume last", []string{`"last"`}},
		{"runs drop with a negative number", "runs drop -- -3", []string{`"-3"`}},
		{"runs' subcommand unknown", "runs rollbak", []string{`"rollbak"`, "runs"}},
		{"runs with a ledger of no name", "runs list --ledger-schema=", []string{`--ledger-schema ""`}},
		{"migrate's subcommand unknown", "migrate sideways", []string{`"sideways"`, "migrate"}},
		{"migrate up with an argument", "migrate up 3", []string{`"3"`}},
		{"completion of no shell", "completion", []string{"0"}},
		{"completion of an unknown shell", "completion tcsh", []string{`"tcsh"`}},
		{"help on no command", "help nope", []string{`"nope"`}},
		{"help on no subcommand", "help runs nope", []string{`"runs nope"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := call(t.Context(), strings.Split(tt.args, " ")...)
			if code != exitUsage {
				t.Errorf("exit code %d, should be %d", code, exitUsage)
			}
			if stdout != "" {
				t.Errorf("stdout should be empty: %q", stdout)
			}

			checkOneLine(t, stderr, tt.want...)
		})
	}
}

// checkOneLine fails unless stderr is one line of loadgrid's that holds all of want.
func checkOneLine(t *testing.T, stderr string, want ...string) {
	t.Helper()
	if !strings.HasPrefix(stderr, "loadgrid: ") || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "\n") {
		t.Errorf("stderr should be one line: %q", stderr)
	}

	for _, w := range want {
		if !strings.Contains(stderr, w) {
			t.Errorf("stderr lacks %s: %s", w, stderr)
		}
	}
}

func TestExitCodeAndReport(t *testing.T) {
	param := &geomgen.ParamError{Param: "cell-size", Value: "0", Reason: "must be greater than 0"}
	server := &loader.ServerError{Doing: "connecting to db:5432", Err: errors.New("no\n\tanswer"), Advice: "look"}
	resumable := &loader.ResumableError{Run: 7, Committed: 3, Chunks: 9, Err: server}
	locked := &loader.LockedError{Table: loader.Table{Schema: "a", Name: "b"}, Holder: "backend 12"}
	cmd := &cobra.Command{Use: "plan"}
	newRootCommand().AddCommand(cmd)
	interrupted, terminated := signalError{2}, signalError{15}

	for _, tt := range []struct {
		name  string
		cause error // why the context ended, nil for not at all
		err   error
		code  int
		want  string
	}{
		{"param", nil, param, 2, "loadgrid: --cell-size 0: must be greater than 0\n"},
		{"param inside another", nil, fmt.Errorf("planning: %w", param), 2, "loadgrid: --cell-size 0: must be greater than 0\n"},
		{"param without a value", nil, &geomgen.ParamError{Param: "extent", Reason: "is empty"}, 2, "loadgrid: --extent \"\": is empty\n"},
		{"param of two lines", nil, &geomgen.ParamError{Param: "set", Value: "a\nb", Reason: "no"}, 2, "loadgrid: --set a b: no\n"},
		{"usage", nil, usageError{errors.New("unknown flag: --x")}, 2, "loadgrid: unknown flag: --x: see 'loadgrid plan --help'\n"},
		{"no ledger", nil, &loader.NoLedgerError{Schema: "lodgrid", Database: "gis"}, 2, "loadgrid: there is no ledger in schema lodgrid of database gis: the first load makes it, and --ledger-schema names another\n"},
		{"no run", nil, &loader.NoRunError{Schema: "loadgrid", ID: 5}, 2, "loadgrid: the ledger in schema loadgrid knows no run 5\n"},
		{"locked", nil, locked, 3, "loadgrid: another run holds table a.b (backend 12): wait until it has ended\n"},
		{"resumable", nil, resumable, 4,
			"loadgrid: run 7 stopped with 3 of 9 chunks committed, the same command resumes it: connecting to db:5432: no answer: look\n"},
		{"resumable before what stopped it", nil,
			&loader.ResumableError{Run: 7, Committed: 3, Chunks: 9, Err: param}, 4,
			"loadgrid: run 7 stopped with 3 of 9 chunks committed, the same command resumes it: cell-size 0: must be greater than 0\n"},
		{"server", nil, server, 1, "loadgrid: connecting to db:5432: no answer: look\n"},
		{"other", nil, errors.New("a\nb"), 1, "loadgrid: a b\n"},
		{"cancelled by no signal", context.Canceled, context.Canceled, 1, "loadgrid: context canceled\n"},
		{"SIGINT", interrupted, context.Canceled, 130, "loadgrid: stopped by SIGINT\n"},
		{"SIGTERM", terminated, fmt.Errorf("copying: %w", context.Canceled), 143, "loadgrid: stopped by SIGTERM\n"},
		{"SIGINT with something to resume", interrupted, resumable, 130,
			"loadgrid: stopped by SIGINT: run 7 has 3 of 9 chunks committed, the same command resumes it\n"},
		{"SIGTERM with something to resume", terminated, resumable, 143,
			"loadgrid: stopped by SIGTERM: run 7 has 3 of 9 chunks committed, the same command resumes it\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)

			if tt.cause != nil {
				cancel(tt.cause)
			}
			if code := exitCode(ctx, tt.err); code != tt.code {
				t.Errorf("exit code %d, should be %d", code, tt.code)
			}

			var b bytes.Buffer
			if reportError(&b, ctx, cmd, tt.err); b.String() != tt.want {
				t.Errorf("got  %q\nwant %q", b.String(), tt.want)
			}
		})
	}
}
