package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// testRelease returns a release whose files are in directories of the test, started from the root of the sources,
// and a program that does nothing.
func testRelease(t *testing.T) (r *release, program string) {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	r = &release{version: "v1.2.3-4-gabc1234", date: time.Date(2026, 11, 29, 12, 0, 7, 0, time.UTC), out: t.TempDir(), work: t.TempDir(), log: io.Discard}
	program = filepath.Join(r.work, "loadgrid")
	if err := os.WriteFile(program, []byte("a program"), 0o700); err != nil {
		t.Fatal(err)
	}
	return r, program
}

// The image runs like the one from the Dockerfile, which the integration tests run.
func TestImageRunsAsTheDockerfileSays(t *testing.T) {
	r, _ := testRelease(t)
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}

	stage := string(text[strings.LastIndex(string(text), "\nFROM "):])
	config := r.imageConfig()
	for instruction, want := range map[string]string{
		"USER":       config.User,
		"ENTRYPOINT": fmt.Sprintf("%q", config.Entrypoint),
		"CMD":        fmt.Sprintf("%q", config.Cmd),
	} {
		m := regexp.MustCompile(`(?m)^` + instruction + ` (.*)$`).FindStringSubmatch(stage)
		if m == nil || m[1] != want {
			t.Errorf("the Dockerfile has %q, the image %s %s", m, instruction, want)
		}
	}

	labels := make(map[string]string)
	for _, m := range regexp.MustCompile(`(org\.[a-z.]+)="([^"]*)"`).FindAllStringSubmatch(stage, -1) {
		labels[m[1]] = strings.ReplaceAll(m[2], "${VERSION}", r.version)
	}
	if len(labels) == 0 || fmt.Sprint(labels) != fmt.Sprint(config.Labels) {
		t.Errorf("the Dockerfile has the labels %v, the image %v", labels, config.Labels)
	}
}

// tarFiles returns the headers and the contents of a tar file.
func tarFiles(t *testing.T, r io.Reader) (headers []*tar.Header, contents map[string][]byte) {
	t.Helper()
	contents = make(map[string][]byte)
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if err == io.EOF {
			return headers, contents
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		headers, contents[h.Name] = append(headers, h), content
	}
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// Both entry points of the layout, OCI's and that of old engines, lead to the program.
func TestImageLayout(t *testing.T) {
	r, program := testRelease(t)
	if err := r.writeImage(platform{"linux", "arm64"}, program, []byte("licenses")); err != nil {
		t.Fatal(err)
	}

	archive, err := os.ReadFile(filepath.Join(r.out, "loadgrid_1.2.3-4-gabc1234_linux_arm64.image.tar"))
	if err != nil {
		t.Fatal(err)
	}
	_, files := tarFiles(t, bytes.NewReader(archive))

	get := func(name string, into any) {
		t.Helper()
		if err := json.Unmarshal(files[name], into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	blob := func(d v1.Descriptor) string {
		t.Helper()
		name := "blobs/sha256/" + d.Digest.Encoded()
		if content := files[name]; digest.FromBytes(content) != d.Digest || int64(len(content)) != d.Size {
			t.Fatalf("%s has %d bytes, and is not %+v", name, len(content), d)
		}
		return name
	}

	var oci v1.ImageLayout
	get("oci-layout", &oci)
	var index v1.Index
	get("index.json", &index)
	if oci.Version != "1.0.0" || len(index.Manifests) != 1 || index.Manifests[0].Platform.Architecture != "arm64" {
		t.Fatalf("layout %+v, index %+v", oci, index)
	}

	var manifest v1.Manifest
	get(blob(index.Manifests[0]), &manifest)
	var image v1.Image
	get(blob(manifest.Config), &image)
	layer := unpack(t, files[blob(manifest.Layers[0])])
	if image.Architecture != "arm64" || image.OS != "linux" || len(image.RootFS.DiffIDs) != 1 || image.RootFS.DiffIDs[0] != digest.FromBytes(layer) {
		t.Errorf("config %+v", image)
	}

	headers, root := tarFiles(t, bytes.NewReader(layer))
	i := slices.IndexFunc(headers, func(h *tar.Header) bool { return h.Name == "loadgrid" })
	if i < 0 || string(root["loadgrid"]) != "a program" || headers[i].Mode != 0o755 || headers[i].Uid != 0 || !headers[i].ModTime.Equal(r.date) {
		t.Errorf("the layer has %+v", headers)
	}

	if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(root["etc/ssl/certs/ca-certificates.crt"]) {
		t.Error("the layer has no root certificates")
	}

	var old []dockerManifest
	get("manifest.json", &old)
	if len(old) != 1 || old[0].Config != blob(manifest.Config) || old[0].Layers[0] != blob(manifest.Layers[0]) || old[0].RepoTags[0] != "loadgrid:1.2.3-4-gabc1234" {
		t.Errorf("manifest.json has %+v", old)
	}
}
