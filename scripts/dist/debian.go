package main

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"
)

// packageTemplate is the input of nfpm.
//
//go:embed nfpm.yaml
var packageTemplate string

// maintainerOf returns the maintainer of the Debian package, by the variables of Debian's own tools. Its default is an address
// that cannot exist, because a package needs one.
func maintainerOf(getenv func(string) string) string {
	name, email := getenv("DEBFULLNAME"), getenv("DEBEMAIL")
	if name == "" {
		name = "loadgrid authors"
	}
	if email == "" {
		email = "authors@loadgrid.invalid"
	}

	return name + " <" + email + ">"
}

// writeDebianPackage writes the Debian package of a platform.
func (r *release) writeDebianPackage(ctx context.Context, p platform, program string, licenses []byte, docs *documents) error {
	dir := filepath.Join(r.work, "debian_"+p.arch)
	if err := os.MkdirAll(filepath.Join(dir, "man"), 0o755); err != nil {
		return err
	}

	version := debianVersion(r.version, r.date)
	if err := r.writeDebianFiles(dir, version, licenses, docs); err != nil {
		return fmt.Errorf("writing the files of the Debian package: %w", err)
	}

	var config bytes.Buffer
	err := template.Must(template.New("nfpm.yaml").Parse(packageTemplate)).Execute(&config, map[string]string{
		"Arch": p.arch, "Version": version, "Maintainer": r.maintainer, "Date": r.date.Format(time.RFC3339),
		"Program": program, "Files": dir, "Completions": docs.completions,
	})
	if err != nil {
		return err
	}

	name := filepath.Join(dir, "nfpm.yaml")
	if err := os.WriteFile(name, config.Bytes(), 0o644); err != nil {
		return err
	}
	_, err = call(ctx, os.Environ(), r.packager(), "package", "--packager", "deb", "--config", name, "--target", filepath.Join(r.out, r.name(p)+".deb"))
	return err
}

// writeDebianFiles writes the files that only the Debian package has, compressed where Debian's policy requires
// it.
func (r *release) writeDebianFiles(dir, version string, licenses []byte, docs *documents) error {
	pages, err := filepath.Glob(filepath.Join(docs.man, "*.1"))
	if err != nil {
		return err
	}
	for _, page := range pages {
		if err := compress(filepath.Join(dir, "man", filepath.Base(page)+".gz"), page, nil); err != nil {
			return err
		}
	}

	if err := compress(filepath.Join(dir, "changelog.gz"), "CHANGELOG.md", nil); err != nil {
		return err
	}
	entry := fmt.Sprintf("loadgrid (%s) unstable; urgency=medium\n\n  * %s: see changelog.gz.\n\n -- %s  %s\n",
		version, r.version, r.maintainer, r.date.Format(time.RFC1123Z))
	if err := compress(filepath.Join(dir, "changelog.Debian.gz"), "", []byte(entry)); err != nil {
		return err
	}

	if err := compress(filepath.Join(dir, "third-party.gz"), "", licenses); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "copyright"), fmt.Appendf(nil, copyright, r.date.Year()), 0o644)
}

// compress writes a file, or content, as gzip -9n does.
func compress(to, from string, content []byte) error {
	if from != "" {
		var err error
		if content, err = os.ReadFile(from); err != nil {
			return err
		}
	}

	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(content); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, b.Bytes(), 0o644)
}

// copyright is the file of that name, with the year to insert. Debian's policy forbids whole licenses that Debian itself provides.
const copyright = `loadgrid, https://github.com/loadgrid/loadgrid
Copyright %d the loadgrid authors

Licensed under the Apache License, Version 2.0. On Debian systems its text is in
/usr/share/common-licenses/Apache-2.0.

The program contains Go's standard library and other modules. Their names, versions,
copyrights and licenses are in third-party.gz in the same directory.
`
