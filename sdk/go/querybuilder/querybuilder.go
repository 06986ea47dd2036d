// Package querybuilder writes the queries behind the generated clients.
//
// A [Selection] is a chain of fields that grows without asking anything. [Selection.Execute] turns it
// into one request. Objects given as arguments are sent by id, which is asked for first.
package querybuilder

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// Requester sends a query and returns the data of its answer.
type Requester interface {
	Request(ctx context.Context, query string) (json.RawMessage, error)
}

// Object is anything that can be given as an argument by its id.
type Object interface {
	GraphQLID(ctx context.Context) (string, error)
}

// Enum is a text that is written into queries without quotes.
type Enum interface {
	IsEnum()
}

// Selection is a field of the API below other fields.
type Selection struct {
	requester Requester
	parent    *Selection
	name      string
	args      []argument

	lock sync.Mutex
	id   string
}

type argument struct {
	name  string
	value any
}

// Query returns the root of the API.
func Query(requester Requester) *Selection {
	return &Selection{requester: requester}
}

// Root returns the root that a selection began with.
func (s *Selection) Root() *Selection {
	return Query(s.requester)
}

// Select returns the selection of a field below this one.
func (s *Selection) Select(name string) *Selection {
	return &Selection{requester: s.requester, parent: s, name: name}
}

// Arg adds an argument to a selection that is still being made, and returns it.
func (s *Selection) Arg(name string, value any) *Selection {
	s.args = append(s.args, argument{name, value})
	return s
}

// Optional adds an argument unless it is a zero value. A later value replaces an earlier one.
func (s *Selection) Optional(name string, value any) {
	if given := reflect.ValueOf(value); !given.IsValid() || given.IsZero() {
		return
	}
	for i := range s.args {
		if s.args[i].name == name {
			s.args[i].value = value
			return
		}
	}
	s.Arg(name, value)
}

// IDs asks for the ids of a list of objects.
func (s *Selection) IDs(ctx context.Context) ([]string, error) {
	path := append(s.path(), &Selection{name: "id"})
	query, err := write(ctx, path)
	if err != nil {
		return nil, err
	}
	data, err := s.requester.Request(ctx, query)
	if err != nil {
		return nil, err
	}
	for _, step := range path[:len(path)-1] {
		if isNull(data) {
			return nil, nil
		}
		if data, err = field(data, step.name); err != nil {
			return nil, err
		}
	}
	var objects []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(data, &objects); err != nil {
		return nil, fmt.Errorf("cannot understand the answer of `%s`: %w", s.name, err)
	}
	ids := make([]string, len(objects))
	for i, object := range objects {
		ids[i] = object.ID
	}
	return ids, nil
}

// ID asks for the id of the selected object. It asks once: an object's id does not change.
func (s *Selection) ID(ctx context.Context) (string, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.id == "" {
		if err := s.Select("id").Execute(ctx, &s.id); err != nil {
			return "", err
		}
	}
	return s.id, nil
}

// Execute asks for what is selected and decodes the answer into a pointer; nil throws it away.
func (s *Selection) Execute(ctx context.Context, into any) error {
	path := s.path()
	query, err := write(ctx, path)
	if err != nil {
		return err
	}
	data, err := s.requester.Request(ctx, query)
	if err != nil || into == nil {
		return err
	}
	for _, step := range path {
		if isNull(data) {
			return nil
		}
		if data, err = field(data, step.name); err != nil {
			return err
		}
	}
	if isNull(data) {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("cannot understand the answer of `%s`: %w", s.name, err)
	}
	return nil
}

// String returns the query, with arguments that are objects left out.
func (s *Selection) String() string {
	names := make([]string, 0, 8)
	for _, step := range s.path() {
		names = append(names, step.name)
	}
	return strings.Join(names, ".")
}

func isNull(data json.RawMessage) bool {
	return len(data) == 0 || bytes.Equal(data, []byte("null"))
}

func field(data json.RawMessage, name string) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, fmt.Errorf("cannot understand the answer above `%s`: %w", name, err)
	}
	value, found := fields[name]
	if !found {
		return nil, fmt.Errorf("the answer has no `%s`", name)
	}
	return value, nil
}

// path returns the selected fields from the root down.
func (s *Selection) path() []*Selection {
	var path []*Selection
	for at := s; at != nil && at.name != ""; at = at.parent {
		path = append(path, at)
	}
	for i, j := 0, len(path)-1; i < j; i, j = i+1, j-1 {
		path[i], path[j] = path[j], path[i]
	}
	return path
}

