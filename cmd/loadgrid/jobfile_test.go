package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeJobs writes a job file, and returns its name.
func writeJobs(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "jobs.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	return name
}

// callJobs runs loadgrid with a job file, which is called jobs.yaml in the output.
func callJobs(t testing.TB, text string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	name := writeJobs(t, text)
	code, stdout, stderr = call(t.Context(), append(args, "--job", name)...)
	return code, stdout, strings.ReplaceAll(stderr, name, "jobs.yaml")
}

func TestBadJobs(t *testing.T) {
	clearEnv(t)
	t.Setenv("LOADGRID_DSN", unusedServer(t))

	const grid = "table: g\ncell-size: 1\ncols: 2\nrows: 3\n"
	const two = "jobs:\n- {table: a, cell-size: 1, cols: 1, rows: 1}\n- {table: b, cell-size: 0, cols: 1, rows: 1}\n"
	for _, tt := range []struct {
		name, text, args, want string
	}{
		{"unknown key", "cell_size: 1\n", "", `jobs.yaml:1:1: unknown key "cell_size": did you mean "cell-size"?`},
		{"a value that its flag refuses", "table: g\ncell-size: -5\ncols: 1\nrows: 1\n", "", "jobs.yaml:2:12: cell-size -5: must be "},
		{"a string that its flag refuses", "table: g\ncell-size: 1,a\ncols: 1\nrows: 1\n", "", `jobs.yaml:2:12: cell-size 1,a: must be one size`},
		{"a table that is refused", "cell-size: 1\ntable: a.b.c\ncols: 1\nrows: 1\n", "", "jobs.yaml:2:8: table a.b.c: "},
		{"an element of a list", grid + "set:\n  - a=1\n  - b\n", "", "jobs.yaml:7:5: set b: "},
		{"two values that contradict", grid + "zoom: 3\n", "", "jobs.yaml:5:7: zoom 3: needs shape xyz"},
		{"a number too large for its flag", "table: t\nshape: xyz\nzoom: 3000000000\n", "", "jobs.yaml:3:7: zoom 3000000000: must be a whole number from 0 to 30"},
		{"what is missing", "\ntable: g\ncols: 1\nrows: 1\n", "", "jobs.yaml:2:1: cell-size (none): is required"},
		{"no table", "cell-size: 1\ncols: 1\nrows: 1\n", "", `jobs.yaml:1:1: table (none): a load needs a table`},
		{"the flag is wrong", grid, "--cell-size=-5", "--cell-size -5: must be "},
		{"the flag is wrong, of several", two, "--cell-size=-5", "job a: --cell-size -5: must be "},
		{"the last of several", two, "", "jobs.yaml:3:25: job b: cell-size 0: must be "},
		{"several, each in its job", strings.ReplaceAll(two, "size: 1", "size: 0"), "", "jobs.yaml:2:25: job a: cell-size 0: must be greater than 0 and finite; 3:25: job b: cell-size 0: must be greater than 0 and finite\n"},
		{"several, in the defaults", "defaults: {cell-size: 0, cols: 1, rows: 1}\njobs: [{table: a}, {table: b}]", "", "jobs.yaml:1:23: job a: cell-size 0: must be greater than 0"},
		{"a connection string", grid + "dsn: host=h port=x\n", "", "jobs.yaml:5:6: dsn (not shown): invalid port"},
		{"not the one that is chosen", two, "--only=b", "jobs.yaml:3:25: job b: cell-size 0: must be "},
		{"index", grid + "index: both\nkeep: -1\n", "", "jobs.yaml:6:7: keep -1: must be a whole number from 0 to 100"},
		{"timeout", grid + "after: select 1\nafter-timeout: 0s\n", "", "jobs.yaml:6:16: after-timeout 0s: "},
		{"age", grid + "prune-runs: soon\n", "", "jobs.yaml:5:13: prune-runs soon: must be an age"},
		{"a file of an area", grid + "aoi: missing.wkt\n", "", "jobs.yaml:5:6: aoi "},
		{"a variable that is not set", grid + "dsn: host=${LOADGRID_TEST_NOT}\n", "", "jobs.yaml:5:6: dsn needs the variable LOADGRID_TEST_NOT, which is not set"},
		{"a password that is not set", grid + "password: ${LOADGRID_TEST_NOT}\n", "", "jobs.yaml:5:11: password needs the variable LOADGRID_TEST_NOT"},
		{"a file of a password", grid + "password: file:missing\n", "", "jobs.yaml:5:11: password is in file missing, which cannot be read: no such file"},
		{"only unknown", two, "--only=c", `--only c: is not a job in jobs.yaml, which has a, b`},
		{"only nearly known", "jobs: [{table: berlin}, {table: bonn}]", "--only=berlim", `--only berlim: is not a job in jobs.yaml: did you mean "berlin"?`},
		{"a file of metrics that nobody reads", grid + "metrics-textfile: a.txt\n", "", "jobs.yaml:5:19: metrics-textfile "},
		{"a file of metrics for several", "defaults: {cell-size: 1, cols: 1, rows: 1, metrics-textfile: a.prom}\njobs: [{table: a}, {table: b}]\n", "", "jobs.yaml:1:62: job b: metrics-textfile "},
		{"a file of metrics for several, by a flag", "defaults: {cell-size: 1, cols: 1, rows: 1}\njobs: [{table: a}, {table: b}]\n", "--metrics-textfile=a.prom", "job b: --metrics-textfile a.prom: would hold several jobs, but a file holds only one: put {job} into its name"},
		{"a table for several", "jobs: [{table: berlin}, {table: bonn}]", "--table=x", "--table x: works with one job only, and there are 2: choose one with --only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, command := range []string{"load", "plan"} {
				if command == "plan" && strings.Contains("a file of metrics that nobody reads, a file of metrics for several, a file of metrics for several, by a flag, several, each in its job, a connection string, a variable that is not set, a password that is not set, a file of a password, ", tt.name+", ") {
					continue
				}

				args := append([]string{command}, strings.Fields(tt.args)...)
				code, stdout, stderr := callJobs(t, tt.text, args...)
				if code != exitUsage {
					t.Errorf("%s: exit code %d, should be %d", command, code, exitUsage)
				}
				if command == "load" && stdout != "" {
					t.Errorf("stdout should be empty: %q", stdout)
				}

				checkOneLine(t, stderr, "loadgrid: "+tt.want)
			}
		})
	}
}

