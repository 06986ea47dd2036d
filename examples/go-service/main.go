// Reusable steps for services written in Go.
package main

import (
	"context"
	"fmt"
)

// GoService builds and tests services written in Go
type GoService struct{}

// Config says how a service is built; it is not part of the API, because no function mentions it.
type Config struct {
	GoVersion string
	Package   string
}

// WithDefaults fills in what was not said.
func (c Config) WithDefaults() Config {
	if c.GoVersion == "" {
		c.GoVersion = "1.21"
	}
	if c.Package == "" {
		c.Package = "."
	}
	return c
}

func (c Config) toolchain(source *Directory) *Container {
	return dag.Container().
		From(fmt.Sprintf("golang:%s-alpine", c.GoVersion)).
		WithDirectory("/src", source).
		WithWorkdir("/src").
		WithMountedCache("/go/pkg/mod", dag.CacheVolume("go-mod")).
		WithMountedCache("/root/.cache/go-build", dag.CacheVolume("go-build")).
		WithEnvVariable("CGO_ENABLED", "0")
}

// Build compiles a package of a service
func (m *GoService) Build(
	source *Directory,
	goVersion Optional[string], // Version of Go, 1.21 if not said
	mainPackage Optional[string], // Package to compile, the one at the top if not said
) *File {
	config := Config{GoVersion: goVersion.GetOr(""), Package: mainPackage.GetOr("")}.WithDefaults()
	return config.toolchain(source).
		WithExec([]string{"go", "build", "-ldflags=-s -w", "-o", "/app", config.Package}).
		File("/app")
}

// Test runs the unit tests
func (m *GoService) Test(ctx context.Context, source *Directory, goVersion Optional[string]) (string, error) {
	version, given := goVersion.Get()
	config := Config{GoVersion: version}.WithDefaults()
	out, err := config.toolchain(source).WithExec([]string{"go", "test", "./..."}).Stdout(ctx)
	if err != nil && given {
		return "", fmt.Errorf("with Go %s: %w", version, err)
	}
	return out, err
}

// Image puts a service alone into an image
func (m *GoService) Image(
	source *Directory,
	goVersion Optional[string],
	baseImage Optional[string], // Image to put it in
) *Container {
	return dag.Container().
		From(baseImage.GetOr("gcr.io/distroless/static")).
		WithFile("/app", m.Build(source, goVersion, Optional[string]{})).
		WithEntrypoint([]string{"/app"})
}
