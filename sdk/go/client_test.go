package dagger

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"dagger.io/dagger/querybuilder"
)

// fake answers requests and remembers their queries.
type fake struct {
	lock    sync.Mutex
	queries []string
	answer  func(query string) string
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	wanted := "Basic " + base64.StdEncoding.EncodeToString([]byte("secret:"))
	if r.Header.Get("Authorization") != wanted {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var request struct{ Query string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	f.lock.Lock()
	f.queries = append(f.queries, request.Query)
	f.lock.Unlock()
	fmt.Fprint(w, f.answer(request.Query))
}

func connect(t *testing.T, answer func(query string) string) (*Client, *fake) {
	t.Helper()
	fake := &fake{answer: answer}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NSCI_SESSION_PORT", port)
	t.Setenv("NSCI_SESSION_TOKEN", "secret")
	client, err := Connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return client, fake
}

// nested answers a query with a value at its only leaf.
func nested(query, value string) string {
	depth := strings.Count(query, "{") - 1
	names := strings.FieldsFunc(query, func(c rune) bool { return c == '{' || c == '}' })
	out := value
	for at := depth; at >= 0; at-- {
		name, _, _ := strings.Cut(names[at+1], "(")
		out = fmt.Sprintf(`{%q:%s}`, name, out)
	}
	return `{"data":` + out + `}`
}

func TestChainIsOneRequest(t *testing.T) {
	client, fake := connect(t, func(query string) string { return nested(query, `"out"`) })
	out, err := client.Container().
		From("alpine").
		With(func(c *Container) *Container { return c.WithEnvVariable("A", "a \"b\"\n$") }).
		WithExec([]string{"date", "-u"}, ContainerWithExecOpts{Expect: ReturnTypeAny}, ContainerWithExecOpts{Stdin: "in"}).
		Stdout(context.Background())
	if err != nil || out != "out" {
		t.Fatalf("got %q, %v", out, err)
	}
	wanted := `query{container{from(address:"alpine"){withEnvVariable(name:"A",value:"a \"b\"\n$"){` +
		`withExec(args:["date","-u"],expect:ANY,stdin:"in"){stdout}}}}}`
	if len(fake.queries) != 1 || fake.queries[0] != wanted {
		t.Errorf("got %q\nwant %q", fake.queries, wanted)
	}
}

func TestObjectsAreSentByIDAndAskedForOnce(t *testing.T) {
	client, fake := connect(t, func(query string) string {
		if strings.HasSuffix(strings.TrimRight(query, "}"), "{id") {
			return nested(query, `"file-id"`)
		}
		return nested(query, `["a","b"]`)
	})
	file := client.File("a.txt", "a")
	dir := client.Directory().WithFiles("/", []*File{file, file})
	for i := 0; i < 2; i++ {
		entries, err := dir.Entries(context.Background())
		if err != nil || len(entries) != 2 {
			t.Fatalf("got %v, %v", entries, err)
		}
	}
	wanted := `query{directory{withFiles(path:"/",sources:["file-id","file-id"]){entries}}}`
	if len(fake.queries) != 3 || fake.queries[2] != wanted {
		t.Errorf("got %q", fake.queries)
	}
}

func TestListsOfObjectsAreLoadedByID(t *testing.T) {
	client, fake := connect(t, func(query string) string {
		if strings.Contains(query, "loadEnvVariableFromID") {
			return nested(query, `"NAME"`)
		}
		return `{"data":{"container":{"envVariables":[{"id":"1"},{"id":"2"}]}}}`
	})
	variables, err := client.Container().EnvVariables(context.Background())
	if err != nil || len(variables) != 2 {
		t.Fatalf("got %v, %v", variables, err)
	}
	if name, err := variables[1].Name(context.Background()); err != nil || name != "NAME" {
		t.Errorf("got %q, %v", name, err)
	}
	if last := fake.queries[1]; last != `query{loadEnvVariableFromID(id:"2"){name}}` {
		t.Errorf("got %q", last)
	}
}

func TestSyncReturnsWhatWasMade(t *testing.T) {
	client, fake := connect(t, func(query string) string { return nested(query, `"made"`) })
	made, err := client.Container().From("alpine").Sync(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made.Stdout(context.Background()); err != nil {
		t.Fatal(err)
	}
	if last := fake.queries[1]; last != `query{loadContainerFromID(id:"made"){stdout}}` {
		t.Errorf("got %q", last)
	}
}

func TestFailureOfACommandHasFields(t *testing.T) {
	client, _ := connect(t, func(string) string {
		return `{"data":null,"errors":[{"message":"exit code: 3","extensions":{"_type":"EXEC_ERROR",` +
			`"cmd":["sh"],"exitCode":3,"stdout":"o","stderr":"e"}}]}`
	})
	_, err := client.Container().Stdout(context.Background())
	var exec *ExecError
	if !errors.As(err, &exec) {
		t.Fatalf("got %T: %v", err, err)
	}
	if exec.ExitCode != 3 || exec.Stdout != "o" || exec.Stderr != "e" || exec.Cmd[0] != "sh" || exec.Error() != "exit code: 3" {
		t.Errorf("got %+v", exec)
	}
	var query *QueryError
	if !errors.As(err, &query) || query.Extensions()["exitCode"] != 3.0 {
		t.Errorf("got %v", query)
	}
}

func TestOtherErrorsKeepTheirValues(t *testing.T) {
	client, _ := connect(t, func(string) string {
		return `{"data":null,"errors":[{"message":"no","extensions":{"code":7}}]}`
	})
	err := client.Do(context.Background(), &Request{Query: "{version}"}, nil)
	var query *QueryError
	if !errors.As(err, &query) || query.Message != "no" || query.Extensions()["code"] != 7.0 {
		t.Errorf("got %v", err)
	}
}

func TestWrongTokenIsSaid(t *testing.T) {
	connect(t, nil)
	t.Setenv("NSCI_SESSION_TOKEN", "wrong")
	client, err := Connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Version(context.Background()); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("got %v", err)
	}
}

func TestSessionMustBeComplete(t *testing.T) {
	for name, set := range map[string]map[string]string{
		"is not a port":     {"NSCI_SESSION_PORT": "x"},
		"TOKEN is not":      {"NSCI_SESSION_PORT": "1", "NSCI_SESSION_TOKEN": "", "DAGGER_SESSION_TOKEN": ""},
		"was not found":     {"NSCI_SESSION_PORT": "", "DAGGER_SESSION_PORT": "", "NSCI_CLI_BIN": "/nowhere/nsci"},
		"did not start a":   {"NSCI_SESSION_PORT": "", "DAGGER_SESSION_PORT": "", "NSCI_CLI_BIN": "true"},
		"cannot be changed": {"NSCI_SESSION_PORT": "1", "NSCI_SESSION_TOKEN": "a"},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range set {
				t.Setenv(variable, value)
			}
			var opts []ClientOpt
			if strings.Contains(name, "changed") {
				opts = append(opts, WithWorkdir(t.TempDir()))
			}
			if _, err := Connect(context.Background(), opts...); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCancelledRequestEnds(t *testing.T) {
	asked := make(chan struct{})
	release := make(chan struct{})
	client, _ := connect(t, func(string) string {
		close(asked)
		<-release
		return ""
	})
	// Before the server is closed, which waits for its answers.
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := client.Version(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestAnswersOfEveryShape speaks to the transport in raw HTTP.
func TestAnswersOfEveryShape(t *testing.T) {
	const body = `{"data":{"version":"v1"}}`
	chunked := fmt.Sprintf("5\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", body[:5], len(body)-5, body[5:])
	for name, reply := range map[string]string{
		"chunks":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
		"length":   fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s", len(body), body),
		"to close": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body,
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go func() {
						defer conn.Close()
						reader := bufio.NewReader(conn)
						// One answer for each connection: the next request finds it closed.
						if request, err := http.ReadRequest(reader); err == nil {
							if _, err := io.Copy(io.Discard, request.Body); err == nil {
								fmt.Fprint(conn, reply)
							}
						}
					}()
				}
			}()
			port := listener.Addr().(*net.TCPAddr).Port
			client := &Client{query: querybuilder.Query(newTransport(port, "t"))}
			for i := 0; i < 2; i++ {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				version, err := client.Version(ctx)
				cancel()
				if err != nil || version != "v1" {
					t.Fatalf("got %q, %v", version, err)
				}
			}
		})
	}
}
