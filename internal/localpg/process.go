package localpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// account is the user that a server runs as. PostgreSQL refuses to run as root.
type account struct {
	name     string
	uid, gid int
	borrowed bool // root runs the process as another user
}

// serverAccount chooses the user of the server: the caller, or for root the user postgres if it
// exists, otherwise nobody.
func serverAccount() (account, error) {
	if uid := os.Geteuid(); uid != 0 {
		return account{name: "uid " + strconv.Itoa(uid), uid: uid, gid: os.Getegid()}, nil
	}

	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}

		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, fmt.Errorf("read the user %s: %w", name, err)
		}

		if uid != 0 {
			return account{name: name, uid: uid, gid: gid, borrowed: true}, nil
		}
	}

	return account{}, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as: run this as an ordinary user")
}

// command prepares a PostgreSQL program. It runs as the account, in dir, without the caller's
// environment, which may have passwords and PG* settings. It has its own process group, so that the
// terminal's Ctrl-C reaches only loadgrid, which then stops everything in order.
func (a account) command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "LC_ALL=C", "TZ=UTC"}

	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}

	a.isolate(cmd)

	return cmd
}

// run runs a program to its end. If ctx is cancelled, it ends the whole process group.
func (a account) run(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := a.command(ctx, dir, program, args...)
	cmd.Cancel = func() error { return endGroup(cmd) }
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}

	return out.String(), err
}

// chown makes the account the owner of a path.
func (a account) chown(path string) error {
	if !a.borrowed {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// longestSocketPath is the maximum length of a Unix socket's path on macOS. On Linux it is three
// bytes longer.
const longestSocketPath = 103

// makeDir makes the server's directory, which only the account can enter. The account must be able
// to reach it, and a socket's path in it must not be too long.
func (a account) makeDir() (string, error) {
	var reasons []string
	for _, base := range []string{os.TempDir(), "/tmp", "/var/tmp"} {
		if !a.canReach(base) {
			reasons = append(reasons, fmt.Sprintf("%s cannot be entered by %s", base, a.name))
			continue
		}

		dir, err := os.MkdirTemp(base, "loadgrid-*")
		if err != nil {
			reasons = append(reasons, err.Error())
			continue
		}

		if len(filepath.Join(dir, ".s.PGSQL.65535")) > longestSocketPath {
			reasons = append(reasons, base+" is too long for a socket's path")
			os.Remove(dir)
			continue
		}

		if err := a.chown(dir); err != nil {
			os.Remove(dir)
			return "", fmt.Errorf("give the server's directory to %s: %w", a.name, err)
		}

		return dir, nil
	}

	return "", fmt.Errorf("make the server's directory: %s; set TMPDIR to a short path that every user may enter", strings.Join(reasons, "; "))
}

// canReach tells whether the account may enter dir and all directories above it.
func (a account) canReach(dir string) bool {
	if !a.borrowed {
		return true
	}

	dir, err := filepath.Abs(dir)
	if err != nil {
		return false
	}

	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return false
	}

	for {
		info, err := os.Stat(dir)
		if err != nil || !a.canEnter(info) {
			return false
		}

		if dir == filepath.Dir(dir) {
			return true
		}

		dir = filepath.Dir(dir)
	}
}

func (a account) canEnter(info fs.FileInfo) bool {
	uid, gid, ok := ownerOf(info)

	switch {
	case !ok:
		return false
	case uid == a.uid:
		return info.Mode()&0o100 != 0
	case gid == a.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}
