package pgtest

import (
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
)

// reaperLabel marks the containers of a test process with its reaper's id.
const reaperLabel = "loadgrid.pgtest"

//go:embed reaper.sh
var reaperScript string

// reaper is a process that removes servers if this process ends without doing so: after a panic, a timeout of go
// test, Ctrl-C, or SIGKILL. It waits for the end of a pipe that only this process holds open. It has a session of
// its own, which no signal from the terminal reaches.
type reaper struct {
	id    string
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

func startReaper() (*reaper, error) {
	r := &reaper{id: strings.ToLower(rand.Text())}
	r.cmd = exec.Command("/bin/sh", "-c", reaperScript, "reaper", reaperLabel+"="+r.id)
	r.cmd.Dir = "/" // go test may remove the directory of the tests
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var err error
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("make the reaper's pipe: %w", err)
	}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the reaper: %w", err)
	}

	return r, nil
}

// addDirectory tells the reaper about a throwaway server in a directory.
func (r *reaper) addDirectory(dir string) error {
	if _, err := fmt.Fprintf(r.stdin, "directory %s\n", dir); err != nil {
		return fmt.Errorf("report to the reaper: %w", err)
	}
	return nil
}

// stop ends the reaper: nothing is left to remove.
func (r *reaper) stop() error {
	_, err := fmt.Fprintln(r.stdin, "done")
	if err := errors.Join(err, r.stdin.Close(), r.cmd.Wait()); err != nil {
		return fmt.Errorf("stop the reaper: %w", err)
	}
	return nil
}
