package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BinDirVariable is the environment variable that names the directory of the PostgreSQL programs to
// use. If it is set, Find looks nowhere else.
const BinDirVariable = "LOADGRID_PG_BINDIR"

// The oldest versions that loadgrid supports.
const (
	minPostgres = "13"
	minPostGIS  = "3.1"
)

// ErrNotInstalled is the error of Find if no installed PostgreSQL can be used. The wrapping error
// lists what was found and what it lacks.
var ErrNotInstalled = errors.New("no PostgreSQL with PostGIS is installed")

// Installation is an installed PostgreSQL server that has the PostGIS extension
// files.
type Installation struct {
	BinDir  string // the directory with initdb, postgres and pg_ctl
	Version string // PostgreSQL's version, such as 15.18
	PostGIS string // PostGIS's version, such as 3.3.2
}

// Find returns the newest usable installation. It looks in LOADGRID_PG_BINDIR and in the
// directories of Debian, RHEL, Homebrew and Postgres.app, and asks the pg_config on the PATH. If
// there is none, and on Windows, the error wraps ErrNotInstalled.
func Find() (Installation, error) {
	if !canServe {
		return Installation{}, fmt.Errorf("%w that loadgrid can start: it starts no server on Windows", ErrNotInstalled)
	}

	return finder{root: "/", getenv: os.Getenv, lookPath: exec.LookPath}.find()
}

// finder looks for installations below root.
type finder struct {
	root     string
	getenv   func(string) string
	lookPath func(string) (string, error)
}

// binDirPatterns are the directories of PostgreSQL's programs in packages, relative to the root.
var binDirPatterns = [...]string{
	"usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"usr/pgsql-*/bin",                                   // RHEL, from PostgreSQL's own packages
	"opt/homebrew/opt/postgresql*/bin",                  // Homebrew
	"usr/local/opt/postgresql*/bin",                     // Homebrew on Intel
	"home/linuxbrew/.linuxbrew/opt/postgresql*/bin",     // Homebrew on Linux
	"Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
}

func (f finder) find() (Installation, error) {
	var found []Installation
	var lacking []string

	for _, dir := range f.binDirs() {
		inst, err := f.inspect(dir)
		if err != nil {
			lacking = append(lacking, err.Error())
			continue
		}

		found = append(found, inst)
	}

	if len(found) == 0 {
		if len(lacking) == 0 {
			return Installation{}, fmt.Errorf("%w (to use one elsewhere, set %s)", ErrNotInstalled, BinDirVariable)
		}

		return Installation{}, fmt.Errorf("%w: %s", ErrNotInstalled, strings.Join(lacking, "; "))
	}

	return slices.MaxFunc(found, func(a, b Installation) int {
		return compareVersions(a.Version, b.Version)
	}), nil
}

// binDirs lists the directories that may hold a server, each once.
func (f finder) binDirs() []string {
	if dir := f.getenv(BinDirVariable); dir != "" {
		return []string{dir}
	}

	var dirs []string

	for _, pattern := range binDirPatterns {
		// The patterns are constant and well formed, so Glob cannot fail.
		matches, _ := filepath.Glob(filepath.Join(f.root, pattern))
		dirs = append(dirs, matches...)
	}

	if config, err := f.lookPath("pg_config"); err == nil {
		if dir, err := queryProgram(config, "--bindir"); err == nil {
			dirs = append(dirs, dir)
		}
	}

	var unique []string
	seen := map[string]bool{}

	for _, dir := range dirs {
		real, err := filepath.EvalSymlinks(dir)
		if err != nil || seen[real] {
			continue
		}

		seen[real] = true
		// A directory with client programs only is not a server, and needs no message.
		if isProgram(filepath.Join(dir, "postgres")) {
			unique = append(unique, dir)
		}
	}

	return unique
}

// inspect returns the installation in dir, or an error that says what it lacks.
func (f finder) inspect(dir string) (Installation, error) {
	for _, name := range []string{"postgres", "initdb", "pg_ctl"} {
		if !isProgram(filepath.Join(dir, name)) {
			return Installation{}, fmt.Errorf("%s: it has no %s", dir, name)
		}
	}

	answer, err := queryProgram(filepath.Join(dir, "postgres"), "--version")
	if err != nil {
		return Installation{}, err
	}

	inst := Installation{BinDir: dir, Version: firstVersion(answer)}
	if compareVersions(inst.Version, minPostgres) < 0 {
		return Installation{}, fmt.Errorf("%s is PostgreSQL %s, but %s or newer is needed", dir, inst.Version, minPostgres)
	}

	for _, share := range f.shareDirs(dir, inst.Version) {
		control, err := os.ReadFile(filepath.Join(share, "extension", "postgis.control"))
		if err != nil {
			continue
		}

		inst.PostGIS = defaultVersion(string(control))
		if compareVersions(inst.PostGIS, minPostGIS) < 0 {
			return Installation{}, fmt.Errorf("%s has PostGIS %s, but %s or newer is needed", dir, inst.PostGIS, minPostGIS)
		}

		return inst, nil
	}

	return Installation{}, fmt.Errorf("%s (PostgreSQL %s) lacks PostGIS", dir, inst.Version)
}

// shareDirs lists the directories that may have the server's extension files. The server's own
// pg_config knows them, but Debian packages pg_config separately.
func (f finder) shareDirs(binDir, version string) []string {
	if config := filepath.Join(binDir, "pg_config"); isProgram(config) {
		if dir, err := queryProgram(config, "--sharedir"); err == nil {
			return []string{dir}
		}
	}

	major, _, _ := strings.Cut(version, ".")

	return []string{
		filepath.Join(f.root, "usr/share/postgresql", major),
		filepath.Join(binDir, "../share/postgresql"),
		filepath.Join(binDir, "../share"),
	}
}

// queryProgram runs a program of PostgreSQL that prints one line about itself.
func queryProgram(program, flag string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, flag).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", program, flag, err)
	}

	return strings.TrimSpace(string(out)), nil
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

var (
	versionPattern = regexp.MustCompile(`\d+(\.\d+)*`)
	controlPattern = regexp.MustCompile(`(?m)^\s*default_version\s*=\s*'([^']*)'`)
)

// firstVersion extracts 15.18 from "postgres (PostgreSQL) 15.18 (Debian ...)".
func firstVersion(s string) string {
	return versionPattern.FindString(s)
}

// defaultVersion reads default_version from an extension's control file.
func defaultVersion(control string) string {
	if m := controlPattern.FindStringSubmatch(control); m != nil {
		return m[1]
	}
	return ""
}

// compareVersions compares number by number: 9.6 is older than 13.1.
func compareVersions(a, b string) int {
	return slices.Compare(versionNumbers(a), versionNumbers(b))
}

func versionNumbers(s string) []int {
	var numbers []int
	for part := range strings.SplitSeq(firstVersion(s), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}

		numbers = append(numbers, n)
	}

	return numbers
}
