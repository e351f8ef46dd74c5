// Package debian owns the installation of PostGIS from the packages of Debian or Ubuntu,
// as root or through sudo, without a server for the whole machine.
package debian

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed install.sh
var installScript string

// aptOptions make apt-get ask nothing, keep the configuration files that exist,
// and wait for another apt-get to finish.
const aptOptions = "-o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef"

// aptTmp is where an installation works, whatever TMPDIR says: apt's own user
// must get there, and the packages' scripts fail where its path has a space.
const aptTmp = "/var/tmp"

// Installer installs packages on a machine.
type Installer struct {
	root   string // below which PostgreSQL's directories are looked for
	tmp    string // where the installation's own folder is made
	runner runner
	out    io.Writer
}

// NewInstaller returns the installer of this machine. lookPath finds its programs, as
// exec.LookPath does; out gets a line for each step.
func NewInstaller(lookPath func(string) (string, error), out io.Writer) Installer {
	return Installer{root: "/", tmp: aptTmp, out: out, runner: runner{euid: os.Geteuid(), lookPath: lookPath, out: out}}
}

// CheckTools says whether the machine has the programs to install packages with. It
// neither runs nor changes anything.
func (d Installer) CheckTools() error {
	for _, tool := range []string{"apt-get", "dpkg"} {
		if _, err := d.runner.lookPath(tool); err != nil {
			return fmt.Errorf("no packages can be installed: there is no %s, this is neither Debian nor Ubuntu", tool)
		}
	}

	return nil
}

// Install installs the packages of PostGIS. It neither creates nor starts a server for
// the whole machine, and leaves nothing but the packages. When ctx ends while packages
// are being configured, it waits for that to finish.
func (d Installer) Install(ctx context.Context) error {
	if err := d.install(ctx); err != nil {
		return fmt.Errorf("install PostGIS with apt-get: %w", err)
	}
	return nil
}

func (d Installer) install(ctx context.Context) (err error) {
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
func (d Installer) steps(ctx context.Context) error {
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
		"sh", "-c", installScript, "install.sh"}, packages...)
	if err := d.runner.root(ctx, unstoppable, "env", script...); err != nil {
		return err
	}

	return ctx.Err()
}

var postgisPackage = regexp.MustCompile(`(?m)^postgresql-(\d+)-postgis-3\b`)

// choosePackages names the packages to install: for the newest PostgreSQL that is
// installed and that PostGIS is packed for, else the distribution's default.
func (d Installer) choosePackages(ctx context.Context) ([]string, error) {
	list, err := d.runner.output(ctx, "apt-cache", "--names-only", "search", `^postgresql-[0-9]+-postgis-3$|^postgresql-postgis$`)
	if err != nil {
		return nil, err
	}

	packed := packedMajors(list)
	if len(packed) == 0 {
		return nil, errors.New("apt knows no package postgresql-<version>-postgis-3: check the sources of apt")
	}

	for _, major := range packed {
		server := filepath.Join(d.root, "usr/lib/postgresql", strconv.Itoa(major), "bin/postgres")
		if _, err := exec.LookPath(server); err == nil {
			return packagesFor(major), nil
		}
	}

	if regexp.MustCompile(`(?m)^postgresql-postgis\b`).MatchString(list) {
		return []string{"postgresql-postgis"}, nil
	}
	return packagesFor(packed[0]), nil
}

// packedMajors returns the versions of PostgreSQL that a list of packages has PostGIS
// for, the newest first.
func packedMajors(list string) []int {
	var majors []int
	for _, match := range postgisPackage.FindAllStringSubmatch(list, -1) {
		if major, err := strconv.Atoi(match[1]); err == nil {
			majors = append(majors, major)
		}
	}

	slices.SortFunc(majors, func(a, b int) int { return cmp.Compare(b, a) })
	return majors
}

func packagesFor(major int) []string {
	name := fmt.Sprintf("postgresql-%d-postgis-3", major)
	return []string{name, name + "-scripts"}
}

// verify proves that no server for the whole machine has come into being.
func (d Installer) verify(before []string) error {
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
func (d Installer) clusters() ([]string, error) {
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
