// Command dist makes a release of loadgrid: for each platform, an archive with the program, its manual pages and
// completion scripts, and a bill of materials; for Linux, also a Debian package and a container image; and the
// checksums of all of them.
//
// The same sources, version, date and Go give the same bytes, in any directory and on any machine. `make dist`
// calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

// release is what all artifacts of one release share.
type release struct {
	version string    // as git describe prints it, such as v1.2.3
	date    time.Time // time of the commit, used for everything that has a time
	rebuild bool      // compile even what is in Go's cache
	out     string    // directory of the artifacts
	work    string    // directory of only this run
	log     io.Writer

	maintainer string // of the Debian package: NAME <ADDRESS>
}

// name returns the beginning of the names of a platform's artifacts.
func (r *release) name(p platform) string {
	return fmt.Sprintf("loadgrid_%s_%s_%s", strings.TrimPrefix(r.version, "v"), p.os, p.arch)
}

// parse reads the command line, and the date of the release from the environment.
func parse(args []string, getenv func(string) string, stderr io.Writer) (r *release, platforms []platform, err error) {
	fs := flag.NewFlagSet("dist", flag.ContinueOnError)
	fs.SetOutput(stderr)
	version := fs.String("version", "", "`version` of the release, as git describe --tags prints it")
	out := fs.String("out", "dist", "`directory` of the artifacts; artifacts of another release in it are removed")
	only := fs.String("only", "", "comma-separated `platforms`, such as linux/amd64; all of them by default")
	rebuild := fs.Bool("rebuild", false, "compile everything again, even what is in Go's cache")
	if err := fs.Parse(args); err != nil {
		return nil, nil, err
	}
	if fs.NArg() > 0 {
		return nil, nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}

	if !versionPattern.MatchString(*version) {
		return nil, nil, fmt.Errorf("-version must be what git describe --tags --always prints, not %q: set one with make dist VERSION=v1.2.3", *version)
	}

	seconds, err := strconv.ParseInt(getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return nil, nil, errors.New("SOURCE_DATE_EPOCH must be the time of the commit, in seconds since 1970: git log -1 --format=%ct prints it")
	}

	platforms = allPlatforms()
	if *only != "" {
		platforms = nil
		for name := range strings.SplitSeq(*only, ",") {
			i := slices.IndexFunc(allPlatforms(), func(p platform) bool { return p.String() == name })
			if i < 0 {
				return nil, nil, fmt.Errorf("-only: %q is not one of %v", name, allPlatforms())
			}
			platforms = append(platforms, allPlatforms()[i])
		}
	}

	return &release{version: *version, date: time.Unix(seconds, 0).UTC(), rebuild: *rebuild, out: *out, log: stderr,
		maintainer: maintainerOf(getenv)}, platforms, nil
}

func run(ctx context.Context, args []string, getenv func(string) string, stderr io.Writer) error {
	r, platforms, err := parse(args, getenv, stderr)
	if err != nil {
		return err
	}

	if err := checkChangelog(r.version); err != nil {
		return err
	}

	if r.work, err = os.MkdirTemp("", "loadgrid-dist-*"); err != nil {
		return fmt.Errorf("making a working directory: %w", err)
	}
	defer os.RemoveAll(r.work)

	if err := r.clear(); err != nil {
		return err
	}

	if err := r.makeTools(ctx); err != nil {
		return fmt.Errorf("building the release tools: %w", err)
	}
	docs, err := r.makeDocuments(ctx)
	if err != nil {
		return err
	}

	for _, p := range platforms {
		if err := r.makePlatform(ctx, p, docs); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}

	return r.writeSums()
}

// clear makes the directory of the artifacts, and removes those of an earlier run.
func (r *release) clear() error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return fmt.Errorf("making the directory of the artifacts: %w", err)
	}

	old, err := filepath.Glob(filepath.Join(r.out, "loadgrid_*"))
	if err != nil {
		return fmt.Errorf("looking for artifacts of another release in %s: %w", r.out, err)
	}
	for _, name := range append(old, filepath.Join(r.out, sumsName)) {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing an artifact of another release: %w", err)
		}
	}
	return nil
}

// makePlatform makes the artifacts of one platform.
func (r *release) makePlatform(ctx context.Context, p platform, docs *documents) error {
	fmt.Fprintf(r.log, "%s\n", r.name(p))

	program, err := r.build(ctx, p)
	if err != nil {
		return err
	}

	licenses, err := thirdPartyLicenses(ctx, program)
	if err != nil {
		return err
	}

	if err := r.writeArchive(p, program, licenses, docs); err != nil {
		return err
	}
	if err := r.writeBillOfMaterials(ctx, p, program); err != nil {
		return err
	}

	if p.os != "linux" {
		return nil
	}
	if err := r.writeImage(p, program, licenses); err != nil {
		return err
	}
	return r.writeDebianPackage(ctx, p, program, licenses, docs)
}
