package dagger

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// session is a connection to an engine, and the engine itself if it was started for it.
type session struct {
	*transport
	stop func() error
}

// environment returns the first of some variables that is set.
func environment(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// joined returns the session that the environment names; nil if it names none.
func joined() (*session, error) {
	text := environment("NSCI_SESSION_PORT", "DAGGER_SESSION_PORT")
	if text == "" {
		return nil, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("DAGGER_SESSION_PORT is not a port: %q", text)
	}
	token := environment("NSCI_SESSION_TOKEN", "DAGGER_SESSION_TOKEN")
	if token == "" {
		return nil, errors.New("DAGGER_SESSION_PORT is set but DAGGER_SESSION_TOKEN is not")
	}
	return &session{transport: newTransport(port, token), stop: func() error { return nil }}, nil
}

// spawned starts an engine with a session that ends when its standard input is closed.
func spawned(config *config) (*session, error) {
	command := environment("NSCI_CLI_BIN", "_EXPERIMENTAL_DAGGER_CLI_BIN")
	if command == "" {
		command = "nsci"
	}
	if rest, isHome := strings.CutPrefix(command, "~/"); isHome {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		command = filepath.Join(home, rest)
	}
	program, err := exec.LookPath(command)
	if err != nil {
		return nil, fmt.Errorf("`%s` was not found; install nsci or set NSCI_CLI_BIN to it", command)
	}
	args := []string{"session", "--label", "dagger.io/sdk.name:go"}
	if config.workdir != "" {
		workdir, err := filepath.Abs(config.workdir)
		if err != nil {
			return nil, err
		}
		args = append(args, "--workdir", workdir)
	}
	child := exec.Command(program, args...)
	child.Stderr = config.logOutput
	child.Env = append(os.Environ(), config.environment...)
	stdin, err := child.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", program, err)
	}
	var parameters struct {
		Port  int    `json:"port"`
		Token string `json:"session_token"`
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &parameters)
	}
	if err != nil || parameters.Port == 0 {
		stdin.Close()
		return nil, fmt.Errorf("%s did not start a session: %w", program, errors.Join(child.Wait(), err))
	}
	stop := sync.OnceValue(func() error {
		stdin.Close()
		// What it still prints would block it.
		if _, err := io.Copy(io.Discard, stdout); err != nil && !errors.Is(err, os.ErrClosed) {
			return err
		}
		if err := child.Wait(); err != nil {
			return fmt.Errorf("the engine ended with %w", err)
		}
		return nil
	})
	return &session{transport: newTransport(parameters.Port, parameters.Token), stop: stop}, nil
}
