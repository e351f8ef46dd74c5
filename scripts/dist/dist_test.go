package main

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDebianVersion(t *testing.T) {
	date := time.Date(2026, 11, 29, 19, 5, 0, 0, time.UTC)
	want := []struct{ version, debian string }{ // oldest first
		{"6902496", "0~20261129190500.6902496-1"},
		{"6902496-dirty", "0~20261129190500.6902496.dirty-1"},
		{"v0.1.0", "0.1.0-1"},
		{"v1.2.3-rc.1", "1.2.3~rc.1-1"},
		{"v1.2.3-rc.1-4-gabc1234", "1.2.3~rc.1+4.gabc1234-1"},
		{"v1.2.3-rc.2", "1.2.3~rc.2-1"},
		{"v1.2.3", "1.2.3-1"},
		{"v1.2.3-4-gabc1234", "1.2.3+4.gabc1234-1"},
		{"v1.2.3-4-gabc1234-dirty", "1.2.3+4.gabc1234+dirty-1"},
		{"v1.2.4", "1.2.4-1"},
	}
	for _, tt := range want {
		if got := debianVersion(tt.version, date); got != tt.debian {
			t.Errorf("%s: %s, want %s", tt.version, got, tt.debian)
		}
	}

	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("NOT TESTED: there is no dpkg to compare the versions with")
	}
	for i := range want[1:] {
		if out, err := exec.Command(dpkg, "--compare-versions", want[i].debian, "lt", want[i+1].debian).CombinedOutput(); err != nil {
			t.Errorf("%s is not before %s: %v %s", want[i].debian, want[i+1].debian, err, out)
		}
	}
}

