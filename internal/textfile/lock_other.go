//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package textfile

import "context"

// lock keeps others from writing in a directory.
func lock(ctx context.Context, dir string) (unlock func() error, err error) {
	return lockByFile(ctx, dir)
}
