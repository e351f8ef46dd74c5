package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// sumsName is the name of the file of checksums.
const sumsName = "SHA256SUMS"

// writeSums writes the checksums of all artifacts, in the format of sha256sum --check.
func (r *release) writeSums() error {
	paths, err := filepath.Glob(filepath.Join(r.out, "loadgrid_*"))
	if err != nil {
		return err
	}

	var sums bytes.Buffer
	for _, path := range paths { // sorted by name
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading an artifact: %w", err)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), filepath.Base(path))
	}
	return os.WriteFile(filepath.Join(r.out, sumsName), sums.Bytes(), 0o644)
}
