package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// imageConfig returns how the image runs. It must equal the last stage of the Dockerfile.
func (r *release) imageConfig() v1.ImageConfig {
	return v1.ImageConfig{
		User:       "65532:65532",
		Entrypoint: []string{"/loadgrid"},
		Cmd:        []string{"--help"},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "loadgrid",
			"org.opencontainers.image.description": "Fills PostGIS with grids",
			"org.opencontainers.image.source":      "https://github.com/loadgrid/loadgrid",
			"org.opencontainers.image.licenses":    "Apache-2.0",
			"org.opencontainers.image.version":     r.version,
		},
	}
}

// rootCertificates returns Mozilla's root certificates, where Go looks for them. They come from a module, because
// those of the machine may differ. The file cannot express the module's constraints, so it omits certificates
// that have any.
func rootCertificates() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return b.Bytes()
}

// writeImage writes the container image: the program and certificates, and no operating system. The tar file is
// an OCI image layout that docker load of old engines also reads. An engine would give the layer another time,
// and so another hash, in each build.
func (r *release) writeImage(p platform, program string, licenses []byte) error {
	layout, err := r.imageLayout(p, program, licenses)
	if err != nil {
		return fmt.Errorf("making the container image: %w", err)
	}

	var archive bytes.Buffer
	if err := writeTar(&archive, layout, r.date); err != nil {
		return fmt.Errorf("writing the container image: %w", err)
	}
	return os.WriteFile(filepath.Join(r.out, r.name(p)+".image.tar"), archive.Bytes(), 0o644)
}

// imageLayout returns the files of the image layout.
func (r *release) imageLayout(p platform, program string, licenses []byte) ([]file, error) {
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	own, err := os.ReadFile("LICENSE")
	if err != nil {
		return nil, err
	}

	root := []file{
		{name: "LICENSE", content: own},
		{name: "THIRD_PARTY_LICENSES", content: licenses},
		{name: "etc/ssl/certs/ca-certificates.crt", content: rootCertificates()},
		{name: "loadgrid", executable: true, content: content},
	}
	var plain, packed bytes.Buffer
	if err := writeTar(&plain, root, r.date); err != nil {
		return nil, err
	}
	if err := writeTarGz(&packed, root, r.date); err != nil {
		return nil, err
	}

	l := &layout{}
	layer := l.blob(v1.MediaTypeImageLayerGzip, packed.Bytes())
	config := l.json(v1.MediaTypeImageConfig, v1.Image{
		Created:  &r.date,
		Platform: v1.Platform{OS: p.os, Architecture: p.arch},
		Config:   r.imageConfig(),
		RootFS:   v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(plain.Bytes())}},
		History:  []v1.History{{Created: &r.date, CreatedBy: "make dist"}},
	})

	manifest := l.json(v1.MediaTypeImageManifest, v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageManifest,
		Config:    config,
		Layers:    []v1.Descriptor{layer},
	})
	manifest.Platform = &v1.Platform{OS: p.os, Architecture: p.arch}
	tag := strings.NewReplacer("+", "-").Replace(strings.TrimPrefix(r.version, "v"))
	manifest.Annotations = map[string]string{v1.AnnotationRefName: tag}

	l.file(v1.ImageIndexFile, v1.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageIndex,
		Manifests: []v1.Descriptor{manifest},
	})
	l.file(v1.ImageLayoutFile, v1.ImageLayout{Version: v1.ImageLayoutVersion})
	l.file("manifest.json", []dockerManifest{{Config: blobPath(config), RepoTags: []string{"loadgrid:" + tag}, Layers: []string{blobPath(layer)}}})
	return l.files, l.err
}

// dockerManifest is the entry of an image in the format that docker save wrote before version 25.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// layout collects the files of an image layout, and the first error.
type layout struct {
	files []file
	err   error
}

// blob adds content that other content refers to by its hash.
func (l *layout) blob(mediaType string, content []byte) v1.Descriptor {
	d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
	l.files = append(l.files, file{name: blobPath(d), content: content})
	return d
}

func (l *layout) json(mediaType string, value any) v1.Descriptor {
	return l.blob(mediaType, l.marshal(value))
}

func (l *layout) file(name string, value any) {
	l.files = append(l.files, file{name: name, content: l.marshal(value)})
}

func (l *layout) marshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil && l.err == nil {
		l.err = err
	}
	return text
}

// blobPath returns the path of a blob in the layout.
func blobPath(d v1.Descriptor) string {
	return strings.Join([]string{v1.ImageBlobsDir, d.Digest.Algorithm().String(), d.Digest.Encoded()}, "/")
}