func TestJobFileThatIsNotThere(t *testing.T) {
	for args, want := range map[string]string{
		"load --job=missing.yaml": "--job missing.yaml: cannot be read: no such file", "plan --job=": `--job "": the name is empty`, "load --job=.": "--job .: cannot be read: is a directory",
		"load --only=a": "--only a: needs a job file: --job", "load --keep-going": "--keep-going true: needs a job file", "plan --only=a": "needs a job file",
		"job check missing.yaml": "--job missing.yaml: cannot be read", "job check": "see 'loadgrid job check --help'",
	} {
		code, stdout, stderr := call(t.Context(), strings.Fields(args)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, stdout %q", args, code, stdout)
		}
		checkOneLine(t, stderr, want)
	}
}

// The log format of the file applies to its own mistakes.
func TestAMistakeOfTheLogItself(t *testing.T) {
	code, _, stderr := callJobs(t, "table: g\ncell-size: 1\ncols: 1\nrows: 1\nprogress: bar\nlog-format: json\n", "load")
	if code != exitUsage || !strings.HasPrefix(stderr, "{") || !strings.Contains(stderr, `"msg":"jobs.yaml:5:11: progress bar: conflicts with log-format json`) {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// prepareJob returns a job of a file, merged with flags of load.
func prepareJob(t *testing.T, text string, args ...string) *preparedJob {
	t.Helper()
	cmd := newLoadCommand()
	if err := cmd.ParseFlags(append(args, "--job", writeJobs(t, text))); err != nil {
		t.Fatal(err)
	}

	flags := givenValues(cmd)
	set, err := openJobs(t.Context(), jobFileOptions{file: flags.Text("job")}, flags, "loadgrid load", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}

	p, err := set.prepare(t.Context(), set.jobs[0], true)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// connection returns the host that a job connects to, and the password.
func connection(t *testing.T, p *preparedJob) string {
	t.Helper()
	config, err := p.options.server.config(1)
	if err != nil {
		t.Fatal(err)
	}
	return config.ConnConfig.Host + " " + config.ConnConfig.Password
}

// If both the command line and the file set an option, the command line wins, also for lists.
func TestAFlagWinsOverTheFile(t *testing.T) {
	clearEnv(t)
	text := `
table: file
cell-size: 1
extent: [0, 0, 1, 1]
srid: 3035
set: [a=1, b=2]
wait: 5s
rotate: 30
coverage: false
dsn: host=file
password: ${LOADGRID_TEST_PW}
keep: 3
if-exists: replace
`

	t.Setenv("LOADGRID_TEST_PW", secret)
	p := prepareJob(t, text)
	if p.options.job.Table.Name != "file" || p.options.job.Grid.DX != 1 || p.options.job.Extent == nil || len(p.options.job.Set) != 2 || p.options.run.Wait.Seconds() != 5 ||
		connection(t, p) != "file "+secret || p.options.run.JobName != "file" {
		t.Errorf("the file's job is %+v, options %+v", p.options.job, p.options.run)
	}

	p = prepareJob(t, text, "--table=line", "--cell-size=2,3", "--cols=4", "--rows=5", "--srid=EPSG:3857", "--set=c=x,y", "--set=d=4", "--wait=7s", "--rotate=0", "--dsn=host=line", "--keep=0")
	if p.options.job.Table.Name != "line" || p.options.job.Grid.DX != 2 || p.options.job.Grid.DY != 3 || p.options.job.Extent != nil || p.options.job.Cols != 4 || p.options.job.Grid.SRID != 3857 || p.options.job.Grid.Rotate != 0 ||
		len(p.options.job.Set) != 2 || p.options.job.Set[0].Name != "c" || p.options.job.Set[0].Value != "x,y" || p.options.run.Wait.Seconds() != 7 || p.options.job.Keep != 0 || p.options.job.IfExists != "replace" {
		t.Errorf("beside flags the job is %+v, options %+v", p.options.job, p.options.run)
	}

	if connection(t, p) != "line " {
		t.Error("the file's password goes to the server of the command line")
	}

	t.Setenv("LOADGRID_DSN", "host=environment")
	if p = prepareJob(t, "table: a\ncell-size: 1\ncols: 1\nrows: 1\npassword: ${LOADGRID_TEST_PW}"); connection(t, p) != "environment "+secret {
		t.Error("the file's password does not go with LOADGRID_DSN")
	}

	for dsn, want := range map[string]string{
		"postgres://me:a@h/d": "h a", "postgres://me@h/d": "h " + secret, "postgres://h/d?password=a": "h a", "host=h password=a": "h a", "password = 'a b' host=h": "h a b", "host=h sslpassword=a": "h " + secret,
	} {
		t.Setenv("LOADGRID_DSN", dsn)
		if p = prepareJob(t, "table: a\ncell-size: 1\ncols: 1\nrows: 1\npassword: ${LOADGRID_TEST_PW}"); connection(t, p) != want {
			t.Errorf("%s connects with another password", dsn)
		}
	}
}

func TestAFileOfAnAreaIsBesideTheJobFile(t *testing.T) {
	dir := t.TempDir()
	const job = "table: a\ncell-size: 1\naoi: area.wkt\n"
	for name, text := range map[string]string{"jobs.yaml": job, "area.wkt": "POLYGON((0 0,2 0,2 3,0 3,0 0))"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	t.Chdir(t.TempDir()) // a scheduler's
	const other = "POLYGON((0 0,1 0,1 1,0 1,0 0))"
	if err := os.WriteFile("other.wkt", []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}

	file := filepath.Join(dir, "jobs.yaml")
	for _, tt := range []struct {
		stdin, args, want string
	}{
		{"", "--job " + file, "rows      20\n"}, // with those that it touches
		{"", "--aoi-rule within --job " + file, "rows      6\n"},
		{"", "--aoi other.wkt --aoi-rule within --job " + file, "rows      1\n"},
		{other, "--aoi - --aoi-rule within --job " + file, "rows      1\n"},
		{strings.ReplaceAll(job, "area.wkt", "other.wkt"), "--aoi-rule within --job -", "rows      1\n"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"plan"}, strings.Fields(tt.args)...), strings.NewReader(tt.stdin), &stdout, &stderr)
		if code != exitDone || !strings.Contains(stdout.String(), tt.want) {
			t.Errorf("%s: exit code %d, %s%s", tt.args, code, stdout.String(), stderr.String())
		}
	}

	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"plan", "--job", "-"}, strings.NewReader("table: a\ncell-size: 1\naoi: '-'\n"), &stdout, &stderr)
	if code != exitUsage || !strings.Contains(stderr.String(), "stdin:3:6: aoi -: conflicts with job -") {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
}

// Each job can use an area on stdin.
func TestAnAreaOnStdinForSeveralJobs(t *testing.T) {
	file := writeJobs(t, "defaults: {cell-size: 1, aoi: '-', aoi-rule: within}\njobs: [{table: a}, {table: b}]")
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"plan", "--job", file}, strings.NewReader("POLYGON((0 0,2 0,2 3,0 3,0 0))"), &stdout, &stderr)
	if code != exitDone || strings.Count(stdout.String(), "rows      6\n") != 2 {
		t.Errorf("exit code %d, %s%s", code, stdout.String(), stderr.String())
	}
}

