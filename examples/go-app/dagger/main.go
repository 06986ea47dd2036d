// Build, test, check and package a Go program.
//
// Written in the style of 2023: types of the API have no prefix.
package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

type GoApp struct{}

// base is the toolchain with the code and what it remembers between runs.
func base(source *Directory) *Container {
	return dag.Container().
		From("golang:1.21").
		WithDirectory("/src", source, ContainerWithDirectoryOpts{Exclude: []string{"dagger"}}).
		WithWorkdir("/src").
		WithMountedCache("/go/pkg/mod", dag.CacheVolume("go-mod")).
		WithMountedCache("/root/.cache/go-build", dag.CacheVolume("go-build")).
		WithEnvVariable("CGO_ENABLED", "0")
}

// Build compiles the program
func (m *GoApp) Build(source *Directory) *Container {
	return base(source).WithExec([]string{"go", "build", "-o", "app", "."})
}

// Test runs the unit tests
func (m *GoApp) Test(ctx context.Context, source *Directory) (string, error) {
	return base(source).WithExec([]string{"go", "test", "-v", "./..."}).Stdout(ctx)
}

// Lint runs go vet
func (m *GoApp) Lint(ctx context.Context, source *Directory) (string, error) {
	return base(source).WithExec([]string{"go", "vet", "./..."}).Stdout(ctx)
}

// Format fails if a file is not formatted
func (m *GoApp) Format(ctx context.Context, source *Directory) error {
	out, err := base(source).WithExec([]string{"gofmt", "-l", "."}).Stdout(ctx)
	if err != nil {
		return err
	}
	if out != "" {
		return fmt.Errorf("not formatted: %s", out)
	}
	return nil
}

// BuildImage puts the program alone into a small image
func (m *GoApp) BuildImage(source *Directory) *Container {
	return dag.Container().
		From("gcr.io/distroless/static").
		WithFile("/app", m.Build(source).File("/src/app")).
		WithEntrypoint([]string{"/app"})
}

// Publish pushes the image and returns its address
func (m *GoApp) Publish(
	ctx context.Context,
	source *Directory,
	registry string, // such as ghcr.io/org/app
	tag string,
	username string,
	password *Secret,
) (string, error) {
	return m.BuildImage(source).
		WithRegistryAuth(registry, username, password).
		Publish(ctx, fmt.Sprintf("%s:%s", registry, tag))
}

// Scan fails if the code holds a password
func (m *GoApp) Scan(ctx context.Context, source *Directory) (string, error) {
	return dag.Container().
		From("alpine:3.20").
		WithMountedDirectory("/src", source).
		WithWorkdir("/src").
		WithExec([]string{"sh", "-c", `! grep -rniE 'password *= *"' . && echo nothing found`}).
		Stdout(ctx)
}

// TestWithDatabase runs a query against PostgreSQL, which is there as "db" meanwhile
func (m *GoApp) TestWithDatabase(
	ctx context.Context,
	source *Directory,
	// +default="SELECT count(*) FROM words"
	query string,
) (string, error) {
	database := dag.Container().
		From("postgres:16-alpine").
		WithEnvVariable("POSTGRES_PASSWORD", "test").
		WithEnvVariable("POSTGRES_DB", "words").
		WithExposedPort(5432).
		AsService()
	return dag.Container().
		From("postgres:16-alpine").
		WithServiceBinding("db", database).
		WithEnvVariable("PGPASSWORD", "test").
		WithMountedDirectory("/src", source).
		WithWorkdir("/src").
		WithExec([]string{"psql", "-h", "db", "-U", "postgres", "-d", "words", "-qAt", "-f", "schema.sql", "-c", query}).
		Stdout(ctx)
}

// Deploy applies the manifest in the directory k8s
func (m *GoApp) Deploy(ctx context.Context, source *Directory, kubeconfig *Secret) (string, error) {
	return dag.Kubectl().
		WithKubeconfig(kubeconfig).
		Apply(ctx, "deployment.yaml", source.Directory("k8s"))
}

// Release goes through all stages: checks, publishes, deploys
func (m *GoApp) Release(
	ctx context.Context,
	source *Directory,
	registry string,
	tag string,
	username string,
	password *Secret,
	kubeconfig *Secret,
) (string, error) {
	stages := []struct {
		name string
		run  func(context.Context, *Directory) (string, error)
	}{{"lint", m.Lint}, {"test", m.Test}, {"scan", m.Scan}}
	for _, stage := range stages {
		fmt.Println("stage:", stage.name)
		if _, err := stage.run(ctx, source); err != nil {
			return "", fmt.Errorf("%s: %w", stage.name, err)
		}
	}
	fmt.Println("stage: publish")
	published, err := m.Publish(ctx, source, registry, tag, username, password)
	if err != nil {
		return "", fmt.Errorf("publish: %w", err)
	}
	fmt.Println("stage: deploy")
	deployed, err := m.Deploy(ctx, source, kubeconfig)
	if err != nil {
		return "", fmt.Errorf("deploy: %w", err)
	}
	return published + "\n" + deployed, nil
}

// CI checks everything at the same time
func (m *GoApp) CI(ctx context.Context, source *Directory) error {
	fmt.Println("checking", "go-app")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		if _, err := m.Lint(ctx, source); err != nil {
			return fmt.Errorf("lint: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		if _, err := m.Test(ctx, source); err != nil {
			return fmt.Errorf("test: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		if _, err := m.Scan(ctx, source); err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		return m.Format(ctx, source)
	})
	return group.Wait()
}
