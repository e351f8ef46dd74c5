//go:build unix

package container

import (
	"os/exec"
	"syscall"
)

// isolate has a program start in a process group of its own.
func isolate(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