// No output ever shows a password. call checks what it returns.
func TestAJobsSecretsNeverLeak(t *testing.T) {
	clearEnv(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	t.Setenv("LOADGRID_TEST_PW", secret)
	t.Setenv("LOADGRID_TEST_URL", "postgresql://me:"+secret+"@127.0.0.1:1/gis?connect_timeout=1")
	t.Setenv("LOADGRID_TEST_BAD", "postgresql://me:a@"+secret+"@/#127.0.0.1:1/gis")

	for _, line := range []string{
		"password: " + secret, "password: [" + secret + "]", "password: {" + secret + ": " + secret + "}", "password: *" + secret, "password: &" + secret + " x", "password: !" + secret + " x",
		"password: '" + secret, "password: \"" + secret + "\\q\"", "password: @" + secret, "password: " + secret + "${LOADGRID_TEST_PW}", "password: ${LOADGRID_TEST_PW", "password: file:" + secret + "\x00",
		"password: ${LOADGRID_TEST_PW}\ndsn: host=127.0.0.1 port=1", "password: file:" + dir + "/pw\ndsn: postgres://me@127.0.0.1:1/gis", "password: ${LOADGRID_TEST_PW}\ndsn: host=127.0.0.1 port=x",
		"dsn: ${LOADGRID_TEST_URL}", "dsn: ${LOADGRID_TEST_BAD}", "dsn: file:" + dir + "/pw", "dsn: ${LOADGRID_TEST_PW}", "dsn: postgres://me:${LOADGRID_TEST_PW}@127.0.0.1:1/gis",
		"dsn: host=127.0.0.1 port=1 password='${LOADGRID_TEST_PW}", "dsn: ${LOADGRID_TEST_URL}x${LOADGRID_TEST_PW}", "dsn: host=127.0.0.1 ${LOADGRID_TEST_PW}",
		"dsn: postgres://me:" + secret + "@127.0.0.1:1/gis", "dsn: [postgres://me:" + secret + "@127.0.0.1:1/gis]", "postgres://me:" + secret + "@127.0.0.1:1/gis: x",
	} {
		for _, args := range [][]string{{"load"}, {"load", "--progress", "json"}, {"plan", "--if-exists", "append"}} {
			code, _, stderr := callJobs(t, "table: a\ncell-size: 1\ncols: 1\nrows: 1\n"+line+"\n", args...)
			if code != exitUsage && code != exitFailed || stderr == "" {
				t.Errorf("%s: exit code %d, %q", line, code, stderr)
			}
		}
	}
}
