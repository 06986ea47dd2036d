// Package main builds services that are written in Go.
package main

import (
	"context"
	"sync"
)

// GoService lints, tests, builds and publishes one service.
type GoService struct{}

// Build compiles the service into a static binary.
func (m *GoService) Build(source *Directory, goVersion Optional[string], main Optional[string]) *File {
	return m.golang(source, goVersion.GetOr("1.24")).
		WithEnvVariable("CGO_ENABLED", "0").
		WithExec([]string{"go", "build", "-trimpath", "-o", "/out/service", main.GetOr(".")}).
		File("/out/service")
}

// Test runs the tests.
func (m *GoService) Test(ctx context.Context, source *Directory, goVersion Optional[string]) (string, error) {
	return m.golang(source, goVersion.GetOr("1.24")).
		WithExec([]string{"go", "test", "./..."}).
		Stdout(ctx)
}

// Lint looks for mistakes.
func (m *GoService) Lint(ctx context.Context, source *Directory) (string, error) {
	return dag.Container().
		From("golangci/golangci-lint:v1.55").
		WithDirectory("/src", source).
		WithWorkdir("/src").
		WithExec([]string{"golangci-lint", "run", "--timeout", "5m"}).
		Stdout(ctx)
}

// Image puts the binary into a small image.
func (m *GoService) Image(source *Directory, goVersion Optional[string], baseImage Optional[string]) *Container {
	return dag.Container().
		From(baseImage.GetOr("gcr.io/distroless/static")).
		WithFile("/service", m.Build(source, goVersion, Optional[string]{})).
		WithEntrypoint([]string{"/service"})
}

// Publish pushes the image; returns its reference with digest.
func (m *GoService) Publish(
	ctx context.Context,
	source *Directory,
	registry, tag, username string,
	password *Secret,
) (string, error) {
	return m.Image(source, Optional[string]{}, Optional[string]{}).
		WithRegistryAuth(registry, username, password).
		Publish(ctx, registry+":"+tag)
}

// CI lints and tests at the same time.
func (m *GoService) CI(ctx context.Context, source *Directory) error {
	var wait sync.WaitGroup
	var lint, test error
	wait.Add(2)
	go func() {
		defer wait.Done()
		_, lint = m.Lint(ctx, source)
	}()
	go func() {
		defer wait.Done()
		_, test = m.Test(ctx, source, Optional[string]{})
	}()
	wait.Wait()
	if lint != nil {
		return lint
	}
	return test
}

func (m *GoService) golang(source *Directory, version string) *Container {
	return dag.Container().
		From("golang:"+version).
		WithMountedCache("/go/pkg/mod", dag.CacheVolume("go-mod")).
		WithMountedCache("/root/.cache/go-build", dag.CacheVolume("go-build")).
		WithDirectory("/src", source).
		WithWorkdir("/src")
}
