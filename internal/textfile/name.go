package textfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// maxJobName is how many characters of a job's name go into the name of a file. File systems
// end names at 255 bytes, and a temporary file has a number behind its name.
const maxJobName = 150

// jobPlaceholder is where a job's name goes in the name of a file.
const jobPlaceholder = "{job}"

// CheckName refuses a file that node_exporter would not read. It is for the check
// of a command line, before a run: it looks at the name alone.
func CheckName(path string) error {
	if base := filepath.Base(path); path == "" || !strings.HasSuffix(base, ".prom") || base == ".prom" || strings.HasSuffix(path, string(filepath.Separator)) {
		return errors.New("must have a name that ends in .prom: node_exporter reads no other")
	}
	return nil
}

// Expand returns the file of a job: {job} in a pattern is its name, in letters that a
// name of a file may have everywhere. Jobs with different names have different files.
func Expand(pattern, job string) string {
	return strings.ReplaceAll(pattern, jobPlaceholder, fileName(job))
}

// fileName returns a name as part of the name of a file. One that had to be changed gets
// a part of its hash, so that it stays unlike any other.
func fileName(name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("._-", r):
			return r
		}
		return '_'
	}, name)

	if safe == name && strings.Trim(name, ".") != "" && len(name) <= maxJobName {
		return name
	}

	sum := sha256.Sum256([]byte(name))
	return safe[:min(len(safe), maxJobName)] + "-" + hex.EncodeToString(sum[:4])
}

// CheckJobs refuses files that several jobs would share. files has the file of each job, ""
// for none, in the order of the jobs; the index is that of the first job whose file
// another one has already.
func CheckJobs(files []string) (index int, err error) {
	first := make(map[string]bool)
	for i, file := range files {
		clean := filepath.Clean(file)
		if file != "" && first[clean] {
			return i, fmt.Errorf("would hold several jobs, but a file holds only one: put %s into its name, for the name of the job", jobPlaceholder)
		}
		first[clean] = true
	}

	return -1, nil
}
