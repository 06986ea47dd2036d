// Package dagger is a client of the nsci engine.
//
//	client, err := dagger.Connect(ctx, dagger.WithLogOutput(os.Stderr))
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	out, err := client.Container().From("alpine").WithExec([]string{"date"}).Stdout(ctx)
//
// Methods that return an object only describe it. Methods that take a context ask the engine, which
// does then what the description takes. The package uses nothing but the standard library.
package dagger

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync"

	"dagger.io/dagger/querybuilder"
)

// config is what options set.
type config struct {
	workdir     string
	logOutput   io.Writer
	environment []string
	session     *session
}

// ClientOpt is a setting of a connection.
type ClientOpt interface {
	set(*config)
}

type option func(*config)

func (o option) set(config *config) { o(config) }

// WithWorkdir sets the directory that relative paths of the host start from.
func WithWorkdir(path string) ClientOpt {
	return option(func(config *config) { config.workdir = path })
}

// WithLogOutput sets where the engine's progress goes, such as os.Stderr. Without it there is none.
func WithLogOutput(writer io.Writer) ClientOpt {
	return option(func(config *config) { config.logOutput = writer })
}

// WithEnvironmentVariable sets a variable for an engine that has to be started.
func WithEnvironmentVariable(name, value string) ClientOpt {
	return option(func(config *config) {
		config.environment = append(config.environment, name+"="+value)
	})
}

// WithVerbosity is accepted for programs that set it; how much is shown is up to the log output.
func WithVerbosity(int) ClientOpt {
	return option(func(*config) {})
}

// WithRunnerHost is accepted for programs that set it; the engine always runs on this host.
func WithRunnerHost(string) ClientOpt {
	return option(func(*config) {})
}

// DaggerObject is any object of the API or of a module. Interfaces of a module embed it.
type DaggerObject = querybuilder.Object

// Client is a session, and the root of the API.
type Client struct {
	query   *querybuilder.Selection
	session *session
}

// Connect joins the session that the environment names (as under `nsci run`), or starts an engine.
// Close the client when it is no longer needed.
func Connect(ctx context.Context, opts ...ClientOpt) (*Client, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var config config
	for _, opt := range opts {
		opt.set(&config)
	}
	session, err := joined()
	if session != nil && config.workdir != "" {
		here, hereErr := os.Stat(".")
		there, thereErr := os.Stat(config.workdir)
		if err := errors.Join(hereErr, thereErr); err != nil {
			return nil, err
		}
		if !os.SameFile(here, there) {
			return nil, errors.New("the working directory of a running session cannot be changed")
		}
	}
	if session == nil && err == nil {
		session, err = spawned(&config)
	}
	if err != nil {
		return nil, err
	}
	return &Client{query: querybuilder.Query(session), session: session}, nil
}

// ambient is the session that the environment names; it is looked for once.
var ambient = sync.OnceValue(func() querybuilder.Requester {
	session, err := joined()
	if session == nil && err == nil {
		err = errors.New("there is no session: run this program with `nsci run`")
	}
	if err != nil {
		return failing{err}
	}
	return session
})

// failing answers each request with an error.
type failing struct{ err error }

func (f failing) Request(context.Context, string) (json.RawMessage, error) {
	return nil, f.err
}

// Ambient returns a client for the session that the environment names. Without one, every request
// fails.
func Ambient() *Client {
	requester := ambient()
	client := &Client{query: querybuilder.Query(requester)}
	client.session, _ = requester.(*session)
	return client
}

// Close ends the session, if it was started for this client.
func (r *Client) Close() error {
	if r.session == nil {
		return nil
	}
	r.session.close()
	return r.session.stop()
}

// Request is a query in the API's own language.
type Request struct {
	// Query is the text.
	Query string
	// Variables are the values of its variables.
	Variables any
	// OpName is the operation, if the text has several.
	OpName string
}

// Response is the answer of a Request.
type Response struct {
	// Data is decoded into what this points to.
	Data any
}

// Do sends a query in the API's own language.
func (r *Client) Do(ctx context.Context, request *Request, response *Response) error {
	if r.session == nil {
		return errors.New("this client has no session of its own")
	}
	data, err := r.session.send(ctx, map[string]any{
		"query": request.Query, "variables": request.Variables, "operationName": request.OpName,
	})
	if err != nil || response == nil || response.Data == nil {
		return err
	}
	return json.Unmarshal(data, response.Data)
}

// GraphQLQuery returns the root of the API, for generated code.
func (r *Client) GraphQLQuery() *querybuilder.Selection {
	return r.query
}

// WithGraphQLQuery returns the client at a selection, for generated code. Closing it closes nothing.
func (r *Client) WithGraphQLQuery(q *querybuilder.Selection) *Client {
	return &Client{query: q}
}

// unmarshalID reads the id of an object and returns its selection.
func unmarshalID(load string, data []byte) (*querybuilder.Selection, error) {
	var id string
	if err := json.Unmarshal(data, &id); err != nil {
		return nil, err
	}
	return querybuilder.Query(ambient()).Select(load).Arg("id", id), nil
}
