package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// billOfMaterials is in the format of CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/). cyclonedx-gomod is
// not used, because it asks the network for licenses, and includes its own hash, which depends on the machine.
type billOfMaterials struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     billMetadata `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type billMetadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Ref      string          `json:"bom-ref"`
	Type     string          `json:"type"`
	Name     string          `json:"name"`
	Version  string          `json:"version"`
	Hashes   []componentHash `json:"hashes,omitempty"`
	Licenses []license       `json:"licenses,omitempty"`
	URL      string          `json:"purl"`
}

type componentHash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type license struct {
	License licenseID `json:"license"`
}

type licenseID struct {
	ID string `json:"id"` // SPDX name
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// writeBillOfMaterials writes what a program contains: Go's standard library and modules, according to the
// program itself.
func (r *release) writeBillOfMaterials(ctx context.Context, p platform, program string) error {
	bill, err := r.billOfMaterials(ctx, p, program)
	if err != nil {
		return fmt.Errorf("writing the bill of materials: %w", err)
	}

	text, err := json.MarshalIndent(bill, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, r.name(p)+".cdx.json"), append(text, '\n'), 0o644)
}

func (r *release) billOfMaterials(ctx context.Context, p platform, program string) (*billOfMaterials, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	sources, err := sourcesOf(ctx, info)
	if err != nil {
		return nil, err
	}

	main := newComponent("application", info.Main.Path, r.version, p)
	main.Hashes = []componentHash{{"SHA-256", fmt.Sprintf("%x", sha256.Sum256(content))}}
	main.Licenses = []license{{licenseID{"Apache-2.0"}}}

	bill := &billOfMaterials{Format: "CycloneDX", Spec: "1.6", Version: 1}
	bill.Metadata = billMetadata{r.date.Format("2006-01-02T15:04:05Z"), main}
	all := dependency{Ref: main.Ref}
	for _, s := range sources {
		c := newComponent("library", s.path, s.version, p)
		if c.Hashes, err = moduleHashes(s.sum); err != nil {
			return nil, fmt.Errorf("%s: %w", s.path, err)
		}
		if c.Licenses, err = licenseIDs(s); err != nil {
			return nil, err
		}

		bill.Components = append(bill.Components, c)
		all.DependsOn = append(all.DependsOn, c.Ref)
	}
	bill.Dependencies = []dependency{all}
	return bill, nil
}

func newComponent(kind, path, version string, p platform) component {
	url := fmt.Sprintf("pkg:golang/%s@%s", path, strings.ReplaceAll(version, "+", "%2B"))
	return component{Ref: url, Type: kind, Name: path, Version: version, URL: fmt.Sprintf("%s?goarch=%s&goos=%s&type=module", url, p.arch, p.os)}
}

// moduleHashes returns the hash of a module in go.sum, which is the hash of the list of its files' hashes.
func moduleHashes(sum string) ([]componentHash, error) {
	if sum == "" { // the standard library
		return nil, nil
	}

	encoded, ok := strings.CutPrefix(sum, "h1:")
	hash, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, fmt.Errorf("the hash %q is not in the format of go.sum", sum)
	}
	return []componentHash{{"SHA-256", hex.EncodeToString(hash)}}, nil
}

// source is a component of a program.
type source struct {
	path    string // of the module
	version string
	sum     string // as in go.sum; empty for the standard library
	dir     string // where its licenses are
}

func (s source) String() string { return s.path + " " + s.version }

// sourcesOf returns the standard library and the modules of a program, sorted by path.
func sourcesOf(ctx context.Context, info *debug.BuildInfo) ([]source, error) {
	goroot, err := call(ctx, os.Environ(), "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	sources := []source{{"std", info.GoVersion, "", strings.TrimSpace(string(goroot))}}

	list := []string{"list", "-m", "-f", "{{.Path}}\t{{.Dir}}"}
	for _, module := range info.Deps {
		list = append(list, module.Path)
	}
	out, err := call(ctx, os.Environ(), "go", list...)
	if err != nil {
		return nil, err
	}

	dirs := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		dirs[path] = dir
	}
	for _, module := range info.Deps {
		sources = append(sources, source{module.Path, module.Version, module.Sum, dirs[module.Path]})
	}

	slices.SortFunc(sources, func(a, b source) int { return cmp.Compare(a.path, b.path) })
	return sources, nil
}
