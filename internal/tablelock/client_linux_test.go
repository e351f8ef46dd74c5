package tablelock

import (
	"os"
	"os/exec"
	"testing"
)

func TestClientState(t *testing.T) {
	self := thisClient()
	if self.pid() != os.Getpid() || self != thisClient() {
		t.Fatalf("this process is %+v, of process %d", self, self.pid())
	}

	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}

	began, ended, err := processStat(cmd.Process.Pid)
	if err != nil || ended {
		t.Fatalf("ended %t: %v", ended, err)
	}
	other := newClient(self.space, uint32(cmd.Process.Pid), began)

	check := func(what string, c client, want clientState) {
		t.Helper()
		if got := c.state(); got != want {
			t.Errorf("%s: state %d, want %d", what, got, want)
		}
	}

	check("this process", self, clientAlive)
	check("another process", other, clientAlive)
	check("one that had its number before", newClient(self.space, uint32(cmd.Process.Pid), began+1), clientGone)
	check("a process of another machine", newClient(self.space+1, uint32(cmd.Process.Pid), began), clientUnknown)
	check("nobody", client{}, clientUnknown)

	// Killed, but its parent has not waited for it: its process ID stays in use.
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for !ended {
		if _, ended, err = processStat(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
	}

	check("a process that was killed", other, clientGone)
	_ = cmd.Wait()
	check("a process that is gone", other, clientGone)
}
