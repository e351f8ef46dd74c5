package plan

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/job"
)

func TestStepsAreChecked(t *testing.T) {
	theJob := job.Job{Table: job.Table{Name: "t"}, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 1, Rows: 1}
	for reason, change := range map[string]func(*job.Job){
		"statement 2 of 3, line 2, column 2: it runs in the publishing transaction": func(j *job.Job) { j.After = "select 1;\n commit; select 2" },
		"statement 1 of 1, line 3, column 1: it runs in":                            func(j *job.Job) { j.After = "-- a\n/* b */\nROLLBACK to x" },
		"copy needs a program":         func(j *job.Job) { j.Before = "copy t from STDIN" },
		"has no statement":             func(j *job.Job) { j.After = " ; -- x" },
		"needs SQL: after":             func(j *job.Job) { j.AfterTimeout = time.Second },
		"must lie between 1ms and 596": func(j *job.Job) { j.Before, j.BeforeTimeout = "select 1", 1000*time.Hour },
		"line 2, column 3: the comment has no end": func(j *job.Job) {
			j.After = "select 1; /* a /* b */ */\n  /* see /* */ below\ncomment on table {{table}} is 'x'"
		},
		"line 1, column 1: the comment has no end":             func(j *job.Job) { j.Before = "/*" },
		"line 1, column 17: the only placeholder is {{table}}": func(j *job.Job) { j.After = "grant select on {{ table }} to public" },
		"column 15: the only placeholder is":                   func(j *job.Job) { j.After = "select * from {{tabel}}" },
		"column 17: write the placeholder {{table":             func(j *job.Job) { j.After = "select cell_at('{{table }}', g) from {{table}}" },
		"line 2, column 33: variables are not expanded":        func(j *job.Job) { j.Before = "select 1;\ngrant select on {{table}} to x, ${ROLE}" },
		"cannot contain zero bytes":                            func(j *job.Job) { j.Before = "select '\x00'" },
	} {
		j := theJob
		change(&j)
		_, err := New(t.Context(), j)
		if !errors.As(err, new(*job.SQLError)) && !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), reason) {
			t.Errorf("want an error of a parameter with %q, got %v", reason, err)
		}
	}

	theJob.Before, theJob.After = "begin; select 1; commit; copy t from '/srv/stdin' /* stdout */", "select 1; COPY (select 1) to program 'cat'; "+
		"select '{{a}} ${b}', $${{b}} ${c}$$, e'\\'${d}', \"{{e}}\" from {{table}} -- {{ table }} ${f}\n /* {{g}} /* */ */ where a = $1"
	if _, err := New(t.Context(), theJob); err != nil {
		t.Error(err)
	}
}
