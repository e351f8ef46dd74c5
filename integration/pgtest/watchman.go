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

// watchmanLabel marks the containers of a test process with its watchman's id.
const watchmanLabel = "loadgrid.pgtest"

//go:embed watchman.sh
var watchmanScript string

// watchman is a process that removes servers when this one ends without having
// done so: after a panic, a timeout of go test, Ctrl-C, SIGKILL. It waits for the
// end of a pipe that only this process holds open, in a session of its own, where
// no signal from the terminal reaches it.
type watchman struct {
	id    string
	cmd   *exec.Cmd
	stdin io.WriteCloser
}

func postWatchman() (*watchman, error) {
	w := &watchman{id: strings.ToLower(rand.Text())}
	w.cmd = exec.Command("/bin/sh", "-c", watchmanScript, "watchman", watchmanLabel+"="+w.id)
	w.cmd.Dir = "/" // go test may remove the directory of the tests
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var err error
	if w.stdin, err = w.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("make the watchman's pipe: %w", err)
	}
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the watchman: %w", err)
	}
	return w, nil
}

// noteDirectory tells of a throwaway server in a directory.
func (w *watchman) noteDirectory(dir string) error {
	if _, err := fmt.Fprintf(w.stdin, "directory %s\n", dir); err != nil {
		return fmt.Errorf("tell the watchman: %w", err)
	}
	return nil
}

// dismiss lets the watchman go: nothing is left to remove.
func (w *watchman) dismiss() error {
	_, err := fmt.Fprintln(w.stdin, "done")
	if err := errors.Join(err, w.stdin.Close(), w.cmd.Wait()); err != nil {
		return fmt.Errorf("dismiss the watchman: %w", err)
	}
	return nil
}
