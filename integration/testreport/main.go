// Testreport runs go test with its own arguments. It prints the output of go test, and also which tests were
// skipped and why, which go test itself does not report.
//
//	go run ./integration/testreport -race ./...
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	code, err := run(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// run runs go test and returns its exit code.
func run(args []string, out io.Writer) (code int, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	cmd.Stderr = os.Stderr

	events, err := cmd.StdoutPipe()
	if err != nil {
		return 1, fmt.Errorf("read what go test prints: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("start go test: %w", err)
	}

	readErr := report(events, out)
	err = cmd.Wait()

	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return max(failed.ExitCode(), 1), readErr
	}
	if err != nil {
		return 1, fmt.Errorf("run go test: %w", err)
	}

	return 0, readErr
}

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output string
}

// test names a test. An empty name means the output of the package itself.
type test struct{ Package, Name string }

// reporter keeps the output of tests until it is known how they end.
type reporter struct {
	out     io.Writer
	output  map[test][]string
	passed  int
	skipped []skip
}

// skip is a skipped test.
type skip struct {
	test
	why string
}

// report prints the events of go test -json: all output of failed packages and tests, a line for each package
// that passed, and at the end the skipped tests.
func report(events io.Reader, out io.Writer) error {
	r := reporter{out: out, output: map[test][]string{}}
	lines := bufio.NewReader(events)

	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			var e event
			if json.Unmarshal([]byte(line), &e) == nil {
				r.take(e)
			} else {
				fmt.Fprint(out, line)
			}
		}

		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read what go test prints: %w", err)
		}
	}

	r.printSkipped()

	return nil
}

func (r *reporter) take(e event) {
	name := test{e.Package, e.Test}

	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "output":
		if !isMark(e.Output) {
			r.output[name] = append(r.output[name], e.Output)
		}
	case "pass", "skip", "fail":
		r.end(name, e.Action)
	}
}

// isMark reports whether a line only marks that a test begins or continues.
func isMark(line string) bool {
	for _, mark := range []string{"=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME "} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	return false
}

func (r *reporter) end(name test, action string) {
	output := r.output[name]
	delete(r.output, name)

	switch {
	case action == "fail" && name.Name == "":
		r.printUnfinished(name.Package)
		r.print(output)
	case action == "fail":
		r.print(output)
	case name.Name == "" && len(output) > 0:
		r.print(output[len(output)-1:]) // ok, or that there are no tests
	case action == "skip":
		r.skipped = append(r.skipped, skip{name, reason(output)})
	default:
		r.passed++
	}
}

// printUnfinished prints the output of tests that were running when their process ended.
func (r *reporter) printUnfinished(pkg string) {
	var names []string
	for name := range r.output {
		if name.Package == pkg {
			names = append(names, name.Name)
		}
	}
	slices.Sort(names)

	for _, name := range names {
		fmt.Fprintf(r.out, "--- has not ended: %s\n", name)
		r.print(r.output[test{pkg, name}])
		delete(r.output, test{pkg, name})
	}
}

func (r *reporter) print(lines []string) {
	for _, line := range lines {
		fmt.Fprint(r.out, line)
	}
}

var placeInFile = regexp.MustCompile(`^\s*\S+\.go:\d+: `)

// reason returns the last message of a test.
func reason(output []string) string {
	for _, line := range slices.Backward(output) {
		if place := placeInFile.FindString(line); place != "" {
			return strings.TrimSpace(line[len(place):])
		}
	}
	return "it gives no reason"
}

// printSkipped prints the skipped tests. It combines parts of a test with the same reason in one line.
func (r *reporter) printSkipped() {
	type group struct{ name, why string }
	var order []group
	count := map[group]int{}

	for _, s := range r.skipped {
		top, _, _ := strings.Cut(s.Name, "/")
		g := group{s.Package + " " + top, s.why}
		if count[g]++; count[g] == 1 {
			order = append(order, g)
		}
	}

	fmt.Fprintf(r.out, "%d tests and parts of tests have passed, %d were skipped\n", r.passed, len(r.skipped))
	for _, g := range order {
		fmt.Fprintf(r.out, "skipped, %d in %s: %s\n", count[g], g.name, g.why)
	}
}
