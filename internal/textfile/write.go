package textfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Warning says that a record is in its file, and that there is something to look at.
type Warning struct {
	Path  string // of the file
	Aside string // where its old content is now
	Err   error  // what was wrong with it
}

func (w *Warning) Error() string {
	return fmt.Sprintf("the metrics are written to %s, but what was there before could not be read and lies in %s now, where node_exporter does not look: %v", w.Path, w.Aside, w.Err)
}

func (w *Warning) Unwrap() error { return w.Err }

// CheckName refuses a file that node_exporter would not read. It is for the check
// of a command line, before a run: it looks at the name alone.
func CheckName(path string) error {
	if path == "" {
		return errors.New("a file for metrics needs a name")
	}

	if base := filepath.Base(path); !strings.HasSuffix(base, ".prom") || base == ".prom" || strings.HasSuffix(path, string(filepath.Separator)) {
		return fmt.Errorf("the file for metrics %q must have a name that ends in .prom: node_exporter reads no other", path)
	}

	return nil
}

// Write puts a record into the file at path in place of the one that its job had
// there, and makes the file where there is none.
//
// Readers see the old file or the new one, and writers wait for each other, until
// ctx ends, but no longer than 90 seconds. A context that has ended already allows
// one try, so that a run that was stopped is on record, too. A link stays a link.
//
// Of a file that cannot be read, or that the parser of Prometheus refuses, the old
// content is put aside under the same name with .broken, the record is written
// without it, and the error is a *Warning. After any other error the file is as it
// was.
func Write(ctx context.Context, path string, r Record) error {
	if err := CheckName(path); err != nil {
		return err
	}

	if err := r.validate(); err != nil {
		return err
	}

	err := write(ctx, path, r)
	var warning *Warning
	if err == nil || errors.As(err, &warning) {
		return err
	}

	return fmt.Errorf("writing the metrics of job %q to %s: %w%s", r.Job, path, err, hint(err))
}

func write(ctx context.Context, path string, r Record) (err error) {
	target, err := resolveLinks(path)
	if err != nil {
		return err
	}

	unlock, err := lock(ctx, filepath.Dir(target))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	old, unreadable, err := read(target)
	if err != nil {
		return err
	}

	content, broken, err := merge(old, r)
	if err != nil {
		return err
	}

	aside := target + ".broken"

	switch {
	case unreadable != nil:
		err, broken = os.Rename(target, aside), unreadable
	case broken != nil: // a copy, so that readers have a file at any time
		err = replace(aside, old)
	}

	if err != nil {
		return err
	}

	if err := replace(target, content); err != nil {
		return err
	}

	if broken != nil {
		return &Warning{Path: path, Aside: aside, Err: broken}
	}

	return nil
}

// resolveLinks returns the file that a path stands for, which need not exist. The last
// name is followed by hand: a link may lead to a file that nobody has made yet.
func resolveLinks(path string) (string, error) {
	for range 40 { // as many as Linux follows
		to, err := os.Readlink(path)
		if err != nil {
			break // no link, or nothing that could be asked
		}

		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}

		path = to
	}

	info, err := os.Lstat(path)

	switch {
	case errors.Is(err, os.ErrNotExist):
		return path, nil
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is a %s and no file", path, kindOf(info.Mode()))
	}

	return path, nil
}

// kindOf says what it is that is no regular file.
func kindOf(mode os.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&os.ModeSymlink != 0:
		return "link that leads nowhere"
	}

	return "special file"
}

// read returns the content of a file, none where there is no file. A file that is
// there and cannot be read is no error of the run.
func read(path string) (content []byte, unreadable, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}

	if err != nil {
		return nil, err, nil
	}

	var b bytes.Buffer
	_, unreadable = io.Copy(&b, f)

	return b.Bytes(), unreadable, f.Close()
}

// replace writes a file beside path and gives it that name. The lock is held, so
// that the file beside may have one name: what a killed process left there is used
// up by the next one.
func replace(path string, content []byte) (err error) {
	beside := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.Remove(beside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}

	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(beside))
		}
	}()

	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(0o644) // whatever the umask: node_exporter is another user
	}

	if err == nil {
		err = f.Sync() // else a crash may leave the new name on an empty file
	}

	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}

	return os.Rename(beside, path)
}

// hint says what to do about an error.
func hint(err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return ": make the directory, the one that node_exporter's --collector.textfile.directory names, or choose another"
	case errors.Is(err, syscall.EROFS):
		return ": choose a directory that can be written to"
	case errors.Is(err, os.ErrPermission):
		return ": let the user that loadgrid runs as read and write the directory"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ": make room there"
	case errors.Is(err, syscall.EBUSY):
		return ": where a single file is mounted into a container, mount its directory instead"
	}

	return ""
}
