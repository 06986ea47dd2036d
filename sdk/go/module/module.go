// Package module runs the functions of a module: it is what generated code calls.
package module

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"

	"dagger.io/dagger"
)

// Call is the function call that a program serves.
type Call struct {
	// Object is the type whose function is called.
	Object string
	// Function is its name; empty for the constructor.
	Function string

	state []byte
	args  map[string][]byte
}

// State decodes the state of the object.
func (c *Call) State(into any) error {
	if len(c.state) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.state, into); err != nil {
		return fmt.Errorf("cannot restore %s from its state: %w", c.Object, err)
	}
	return nil
}

// Arg decodes an argument; one that was not given leaves the value as it is.
func (c *Call) Arg(name string, into any) error {
	data, given := c.args[name]
	if !given {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("cannot understand argument `%s`: %w", name, err)
	}
	return nil
}

// Unknown is the error for a function that the program does not have.
func (c *Call) Unknown() error {
	return fmt.Errorf("there is no function `%s` of `%s`; is generated code out of date?", c.Function, c.Object)
}

// Serve asks which function is called, calls it through invoke and answers with its result.
func Serve(invoke func(ctx context.Context, call *Call) (any, error)) {
	if err := serve(context.Background(), dagger.Ambient(), invoke); err != nil {
		if !errors.Is(err, errHandled) {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(2)
	}
}

// errHandled says that the engine was told of the error.
var errHandled = errors.New("the function failed")

func serve(
	ctx context.Context, client *dagger.Client, invoke func(ctx context.Context, call *Call) (any, error),
) error {
	call, err := current(ctx, client)
	if err != nil {
		return err
	}
	result, err := guarded(ctx, call, invoke)
	if err == nil {
		var data []byte
		if data, err = encode(result); err == nil {
			answer := client.GraphQLQuery().Select("currentFunctionCall").Select("returnValue")
			return answer.Arg("value", string(data)).Execute(ctx, nil)
		}
		err = fmt.Errorf("cannot encode the result: %w", err)
	}
	if failed := report(ctx, client, err); failed != nil {
		return errors.Join(err, failed)
	}
	return errHandled
}

// encode returns the JSON of a result; a nil slice is an empty list.
func encode(result any) ([]byte, error) {
	if value := reflect.ValueOf(result); value.Kind() == reflect.Slice && value.IsNil() {
		return []byte("[]"), nil
	}
	return json.Marshal(result)
}

// guarded calls the function and turns a panic into an error.
func guarded(
	ctx context.Context, call *Call, invoke func(ctx context.Context, call *Call) (any, error),
) (result any, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n\n%s", cause, debug.Stack())
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return invoke(ctx, call)
}

func current(ctx context.Context, client *dagger.Client) (*Call, error) {
	var answer struct {
		Call struct {
			ParentName string
			Name       string
			Parent     string
			InputArgs  []struct {
				Name  string
				Value string
			}
		} `json:"currentFunctionCall"`
	}
	request := &dagger.Request{
		Query: "query{currentFunctionCall{parentName name parent inputArgs{name value}}}",
	}
	if err := client.Do(ctx, request, &dagger.Response{Data: &answer}); err != nil {
		return nil, err
	}
	call := &Call{
		Object:   answer.Call.ParentName,
		Function: answer.Call.Name,
		state:    []byte(answer.Call.Parent),
		args:     make(map[string][]byte, len(answer.Call.InputArgs)),
	}
	for _, arg := range answer.Call.InputArgs {
		call.args[arg.Name] = []byte(arg.Value)
	}
	return call, nil
}

// extended is an error with values of its own, such as the engine's errors.
type extended interface {
	error
	Extensions() map[string]any
}

// report tells the engine of an error, with its values.
func report(ctx context.Context, client *dagger.Client, cause error) error {
	made := client.GraphQLQuery().Select("error").Arg("message", cause.Error())
	var values extended
	if errors.As(cause, &values) {
		for name, value := range values.Extensions() {
			data, err := json.Marshal(value)
			if err != nil {
				return fmt.Errorf("value `%s` of the error: %w", name, err)
			}
			made = made.Select("withValue").Arg("name", name).Arg("value", string(data))
		}
	}
	id, err := made.ID(ctx)
	if err != nil {
		return err
	}
	answer := client.GraphQLQuery().Select("currentFunctionCall").Select("returnError")
	return answer.Arg("error", id).Execute(ctx, nil)
}