// write returns the query for a path.
func write(ctx context.Context, path []*Selection) (string, error) {
	ids, err := objects(ctx, path)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	out.WriteString("query{")
	for i, step := range path {
		if i > 0 {
			out.WriteByte('{')
		}
		out.WriteString(step.name)
		for j, arg := range step.args {
			if j == 0 {
				out.WriteByte('(')
			} else {
				out.WriteByte(',')
			}
			out.WriteString(arg.name)
			out.WriteByte(':')
			if err := literal(&out, reflect.ValueOf(arg.value), ids); err != nil {
				return "", fmt.Errorf("argument `%s` of `%s`: %w", arg.name, step.name, err)
			}
		}
		if len(step.args) > 0 {
			out.WriteByte(')')
		}
	}
	out.WriteString(strings.Repeat("}", len(path)))
	return out.String(), nil
}

// objects asks for the ids of all objects among the arguments of a path, at the same time.
func objects(ctx context.Context, path []*Selection) (map[Object]string, error) {
	ids := map[Object]string{}
	for _, step := range path {
		for _, arg := range step.args {
			collect(reflect.ValueOf(arg.value), ids)
		}
	}
	if len(ids) == 0 {
		return ids, nil
	}
	var (
		lock  sync.Mutex
		wait  sync.WaitGroup
		first error
	)
	wanted := make([]Object, 0, len(ids))
	for object := range ids {
		wanted = append(wanted, object)
	}
	ask := func(object Object) {
		id, err := object.GraphQLID(ctx)
		lock.Lock()
		defer lock.Unlock()
		if err != nil && first == nil {
			first = err
		}
		ids[object] = id
	}
	for _, object := range wanted[1:] {
		wait.Add(1)
		go func(object Object) {
			defer wait.Done()
			ask(object)
		}(object)
	}
	ask(wanted[0])
	wait.Wait()
	return ids, first
}

// collect notes every object in a value.
func collect(value reflect.Value, found map[Object]string) {
	if object, is := asObject(value); is {
		found[object] = ""
		return
	}
	switch value.Kind() {
	case reflect.Slice, reflect.Array:
		for i := 0; i < value.Len(); i++ {
			collect(value.Index(i), found)
		}
	case reflect.Pointer, reflect.Interface:
		if !value.IsNil() {
			collect(value.Elem(), found)
		}
	case reflect.Struct:
		for i := 0; i < value.NumField(); i++ {
			if value.Type().Field(i).IsExported() {
				collect(value.Field(i), found)
			}
		}
	}
}

func asObject(value reflect.Value) (Object, bool) {
	if !value.IsValid() || !value.CanInterface() {
		return nil, false
	}
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			return nil, false
		}
	}
	object, is := value.Interface().(Object)
	return object, is
}

// literal writes a value in GraphQL's syntax.
func literal(out *strings.Builder, value reflect.Value, ids map[Object]string) error {
	if !value.IsValid() {
		out.WriteString("null")
		return nil
	}
	if object, is := asObject(value); is {
		return text(out, ids[object])
	}
	if value.CanInterface() {
		if enum, is := value.Interface().(Enum); is && value.Kind() == reflect.String {
			_ = enum
			out.WriteString(value.String())
			return nil
		}
	}
	switch value.Kind() {
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			out.WriteString("null")
			return nil
		}
		return literal(out, value.Elem(), ids)
	case reflect.Slice, reflect.Array:
		out.WriteByte('[')
		for i := 0; i < value.Len(); i++ {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := literal(out, value.Index(i), ids); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case reflect.Struct:
		return input(out, value, ids)
	case reflect.String:
		return text(out, value.String())
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		number, err := json.Marshal(value.Interface())
		out.Write(number)
		return err
	}
	return fmt.Errorf("a %s cannot be sent", value.Type())
}

// input writes a struct as an input object, its fields by their JSON names, zero values left out.
func input(out *strings.Builder, value reflect.Value, ids map[Object]string) error {
	out.WriteByte('{')
	first := true
	for i := 0; i < value.NumField(); i++ {
		field := value.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || (strings.Contains(options, "omitempty") && value.Field(i).IsZero()) {
			continue
		}
		if name == "" {
			name = field.Name
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.WriteString(name)
		out.WriteByte(':')
		if err := literal(out, value.Field(i), ids); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

func text(out *strings.Builder, value string) error {
	quoted, err := json.Marshal(value)
	out.Write(quoted)
	return err
}
