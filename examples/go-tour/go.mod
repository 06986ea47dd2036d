module dagger/go-tour

go 1.23

require (
	dagger.io/dagger v0.18.19
	github.com/Khan/genqlient v0.8.0
	go.opentelemetry.io/otel v1.34.0
)

require golang.org/x/sync v0.12.0 // indirect

replace go.opentelemetry.io/otel/log => go.opentelemetry.io/otel/log v0.8.0
