//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package textfile

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock keeps others from writing in a directory. It locks the directory itself:
// that leaves no file behind, and a process that is killed gives it back.
func lock(ctx context.Context, dir string) (unlock func() error, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}

	err = wait(ctx, dir, func() error {
		err := unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
			return errHeld
		}

		return os.NewSyscallError("flock", err)
	})

	switch {
	case errors.Is(err, unix.EBADF), errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOLCK), errors.Is(err, unix.ENOSYS):
		// Over NFS only a file that is open for writing can be locked.
		if err := d.Close(); err != nil {
			return nil, err
		}

		return lockByFile(ctx, dir)
	case err != nil:
		return nil, errors.Join(err, d.Close())
	}

	return d.Close, nil
}
