package job_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
	"github.com/loadgrid/loadgrid/loader/job"
)

func TestParseDistribute(t *testing.T) {
	for text, want := range map[string]int{"hash": 0, "hash:1": 1, "hash:64000": 64000} {
		if d, shards, err := job.ParseDistribute(text); err != nil || d != job.DistributeHash || shards != want {
			t.Errorf("%s is %q with %d shards, %v, want %d", text, d, shards, err, want)
		}
	}

	for _, text := range []string{"", "Hash", "range", "hash:", "hash:0", "hash:-1", "hash:64001", "hash:8:2", "hash:x", "8"} {
		if d, shards, err := job.ParseDistribute(text); err == nil {
			t.Errorf("%q is %q with %d shards, want an error", text, d, shards)
		}
	}
}

func TestParseParent(t *testing.T) {
	for text, want := range map[string]int{"parent:1": 1, "parent:6": 6, "parent:30": 30} {
		if levels, err := job.ParseParent(text); err != nil || levels != want {
			t.Errorf("%s is %d, %v, want %d", text, levels, err, want)
		}
	}

	for _, text := range []string{"", "parent", "parent:", "parent:0", "parent:31", "parent:-2", "cell_id:3", "6"} {
		if levels, err := job.ParseParent(text); err == nil {
			t.Errorf("%q is %d, want an error", text, levels)
		}
	}
}

func TestDistributionsThatContradict(t *testing.T) {
	hash := func(change func(*loader.Job)) func(*loader.Job) {
		return func(j *loader.Job) {
			j.Distribute = loader.DistributeHash
			change(j)
		}
	}

	for name, tt := range map[string]struct {
		change func(*loader.Job)
		param  string
	}{
		"another method":          {func(j *loader.Job) { j.Distribute = "range" }, "distribute"},
		"shards without a method": {func(j *loader.Job) { j.Shards = 4 }, "distribute"},
		"too many shards":         {hash(func(j *loader.Job) { j.Shards = job.MaxShards + 1 }), "distribute"},
		"negative shards":         {hash(func(j *loader.Job) { j.Shards = -1 }), "distribute"},
		"partitions":              {hash(func(j *loader.Job) { j.Partitions = 2 }), "distribute"},
		"index on the code": {hash(func(j *loader.Job) {
			j.Grid, j.Cols, j.Rows, j.Code, j.CodeIndex = geomgen.Tiles(2), 0, 0, geomgen.Quadkey, true
		}), "distribute"},
		"colocated, not spread":    {func(j *loader.Job) { j.ColocateWith.Name = "t" }, "colocate-with"},
		"colocated, with shards":   {hash(func(j *loader.Job) { j.ColocateWith.Name, j.Shards = "t", 4 }), "colocate-with"},
		"colocated with no name":   {hash(func(j *loader.Job) { j.ColocateWith.Schema = "s" }), "colocate-with"},
		"parents, not spread":      {func(j *loader.Job) { j.ParentLevels = 3 }, "distribute-by"},
		"parents too far above":    {hash(func(j *loader.Job) { j.ParentLevels = 31 }), "distribute-by"},
		"parents and a column":     {hash(func(j *loader.Job) { j.ParentLevels, j.IDColumn = 3, "parent" }), "id-column"},
		"parents and their column": {hash(func(j *loader.Job) { j.ParentLevels, j.Set = 3, []loader.Constant{{Name: "parent", Value: "x"}} }), "set"},
	} {
		t.Run(name, func(t *testing.T) {
			j := plainJob()
			tt.change(&j)

			var param *geomgen.ParamError
			if err := j.WithDefaults().Validate(); !errors.As(err, &param) || param.Param != tt.param {
				t.Errorf("got %v, want an error about %s", err, tt.param)
			}
		})
	}
}

func TestKeyColumns(t *testing.T) {
	j := plainJob().WithDefaults()
	if got := j.KeyColumns(); !slices.Equal(got, []string{"cell_id"}) {
		t.Errorf("the key is %v, want the id", got)
	}

	j.Distribute, j.ParentLevels = loader.DistributeHash, 5
	if got := j.KeyColumns(); !slices.Equal(got, []string{"parent", "cell_id"}) {
		t.Errorf("the key is %v, want parent and id", got)
	}

	if got := j.Columns(); !slices.Equal(got, []string{"cell_id", "col", "row", "geom", "parent"}) {
		t.Errorf("the columns are %v", got)
	}
}
