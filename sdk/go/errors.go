package dagger

import (
	"encoding/json"
	"fmt"
)

// QueryError is an error that the engine answered a request with.
type QueryError struct {
	// Message says what went wrong.
	Message string
	// Values are further values of the error, by name, as JSON.
	Values map[string]json.RawMessage
}

// Error returns the message.
func (e *QueryError) Error() string {
	return e.Message
}

// Extensions returns the error's values, decoded.
func (e *QueryError) Extensions() map[string]any {
	values := make(map[string]any, len(e.Values))
	for name, raw := range e.Values {
		var value any
		if err := json.Unmarshal(raw, &value); err == nil {
			values[name] = value
		}
	}
	return values
}

// ExecError is the failure of a command. Get at it with errors.As.
type ExecError struct {
	original *QueryError

	// Cmd is the command with its arguments.
	Cmd []string
	// ExitCode is what it exited with.
	ExitCode int
	// Stdout is the end of what it printed.
	Stdout string
	// Stderr is the end of what it printed to its standard error.
	Stderr string
}

// Error returns what failed and with which exit code.
func (e *ExecError) Error() string {
	return e.original.Error()
}

// Message returns the same as Error.
func (e *ExecError) Message() string {
	return e.Error()
}

// Extensions returns the error's values, decoded.
func (e *ExecError) Extensions() map[string]any {
	return e.original.Extensions()
}

// Unwrap returns the engine's error.
func (e *ExecError) Unwrap() error {
	return e.original
}

type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string                     `json:"message"`
		Extensions map[string]json.RawMessage `json:"extensions"`
	} `json:"errors"`
}

// result returns the data of an answer, or the first of its errors.
func (a *answer) result() (json.RawMessage, error) {
	if len(a.Errors) == 0 {
		return a.Data, nil
	}
	first := a.Errors[0]
	failure := &QueryError{Message: first.Message, Values: first.Extensions}
	var kind string
	if raw, found := first.Extensions["_type"]; found {
		if err := json.Unmarshal(raw, &kind); err != nil {
			return nil, failure
		}
	}
	if kind != "EXEC_ERROR" {
		return nil, failure
	}
	exec := &ExecError{original: failure}
	for name, into := range map[string]any{
		"cmd": &exec.Cmd, "exitCode": &exec.ExitCode, "stdout": &exec.Stdout, "stderr": &exec.Stderr,
	} {
		if raw, found := first.Extensions[name]; found {
			if err := json.Unmarshal(raw, into); err != nil {
				return nil, fmt.Errorf("%w (and its `%s` cannot be understood: %v)", failure, name, err)
			}
		}
	}
	return nil, exec
}
