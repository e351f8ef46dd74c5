//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startProcess starts loadgrid, and always ends it with the test.
func startProcess(t *testing.T, stdout io.Writer, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd, stderr := newProcess(t, stdout, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, stderr
}

// newProcess is startProcess without starting the process.
func newProcess(t *testing.T, stdout io.Writer, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}

	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Env = append(os.Environ(), asLoadgrid+"=1")
	cmd.Stdout, cmd.Stderr = stdout, &stderr

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
				t.Fatal(err) // now it is running
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

// fillPipe writes to a pipe until it is full.
func fillPipe(t *testing.T, w *os.File) {
	t.Helper()
	if err := w.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := w.Write([]byte{'x'}); errors.Is(err, os.ErrDeadlineExceeded) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func checkEnded(t *testing.T, cmd *exec.Cmd, code int) {
	t.Helper()
	err := cmd.Wait()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != code {
		t.Errorf("it ended with %v, should have with exit code %d", err, code)
	}
}

// The first signal also ends work that cannot watch a context: reading, writing, opening.
func TestSignalWhileBlocked(t *testing.T) {
	clearEnv(t)
	half := strings.Repeat(" ", 1<<20) // more than a pipe holds: when it is written, somebody reads
	fifo := func(t *testing.T) string {
		name := filepath.Join(t.TempDir(), "fifo.copy")
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}

	for name, tt := range map[string]struct {
		args []string // FIFO is the name of a named pipe
		// stdin and into are what is written to stdin and to the named pipe, which stay open.
		stdin, into string
		ends        bool // stdin ends
	}{
		"area from stdin":                  {args: []string{"plan", "--cell-size", "1", "--aoi", "-"}, stdin: half},
		"area from a pipe":                 {args: []string{"plan", "--cell-size", "1", "--aoi", "FIFO"}, into: half},
		"area of a load":                   {args: []string{"load", "--table", "g", "--cell-size", "1", "--aoi", "-", "--dsn", "host=127.0.0.1 port=1"}, stdin: half},
		"area of a dump":                   {args: []string{"dump", "--cell-size", "1", "--aoi", "FIFO"}, into: half},
		"job file from stdin":              {args: []string{"plan", "--job", "-"}, stdin: half[:200_000]},
		"job file from a pipe":             {args: []string{"load", "--job", "FIFO"}, into: half[:200_000]},
		"job file to check":                {args: []string{"job", "check", "-"}, stdin: half[:200_000]},
		"dump into a pipe that nobody has": {args: []string{"dump", "--cell-size", "1", "--aoi", "-", "--out", "FIFO"}, stdin: "POLYGON((0 0,9 0,0 9,0 0))" + half, ends: true},
	} {
		t.Run(name, func(t *testing.T) {
			file := fifo(t)
			for i, arg := range tt.args {
				if arg == "FIFO" {
					tt.args[i] = file
				}
			}

			cmd, stdin, stderr := startWithStdin(t, tt.args...)
			defer stdin.Close()
			if tt.into != "" {
				w, err := os.OpenFile(file, os.O_WRONLY, 0) // which waits for the reader
				if err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				if _, err := io.WriteString(w, tt.into); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.WriteString(stdin, tt.stdin); err != nil {
				t.Fatal(err)
			}

			if tt.ends {
				_ = stdin.Close()
			}

			if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			checkEnded(t, cmd, 130)
			if want := "loadgrid: stopped by SIGINT\n"; stderr.String() != want {
				t.Errorf("stderr is %q, should be %q", stderr, want)
			}
		})
	}
}

func startWithStdin(t *testing.T, args ...string) (*exec.Cmd, io.WriteCloser, *bytes.Buffer) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()

	cmd, stderr := newProcess(t, nil, args...)
	cmd.Stdin = r
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, w, stderr
}

// Counting too many cells is reported, and ends with the first signal.
func TestSignalWhileCounting(t *testing.T) {
	clearEnv(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()

	cmd, _ := newProcess(t, nil, "dump", "--cell-size", "1e-6", "--rotate", "30", "--extent", "0,0,500,500", "--out", os.DevNull)
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()

	lines := bufio.NewScanner(r)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "counting cells, about ") {
		t.Errorf("stderr begins with %q", lines.Text())
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() || lines.Text() != "loadgrid: stopped by SIGINT" {
		t.Errorf("stderr ends with %q", lines.Text())
	}
	checkEnded(t, cmd, 130)
}

// A dump into a pipe without a reader ends with the first signal.
func TestSignalWhileNobodyReads(t *testing.T) {
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
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}

	checkEnded(t, cmd, 130)
	if want := "loadgrid: stopped by SIGINT\n"; stderr.String() != want {
		t.Errorf("stderr is %q, should be %q", stderr, want)
	}
}

// If nothing reads the last message, the first signal does not end the program, but a second one does.
func TestSecondSignal(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()

	out, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()

	fillPipe(t, w)
	cmd, _ := newProcess(t, stdout, endlessDump()...)
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = w.Close(), stdout.Close()
	if _, err := io.ReadFull(out, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}

	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	var sent int
	for tick := time.Tick(20 * time.Millisecond); ; <-tick {
		// The second signal only counts after the first one has been handled.
		select {
		case err := <-ended:
			exit := new(exec.ExitError)
			if !errors.As(err, &exit) {
				t.Fatalf("it ended with %v", err)
			}
			if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
				t.Errorf("it ended with %v, should have by SIGINT at once", err)
			}
			if sent < 2 {
				t.Errorf("it ended after %d signals", sent)
			}
			return
		default:
			if err := cmd.Process.Signal(syscall.SIGINT); err == nil {
				sent++
			}
		}
	}
}
