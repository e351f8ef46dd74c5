package localpg

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

//go:embed install_debian.sh
var installScript string

// aptOptions make apt-get ask nothing, keep the configuration files that exist,
// and wait for another apt-get to finish.
const aptOptions = "-o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef"

// aptTmp is where an installation works, whatever TMPDIR says: apt's own user
// must get there, and the packages' scripts fail where its path has a space.
const aptTmp = "/var/tmp"

// debian installs PostGIS from the packages of Debian or Ubuntu.
type debian struct {
	root   string // below which PostgreSQL's directories are looked for
	tmp    string // where the installation's own folder is made
	runner runner
	out    io.Writer
}

// install installs the packages. It neither creates nor starts a server for the
// whole machine, and leaves nothing but the packages. When ctx ends while
// packages are being configured, it waits for that to finish.
func (d debian) install(ctx context.Context) (err error) {
	if err := d.runner.authorise(ctx); err != nil {
		return err
	}

	before, err := d.clusters()
	if err != nil {
		return err
	}

	folder, err := os.MkdirTemp(d.tmp, "loadgrid-apt-*")
	if err != nil {
		return fmt.Errorf("make a folder for the installation: %w", err)
	}

	d.runner.folder = folder
	defer func() {
		// Root's files: the caller may be unable to remove them.
		err = errors.Join(err, d.runner.root(context.WithoutCancel(ctx), unstoppable, "rm", "-rf", folder))
	}()

	// Also after an error: what came half-way may have started something.
	return errors.Join(d.steps(ctx), d.verify(before))
}

// steps runs apt-get: the steps that need the network can be stopped at any
// time, the one that changes the machine runs to its end.
func (d debian) steps(ctx context.Context) error {
	// The downloads stay out of apt's cache, and so out of the reach of hooks
	// that empty it between two calls, as images have them.
	archives, temporary := filepath.Join(d.runner.folder, "archives"), filepath.Join(d.runner.folder, "tmp")

	// apt downloads and verifies as a user of its own.
	for dir, mode := range map[string]os.FileMode{
		d.runner.folder: 0o755, archives: 0o755, temporary: 0o777 | os.ModeSticky,
	} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, mode)); err != nil {
			return fmt.Errorf("make a folder for the installation: %w", err)
		}
	}

	get := append([]string{"-q", "-y", "-o", "Dir::Cache::archives=" + archives}, strings.Fields(aptOptions)...)
	fmt.Fprintln(d.out, "apt-get update ...")
	if err := d.runner.root(ctx, stoppable, "apt-get", append(get, "update")...); err != nil {
		return err
	}

	packages, err := d.choosePackages(ctx)
	if err != nil {
		return err
	}

	fmt.Fprintf(d.out, "apt-get install --no-install-recommends %s ... (a minute or two)\n", strings.Join(packages, " "))
	download := append(slices.Clone(get), "install", "--no-install-recommends", "--no-upgrade", "--download-only", "postgresql-common")
	if err := d.runner.root(ctx, stoppable, "apt-get", append(download, packages...)...); err != nil {
		return err
	}

	script := append([]string{"APT_OPTIONS=" + aptOptions, "ARCHIVES=" + archives, "ROOT=" + strings.TrimSuffix(d.root, "/"),
		"sh", "-c", installScript, "install_debian.sh"}, packages...)
	if err := d.runner.root(ctx, unstoppable, "env", script...); err != nil {
		return err
	}

	return ctx.Err()
}

var postgisPackage = regexp.MustCompile(`(?m)^postgresql-(\d+)-postgis-3\b`)

// choosePackages names the packages to install: for the newest PostgreSQL that is
// installed and that PostGIS is packed for, else the distribution's default.
func (d debian) choosePackages(ctx context.Context) ([]string, error) {
	list, err := d.runner.output(ctx, "apt-cache", "--names-only", "search", `^postgresql-[0-9]+-postgis-3$|^postgresql-postgis$`)
	if err != nil {
		return nil, err
	}

	var packed []string
	for _, match := range postgisPackage.FindAllStringSubmatch(list, -1) {
		packed = append(packed, match[1])
	}
	if len(packed) == 0 {
		return nil, errors.New("apt knows no package postgresql-<version>-postgis-3: check the sources of apt")
	}

	slices.SortFunc(packed, func(a, b string) int { return compareVersions(b, a) })
	for _, major := range packed {
		if isProgram(filepath.Join(d.root, "usr/lib/postgresql", major, "bin/postgres")) {
			return packagesFor(major), nil
		}
	}

	if regexp.MustCompile(`(?m)^postgresql-postgis\b`).MatchString(list) {
		return []string{"postgresql-postgis"}, nil
	}
	return packagesFor(packed[0]), nil
}

func packagesFor(major string) []string {
	name := "postgresql-" + major + "-postgis-3"
	return []string{name, name + "-scripts"}
}

// verify proves that no server for the whole machine has come into being.
func (d debian) verify(before []string) error {
	after, err := d.clusters()
	if err != nil {
		return err
	}

	for _, cluster := range after {
		if !slices.Contains(before, cluster) {
			return fmt.Errorf("the installation brought %s, which it should not have: pg_dropcluster removes a cluster", cluster)
		}
	}

	return nil
}

// clusters lists Debian's server configurations, and the servers that run with
// one: what pg_lsclusters would show.
func (d debian) clusters() ([]string, error) {
	configs, err := filepath.Glob(filepath.Join(d.root, "etc/postgresql/*/*"))
	if err != nil {
		return nil, fmt.Errorf("list the clusters: %w", err)
	}

	found := make([]string, 0, len(configs))
	for _, config := range configs {
		found = append(found, "the cluster "+config)
	}

	processes, err := filepath.Glob(filepath.Join(d.root, "proc/[0-9]*/cmdline"))
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}

	for _, process := range processes {
		line, err := os.ReadFile(process)
		if err != nil {
			continue // it has ended
		}

		// How Debian starts a server; its children carry other titles.
		for word := range strings.SplitSeq(string(line), "\x00") {
			if file, ok := strings.CutPrefix(word, "config_file=/etc/postgresql/"); ok {
				found = append(found, "a running server of /etc/postgresql/"+file)
			}
		}
	}

	return found, nil
}
