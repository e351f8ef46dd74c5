package main

import (
	"strings"
	"testing"
)

func TestUnknownNames(t *testing.T) {
	for args, want := range map[string]string{
		"laod --table x":             `unknown command "laod": did you mean 'loadgrid load'?: see 'loadgrid --help'`,
		"laod":                       `unknown command "laod": did you mean 'loadgrid load'?`,
		"-v laod -q":                 `unknown command "laod": did you mean 'loadgrid load'?`,
		"rollback 3":                 `unknown command "rollback": did you mean 'loadgrid runs rollback'?`,
		"help laod":                  `unknown command "laod": did you mean 'loadgrid load'?`,
		"help runs shwo":             `unknown command "runs shwo": did you mean 'loadgrid runs show'?`,
		"help nothing like it":       `unknown command "nothing like it"`,
		"runs lst --json":            `unknown command "lst": did you mean 'loadgrid runs list'?: see 'loadgrid runs --help'`,
		"runs xyzzy":                 `unknown command "xyzzy": see`,
		"--table x":                  `unknown flag: --table: the command is missing, as in 'loadgrid load ...'`,
		"--verison":                  `unknown flag: --verison: did you mean --version?: see`,
		"load --tabel x":             `unknown flag: --tabel: did you mean --table?: see 'loadgrid load --help'`,
		"load --cell_size 1":         `did you mean --cell-size?`,
		"load -table x":              `unknown shorthand flag: 't' in -table: did you mean --table?`,
		"load --bbox 0,0,1,1":        `unknown flag: --bbox: did you mean --extent?`,
		"load -te 0,0,1,1":           `unknown shorthand flag: 't' in -te: did you mean --extent?`,
		"load --t_srs EPSG:3035":     `did you mean --srid?`,
		"load --overwrite":           `did you mean --if-exists replace?`,
		"load -U me":                 `did you mean --dsn?`,
		"load --dry-run":             `unknown flag: --dry-run: 'loadgrid plan' shows what load would do`,
		"uninstall --kept-versions":  `did you mean --kept?`,
		"runs list --size 3":         `unknown flag: --size: see`,
		"load --part 3":              `did you mean --partitions?`,
		"plan --keep 3":              `unknown flag: --keep: it is a flag of 'loadgrid demo' and 'loadgrid load'`,
		"load --nothing-like-it 3":   `unknown flag: --nothing-like-it: see`,
		"load --if-exists repalce":   `--if-exists repalce: must be fail, append or replace: did you mean "replace"?`,
		"load --if-exists REPLACE":   `did you mean "replace"?`,
		"load --shape hex":           `--shape hex: must be square, hexagon or xyz: did you mean "hexagon"?`,
		"load --index nothing":       `--index nothing: must be gist, brin, both or none` + "\n",
		"load --wait 30":             "--wait 30: must be a duration with its unit, such as 90s, 30m or 1h30m: write 30s for seconds, 30m for minutes or 30h for hours",
		"load --after-timeout=5":     "--after-timeout 5: must be a duration with its unit",
		"runs prune --older-than 90": "--older-than 90: must be an age",
		"preview":                    "preview needs a table to draw: set --table [SCHEMA.]NAME: see 'loadgrid preview --help'",
		"load --layer districts":     `unknown flag: --layer: did you mean --aoi-layer?`,
		"load -t grid":               `did you mean --table?`,
		"runs hold --table grid":     `unknown flag: --table: write the table without a flag, as in 'loadgrid runs hold stats.grid'`,
		"runs hold grid -m bad":      `did you mean --reason?`,
		"uninstall -y":               `did you mean --yes?`,
		"uninstall --force":          `unknown flag: --force: did you mean --yes?`,
		"export --table grid":        `unknown command "export": export the table with ogr2ogr or psql, as in docs/maps.md`,
		"load grid --cell-size 1":    `unexpected argument "grid": if it is the table, write --table grid`,
		"load --aoi-where name = x":  `unexpected argument "=": if it belongs to the value of --aoi-where, quote the whole value`,
		"runs rollback grid":         `"grid" is not the number of a run: 'loadgrid runs list' shows the numbers`,
		"runs rollback":              `an argument is missing: the number of a run, which 'loadgrid runs list' shows`,
		"runs show 1 2":              `unexpected argument "2": the command takes only one: the number of a run`,
		"runs hold":                  `an argument is missing: the name of the table, as [SCHEMA.]TABLE`,
		"load --cell-size 1":         `--table (none): a load needs a table: give its name as [SCHEMA.]NAME`,
		"load -v -q":                 "--quiet conflicts with --verbose",
	} {
		code, stdout, stderr := call(t.Context(), strings.Fields(args)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, stdout %q", args, code, stdout)
		}
		if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%s: %q, want %q", args, stderr, want)
		}
	}
}

func TestVersionFlag(t *testing.T) {
	_, want, _ := call(t.Context(), "version")
	if code, stdout, stderr := call(t.Context(), "--version"); code != exitDone || stdout != want || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q, want %q", code, stdout, stderr, want)
	}
}
