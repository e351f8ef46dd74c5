package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader"
)

// cellFlags are the flags that load, plan and dump share: which rows there are.
type cellFlags struct {
	grid    gridFlags
	area    areaFlags
	columns columnFlags
	codes   codeFlags
}

func (f *cellFlags) register(cmd *cobra.Command) {
	f.grid.register(cmd)
	f.area.register(cmd)
	f.columns.register(cmd)
	f.codes.register(cmd)
}

// job returns a job for the table with what the flags say.
func (f *cellFlags) job(cmd *cobra.Command, table loader.Table) (loader.Job, error) {
	job := loader.Job{Table: table}
	for _, apply := range []func(*cobra.Command, *loader.Job) error{f.grid.apply, f.area.apply, f.columns.apply, f.codes.apply} {
		if err := apply(cmd, &job); err != nil {
			return job, err
		}
	}

	return job, nil
}

// checkPositive refuses a zero or negative number that somebody gave; not given, a
// flag leaves its default to the job.
func checkPositive(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		f := cmd.Flags().Lookup(name)
		if n, err := strconv.ParseInt(f.Value.String(), 10, 64); f.Changed && (err != nil || n < 1) {
			return &geomgen.ParamError{Param: name, Value: f.Value.String(), Reason: "must be at least 1"}
		}
	}

	return nil
}

// parseNumbers reads a list of numbers separated by commas.
func parseNumbers(param, s string, least, most int) ([]float64, error) {
	parts := strings.Split(s, ",")
	if len(parts) < least || len(parts) > most {
		want := strconv.Itoa(least)
		if most != least {
			want += " or " + strconv.Itoa(most)
		}
		return nil, &geomgen.ParamError{Param: param, Value: s, Reason: fmt.Sprintf("must be %s numbers separated by commas", want)}
	}

	list := make([]float64, len(parts))
	for i, p := range parts {
		f, err := strconv.ParseFloat(strings.TrimSpace(p), 64)
		if err != nil {
			return nil, &geomgen.ParamError{Param: param, Value: s, Reason: fmt.Sprintf("%q is no number", p)}
		}
		list[i] = f
	}

	return list, nil
}

// parseAge reads an age as people give it: a number of days or weeks, or what Go
// takes for a duration.
func parseAge(param, s string) (time.Duration, error) {
	bad := func(reason string) (time.Duration, error) {
		if s == "" {
			s = `""`
		}
		return 0, &geomgen.ParamError{Param: param, Value: s, Reason: reason}
	}

	for unit, hours := range map[string]float64{"d": 24, "w": 7 * 24} {
		number, ok := strings.CutSuffix(s, unit)
		if !ok {
			continue
		}

		n, err := strconv.ParseFloat(number, 64)
		age := n * hours * float64(time.Hour)
		if err != nil || !(age >= float64(time.Second)) || age > math.MaxInt64 {
			return bad(fmt.Sprintf("must be an age such as 90d, 2w or 12h, at least a second, at most %dd", math.MaxInt64/int64(24*time.Hour)))
		}

		return time.Duration(age), nil
	}

	age, err := time.ParseDuration(s)
	if err != nil || age < time.Second {
		return bad("must be an age such as 90d, 2w or 12h, at least a second")
	}
	return age, nil
}

// errorWithoutPath returns an error of the file system without the name of the file.
func errorWithoutPath(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// quoteEmpty returns a value, or quotes where it is empty, for messages.
func quoteEmpty(s string) string {
	if s == "" {
		return `""`
	}
	return s
}
