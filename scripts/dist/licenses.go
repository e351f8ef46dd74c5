package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// licensePattern matches the names of files that a module's license requires to be distributed.
var licensePattern = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-._].*)?$`)

// thirdPartyLicenses returns the licenses of Go and of all modules in a program. Each text appears once, after
// the names of the modules that have it.
func thirdPartyLicenses(ctx context.Context, program string) ([]byte, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("reading the modules of %s: %w", filepath.Base(program), err)
	}
	sources, err := sourcesOf(ctx, info)
	if err != nil {
		return nil, err
	}

	var texts []string // in the order of the first module with each
	holders := make(map[string][]string)
	for _, s := range sources {
		own, err := licensesIn(s)
		if err != nil {
			return nil, err
		}
		for _, text := range own {
			if holders[text] == nil {
				texts = append(texts, text)
			}
			holders[text] = append(holders[text], s.String())
		}
	}

	var b bytes.Buffer
	b.WriteString("loadgrid contains the following software, under these licenses.\n")
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("-", 72), strings.Join(holders[text], "\n"), text)
	}
	return b.Bytes(), nil
}

// licensesIn returns the texts of a module's license files, next to its go.mod and in a directory licenses. A
// module without one cannot be in a release.
func licensesIn(s source) (texts []string, err error) {
	for _, pattern := range []string{"*", filepath.Join("licenses", "*")} {
		paths, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("looking for the license of %s: %w", s.path, err)
		}

		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				return nil, fmt.Errorf("looking for the license of %s: %w", s.path, err)
			}
			named := licensePattern.MatchString(info.Name()) && filepath.Ext(path) != ".go"
			if !info.Mode().IsRegular() || pattern == "*" && !named {
				continue
			}

			text, err := os.ReadFile(path)
			if err != nil {
				return nil, fmt.Errorf("reading the license of %s: %w", s.path, err)
			}
			texts = append(texts, strings.TrimRight(strings.ReplaceAll(toUTF8(text), "\r\n", "\n"), "\n "))
		}
	}

	if len(texts) == 0 {
		return nil, fmt.Errorf("%s has no license file in %s", s.path, s.dir)
	}
	return texts, nil
}

// toUTF8 returns a text in UTF-8. Some old licenses are in Latin-1.
func toUTF8(text []byte) string {
	if utf8.Valid(text) {
		return string(text)
	}

	runes := make([]rune, len(text)) // Latin-1 is the beginning of Unicode
	for i, b := range text {
		runes[i] = rune(b)
	}
	return string(runes)
}

// licenseOf returns the SPDX name of a license text, or "".
func licenseOf(text string) string {
	words := strings.Join(strings.Fields(text), " ")
	has := func(phrases ...string) bool {
		return !slices.ContainsFunc(phrases, func(phrase string) bool { return !strings.Contains(words, phrase) })
	}

	const bsd = "Redistribution and use in source and binary forms"
	switch {
	case has("Apache License", "Version 2.0, January 2004"):
		return "Apache-2.0"
	case has("The FreeType Project LICENSE"):
		return "FTL"
	case has("Mozilla Public License Version 2.0"):
		return "MPL-2.0"
	case has(bsd, "Neither the name"):
		return "BSD-3-Clause"
	case has(bsd):
		return "BSD-2-Clause"
	case has("Permission is hereby granted, free of charge, to any person", "The above copyright notice and this permission notice"):
		return "MIT"
	case has("Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee"):
		return "ISC"
	}
	return ""
}

// licenseIDs returns the SPDX names of the licenses of a module, which must have at least one.
func licenseIDs(s source) (licenses []license, err error) {
	texts, err := licensesIn(s)
	if err != nil {
		return nil, err
	}

	for _, text := range texts {
		id := licenseOf(text) // "" for a notice or a grant of patents
		if l := (license{licenseID{id}}); id != "" && !slices.Contains(licenses, l) {
			licenses = append(licenses, l)
		}
	}

	if len(licenses) == 0 {
		return nil, fmt.Errorf("licenseOf does not recognize the license of %s: check whether loadgrid may use the module", s)
	}
	return licenses, nil
}
