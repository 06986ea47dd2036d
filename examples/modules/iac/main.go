// Package main is the pipeline of a repository of infrastructure.
package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Iac previews pull requests and applies what is merged.
type Iac struct {
	AwsAccessKey *Secret
	AwsSecretKey *Secret
	PulumiToken  *Secret
}

// WithCredentials gives access to the cloud and to the state of stacks.
func (m *Iac) WithCredentials(pulumiToken, awsAccessKey, awsSecretKey *Secret) {
	m.PulumiToken = pulumiToken
	m.AwsAccessKey = awsAccessKey
	m.AwsSecretKey = awsSecretKey
}

// Preview comments on a pull request what merging it would change. githubRef is refs/pull/NUMBER/merge.
func (m *Iac) Preview(ctx context.Context, src *Directory, stack string, githubToken *Secret, githubRef string) (string, error) {
	parts := strings.Split(githubRef, "/")
	if len(parts) < 3 {
		return "", fmt.Errorf("%s is no ref of a pull request, such as refs/pull/7/merge", githubRef)
	}
	number, err := strconv.Atoi(parts[2])
	if err != nil {
		return "", fmt.Errorf("%s is no ref of a pull request, such as refs/pull/7/merge", githubRef)
	}
	diff, err := dag.Pulumi().
		WithAwsCredentials(m.AwsAccessKey, m.AwsSecretKey).
		WithPulumiToken(m.PulumiToken).
		Preview(ctx, src, stack)
	if err != nil {
		return "", err
	}
	return dag.Gh().Comment(ctx, githubToken, number, diff)
}

// Up applies what the repository says.
func (m *Iac) Up(ctx context.Context, src *Directory, stack string) (string, error) {
	return dag.Pulumi().
		WithAwsCredentials(m.AwsAccessKey, m.AwsSecretKey).
		WithPulumiToken(m.PulumiToken).
		Up(ctx, src, stack)
}
