// Everything that a Go module can say.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dagger/go-tour/internal/dagger"
)

// Level is how bad a finding is.
type Level string

const (
	// Low is for the record.
	Low Level = "LOW"
	// High must be looked at.
	High Level = "HIGH"
)

// Unit is a unit of size.
type Unit string

const (
	UnitKilobyte Unit = "kB (1000)"
	UnitKibibyte Unit = "KiB (1024)"
)

// Greeter is any object that can greet.
type Greeter interface {
	DaggerObject
	// Greet greets somebody.
	Greet(ctx context.Context, name string) (string, error)
}

// GoTour greets, counts and remembers.
type GoTour struct {
	// Greeting to begin with.
	Greeting string
	// +private
	Seen []string
	// Source is what is looked at.
	Source *dagger.Directory
}

// Report is what was found.
type Report struct {
	Level Level
	Names []string
	// +private
	Secret map[string]string
}

// Summary says the report in one line.
func (r *Report) Summary() string {
	return fmt.Sprintf("%s: %s (%d)", r.Level, strings.Join(r.Names, ", "), len(r.Secret))
}

func New(
	// +default="Hello"
	greeting string,
	// Code to look at.
	// +defaultPath="/"
	// +ignore=["*", "!*.go"]
	source *dagger.Directory,
) *GoTour {
	return &GoTour{Greeting: greeting, Source: source}
}

// Greet greets somebody.
func (m *GoTour) Greet(name string) string {
	return fmt.Sprintf("%s, %s!", m.Greeting, name)
}

// Meet lets another module's object greet.
func (m *GoTour) Meet(ctx context.Context, greeters []Greeter, first Greeter, name string) (string, error) {
	greetings := []string{}
	for _, greeter := range append([]Greeter{first}, greeters...) {
		greeting, err := greeter.Greet(ctx, name)
		if err != nil {
			return "", err
		}
		greetings = append(greetings, greeting)
	}
	return strings.Join(greetings, " "), nil
}

// Remember adds a name, in Go's way of changing what a method is called on.
func (m *GoTour) Remember(name string) {
	m.Seen = append(m.Seen, name)
}

// Report says what is remembered.
func (m *GoTour) Report(
	// +optional
	level Level,
) *Report {
	if level == "" {
		level = Low
	}
	return &Report{Level: level, Names: m.Seen, Secret: map[string]string{"a": "b"}}
}

// Reports gives a report for each name.
func (m *GoTour) Reports() []*Report {
	var reports []*Report
	for _, name := range m.Seen {
		reports = append(reports, &Report{Level: High, Names: []string{name}})
	}
	return reports
}

// Sum adds numbers.
func (m *GoTour) Sum(numbers ...int) int {
	sum := 0
	for _, number := range numbers {
		sum += number
	}
	return sum
}

// Scale scales a number.
func (m *GoTour) Scale(opts struct {
	Number float64
	// +default=2
	Factor float64
	Unit   Unit // +optional
	Round  *bool
}) (string, error) {
	unit := opts.Unit
	if unit == "" {
		unit = UnitKilobyte
	}
	if opts.Round != nil && *opts.Round {
		return fmt.Sprintf("%.0f %s", opts.Number*opts.Factor, unit), nil
	}
	return fmt.Sprintf("%.2f %s", opts.Number*opts.Factor, unit), nil
}

// Units lists all units.
func (m *GoTour) Units() []Unit {
	return []Unit{UnitKilobyte, UnitKibibyte}
}

// Files lists the Go files of the source.
func (m *GoTour) Files(ctx context.Context) ([]string, error) {
	return m.Source.Glob(ctx, "*.go")
}

// Never is asked each time.
//
// +cache="never"
func (m *GoTour) Never() string {
	return "asked"
}

// failure is an error with values.
type failure struct{ code int }

func (f failure) Error() string { return "it does not work" }

func (f failure) Extensions() map[string]any { return map[string]any{"code": f.code} }

// Fail fails, in one of several ways.
func (m *GoTour) Fail(ctx context.Context, how string) error {
	switch how {
	case "values":
		return fmt.Errorf("as expected: %w", failure{7})
	case "panic":
		panic("at the tour")
	case "exec":
		_, err := dag.Container().From("alpine:3.20").
			WithExec([]string{"sh", "-c", "echo out; echo err >&2; exit 3"}).
			Stdout(ctx)
		var exec *dagger.ExecError
		if !errors.As(err, &exec) {
			return errors.New("there should be an error of a command")
		}
		return fmt.Errorf("code %d, %q, %q: %w", exec.ExitCode, exec.Stdout, exec.Stderr, err)
	}
	return errors.New(how)
}

// Secret uses a secret of its own.
func (m *GoTour) Secret(ctx context.Context) (string, error) {
	secret := dag.SetSecret("password", "open sesame")
	return dag.Container().From("alpine:3.20").
		WithSecretVariable("PASSWORD", secret).
		WithExec([]string{"sh", "-c", "echo ${#PASSWORD} $PASSWORD"}).
		Stdout(ctx)
}

// Lists passes objects on: files in, files out.
func (m *GoTour) Lists(files []*dagger.File) *dagger.Directory {
	return dag.Directory().
		With(func(dir *dagger.Directory) *dagger.Directory { return dir.WithFiles("in", files) }).
		WithNewFile("more.txt", "more")
}

// Sharing returns a constant of the API in both spellings.
func (m *GoTour) Sharing(mode dagger.CacheSharingMode) bool {
	return mode == dagger.CacheSharingModeLocked && mode == dagger.Locked
}
