module example.org/go-app

go 1.21
