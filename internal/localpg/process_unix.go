//go:build unix

package localpg

import (
	"io/fs"
	"os/exec"
	"syscall"
)

// canServe reports whether this package can run a server on this system.
const canServe = true

// isolate makes a program start as the account, in its own process group.
func (a account) isolate(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.borrowed {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
}

// endGroup ends the process group of a program that isolate prepared.
func endGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

// ownerOf returns the user and group that own a file, if the file system has them.
func ownerOf(info fs.FileInfo) (uid, gid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}
