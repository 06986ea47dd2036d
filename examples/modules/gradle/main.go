// Package main runs Gradle.
package main

import "fmt"

// Gradle runs tasks of a Gradle build.
type Gradle struct {
	// Version of the image.
	Version string
	// Source is the directory with the build.
	Source *Directory
}

// FromVersion chooses the version of Gradle, such as 8-jdk17.
func (g *Gradle) FromVersion(version string) *Gradle {
	g.Version = version
	return g
}

// WithSource says where the build is.
func (g *Gradle) WithSource(source *Directory) *Gradle {
	g.Source = source
	return g
}

// Build assembles and tests everything.
func (g *Gradle) Build() *Container {
	return g.Task("build")
}

// Test runs the tests.
func (g *Gradle) Test() *Container {
	return g.Task("test")
}

// Task runs one task.
func (g *Gradle) Task(name string) *Container {
	version := g.Version
	if version == "" {
		version = "latest"
	}
	source := g.Source
	if source == nil {
		source = dag.Directory()
	}
	return dag.Container().
		From(fmt.Sprintf("gradle:%s", version)).
		WithMountedCache("/root/.gradle", dag.CacheVolume("gradle")).
		WithDirectory("/app", source).
		WithWorkdir("/app").
		WithExec([]string{"gradle", "--no-daemon", name})
}