func TestMaintainer(t *testing.T) {
	for name, tt := range map[string]struct {
		env  map[string]string
		want string
	}{
		"nobody":   {nil, "loadgrid authors <authors@loadgrid.invalid>"},
		"Debian's": {map[string]string{"DEBFULLNAME": "A Name", "DEBEMAIL": "a@example.org"}, "A Name <a@example.org>"},
	} {
		if got := maintainerOf(func(key string) string { return tt.env[key] }); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestParse(t *testing.T) {
	for name, tt := range map[string]struct {
		epoch string
		args  []string
		want  string // in the error
	}{
		"no version":    {"1", nil, "-version must be"},
		"a flag as one": {"1", []string{"-version", "-s"}, "-version must be"},
		"a space in it": {"1", []string{"-version", "v1 -X"}, "-version must be"},
		"no date":       {"", []string{"-version", "v1.2.3"}, "SOURCE_DATE_EPOCH"},
		"no platform":   {"1", []string{"-version", "v1.2.3", "-only", "linux/386"}, `"linux/386" is not one of`},
		"an argument":   {"1", []string{"-version", "v1.2.3", "all"}, "unexpected argument"},
	} {
		if _, _, err := parse(tt.args, func(string) string { return tt.epoch }, io.Discard); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	r, platforms, err := parse([]string{"-version", "v1.2.3", "-only", "windows/arm64,linux/amd64"}, func(string) string { return "86400" }, io.Discard)
	if err != nil || len(platforms) != 2 || platforms[0].String() != "windows/arm64" || r.date.Format(time.RFC3339) != "1970-01-02T00:00:00Z" {
		t.Errorf("%+v, %v: %v", r, platforms, err)
	}
	if _, platforms, err = parse([]string{"-version", "6902496"}, func(string) string { return "0" }, io.Discard); err != nil || len(platforms) != 6 {
		t.Errorf("%v: %v", platforms, err)
	}
}

// Artifacts of another release are removed, but no other file.
func TestClear(t *testing.T) {
	r, _ := testRelease(t)
	for _, name := range []string{"loadgrid_1.0.0_linux_amd64.deb", sumsName, "notes.txt"} {
		if err := os.WriteFile(filepath.Join(r.out, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}

	if err := r.clear(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(r.out)
	if err != nil || len(left) != 1 || left[0].Name() != "notes.txt" {
		t.Errorf("left: %v, %v", left, err)
	}
}

// testDocuments returns documents like those that the program writes.
func testDocuments(t *testing.T, r *release) *documents {
	t.Helper()
	docs := &documents{man: filepath.Join(r.work, "man"), completions: filepath.Join(r.work, "completions")}
	names := []string{"man/loadgrid.1", "man/loadgrid-load.1"}
	for _, name := range shells() {
		names = append(names, "completions/"+name)
	}
	for _, name := range names {
		path := filepath.Join(r.work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("text of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return docs
}

// An archive has one directory, files with the modes of installed files, and the time of the commit.
func TestArchives(t *testing.T) {
	r, program := testRelease(t)
	docs := testDocuments(t, r)
	want := []string{"CHANGELOG.md", "LICENSE", "THIRD_PARTY_LICENSES", "completions/_loadgrid", "completions/loadgrid.bash",
		"completions/loadgrid.fish", "completions/loadgrid.ps1", "loadgrid", "man/man1/loadgrid-load.1", "man/man1/loadgrid.1"}
	check := func(dir string, names []string, mode func(string) fs.FileMode) {
		t.Helper()
		var inside []string
		for _, name := range names {
			rest, ok := strings.CutPrefix(name, dir+"/")
			if !ok {
				t.Errorf("%s is not in %s", name, dir)
			}
			inside = append(inside, rest)
			wantMode := fs.FileMode(0o644)
			if strings.HasPrefix(rest, "loadgrid") {
				wantMode = 0o755
			}
			if got := mode(name); got != wantMode {
				t.Errorf("%s has the mode %v, want %v", name, got, wantMode)
			}
		}
		if !slices.Equal(inside, want) {
			t.Errorf("%s has %q, want %q", dir, inside, want)
		}
	}

	if err := r.writeArchive(platform{"darwin", "arm64"}, program, []byte("licenses"), docs); err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile(filepath.Join(r.out, "loadgrid_1.2.3-4-gabc1234_darwin_arm64.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}

	headers, contents := tarFiles(t, bytes.NewReader(unpack(t, packed)))
	var names []string
	modes := make(map[string]fs.FileMode)
	for _, h := range headers {
		names, modes[h.Name] = append(names, h.Name), fs.FileMode(h.Mode)
		if !h.ModTime.Equal(r.date) || h.Uid != 0 || h.Uname != "" {
			t.Errorf("%s: %v, owner %d %q", h.Name, h.ModTime, h.Uid, h.Uname)
		}
	}
	check("loadgrid_1.2.3-4-gabc1234_darwin_arm64", names, func(name string) fs.FileMode { return modes[name] })
	if string(contents["loadgrid_1.2.3-4-gabc1234_darwin_arm64/loadgrid"]) != "a program" {
		t.Error("the program is not in its file")
	}

	if err := r.writeArchive(platform{"windows", "amd64"}, program, []byte("licenses"), docs); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(filepath.Join(r.out, "loadgrid_1.2.3-4-gabc1234_windows_amd64.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()

	names = nil
	for _, f := range z.File {
		names, modes[f.Name] = append(names, f.Name), f.Mode()
		if f.Modified.UTC().Sub(r.date).Abs() > time.Second {
			t.Errorf("%s: %v", f.Name, f.Modified)
		}
	}
	want = append(slices.DeleteFunc(want, func(s string) bool { return s == "loadgrid" || strings.HasPrefix(s, "man/") }), "loadgrid.exe")
	check("loadgrid_1.2.3-4-gabc1234_windows_amd64", names, func(name string) fs.FileMode { return modes[name] })
}

func TestLicensesIn(t *testing.T) {
	dir := t.TempDir()
	if _, err := licensesIn(source{path: "example.org/a", version: "v1", dir: dir}); err == nil || !strings.Contains(err.Error(), "example.org/a has no license file") {
		t.Errorf("without one: %v", err)
	}

	for name, text := range map[string]string{"LICENSE.txt": "one\r\ntwo\n\n", "NOTICE": "three", "license_test.go": "", "README": "four", "COPYING": "five"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "licenses"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "licenses", "ftl.txt"), []byte("s\xefx"), 0o600); err != nil {
		t.Fatal(err)
	}

	texts, err := licensesIn(source{path: "example.org/a", version: "v1", dir: dir})
	if want := []string{"five", "one\ntwo", "three", "sïx"}; err != nil || !slices.Equal(texts, want) {
		t.Errorf("%q, want %q: %v", texts, want, err)
	}
}

func TestLicenseOf(t *testing.T) {
	own, err := os.ReadFile(filepath.Join("..", "..", "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}

	for text, want := range map[string]string{
		string(own): "Apache-2.0",
		"Redistribution and use in source\nand binary forms ... Neither the\nname of": "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with":                     "BSD-2-Clause",
		"Copyright 2026, all rights reserved":                                         "",
	} {
		if got := licenseOf(text); got != want {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("All rights reserved."), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := licenseIDs(source{path: "example.org/a", version: "v1", dir: dir}); err == nil || !strings.Contains(err.Error(), "example.org/a v1") {
		t.Errorf("a license that nobody knows: %v", err)
	}
}

// The changelog has the headings of Keep a Changelog, and one for each release.
func TestChangelog(t *testing.T) {
	r, _ := testRelease(t)
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), "# Changelog\n") || !strings.Contains(string(text), "\n## [Unreleased]\n") {
		t.Error("CHANGELOG.md does not begin with a title, or has no heading for what is not released")
	}

	kind := regexp.MustCompile(`^### (Added|Changed|Deprecated|Removed|Fixed|Security)$`)
	section := regexp.MustCompile(`^## \[(Unreleased|\d+\.\d+\.\d+\S*\] - \d{4}-\d\d-\d\d$)`)
	seen := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "### "):
			if !kind.MatchString(line) || seen[line] {
				t.Errorf("CHANGELOG.md has %q, or has it twice", line)
			}
			seen[line] = true
		case strings.HasPrefix(line, "## "):
			if !section.MatchString(line) {
				t.Errorf("CHANGELOG.md has %q", line)
			}
			clear(seen)
		}
	}

	for version, want := range map[string]bool{"v99.0.0": true, "v99.0.0-rc.1": false, "v99.0.0-3-gabc1234": false, r.version: false} {
		if err := checkChangelog(version); (err != nil) != want {
			t.Errorf("%s: %v", version, err)
		}
	}

	t.Chdir(t.TempDir())
	if err := os.WriteFile("CHANGELOG.md", []byte("# Changelog\n\n## [99.0.0] - 2026-11-29\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := checkChangelog("v99.0.0"); err != nil {
		t.Error(err)
	}
}
