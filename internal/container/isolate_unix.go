//go:build unix

package container

import (
	"os/exec"
	"syscall"
)

// isolate makes a program start in its own process group.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
