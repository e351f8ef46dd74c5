//go:build unix

package main

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startProcess starts loadgrid, and ends it with the test in any case.
func startProcess(t *testing.T, stdout io.Writer, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), asLoadgrid+"=1")
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}

	return cmd, &stderr
}

// endlessDump is a dump that takes years.
func endlessDump() []string {
	return []string{"dump", "--cell-size", "1", "--cols", "1073741824", "--rows", "1073741824"}
}

func TestSignals(t *testing.T) {
	clearEnv(t)
	for _, tt := range []struct {
		name   string
		signal os.Signal
		code   int
		want   string
	}{
		{"SIGINT", syscall.SIGINT, 130, "loadgrid: stopped by SIGINT\n"},
		{"SIGTERM", syscall.SIGTERM, 143, "loadgrid: stopped by SIGTERM\n"},
	} {
		t.Run(tt.name+" in a dump", func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()

			cmd, stderr := startProcess(t, w, endlessDump()...)
			_ = w.Close()
			if _, err := io.ReadFull(r, make([]byte, 1<<20)); err != nil {
				t.Fatal(err) // now it is at work
			}
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				t.Error(err)
			}

			checkEnded(t, cmd, tt.code)
			if stderr.String() != tt.want {
				t.Errorf("stderr is %q, should be %q", stderr, tt.want)
			}
		})

		t.Run(tt.name+" while connecting", func(t *testing.T) {
			connected := make(chan bool, 10)
			address := serveConnections(t, func(conn net.Conn) {
				connected <- true
				_, _ = io.Copy(io.Discard, conn)
			})

			cmd, stderr := startProcess(t, nil, append(serverCommands()["load"], "--dsn", "postgresql://me@"+address+"/gis?connect_timeout=60&sslmode=disable")...)
			<-connected
			start := time.Now()
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}

			checkEnded(t, cmd, tt.code)
			if stderr.String() != tt.want {
				t.Errorf("stderr is %q, should be %q", stderr, tt.want)
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func checkEnded(t *testing.T, cmd *exec.Cmd, code int) {
	t.Helper()
	err := cmd.Wait()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != code {
		t.Errorf("it ended with %v, should have with exit code %d", err, code)
	}
}

// A dump into a pipe that nobody reads cannot look at its context: the first
// signal does not end it, a second one does.
func TestSecondSignal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()

	cmd, stderr := startProcess(t, w, endlessDump()...)
	_ = w.Close()
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}

	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	var sent int
	for tick := time.Tick(20 * time.Millisecond); ; <-tick {
		// The second one counts from when the first one is taken note of.
		select {
		case err := <-ended:
			exit := new(exec.ExitError)
			if !errors.As(err, &exit) {
				t.Fatalf("it ended with %v", err)
			}
			if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
				t.Errorf("it ended with %v, should have by SIGINT at once", err)
			}
			if sent < 2 || strings.Contains(stderr.String(), "stopped") {
				t.Errorf("it ended in order after %d signals: %s", sent, stderr)
			}
			return
		default:
			if err := cmd.Process.Signal(syscall.SIGINT); err == nil {
				sent++
			}
		}
	}
}
