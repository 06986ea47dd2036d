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
	"strconv"
	"strings"
	"sync"
	"time"
)

// connectTimeout bounds connecting to an engine on this host. Answers may take as long as they like.
const connectTimeout = 10 * time.Second

// transport sends requests over HTTP/1.1 to the loopback, which is all a session needs. It does
// without net/http, because every module would have to compile and link that.
type transport struct {
	address string
	head    string

	lock sync.Mutex
	idle []*connection
}

type connection struct {
	net.Conn
	reader *bufio.Reader
}

func newTransport(port int, token string) *transport {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	credentials := base64.StdEncoding.EncodeToString([]byte(token + ":"))
	return &transport{
		address: address,
		head: "POST /query HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\n" +
			"Accept: application/json\r\nAuthorization: Basic " + credentials + "\r\nContent-Length: ",
	}
}

// Request sends a query and returns the data of its answer.
func (t *transport) Request(ctx context.Context, query string) (json.RawMessage, error) {
	return t.send(ctx, map[string]any{"query": query})
}

func (t *transport) send(ctx context.Context, request any) (json.RawMessage, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	message := []byte(t.head + strconv.Itoa(len(body)) + "\r\n\r\n")
	message = append(message, body...)
	reply, err := t.exchange(ctx, message)
	if err != nil {
		return nil, err
	}
	var answer answer
	if err := json.Unmarshal(reply, &answer); err != nil {
		return nil, fmt.Errorf("the engine's answer is not JSON: %w", err)
	}
	return answer.result()
}

// errStale says that a kept connection was closed before it answered.
var errStale = errors.New("the engine closed the connection")

// exchange sends a message and returns the body of the reply. A kept connection may have been closed
// by the other side meanwhile; then another is tried.
func (t *transport) exchange(ctx context.Context, message []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for {
		conn := t.takeIdle()
		if conn == nil {
			break
		}
		reply, err := t.use(ctx, conn, message)
		if !errors.Is(err, errStale) {
			return reply, err
		}
	}
	dialer := net.Dialer{Timeout: connectTimeout}
	raw, err := dialer.DialContext(ctx, "tcp", t.address)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the engine at %s: %w", t.address, err)
	}
	return t.use(ctx, &connection{raw, bufio.NewReader(raw)}, message)
}

func (t *transport) takeIdle() *connection {
	t.lock.Lock()
	defer t.lock.Unlock()
	last := len(t.idle) - 1
	if last < 0 {
		return nil
	}
	conn := t.idle[last]
	t.idle = t.idle[:last]
	return conn
}

func (t *transport) use(ctx context.Context, conn *connection, message []byte) ([]byte, error) {
	// The engine notices that nobody waits any more by the end of the connection.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	reply, keep, err := conn.roundTrip(message)
	if !stop() {
		return nil, ctx.Err()
	}
	if err != nil || !keep {
		conn.Close()
		return reply, err
	}
	t.lock.Lock()
	t.idle = append(t.idle, conn)
	t.lock.Unlock()
	return reply, nil
}

func (t *transport) close() {
	t.lock.Lock()
	defer t.lock.Unlock()
	for _, conn := range t.idle {
		conn.Close()
	}
	t.idle = nil
}

// roundTrip sends a message and reads the reply; keep says whether the connection is still good.
func (c *connection) roundTrip(message []byte) (reply []byte, keep bool, err error) {
	if _, err := c.Write(message); err != nil {
		return nil, false, errStale
	}
	status, err := c.line()
	if err != nil {
		return nil, false, errStale
	}
	head, err := c.header()
	if err != nil {
		return nil, false, err
	}
	keep = !strings.EqualFold(head["connection"], "close")
	switch length, known := head["content-length"]; {
	case strings.EqualFold(head["transfer-encoding"], "chunked"):
		reply, err = c.chunks()
	case known:
		size, bad := strconv.Atoi(length)
		if bad != nil || size < 0 {
			return nil, false, fmt.Errorf("the engine's answer has a wrong length: %q", length)
		}
		reply = make([]byte, size)
		_, err = io.ReadFull(c.reader, reply)
	default:
		keep = false
		reply, err = io.ReadAll(c.reader)
	}
	if err != nil {
		return nil, false, fmt.Errorf("the engine's answer broke off: %w", err)
	}
	words := strings.SplitN(status, " ", 3)
	if len(words) < 2 || !strings.HasPrefix(words[0], "HTTP/1.") {
		return nil, false, fmt.Errorf("the engine's answer is not HTTP: %q", status)
	}
	if words[1] == "401" {
		return nil, keep, errors.New("the engine does not accept this session's token")
	}
	return reply, keep, nil
}

func (c *connection) line() (string, error) {
	line, err := c.reader.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

func (c *connection) header() (map[string]string, error) {
	head := map[string]string{}
	for {
		line, err := c.line()
		if err != nil {
			return nil, fmt.Errorf("the engine's answer broke off: %w", err)
		}
		if line == "" {
			return head, nil
		}
		name, value, _ := strings.Cut(line, ":")
		head[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
}

func (c *connection) chunks() ([]byte, error) {
	var body []byte
	for {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		digits, _, _ := strings.Cut(line, ";")
		size, err := strconv.ParseInt(strings.TrimSpace(digits), 16, 32)
		if err != nil {
			return nil, err
		}
		chunk := make([]byte, size+2)
		if _, err := io.ReadFull(c.reader, chunk); err != nil {
			return nil, err
		}
		if size == 0 {
			return body, nil
		}
		body = append(body, chunk[:size]...)
	}
}
