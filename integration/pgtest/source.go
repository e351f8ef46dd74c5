package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"github.com/loadgrid/loadgrid/internal/container"
)

// Environment variables that choose the server.
const (
	serverVariable = "LOADGRID_TEST_SERVER"
	imageVariable  = "LOADGRID_TEST_IMAGE"
)

// How long the engine may take to answer, and to fetch the small image of the library's own reaper (Ryuk), which
// is useful but not necessary.
const (
	engineTimeout = 15 * time.Second
	ryukTimeout   = 30 * time.Second
)

// chooseSource chooses the source of servers, and prints it to stderr.
func chooseSource(ctx context.Context) (source, error) {
	wanted := os.Getenv(serverVariable)
	switch wanted {
	case "local":
		return newLocalSource(serverVariable + "=local")
	case "container", "":
	default:
		return nil, fmt.Errorf("%s=%q: want container or local", serverVariable, wanted)
	}

	if _, err := docker(ctx, engineTimeout, "version", "--format", "{{.Server.Version}}"); err != nil {
		if wanted == "container" {
			return nil, fmt.Errorf("%s=container, but no container engine answers: %w", serverVariable, err)
		}
		return newLocalSource(fmt.Sprintf("no container engine answers (%v)", err))
	}

	if err := configureTestcontainers(ctx); err != nil {
		return nil, err
	}

	// The library logs each step, and returns failures as errors. Set this here, because servers may start in
	// parallel.
	tclog.SetDefault(tclog.NewNoopLogger())
	image := chooseImage(ctx)
	fmt.Fprintf(os.Stderr, "pgtest: PostGIS comes from a container of %s\n", image)

	return containerSource{image: image}, nil
}

// chooseImage returns the image that is set by name, or else the public one, unless only the local one is here.
func chooseImage(ctx context.Context) string {
	if image := os.Getenv(imageVariable); image != "" {
		return image
	}
	for _, image := range []string{container.DefaultImage, container.LocalImage} {
		if haveImage(ctx, image) {
			return image
		}
	}
	return container.DefaultImage
}

func haveImage(ctx context.Context, image string) bool {
	_, err := docker(ctx, engineTimeout, "image", "inspect", "--format", "{{.Id}}", image)
	return err == nil
}

// configureTestcontainers sets the environment variables of testcontainers-go, once, at its first call. It keeps
// what the user has set.
func configureTestcontainers(ctx context.Context) error {
	// The library logs each step, and returns failures as errors.
	tclog.SetDefault(tclog.NewNoopLogger())
	settings := map[string]string{}

	// The library must use the engine that answered us: docker's own context may differ from what the library
	// would find.
	host, err := docker(ctx, engineTimeout, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	if err == nil && host != "" {
		settings["DOCKER_HOST"] = host
	}
	if insideWithEngine(ctx, host) {
		settings["TESTCONTAINERS_HOST_OVERRIDE"] = "127.0.0.1"
	}
	if !haveRyuk(ctx) {
		// Without its image, no container would start. The reaper of this package does its work.
		settings["TESTCONTAINERS_RYUK_DISABLED"] = "true"
	}

	for name, value := range settings {
		if _, isSet := os.LookupEnv(name); isSet {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("set %s for testcontainers: %w", name, err)
		}
	}

	return nil
}

// insideWithEngine reports whether this process and the engine are in the same container. The library would then
// look for published ports at the gateway, outside. If only the engine's socket is mounted here, the engine has
// another host name.
func insideWithEngine(ctx context.Context, host string) bool {
	if _, err := os.Stat("/.dockerenv"); err != nil || !strings.HasPrefix(host, "unix://") {
		return false
	}
	engine, err := docker(ctx, engineTimeout, "info", "--format", "{{.Name}}")
	if err != nil {
		return false
	}
	name, err := os.Hostname()
	return err == nil && name == engine
}

// haveRyuk reports whether the image that testcontainers-go cleans up with is here or can be fetched.
func haveRyuk(ctx context.Context) bool {
	//lint:ignore SA1019 deprecated without a successor that can be imported
	image := testcontainers.ReaperDefaultImage
	if prefix := os.Getenv("TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX"); prefix != "" {
		image = strings.TrimSuffix(prefix, "/") + "/" + image
	}
	if haveImage(ctx, image) {
		return true
	}
	_, err := docker(ctx, ryukTimeout, "pull", "--quiet", image)

	return err == nil
}

// docker calls the engine's command line and returns its output.
func docker(ctx context.Context, timeout time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.WaitDelay = time.Second

	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("docker %s took longer than %v", args[0], timeout)
		}
		if failed := (*exec.ExitError)(nil); errors.As(err, &failed) && len(failed.Stderr) > 0 {
			return "", fmt.Errorf("docker %s: %s", args[0], strings.TrimSpace(string(failed.Stderr)))
		}
		return "", fmt.Errorf("docker %s: %w", args[0], err)
	}

	return strings.TrimSpace(string(out)), nil
}
