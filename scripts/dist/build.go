package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// platform is an operating system and a processor, by their names in Go.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "/" + p.arch }

// allPlatforms returns the platforms of a release.
func allPlatforms() (all []platform) {
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			all = append(all, platform{system, arch})
		}
	}
	return all
}

// programName returns the name of the program's file.
func (p platform) programName() string {
	if p.os == "windows" {
		return "loadgrid.exe"
	}
	return "loadgrid"
}

// buildEnv returns the environment of a build. It sets everything that changes the program's bytes, so that the
// machine and the user do not matter.
func (p platform) buildEnv() []string {
	return append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", "GOFLAGS=-mod=readonly", "GOEXPERIMENT=", "GOFIPS140=off", "GOWORK=off", "GODEBUG=")
}

// build builds the program of a platform, unless it has done so already, and returns its path.
func (r *release) build(ctx context.Context, p platform) (program string, err error) {
	program = filepath.Join(r.work, p.os+"_"+p.arch, p.programName())
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}

	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.release=" + r.version, "-o", program}
	if r.rebuild {
		args = append(args, "-a")
	}
	_, err = call(ctx, p.buildEnv(), "go", append(args, "./cmd/loadgrid")...)
	return program, err
}

// documents are the files that come with the program on every platform.
type documents struct {
	man         string // directory of the manual pages
	completions string // directory of the completion scripts
}

// shells returns the shells that have a completion script, with the name of its file.
func shells() map[string]string {
	return map[string]string{"bash": "loadgrid.bash", "zsh": "_loadgrid", "fish": "loadgrid.fish", "powershell": "loadgrid.ps1"}
}

// makeDocuments lets the program write its manual pages and completion scripts.
func (r *release) makeDocuments(ctx context.Context) (*documents, error) {
	program, err := r.build(ctx, platform{runtime.GOOS, runtime.GOARCH})
	if err != nil {
		return nil, fmt.Errorf("building the program that writes the manual pages: %w", err)
	}

	docs := &documents{man: filepath.Join(r.work, "man"), completions: filepath.Join(r.work, "completions")}
	env := append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.date.Unix()))
	if _, err := call(ctx, env, program, "man", docs.man); err != nil {
		return nil, err
	}

	if err := os.MkdirAll(docs.completions, 0o755); err != nil {
		return nil, err
	}
	for shell, name := range shells() {
		script, err := call(ctx, os.Environ(), program, "completion", shell)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(docs.completions, name), script, 0o644); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// call runs a program and returns its standard output. An error contains its standard error.
func call(ctx context.Context, env []string, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, stderr.Bytes())
	}
	return stdout.Bytes(), nil
}

// makeTools builds the release tools for this machine. They have a module of their own, which keeps their
// dependencies out of loadgrid's go.mod.
func (r *release) makeTools(ctx context.Context) error {
	env := append(os.Environ(), "GOOS=", "GOARCH=", "GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0")
	_, err := call(ctx, env, "go", "-C", "scripts/dist/tools", "build", "-o", r.packager(), "github.com/goreleaser/nfpm/v2/cmd/nfpm")
	return err
}

// packager returns the path of nfpm.
func (r *release) packager() string { return filepath.Join(r.work, "nfpm") }
