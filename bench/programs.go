package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// programs are the other programs that the benchmark runs.
type programs struct {
	loadgrid string            // the program
	python   string            // the interpreter that Debian's packages are for
	peers    string            // the folder of the peers' scripts
	versions map[string]string // of the peers' packages that are installed
}

// peerPackages are the Debian packages of the peers, which setup.sh installs.
var peerPackages = [...]string{"gdal-bin", "python3-shapely", "python3-psycopg", "python3-psycopg2", "python3-geopandas", "python3-geoalchemy2"}

func findPrograms(ctx context.Context, loadgrid, peers string) programs {
	p := programs{loadgrid: loadgrid, python: "/usr/bin/python3", peers: peers, versions: map[string]string{}}
	for _, name := range peerPackages {
		out, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${Status} ${Version}", name).Output()
		if version, ok := strings.CutPrefix(string(out), "install ok installed "); err == nil && ok {
			p.versions[name] = version
		}
	}
	return p
}

func (p programs) has(packages ...string) bool {
	for _, name := range packages {
		if p.versions[name] == "" {
			return false
		}
	}
	return true
}

// runProcess runs a program to its end, in the environment env, or in this
// process's own if env is nil. It returns the program's output on stdout and
// stderr, and its greatest memory in bytes.
func runProcess(ctx context.Context, env []string, name string, args ...string) (stdout, stderr string, maxRSS int64, err error) {
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &errs
	if err := cmd.Start(); err != nil {
		return "", "", 0, fmt.Errorf("%s: %w", name, err)
	}

	memory := watchMemory(cmd.Process.Pid)
	err = cmd.Wait()
	maxRSS = memory.end()
	if err != nil {
		return "", "", 0, fmt.Errorf("%s: %w\n%s", name, err, errs.String())
	}

	return out.String(), errs.String(), maxRSS, nil
}

// timedByPython runs a script that prints its own time in seconds, without the
// start of the interpreter and the imports.
func (p programs) timedByPython(ctx context.Context, env []string, script string, args ...string) (sample, error) {
	out, _, maxRSS, err := runProcess(ctx, env, p.python, append([]string{filepath.Join(p.peers, script)}, args...)...)
	if err != nil {
		return sample{}, err
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
	if err != nil {
		return sample{}, fmt.Errorf("%s should have printed its seconds: %w", script, err)
	}
	return sample{Seconds: seconds, MaxRSS: maxRSS}, nil
}
