package textfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Warning reports that a record was written, but something needs attention.
type Warning struct {
	Path string // the file's path
	Err  error  // the error in its old content
}

func (w *Warning) Error() string {
	return fmt.Sprintf("the metrics are written to %s, but its counters restart at 0, because its old content could not be read: %v", w.Path, w.Err)
}

func (w *Warning) Unwrap() error { return w.Err }

// Write writes a record into the file at path, which holds one job, and keeps what outlives a run:
// counters, the last success, the size of the table. Readers see the old file or the new one. A
// link stays a link.
//
// Write replaces a file that it cannot read, such as one truncated by a crash, and the error is a
// *Warning. A file with the metrics of another job or program stays unchanged, and the error wraps
// a *ForeignError. After any other error the file is unchanged, too.
//
// Writers do not wait for each other. If two runs of a job end within the same milliseconds, the
// file may count only one of them.
func Write(path string, r Record) error {
	if err := CheckName(path); err != nil {
		return fmt.Errorf("the file for metrics %q %w", path, err)
	}
	if err := r.validate(); err != nil {
		return err
	}

	target, damage, err := write(path, r)
	if err != nil {
		return fmt.Errorf("writing the metrics of job %q to %s: %w%s", r.Job, path, err, hint(err))
	}

	if damage != nil {
		return &Warning{Path: target, Err: damage}
	}
	return nil
}

func write(path string, r Record) (target string, damage, err error) {
	target = followLink(path)
	switch info, err := os.Stat(target); {
	case err == nil && info.IsDir():
		return target, nil, errors.New("it is a directory")
	case err == nil && !info.Mode().IsRegular():
		return target, nil, errors.New("it is not a regular file")
	}

	before, foreign, damage := readPrevious(target, validUTF8(r.Job), validUTF8(r.Table))
	if foreign != nil {
		return target, nil, foreign
	}

	removeLeftovers(target)

	err = prometheus.WriteToTextfile(target, newMetrics(r, before))
	var temporary *fs.PathError
	if errors.As(err, &temporary) { // the temporary file's name would not help
		err = temporary.Err
	}

	return target, damage, err
}

// leftoverAge is the age at which a temporary file counts as a killed run's leftover. Writing one
// takes milliseconds.
const leftoverAge = time.Hour

// removeLeftovers removes the temporary files that WriteToTextfile could not rename because its
// process was killed. Their names are the file's name plus digits. node_exporter does not read
// them, so it does no harm if one cannot be removed.
func removeLeftovers(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}

	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), filepath.Base(path))
		if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
			continue
		}

		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > leftoverAge {
			_ = os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// followLink returns the file that a path refers to. A link may refer to a file that does not exist
// yet.
func followLink(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}

	to, err := os.Readlink(path)
	switch {
	case err != nil:
		return path // it is not a link
	case filepath.IsAbs(to):
		return to
	}
	return filepath.Join(filepath.Dir(path), to)
}

// hint returns advice for an error.
func hint(err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return ": create the directory, the one that node_exporter's --collector.textfile.directory names, or choose another"
	case isReadOnly(err):
		return ": choose a directory that can be written to"
	case errors.Is(err, os.ErrPermission):
		return ": let the user that loadgrid runs as read and write the directory"
	case isFull(err):
		return ": free some space there"
	case isBusy(err):
		return busyHint
	}

	return ""
}
