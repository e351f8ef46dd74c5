package pgtest_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/integration/pgtest"
)

// childVariable makes TestChild the process that TestKilledProcessLeavesNoServer kills.
const childVariable = "LOADGRID_PGTEST_CHILD"

// TestChild is the child's program rather than a test: it starts a server, prints where, and waits to be killed.
func TestChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		return
	}
	fmt.Println("server", pgtest.DSN(t))
	time.Sleep(time.Minute)
}

func TestKilledProcessLeavesNoServer(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	// Without the last variable, the child would use this process's server.
	child.Env = append(os.Environ(), childVariable+"=1", "LOADGRID_TEST_SHARED_DSN=")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}

	if err := child.Start(); err != nil {
		t.Fatal(err)
	}

	dsn := ""
	for lines := bufio.NewScanner(out); dsn == "" && lines.Scan(); {
		_, dsn, _ = strings.Cut(lines.Text(), "server ")
	}
	if dsn == "" {
		t.Fatalf("the child started no server: %v", child.Wait())
	}

	query[string](t, dsn, "select postgis_version()")
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}

	_ = child.Wait() // "signal: killed"

	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		conn, err := pgx.Connect(ctx, dsn)
		cancel()
		if err != nil {
			return
		}

		conn.Close(t.Context())
		if time.Now().After(deadline) {
			t.Fatal("the server is still there")
		}
	}
}
