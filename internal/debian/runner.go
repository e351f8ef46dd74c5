package debian

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// runner runs the programs of an installation, as root where that is needed.
type runner struct {
	euid     int
	lookPath func(string) (string, error)
	out      io.Writer
	folder   string // for logs, and in tmp/ for the programs' temporary files
}

// interruption says what becomes of a program when the context ends.
type interruption bool

const (
	stoppable   interruption = true  // it is told to end
	unstoppable interruption = false // it is waited for
)

// authorise makes sure that root's programs can be run, by asking for a password
// where there is a terminal to ask on.
func (r runner) authorise(ctx context.Context) error {
	if r.euid == 0 {
		return nil
	}

	if _, err := r.lookPath("sudo"); err != nil {
		return errors.New("installing packages needs root: call as root, or install sudo")
	}

	if exec.CommandContext(ctx, "sudo", "-n", "true").Run() == nil {
		return nil
	}

	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return errors.New("installing packages needs root: sudo asks for a password, and there is no terminal to ask on")
	}
	defer terminal.Close()

	fmt.Fprintln(r.out, "installing packages needs root: sudo asks for your password")

	// In the terminal's foreground, where it may read; later calls need none.
	cmd := exec.CommandContext(ctx, "sudo", "-v")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("get root's rights from sudo: %w", err)
	}

	return nil
}

// root runs a program as root, in a process group of its own, so that the
// terminal's Ctrl-C does not reach it. Its output is shown when it fails.
func (r runner) root(ctx context.Context, stop interruption, name string, args ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}

	// A file and no pipe: a program that loses its pipe dies half-way.
	log, err := os.CreateTemp(r.folder, "*.log")
	if err != nil {
		return fmt.Errorf("make a log for %s: %w", name, err)
	}
	defer log.Close()

	line := append([]string{"env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "LC_ALL=C.UTF-8",
		"TMPDIR=" + filepath.Join(r.folder, "tmp"), name}, args...)
	if r.euid != 0 {
		line = append([]string{"sudo", "-n"}, line...)
	}

	cmd := exec.Command(line[0], line[1:]...) // not ended by ctx: see below
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}

	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()

	select {
	case err = <-done:
	case <-ctx.Done():
		if stop == stoppable {
			r.terminate(cmd.Process.Pid)
			<-done
			waitForGroup(cmd.Process.Pid)
			return ctx.Err()
		}

		fmt.Fprintln(r.out, "waiting for apt-get to finish, so that no package is left half installed ...")
		err = <-done
	}

	if err != nil {
		text, readErr := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("a step of it failed: %w; its output:\n%s", err, lastLines(string(text))), readErr)
	}

	return nil
}

// terminate tells a program and its children to end. Only root may tell that to
// sudo, which passes it on.
func (r runner) terminate(pid int) {
	// An error means that the program has just ended, which is waited for next.
	if r.euid == 0 {
		_ = syscall.Kill(-pid, syscall.SIGTERM)
		return
	}

	_ = exec.Command("sudo", "-n", "kill", "-TERM", "--", "-"+strconv.Itoa(pid)).Run()
}

// waitForGroup waits until the children of a program that was told to end are
// gone too, but not for ever: they may be stuck on a dead network drive.
func waitForGroup(pid int) {
	for range 100 {
		if errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH) {
			return
		}

		time.Sleep(50 * time.Millisecond)
	}
}

// output runs a program that needs no rights, and returns what it prints.
func (r runner) output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(out), nil
}

// lastLines returns the last 20 lines of a text.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
