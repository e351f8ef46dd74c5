package main

import (
	"regexp"
	"strings"
	"time"
)

// versionPattern matches what git describe --tags --always --dirty prints.
var versionPattern = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]*$`)

// tagPattern splits the description of a commit: the tag v1.2.3 or v1.2.3-rc.1, the number of commits since, the
// commit, and whether the tree has changes.
var tagPattern = regexp.MustCompile(`^v(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.]+))??(?:-(\d+)-g([0-9a-f]+))?(-dirty)?$`)

// debianVersion returns the version of the Debian package, which sorts as the versions do. 1.2.3~rc.1 comes
// before 1.2.3, and 1.2.3+4.gabc1234, four commits after the tag, comes after it. A version without a tag comes
// before every tag, and later commits are newer.
func debianVersion(version string, date time.Time) string {
	m := tagPattern.FindStringSubmatch(version)
	if m == nil {
		return "0~" + date.Format("20060102150405") + "." + strings.ReplaceAll(version, "-", ".") + "-1"
	}

	upstream := m[1]
	if m[2] != "" {
		upstream += "~" + m[2]
	}
	if m[3] != "" {
		upstream += "+" + m[3] + ".g" + m[4]
	}
	if m[5] != "" {
		upstream += "+dirty"
	}
	return upstream + "-1" // the first package of this version
}
