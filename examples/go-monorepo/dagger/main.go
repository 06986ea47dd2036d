// Five services of one repository, built at the same time.
package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

type GoMonorepo struct{}

// CI builds every service, all at the same time
func (m *GoMonorepo) CI(
	ctx context.Context,
	// Directory with one directory for each service
	source *Directory,
	// Seconds that each build takes
	// +default=0
	seconds int,
) error {
	services := []string{"service-a", "service-b", "service-c", "service-d", "service-e"}
	shared := dag.CacheVolume("downloads")
	group, ctx := errgroup.WithContext(ctx)
	for _, name := range services {
		name := name
		group.Go(func() error {
			if err := m.BuildService(ctx, source.Directory(name), shared, seconds); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// BuildService builds one service
func (m *GoMonorepo) BuildService(
	ctx context.Context, source *Directory, downloads *CacheVolume,
	// +default=0
	seconds int,
) error {
	_, err := dag.Container().
		From("alpine:3.20").
		WithMountedCache("/downloads", downloads).
		WithDirectory("/src", source).
		WithWorkdir("/src").
		WithExec([]string{"sh", "-c", fmt.Sprintf("sleep %d && test -s name.txt", seconds)}).
		Sync(ctx)
	return err
}
