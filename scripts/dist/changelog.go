package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// releasePattern matches the tag of a final release.
var releasePattern = regexp.MustCompile(`^v\d+\.\d+\.\d+$`)

// checkChangelog refuses a release that the changelog does not describe.
func checkChangelog(version string) error {
	if !releasePattern.MatchString(version) {
		return nil
	}

	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return err
	}

	heading := fmt.Sprintf("## [%s] - ", strings.TrimPrefix(version, "v"))
	if !strings.Contains(string(text), "\n"+heading) {
		return fmt.Errorf("CHANGELOG.md has no heading %q for %s: rename the heading of the unreleased changes, commit, and tag that commit", heading+"YYYY-MM-DD", version)
	}
	return nil
}
