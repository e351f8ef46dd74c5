package main

import (
	"strings"
	"testing"
)

// badInput is a command line that is refused without a server.
type badInput struct {
	name string
	args string   // separated by spaces
	want []string // the flag and the value
}

const (
	tenByTen = "--cell-size=1 --cols=10 --rows=10"
	tooLong  = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" // 64 bytes
)

func checkRefused(t *testing.T, inputs []badInput) {
	t.Helper()
	clearEnv(t)
	t.Setenv("LOADGRID_DSN", unusedServer(t))

	for _, tt := range inputs {
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

func TestBadGrid(t *testing.T) {
	checkRefused(t, []badInput{
		{"cell size missing", "plan --cols=10 --rows=10", []string{"--cell-size (none)"}},
		{"cell size empty", "plan --cell-size= --cols=10 --rows=10", []string{`--cell-size ""`}},
		{"cell size without a value", "plan --cols=10 --rows=10 --cell-size", []string{"--cell-size"}},
		{"cell size zero", "plan --cell-size=0 --cols=10 --rows=10", []string{"--cell-size 0:"}},
		{"cell size zero in one direction", "plan --cell-size=1,0 --cols=10 --rows=10", []string{"--cell-size 1,0:"}},
		{"cell size negative", "plan --cell-size=-2.5 --cols=10 --rows=10", []string{"--cell-size -2.5:"}},
		{"cell size not a number", "plan --cell-size=big --cols=10 --rows=10", []string{"--cell-size big:"}},
		{"cell size NaN", "plan --cell-size=NaN --cols=10 --rows=10", []string{"--cell-size NaN"}},
		{"cell size infinite", "plan --cell-size=Inf --cols=10 --rows=10", []string{"--cell-size Inf:"}},
		{"cell size minus infinite", "plan --cell-size=-Inf --cols=10 --rows=10", []string{"--cell-size -Inf:"}},
		{"cell size beyond the largest number", "plan --cell-size=1e999 --cols=10 --rows=10", []string{"--cell-size 1e999:"}},
		{"cell size of three numbers", "plan --cell-size=1,2,3 --cols=10 --rows=10", []string{"--cell-size 1,2,3:"}},
		{"cell size with a comma too many", "plan --cell-size=1, --cols=10 --rows=10", []string{"--cell-size 1,:"}},
		{"cell size with a decimal comma and unit", "plan --cell-size=1,5m --cols=10 --rows=10", []string{"--cell-size 1,5m:"}},
		{"cell size with a comma between thousands", "plan --cell-size=2,500 --cols=10 --rows=10", []string{"--cell-size 2,500:", "2500 ", "2x500"}},
		{"cell size of a length without a CRS", "plan --cell-size=1km --cols=10 --rows=10", []string{"--cell-size 1km:", "srid"}},
		{"cell size of a length in degrees", "plan --cell-size=1km --srid=4326 --cols=10 --rows=10", []string{"--cell-size 1km:", "degree"}},
		{"cell size as it was typed", "plan --cell-size=-1e3m --srid=3035 --cols=10 --rows=10", []string{"--cell-size -1e3m:"}},
		{"cell size too small at these coordinates", "plan --cell-size=1e-10 --origin=4321000,3210000 --cols=10 --rows=10",
			[]string{"--cell-size 1e-10:", "x = 4321000", "coincide"}},
		{"cells beyond the largest number", "plan --cell-size=1e308 --cols=10 --rows=10", []string{"--cell-size 1e308:"}},

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
		{"extent beyond -2^30 rows", "plan --cell-size=0.001 --extent=0,-1e9,1,1", []string{"--extent 0,-1e9,1,1:", "2^30"}},
		{"extent and cols", "plan --extent=0,0,1,1 " + tenByTen, []string{"--extent 0,0,1,1:", "cols"}},
		{"extent and rows", "plan --cell-size=1 --extent=0,0,1,1 --rows=4", []string{"--extent 0,0,1,1:", "rows"}},
	})
}

func TestBadNumberOfCells(t *testing.T) {
	checkRefused(t, []badInput{
		{"cols zero", "plan --cell-size=1 --cols=0 --rows=10", []string{"--cols 0:"}},
		{"cols negative", "plan --cell-size=1 --cols=-1 --rows=10", []string{"--cols -1:"}},
		{"cols zero beside an extent", "plan --cell-size=1 --cols=0 --extent=0,0,1,1", []string{"--cols 0:"}},
		{"cols beyond 2^30", "plan --cell-size=1 --cols=1073741825 --rows=1", []string{"--cols 1073741825:", "2^30"}},
		{"cols not a number", "plan --cell-size=1 --cols=ten --rows=1", []string{"--cols ten:"}},
		{"cols beyond an int64", "plan --cell-size=1 --cols=99999999999999999999 --rows=1", []string{"--cols", "99999999999999999999"}},
		{"cols without rows", "plan --cell-size=1 --cols=10", []string{"--rows (none):", "belong together"}},
		{"rows without cols", "plan --cell-size=1 --rows=10", []string{"--cols (none):", "belong together"}},
		{"rows zero", "plan --cell-size=1 --cols=10 --rows=0", []string{"--rows 0:"}},
		{"rows negative", "plan --cell-size=1 --cols=10 --rows=-7", []string{"--rows -7:"}},
		{"rows beyond 2^30", "plan --cell-size=1 --cols=1 --rows=1073741825", []string{"--rows 1073741825:", "2^30"}},

		{"origin of one number", "plan --origin=1 " + tenByTen, []string{"--origin 1:"}},
		{"origin not a number", "plan --origin=1,here " + tenByTen, []string{"--origin 1,here:"}},
		{"origin not finite", "plan --origin=Inf,0 " + tenByTen, []string{"--origin Inf,0:"}},
		{"zoom of a word for squares", "plan --zoom=x " + tenByTen, []string{"--zoom x: must be a whole number"}},
		{"zoom for squares", "plan --zoom=3 " + tenByTen, []string{"--zoom 3:", "shape xyz"}},
		{"srid negative", "plan --srid=-1 " + tenByTen, []string{"--srid -1:"}},
		{"srid not a number", "plan --srid=ETRS89 " + tenByTen, []string{"--srid", "ETRS89:"}},
		{"srid beyond an integer", "plan --srid=4294967296 " + tenByTen, []string{"--srid", "4294967296"}},
	})
}

func TestBadColumns(t *testing.T) {
	checkRefused(t, []badInput{
		{"id-column empty", "plan --id-column= " + tenByTen, []string{`--id-column ""`}},
		{"id-column taken by a cell's column", "plan --id-column=col " + tenByTen, []string{"--id-column col:"}},
		{"id-column equal to geom-column", "plan --id-column=geom " + tenByTen, []string{"--geom-column geom:", "--id-column"}},
		{"id-column of the system", "plan --id-column=ctid " + tenByTen, []string{"--id-column ctid:"}},
		{"id-column too long", "plan --id-column=" + tooLong + " " + tenByTen, []string{"--id-column " + tooLong + ":"}},
		{"geom-column empty", "plan --geom-column= " + tenByTen, []string{`--geom-column ""`}},
		{"geom-column taken by a cell's row", "plan --geom-column=row " + tenByTen, []string{"--geom-column row:"}},
		{"geom-column of the system", "plan --geom-column=xmin " + tenByTen, []string{"--geom-column xmin:"}},

		{"set without a value", "plan --set=year " + tenByTen, []string{"--set year:"}},
		{"set empty", "plan --set= " + tenByTen, []string{`--set ""`}},
		{"set without a name", "plan --set==2026 " + tenByTen, []string{"--set"}},
		{"set of an unknown type", "plan --set=a:colour=red " + tenByTen, []string{"--set a:colour=red:", "colour", "integer"}},
		{"set with a value of another type", "plan --set=year:integer=now " + tenByTen, []string{"--set year:integer=now:"}},
		{"set with a value beyond its type", "plan --set=n:smallint=40000 " + tenByTen, []string{"--set n:smallint=40000:"}},
		{"set with no date", "plan --set=d:date=yesterdayish " + tenByTen, []string{"--set d:date=yesterdayish:"}},
		{"set with no JSON", "plan --set=j:jsonb={ " + tenByTen, []string{"--set j:jsonb={:"}},
		{"set twice", "plan --set=year=1 --set=year=2 " + tenByTen, []string{"--set year"}},
		{"set with the key's name", "plan --set=cell_id=1 " + tenByTen, []string{"--set cell_id"}},
		{"set with a system column's name", "plan --set=tableoid=1 " + tenByTen, []string{"--set tableoid"}},
	})
}

func TestBadLoad(t *testing.T) {
	checkRefused(t, []badInput{
		{"streams zero", "plan --streams=0 " + tenByTen, []string{"--streams 0:"}},
		{"streams negative", "plan --streams=-1 " + tenByTen, []string{"--streams -1:"}},
		{"streams too many", "plan --streams=65 " + tenByTen, []string{"--streams 65:"}},
		{"streams not a number", "plan --streams=many " + tenByTen, []string{"--streams many:"}},
		{"chunk-rows zero", "plan --chunk-rows=0 " + tenByTen, []string{"--chunk-rows 0:"}},
		{"chunk-rows negative", "plan --chunk-rows=-5 " + tenByTen, []string{"--chunk-rows -5:"}},

		{"table missing", "load " + tenByTen, []string{`--table (none): a load needs a table`}},
		{"table empty", "load --table= " + tenByTen, []string{`--table (none): a load needs a table`}},
		{"table empty after its schema", "load --table=stats. " + tenByTen, []string{`--table ""`}},
		{"table with an empty schema", "load --table=.grid " + tenByTen, []string{"--table .grid:"}},
		{"table too long", "load --table=" + tooLong + " " + tenByTen, []string{"--table " + tooLong + ":", "63"}},
		{"table too long in letters of two bytes", "load --table=" + strings.Repeat("é", 32) + " " + tenByTen, []string{"--table é", "63"}},
		{"schema too long", "load --table=" + tooLong + ".grid " + tenByTen, []string{"--table " + tooLong + ":"}},
		{"table with two dots", "load --table=a.b.c " + tenByTen, []string{"--table a.b.c:"}},
		{"table with an open quote", `load --table="grid ` + tenByTen, []string{`--table "grid:`}},
		{"table with text after a quote", `load --table="a"b ` + tenByTen, []string{`--table "a"b:`}},
		{"table with a byte that is not UTF-8", "load --table=gr\xffid " + tenByTen, []string{"--table gr?id:"}},
		{"if-exists unknown", "load --table=g --if-exists=truncate " + tenByTen, []string{"--if-exists truncate:"}},
		{"if-exists empty", "load --table=g --if-exists= " + tenByTen, []string{`--if-exists ""`}},
		{"on-conflict unknown", "load --table=g --if-exists=append --on-conflict=update " + tenByTen, []string{"--on-conflict update:"}},
		{"on-conflict empty", "load --table=g --if-exists=append --on-conflict= " + tenByTen, []string{`--on-conflict ""`}},
		{"on-conflict without append", "load --table=g --on-conflict=skip " + tenByTen, []string{"--on-conflict skip:", "if-exists append"}},
		{"on-conflict with partitions", "load --table=g --if-exists=append --on-conflict=skip --partitions=2 " + tenByTen, []string{"--on-conflict skip:", "partitions"}},
		{"plan with on-conflict empty", "plan --table=g --if-exists=append --on-conflict= " + tenByTen, []string{`--on-conflict ""`}},
		{"plan with on-conflict without append", "plan --on-conflict=skip " + tenByTen, []string{"--on-conflict skip:"}},
		{"ledger-schema empty", "load --table=g --ledger-schema= " + tenByTen, []string{`--ledger-schema ""`}},
		{"ledger-schema too long", "load --table=g --ledger-schema=" + tooLong + " " + tenByTen, []string{"--ledger-schema " + tooLong}},
		{"progress unknown", "load --table=g --progress=dots " + tenByTen, []string{"--progress dots:"}},
		{"progress by an inner name", "load --table=g --progress=lines " + tenByTen, []string{"--progress lines:"}},
		{"progress empty", "load --table=g --progress= " + tenByTen, []string{`--progress ""`}},
		{"load with a bad grid", "load --table=g --cell-size=0 --cols=1 --rows=1", []string{"--cell-size 0:"}},
		{"dump with a bad grid", "dump --cell-size=0 --cols=1 --rows=1", []string{"--cell-size 0:"}},
		{"dump with a bad column", "dump --id-column=col " + tenByTen, []string{"--id-column col:"}},
		{"plan of an append without a table", "plan --if-exists=append " + tenByTen, []string{"--table (none):"}},
		{"pairs of an attribute in capitals", "plan --srid 4326 --cell-size 1 --aoi ../../testdata/countries.geojson --each NAME", []string{"--each NAME: is not an attribute of any feature: did you mean name?"}},
		{"a text in other capitals", "plan --srid 4326 --cell-size 1 --aoi ../../testdata/countries.geojson --aoi-where name='france'", []string{"is true for none of the 10 features: upper and lower case of texts must match"}},
		{"a length in degrees", "plan --srid 4326 --cell-size 1km --extent 0,0,1,1", []string{"--cell-size 1km: is a length", "or choose a CRS in metres"}},
		{"plan of an append to an empty name", "plan --if-exists=append --table= " + tenByTen, []string{`--table (none)`}},
		{"plan of a table with two dots", "plan --table=a.b.c " + tenByTen, []string{"--table a.b.c:"}},
		{"plan with if-exists unknown", "plan --table=g --if-exists=add " + tenByTen, []string{"--if-exists add:"}},
		{"plan with if-exists empty", "plan --table=g --if-exists= " + tenByTen, []string{`--if-exists ""`}},
		{"plan of an append to an unlogged table", "plan --table=g --if-exists=append --unlogged " + tenByTen, []string{"--unlogged true:"}},
		{"plan of an append with a bad grid", "plan --table=g --if-exists=append --cell-size=0 --cols=1 --rows=1", []string{"--cell-size 0:"}},
	})
}

func TestBadCommand(t *testing.T) {
	checkRefused(t, []badInput{
		{"bench with no rows", "bench --rows=0", []string{"--rows 0:"}},
		{"bench with a negative number of rows", "bench --rows=-1", []string{"--rows -1:"}},
		{"bench with too many rows", "bench --rows=10000001", []string{"--rows 10000001:", "10000000"}},
		{"bench in a schema of no name", "bench --schema=", []string{`--schema ""`}},
		{"bench in a schema too long", "bench --schema=" + tooLong, []string{"--schema " + tooLong}},
		{"bench with a bad progress", "bench --progress=dots", []string{"--progress dots:"}},
		{"bench with an argument", "bench grid", []string{`"grid"`}},
		{"demo with a bad progress", "demo --progress=dots", []string{"--progress dots:"}},

		{"flag unknown", "plan --cell-sise=1", []string{"--cell-sise", "'loadgrid plan --help'"}},
		{"flag of another command", "dump --table=g " + tenByTen, []string{"--table"}},
		{"flag unknown at the top", "--verbosely", []string{"--verbosely", "'loadgrid --help'"}},
		{"short flag unknown", "plan -x", []string{"-x"}},
		{"command unknown", "laod --table=g", []string{`"laod"`}},
		{"command unknown alone", "laod", []string{`"laod"`}},
		{"command in short", "pla", []string{`"pla"`}},
		{"argument too many", "plan surplus " + tenByTen, []string{`"surplus"`}},
		{"a value behind a flag that has none", "plan --cell-size=1 --clip true --cols=1 --rows=1", []string{`"true"`, "--clip or --clip=true"}},
		{"false behind a flag that has none", "plan --cell-size=1 --clip false --cols=1 --rows=1", []string{`"false"`, "write --clip=false"}},
		{"the same of a flag in two words", "load --table=g --skip-unchanged yes " + tenByTen, []string{`"yes"`, "--skip-unchanged"}},
		{"a list with spaces", "plan --cell-size=1 --extent 0, 0, 10, 10", []string{`"0,"`, "--extent", "without spaces"}},
		{"help of no truth", "plan --help=perhaps", []string{"--help perhaps:", "true or false"}},
		{"zoom of a range", "plan --shape=xyz --zoom 0-3", []string{"--zoom 0-3:", "0 to 30", "range"}},
		{"wait without a unit", "load --table=g --wait 30 " + tenByTen, []string{"--wait 30:", "30s"}},
		{"clip of no truth", "plan --clip=maybe " + tenByTen, []string{"--clip maybe:", "true or false"}},
		{"limit of no number", "runs list --limit=all", []string{"--limit all:"}},
		{"age without a unit", "runs prune --older-than=90", []string{"--older-than 90:", "90d"}},
		{"argument too many to version", "version 2", []string{`"2"`}},
		{"argument too many to runs list", "runs list 3", []string{`"3"`}},
		{"runs show without a number", "runs show", []string{"an argument is missing: the number of a run", "'loadgrid runs show --help'"}},
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
	})
}
