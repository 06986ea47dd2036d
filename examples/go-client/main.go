// Command preview runs Pulumi in a container and shows what it would change, without a module:
//
//	nsci run go run . preview -stack=acme/prod
//
// For a pull request (GITHUB_REF is refs/pull/NUMBER/merge) with a GITHUB_TOKEN it also comments.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	"dagger.io/dagger"
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("say what to do: preview or up")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	stack := flags.String("stack", "prod", "stack of Pulumi")
	if err := flags.Parse(os.Args[2:]); err != nil {
		log.Fatal(err)
	}
	if err := run(context.Background(), os.Args[1], *stack); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, operation, stack string) error {
	client, err := dagger.Connect(ctx, dagger.WithLogOutput(os.Stderr))
	if err != nil {
		return err
	}
	defer client.Close()
	command := "pulumi " + operation + " --non-interactive --stack " + stack
	switch operation {
	case "preview":
		command += " --diff"
	case "up":
		command += " --yes"
	default:
		return fmt.Errorf("%s is neither preview nor up", operation)
	}
	out, err := base(client).WithExec([]string{"bash", "-c", command}).Stdout(ctx)
	if err != nil {
		return err
	}
	fmt.Print(out)
	token := os.Getenv("GITHUB_TOKEN")
	if operation != "preview" || token == "" {
		return nil
	}
	return comment(ctx, out, token)
}

// base is Pulumi with the code of the infrastructure and credentials as secrets.
func base(client *dagger.Client) *dagger.Container {
	made := client.Container().From("pulumi/pulumi:latest")
	for _, name := range []string{"PULUMI_ACCESS_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		made = made.WithSecretVariable(name, client.SetSecret(strings.ToLower(name), os.Getenv(name)))
	}
	return made.
		WithMountedDirectory("/infra", client.Host().Directory(".")).
		WithWorkdir("/infra").
		WithExec([]string{"bash", "-c", "go mod tidy"})
}

// comment posts to the pull request that GITHUB_REF names.
func comment(ctx context.Context, text, token string) error {
	ref := os.Getenv("GITHUB_REF")
	parts := strings.Split(ref, "/")
	if len(parts) < 3 {
		return fmt.Errorf("%q is no ref of a pull request", ref)
	}
	number, err := strconv.Atoi(parts[2])
	if err != nil {
		return fmt.Errorf("%q is no ref of a pull request", ref)
	}
	body, err := json.Marshal(map[string]string{"body": "```\n" + text + "\n```"})
	if err != nil {
		return err
	}
	api := os.Getenv("GITHUB_API_URL")
	if api == "" {
		api = "https://api.github.com"
	}
	url := fmt.Sprintf("%s/repos/%s/issues/%d/comments", api, os.Getenv("GITHUB_REPOSITORY"), number)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s answered %s", url, answer.Status)
	}
	return nil
}
