package integration

import (
	"crypto/rand"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// finalStage returns the last stage of the Dockerfile. Files that it copies from the previous stage come
// from the directory out.
func finalStage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}

	at := strings.LastIndex(string(text), "\nFROM ")
	if at < 0 || !strings.HasPrefix(string(text[at:]), "\nFROM ${BASE_IMAGE}\n") || !strings.Contains(string(text), "\nARG BASE_IMAGE=scratch\n") {
		t.Fatal("the last stage of the Dockerfile does not begin with FROM ${BASE_IMAGE}, scratch")
	}

	stage := string(text[at:])
	copied := regexp.MustCompile(`(?m)^COPY --from=build /out/ /$`)
	if len(copied.FindAllString(stage, -1)) != 1 || strings.Count(stage, "--from") != 1 {
		t.Fatal("the last stage of the Dockerfile copies something other than /out/")
	}

	return "FROM scratch" + copied.ReplaceAllString(strings.TrimPrefix(stage, "\nFROM ${BASE_IMAGE}"), "COPY out/ /")
}

// docker runs the engine with these additional variables and returns its output.
func docker(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("docker", args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("docker %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// buildImage builds loadgrid's image as the Dockerfile does, but without fetching the image of the first
// stage.
func buildImage(t *testing.T) (name string) {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "out", "loadgrid"), "github.com/loadgrid/loadgrid/cmd/loadgrid")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building loadgrid: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(finalStage(t)), 0o644); err != nil {
		t.Fatal(err)
	}

	var env []string
	if exec.Command("docker", "buildx", "version").Run() != nil {
		env = []string{"DOCKER_BUILDKIT=0"}
	}

	name = "loadgrid-test-" + strings.ToLower(rand.Text()[:12])
	docker(t, env, "build", "--quiet", "--tag", name, dir)
	t.Cleanup(func() { docker(t, nil, "image", "rm", "--force", name) })
	return name
}

// The image does not run as root, and needs neither privileges nor a writable place.
func TestTheContainerImage(t *testing.T) {
	if os.Getenv("LOADGRID_TEST_SERVER") == "local" || exec.Command("docker", "version").Run() != nil {
		t.Skip("NOT TESTED: there is no container engine, so loadgrid's image cannot be built and run")
	}

	s := newSandbox(t)
	u, err := url.Parse(s.dsn)
	if err != nil {
		t.Fatal(err)
	}

	server := docker(t, nil, "ps", "--quiet", "--filter", "publish="+u.Port())
	if server == "" || strings.Contains(server, "\n") {
		t.Fatalf("docker inspect of the server's container prints %q", server)
	}

	// In the server's network it has this address, wherever the engine runs.
	dsn := []string{"LOADGRID_DSN=" + changeDSN(t, s.dsn, func(u *url.URL, _ url.Values) { u.Host = "127.0.0.1:5432" })}
	image := buildImage(t)
	user := docker(t, nil, "image", "inspect", "--format", "{{.Config.User}}", image)
	if !regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`).MatchString(user) {
		t.Errorf("the image's user is %q, want numbers other than 0", user)
	}

	name := image + "-run"
	run := func(more ...string) []string {
		return append([]string{"run", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
			"--network", "container:" + server, "--env", "LOADGRID_DSN"}, more...)
	}

	out := docker(t, dsn, run(append([]string{"--rm", image}, s.load("grid", boxes(30, 20)...)...)...)...)
	s.checkBoxes("grid", 30, 20)
	if !strings.Contains(out, "600") {
		t.Errorf("the container prints: %s", out)
	}

	// A container with a running load, for inspection.
	t.Cleanup(func() { _ = exec.Command("docker", "rm", "--force", "--volumes", name).Run() })
	docker(t, dsn, run("--detach", "--name", name, image, "plan", "--cell-size", "1",
		"--aoi-sql", "select st_makeenvelope(0, 0, 1, 1) from pg_sleep(3600)")...)
	s.waitFor("the container to ask the server", "select exists (select from pg_stat_activity where application_name = $1 and query like '%pg_sleep%')", s.application())
	processes := strings.Split(docker(t, nil, "top", name, "-eo", "pid,uid,gid,args"), "\n")
	if len(processes) != 2 || strings.Join(strings.Fields(processes[1])[1:3], ":") != user {
		t.Errorf("the processes of the container are %q, want one of %s", processes, user)
	}
	if changed := docker(t, nil, "diff", name); changed != "" {
		t.Errorf("the container wrote: %s", changed)
	}

	docker(t, nil, "stop", "--time", "20", name) // SIGTERM
	if code := docker(t, nil, "inspect", "--format", "{{.State.ExitCode}}", name); code != "143" {
		t.Errorf("the stopped container exited with %s, want 143", code)
	}

	s.waitForEnd()
}
