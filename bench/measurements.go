package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/internal/localpg"
)

// measurements holds all measurements, as benchmarks.json keeps them.
type measurements struct {
	Machine machine  `json:"machine"`
	Results []result `json:"results"`
}

// machine describes the machine, and the versions of the programs.
type machine struct {
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Memory   string            `json:"memory"`
	System   string            `json:"system"`
	Versions map[string]string `json:"versions"`
	Missing  []string          `json:"missing,omitempty"` // packages of peers that did not run
}

func readMeasurements(file string) (*measurements, error) {
	m := new(measurements)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(b, m)
	}
	if err != nil {
		return nil, fmt.Errorf("reading earlier measurements: %w", err)
	}

	return m, nil
}

func (m *measurements) write(file string) error {
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// put replaces the earlier result of the same arm, and keeps the results in order:
// by the first character of the title, then small grids first, then the untuned
// server first.
func (m *measurements) put(r result) {
	if i := slices.IndexFunc(m.Results, func(o result) bool { return o.ID == r.ID }); i >= 0 {
		m.Results[i] = r
	} else {
		m.Results = append(m.Results, r)
	}
	slices.SortStableFunc(m.Results, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.Title[:1], b.Title[:1]), cmp.Compare(a.Cells, b.Cells), cmp.Compare(b.Server, a.Server))
	})
}

// get returns the result of an arm, or an empty one if it was not measured.
func (m *measurements) get(id string) result {
	for _, r := range m.Results {
		if r.ID == id {
			return r
		}
	}
	return result{ID: id}
}

func describeMachine(ctx context.Context, p programs) (machine, error) {
	m := machine{Cores: runtime.NumCPU(), Versions: map[string]string{"Go": strings.TrimPrefix(runtime.Version(), "go")}}
	m.CPU = lineOf("/proc/cpuinfo", "model name")
	m.Memory = lineOf("/proc/meminfo", "MemTotal")
	m.System = strings.Trim(lineOf("/etc/os-release", "PRETTY_NAME"), `"`)
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += ", Linux " + strings.TrimSpace(string(kernel))
	}

	inst, err := localpg.Find()
	if err == nil {
		m.Versions["PostgreSQL"], m.Versions["PostGIS"] = inst.Version, inst.PostGIS
	}

	out, _, _, err := runProcess(ctx, nil, p.loadgrid, "version")
	if err != nil {
		return m, err
	}

	_, version, _ := strings.Cut(strings.TrimSpace(out), " ")
	m.Versions["loadgrid"] = version

	// A program that was built from a checkout does not always know its commit.
	if commit, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty").Output(); err == nil {
		m.Versions["loadgrid"] += ", commit " + strings.TrimSpace(string(commit))
	}

	for _, name := range peerPackages {
		if p.versions[name] == "" {
			m.Missing = append(m.Missing, name)
			continue
		}
		m.Versions[name] = p.versions[name]
	}

	return m, nil
}

// lineOf returns the text after a name and = or a colon, in a file of lines.
func lineOf(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}

	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.Trim(rest, " \t\n:=")
		}
	}

	return ""
}
