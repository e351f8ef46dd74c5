package textfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// maxJobName is how many characters of a job's name go into the name of a file. File systems limit
// names to 255 bytes, and a temporary file has a number after its name.
const maxJobName = 150

// jobPlaceholder is the placeholder for the job's name in the name of a file.
const jobPlaceholder = "{job}"

// CheckName refuses a file that node_exporter would not read. It is for checking a command line
// before a run, and looks only at the name.
func CheckName(path string) error {
	if base := filepath.Base(path); path == "" || !strings.HasSuffix(base, ".prom") || base == ".prom" || strings.HasSuffix(path, string(filepath.Separator)) {
		return errors.New("must have a name that ends in .prom: node_exporter reads no other")
	}
	return nil
}

// Expand returns the file of a job. It replaces {job} in a pattern with the job's name, in
// characters that are valid in file names everywhere. Jobs with different names have different
// files.
func Expand(pattern, job string) string {
	return strings.ReplaceAll(pattern, jobPlaceholder, fileName(job))
}

// fileName returns a name as part of a file name. A name that had to be changed gets a part of its
// hash, so that it differs from all others.
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

// CheckJobs refuses files that several jobs would share. files has the file of each job, "" for
// none, in the order of the jobs. index is the first job whose file another job already has.
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
