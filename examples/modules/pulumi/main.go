// Package main runs Pulumi on a directory, with its credentials as secrets.
package main

import (
	"context"
	"errors"
	"fmt"
)

// Pulumi previews and changes the infrastructure that a program describes.
type Pulumi struct {
	AwsAccessKey *Secret
	AwsSecretKey *Secret
	PulumiToken  *Secret
	// Version of the image, latest if empty.
	Version string
}

// FromVersion chooses the version of Pulumi.
func (m *Pulumi) FromVersion(version string) *Pulumi {
	m.Version = version
	return m
}

// WithAwsCredentials gives access to AWS.
func (m *Pulumi) WithAwsCredentials(awsAccessKey, awsSecretKey *Secret) *Pulumi {
	m.AwsAccessKey = awsAccessKey
	m.AwsSecretKey = awsSecretKey
	return m
}

// WithPulumiToken gives access to the state of stacks.
func (m *Pulumi) WithPulumiToken(pulumiToken *Secret) *Pulumi {
	m.PulumiToken = pulumiToken
	return m
}

// Preview tells what up would change.
func (m *Pulumi) Preview(ctx context.Context, src *Directory, stack string) (string, error) {
	return m.run(ctx, src, "preview", stack)
}

// Up changes the infrastructure.
func (m *Pulumi) Up(ctx context.Context, src *Directory, stack string) (string, error) {
	return m.run(ctx, src, "up --yes", stack)
}

// Refresh reads what is really there.
func (m *Pulumi) Refresh(ctx context.Context, src *Directory, stack string) (string, error) {
	return m.run(ctx, src, "refresh --yes", stack)
}

// Destroy removes everything of the stack.
func (m *Pulumi) Destroy(ctx context.Context, src *Directory, stack string) (string, error) {
	return m.run(ctx, src, "destroy --yes", stack)
}

func (m *Pulumi) run(ctx context.Context, src *Directory, command, stack string) (string, error) {
	container, err := m.container(src)
	if err != nil {
		return "", err
	}
	return container.
		WithExec([]string{"bash", "-c", fmt.Sprintf("pulumi %s --non-interactive --stack %q", command, stack)}).
		Stdout(ctx)
}

func (m *Pulumi) container(src *Directory) (*Container, error) {
	if m.PulumiToken == nil {
		return nil, errors.New("no token: call with-pulumi-token first")
	}
	if m.AwsAccessKey == nil || m.AwsSecretKey == nil {
		return nil, errors.New("no credentials: call with-aws-credentials first")
	}
	version := m.Version
	if version == "" {
		version = "latest"
	}
	return dag.Container().
		From("pulumi/pulumi:"+version).
		WithSecretVariable("PULUMI_ACCESS_TOKEN", m.PulumiToken).
		WithSecretVariable("AWS_ACCESS_KEY_ID", m.AwsAccessKey).
		WithSecretVariable("AWS_SECRET_ACCESS_KEY", m.AwsSecretKey).
		WithMountedDirectory("/infra", src).
		WithWorkdir("/infra"), nil
}
